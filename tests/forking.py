"""`helpgraph` in processes that start quickly: each is forked from a process that has imported everything."""

import multiprocessing
import os
import signal
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.process import BaseProcess
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Importing does nothing, so a fork after it is the same as a start; it saves seconds of processor time.
FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(["tests.forking", "graphs.assembly", "chromadb", "tests.warm"])


def fork(arguments: Sequence[str], environment: Mapping[str, str], said: Path) -> BaseProcess:
    """Start `helpgraph` with these arguments in the repository's folder; what it prints is added to the file `said`.

    It ends with this process at the latest, and starts no workers: those import their parent's command line.
    """
    process = FORKS.Process(target=run, args=(list(arguments), dict(environment), str(said)), daemon=True)
    process.start()
    return process


def run(arguments: list[str], environment: dict[str, str], said: str) -> None:
    """What the forked process does."""
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(out, 1)
    os.dup2(out, 2)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(ROOT)
    # Ctrl-C is ignored in what a shell runs in the background, as it may run the tests.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = ["helpgraph", *arguments]
    from graphs.cli import main

    main()
