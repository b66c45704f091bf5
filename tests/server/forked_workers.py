"""`helpgraph serve --workers` that starts quickly: parent and workers are forked from a process that has imported all.

A parent that spawns its workers, as an operator's does, is `tests.serving.served`: it costs six times as much.
"""

import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing.process import BaseProcess
from pathlib import Path

from tests.forking import FORKS, ROOT
from tests.serving import Process, _arguments, _environment, _ready


@contextmanager
def served_by_forks(data_dir: Path, *options: str, end_s: float | None = None, **env: str) -> Iterator[Process]:
    """Two workers, ready to be asked; killed at the end if their parent still runs.

    The parent waits at most `end_s` seconds for a worker to end, as long as it always does when that isn't given.
    """
    with _ready(start_forks(data_dir, *options, end_s=end_s, **env), data_dir) as running:
        yield running


def start_forks(data_dir: Path, *options: str, end_s: float | None = None, **env: str) -> BaseProcess:
    """Start them; what they print is added to the file `said` of the data folder."""
    data_dir.mkdir(exist_ok=True)
    arguments = [*_arguments(data_dir, options), "--workers", "2"]
    # No daemon: it has children.
    process = FORKS.Process(target=_run, args=(arguments, _environment(env), str(data_dir / "said"), end_s))
    process.start()
    return process


def _run(arguments: list[str], environment: dict[str, str], said: str, end_s: float | None) -> None:
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    sys.argv = ["helpgraph", *arguments]
    import uvicorn._subprocess

    import server.workers
    from graphs.cli import main

    uvicorn._subprocess.spawn = multiprocessing.get_context("fork")  # type: ignore[assignment]  # The point of it.
    os.register_at_fork(after_in_child=_hear_no_signals)
    if end_s is not None:
        server.workers._END_S = end_s
    main()


def _hear_no_signals() -> None:
    """A worker that is spawned doesn't begin with the handlers of its parent."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
