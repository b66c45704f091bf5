"""Replays and workers that start quickly: each is forked from a process that has imported everything."""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping, Sequence
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import IO, Any

from evals.replay import pool
from tests.forking import FORKS, run


class ForkedWorker:
    """What a run needs of `asyncio.subprocess.Process`."""

    def __init__(self, process: BaseProcess, stdin: asyncio.WriteTransport, stdout: asyncio.StreamReader) -> None:
        self._process = process
        self.stdin = stdin
        self.stdout = stdout

    @property
    def returncode(self) -> int | None:
        """What it ended with; None while it runs."""
        return self._process.exitcode

    def kill(self) -> None:
        """End it at once."""
        self._process.kill()

    async def wait(self) -> int:
        """Wait until it is gone, and return what it ended with."""
        await asyncio.to_thread(self._process.join)
        self.stdin.close()
        assert self._process.exitcode is not None
        return self._process.exitcode


class _Pipes:
    """A worker's input and output: its own ends, and this process's as files."""

    def __init__(self) -> None:
        theirs_in, ours_out = multiprocessing.Pipe(duplex=False)
        ours_in, theirs_out = multiprocessing.Pipe(duplex=False)
        self.theirs = (theirs_in, theirs_out)
        self.answers, self.jobs = _file(ours_in, "rb"), _file(ours_out, "wb")

    async def connect(self, process: BaseProcess) -> ForkedWorker:
        """The worker, which has started with its ends."""
        # Its input ends when nobody holds the other end, and so does its output.
        for end in self.theirs:
            end.close()
        loop = asyncio.get_running_loop()
        reader = asyncio.StreamReader(limit=pool.LINE_LIMIT)
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), self.answers)
        stdin, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, self.jobs)
        return ForkedWorker(process, stdin, reader)


async def start_process(env: Mapping[str, str], log: Path) -> ForkedWorker:
    """As `evals.replay.pool.start_process`."""
    pipes = _Pipes()
    process = FORKS.Process(target=_work, args=(*pipes.theirs, dict(env), str(log)), daemon=True)
    await asyncio.to_thread(process.start)
    return await pipes.connect(process)


def fork_replay(arguments: Sequence[str], environment: Mapping[str, str], said: Path) -> BaseProcess:
    """As `tests.forking.fork`, for a replay whose workers are forked from itself.

    It must have ended when the tests do: it has children, so that it isn't killed then.
    """
    process = FORKS.Process(target=_replay, args=(list(arguments), dict(environment), str(said)))
    process.start()
    return process


def _replay(arguments: list[str], environment: dict[str, str], said: str) -> None:
    forks, ours = multiprocessing.get_context("fork"), list[IO[Any]]()

    async def start(env: Mapping[str, str], log: Path) -> ForkedWorker:
        pipes = _Pipes()
        ours.extend((pipes.answers, pipes.jobs))
        # A worker that held the other end of an input, its own or another's, would keep it open.
        held = [file.fileno() for file in ours if not file.closed]
        process = forks.Process(target=_work, args=(*pipes.theirs, dict(env), str(log), held), daemon=True)
        process.start()
        return await pipes.connect(process)

    pool.start_process = start  # type: ignore[assignment]  # What a run needs of a process, it has.
    run(arguments, environment, said)


def _file(end: "Connection[bytes, bytes]", mode: str) -> IO[Any]:
    """A pipe's end as a file, which owns it."""
    file = os.fdopen(os.dup(end.fileno()), mode)
    end.close()
    return file


def _work(
    stdin: "Connection[bytes, bytes]",
    stdout: "Connection[bytes, bytes]",
    env: dict[str, str],
    log: str,
    held: Sequence[int] = (),
) -> None:
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for handle in held:
        os.dup2(said, handle)
    for place, handle in enumerate((stdin.fileno(), stdout.fileno(), said)):
        os.dup2(handle, place)
    stdin.close()
    stdout.close()
    os.environ.clear()
    os.environ.update(env)
    sys.stdin = os.fdopen(0)
    from evals.replay.worker import main

    main()
