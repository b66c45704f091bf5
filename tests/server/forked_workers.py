"""`helpgraph serve --workers` that starts quickly: parent and workers are forked from a process that has imported all.

A parent that spawns its workers, as an operator's does, is `tests.serving.served`: it costs six times as much.
"""

import multiprocessing
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.forking import FORKS, run
from tests.serving import Process, arguments_of, environment_of, ready


@contextmanager
def served_by_forks(data_dir: Path, *options: str, end_s: float | None = None, **env: str) -> Iterator[Process]:
    """Two workers, ready to be asked; killed at the end if their parent still runs.

    The parent waits at most `end_s` seconds for a worker to end, as long as it always does when that isn't given.
    """
    with ready(start_forks(data_dir, *options, end_s=end_s, **env), data_dir) as running:
        yield running


def start_forks(data_dir: Path, *options: str, end_s: float | None = None, **env: str) -> BaseProcess:
    """Start them; what they print is added to the file `said` of the data folder."""
    data_dir.mkdir(exist_ok=True)
    arguments = [*arguments_of(data_dir, options), "--workers", "2"]
    # No daemon: it has children.
    process = FORKS.Process(target=_run, args=(arguments, environment_of(env), str(data_dir / "said"), end_s))
    process.start()
    return process


def _run(arguments: list[str], environment: dict[str, str], said: str, end_s: float | None) -> None:
    import uvicorn._subprocess

    import server.workers

    uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]  # The point of it.
    os.register_at_fork(after_in_child=_hear_no_signals)
    if end_s is not None:
        server.workers._END_S = end_s
    run(arguments, environment, said)


def _hear_no_signals() -> None:
    """A worker that is spawned doesn't begin with the handlers of its parent."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
