"""A SQLite connection for checkpoints, which are written often and cost little to lose."""

import sqlite3
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import aiosqlite

_COMMITS_IN_THE_LOG = 200


class BriefConnection(aiosqlite.Connection):
    """As `aiosqlite.Connection`, for a file that little is asked of at a time and whose loss costs little.

    Nothing goes to the thread but moving what was written from the log ahead into the file, now and then. It needs
    `PRAGMA synchronous = NORMAL`, with which a commit doesn't wait for the disk, and `wal_autocheckpoint = 0`.
    """

    _commits = 0
    _sent = 0
    _done = 0

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if self._connection is None or self._sent != self._done:
            return await self._send(fn, *args, **kwargs)
        result = fn(*args, **kwargs)
        self._commits += fn == self._connection.commit
        if self._commits == _COMMITS_IN_THE_LOG:
            self._commits = 0
            await self._send(_move_the_log, self._connection)
        return result

    async def _send(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        self._sent += 1
        return await super()._execute(self._counted, fn, *args, **kwargs)  # type: ignore[no-untyped-call]

    def _counted(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        finally:
            self._done += 1


def connect_briefly(path: Path) -> BriefConnection:
    """A `BriefConnection`, to be awaited or entered."""
    # Used by two threads, never by both at once.
    return BriefConnection(partial(sqlite3.connect, path, check_same_thread=False), iter_chunk_size=64)


def _move_the_log(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
