"""Workers of a replay that start quickly: each is forked from a process that has imported everything."""

import asyncio
import multiprocessing
import os
import sys
from collections.abc import Mapping
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

from evals.replay.pool import LINE_LIMIT
from tests.forking import FORKS


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


async def start_process(env: Mapping[str, str], log: Path) -> ForkedWorker:
    """As `evals.replay.pool.start_process`."""
    theirs_in, ours_out = multiprocessing.Pipe(duplex=False)
    ours_in, theirs_out = multiprocessing.Pipe(duplex=False)
    process = FORKS.Process(target=_work, args=(theirs_in, theirs_out, dict(env), str(log)), daemon=True)
    await asyncio.to_thread(process.start)
    # Its input ends when nobody holds the other end, and so does its output.
    theirs_in.close()
    theirs_out.close()
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=LINE_LIMIT)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), _file(ours_in, "rb"))
    stdin, _ = await loop.connect_write_pipe(asyncio.BaseProtocol, _file(ours_out, "wb"))
    return ForkedWorker(process, stdin, reader)


def _file(end: "Connection[bytes, bytes]", mode: str) -> object:
    """A pipe's end as a file, which owns it."""
    file = os.fdopen(os.dup(end.fileno()), mode)
    end.close()
    return file


def _work(stdin: "Connection[bytes, bytes]", stdout: "Connection[bytes, bytes]", env: dict[str, str], log: str) -> None:
    said = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for place, handle in enumerate((stdin.fileno(), stdout.fileno(), said)):
        os.dup2(handle, place)
    stdin.close()
    stdout.close()
    os.environ.clear()
    os.environ.update(env)
    sys.stdin = os.fdopen(0)
    from evals.replay.worker import main

    main()
