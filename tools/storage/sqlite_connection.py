"""SQLite connections that wait for nothing but the disk.

aiosqlite hands everything to a thread: for each statement a trip to make a cursor, to execute, to fetch and to close.
A trip takes a round of the event loop, and on a busy server a round takes long: whoever has the one write transaction
has all others wait for as many rounds as it makes trips. So what takes no time happens where it is asked for. To the
thread go commits, which wait for the disk, statements that turn out to be slow, and transactions that say they are.
"""

import os
import sqlite3
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Self

import aiosqlite

from agent.errors import Misconfigured

BUSY_TIMEOUT_MS = 10_000
# How long a read may hold up everything else in the process. Turns' reads take a tenth of it.
_BRIEF_S = 0.002
# Virtual machine instructions of SQLite's between two looks at the clock: some 20 microseconds.
_BETWEEN_LOOKS = 1_000
_COMMITS_IN_THE_LOG = 200


class Connection(aiosqlite.Connection):
    """As `aiosqlite.Connection`, as far as SQLAlchemy uses it.

    While `lengthy` is set every statement goes to the thread.
    """

    lengthy = False
    _beginning: str | None = None
    _begun = False
    _reads = False
    # Counted by the loop and by the thread, each its own.
    _sent = 0
    _done = 0

    def begin(self, statement: str, *, reads: bool) -> None:
        """Begin a transaction: `statement` goes with the first one in it, which raises what either has to.

        One that only reads may be interrupted and run once more.
        """
        self._beginning, self._reads = statement, reads

    def cursor(self) -> "Cursor":  # type: ignore[override]  # SQLAlchemy enters it, which ours needs no trip for.
        """Make a cursor; nothing happens yet."""
        return Cursor(self)

    async def commit(self) -> None:
        """Commit what was begun, if anything was."""
        await self._end(super().commit)

    async def rollback(self) -> None:
        """Roll back what was begun, if anything was."""
        if self._begun and self._reads and self._sent == self._done:
            self._conn.rollback()
            self._begun = False
        await self._end(super().rollback)

    async def run(self, work: Callable[[sqlite3.Cursor], None]) -> None:
        """Work with a cursor, in the transaction that is to begin: here and now, or on the connection's thread."""
        beginning, self._beginning = self._beginning, None
        # Before it happens: who is cancelled meanwhile doesn't learn whether it did.
        self._begun = self._begun or beginning is not None
        if self._begun and not self.lengthy and self._sent == self._done:
            if beginning is not None and self._begin_at_once(beginning):
                beginning = None
            if beginning is None and self._work_at_once(work):
                return
        self._sent += 1
        await self._execute(self._work_in_thread, beginning, work)  # type: ignore[no-untyped-call]

    def _begin_at_once(self, statement: str) -> bool:
        """Whether it has begun; it hasn't while somebody else has the lock."""
        try:
            self._conn.execute(statement).close()
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
                raise
            return False
        return True

    def _begin_in_time(self, statement: str) -> None:
        """Begin, waiting for the lock; on the thread."""
        self._conn.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()
        try:
            self._conn.execute(statement).close()
        finally:
            self._conn.execute("PRAGMA busy_timeout = 0").close()

    def _work_at_once(self, work: Callable[[sqlite3.Cursor], None]) -> bool:
        """Whether it is done. What writes can't be interrupted: that would undo its whole transaction."""
        if not self._reads:
            _work(self._conn, work)
            return True
        until = time.perf_counter() + _BRIEF_S
        self._conn.set_progress_handler(lambda: time.perf_counter() > until, _BETWEEN_LOOKS)
        try:
            _work(self._conn, work)
        except sqlite3.OperationalError as exc:
            if exc.sqlite_errorcode != sqlite3.SQLITE_INTERRUPT:
                raise
            return False
        finally:
            self._conn.set_progress_handler(None, 0)
        return True

    def _work_in_thread(self, beginning: str | None, work: Callable[[sqlite3.Cursor], None]) -> None:
        try:
            if beginning is not None:
                self._begin_in_time(beginning)
            _work(self._conn, work)
        finally:
            self._done += 1

    async def _end(self, how: Callable[[], Awaitable[None]]) -> None:
        self._beginning = None
        if self._begun:
            await how()
            self._begun = False


class Cursor:
    """One statement at a time, and all of its rows."""

    arraysize = 1

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._rows: list[Any] = []
        self.description: Any = None
        self.rowcount = -1
        self.lastrowid: int | None = None

    async def __aenter__(self) -> Self:
        return self

    async def execute(self, operation: str, parameters: Sequence[Any] = ()) -> Self:
        """Execute a statement and fetch its rows."""
        await self._connection.run(partial(self._execute, operation, parameters))
        return self

    async def executemany(self, operation: str, parameters: Iterable[Sequence[Any]]) -> Self:
        """Execute a statement once for each of `parameters`."""
        await self._connection.run(partial(self._execute_many, operation, parameters))
        return self

    async def fetchall(self) -> list[Any]:
        """Return the rows that weren't fetched yet."""
        rows, self._rows = self._rows, []
        return rows

    async def close(self) -> None:
        """Forget the rows."""
        self._rows = []

    def _execute(self, operation: str, parameters: Sequence[Any], cursor: sqlite3.Cursor) -> None:
        cursor.execute(operation, parameters)
        self._rows = cursor.fetchall()
        self._note(cursor)

    def _execute_many(self, operation: str, parameters: Iterable[Sequence[Any]], cursor: sqlite3.Cursor) -> None:
        cursor.executemany(operation, parameters)
        self._note(cursor)

    def _note(self, cursor: sqlite3.Cursor) -> None:
        self.description, self.rowcount, self.lastrowid = cursor.description, cursor.rowcount, cursor.lastrowid


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


def _move_the_log(connection: sqlite3.Connection) -> None:
    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()


def create_privately(path: Path) -> None:
    """Create a database's file for its owner only, if there is none: it holds what customers said.

    Raises:
        Misconfigured: it can't be opened.
    """
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # SQLite gives its log and its index the same mode.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as exc:
        raise Misconfigured(
            f"the database file {path} can't be opened ({exc.strerror}): check HELPGRAPH_DATA_DIR"
        ) from exc


def connect(path: str) -> Connection:
    """A connection, to be awaited, that leaves the beginning of transactions to its user."""
    connection = Connection(partial(_open, Path(path), isolation_level=None), iter_chunk_size=64)
    # Somebody who forgets to close it mustn't keep the process from ending.
    connection._thread.daemon = True
    return connection


def connect_briefly(path: Path) -> BriefConnection:
    """A `BriefConnection`, to be awaited or entered."""
    return BriefConnection(partial(_open, path), iter_chunk_size=64)


# Used by two threads, never by both at once.
_open = partial(sqlite3.connect, check_same_thread=False)


def _work(connection: sqlite3.Connection, work: Callable[[sqlite3.Cursor], None]) -> None:
    cursor = connection.cursor()
    try:
        work(cursor)
    finally:
        cursor.close()
