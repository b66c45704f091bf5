"""The log on SQLite: connections whose statements wait for nothing but the disk.

A trip to a thread and back takes a round of the event loop, and on a busy server a round takes long: whoever has the
one write transaction has all others wait for as many rounds as it makes trips. So what takes no time happens where it
is asked for, by SQLAlchemy's plain connections, and costs none of what makes them asynchronous. To a thread go
commits, which wait for the disk, statements that turn out to be slow, and transactions that say they are.
"""

import asyncio
import os
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, suppress
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol, Self, TypeVar, TypeVarTuple, cast, overload

from sqlalchemy import URL, CursorResult, Executable, NullPool, create_engine, event
from sqlalchemy import Connection as PlainConnection
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.sql.selectable import TypedReturnsRows

from agent.errors import DatabaseAway, Misconfigured

BUSY_TIMEOUT_MS = 10_000
READERS = 8
# How long a read may hold up everything else in the process. Turns' reads take a tenth of it.
_BRIEF_S = 0.002
# Virtual machine instructions of SQLite's between two looks at the clock: some 20 microseconds.
_BETWEEN_LOOKS = 1_000
_LAST_READS_S = 5.0
_CLOSED = "the database is closed"

_T = TypeVar("_T")
_Ts = TypeVarTuple("_Ts")


class Driver(sqlite3.Connection):
    """SQLite's own connection. While `brief` is set its cursors' statements are interrupted after two milliseconds."""

    brief = False

    def cursor(self, factory: Any = None) -> Any:
        """Make a cursor."""
        return super().cursor(factory or FetchedCursor)


class FetchedCursor(sqlite3.Cursor):
    """Has all rows when its statement is executed: whoever takes them later waits for nothing."""

    _rows: Iterator[Any] = iter(())

    def execute(self, sql: str, parameters: Any = (), /) -> Self:
        """Execute a statement and fetch its rows.

        Raises:
            OperationalError: it was to be brief and wasn't, among all that SQLite says.
        """
        driver = cast(Driver, self.connection)
        if driver.brief:
            until = time.perf_counter() + _BRIEF_S
            driver.set_progress_handler(lambda: time.perf_counter() > until, _BETWEEN_LOOKS)
            try:
                return self._execute(sql, parameters)
            finally:
                driver.set_progress_handler(None, 0)
        return self._execute(sql, parameters)

    def _execute(self, sql: str, parameters: Any) -> Self:
        super().execute(sql, parameters)
        self._rows = iter(super().fetchall())
        return self

    def fetchall(self) -> list[Any]:
        """Return the rows that weren't fetched yet."""
        return list(self._rows)

    def fetchone(self) -> Any:
        """Return the next row; None after the last."""
        return next(self._rows, None)

    def fetchmany(self, size: int | None = 1) -> list[Any]:
        """Return the next rows, at most `size`."""
        return list(islice(self._rows, size))


class Disk(Protocol):
    """Where the file is, and who waits for it."""

    def connect(self, path: str) -> Driver:
        """Open the file, for any thread, with transactions left to the user."""
        ...

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do something that may take long, and return when it is over, even when cancelled meanwhile."""
        ...

    def close(self) -> None:
        """Nothing more is to be run."""
        ...


class OwnThreads:
    """The disk of this machine, waited for by threads."""

    def __init__(self) -> None:
        # One for each connection, so that no commit waits for a slow read.
        self._threads = ThreadPoolExecutor(READERS + 1, "sqlite")

    def connect(self, path: str) -> Driver:
        """Open the file."""
        return sqlite3.connect(path, factory=Driver, isolation_level=None, check_same_thread=False, timeout=0)

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do it on a thread."""
        return await to_its_end(asyncio.get_running_loop().run_in_executor(self._threads, work))

    def close(self) -> None:
        """Let the threads end."""
        self._threads.shutdown(wait=False)


async def to_its_end(future: asyncio.Future[_T]) -> _T:
    """Wait for a future as long as it takes: nobody else may use the connection before. Then raise a cancellation."""
    cancelled: asyncio.CancelledError | None = None
    while not future.done():
        try:
            await asyncio.wait((future,))
        except asyncio.CancelledError as exc:
            cancelled = exc
    if cancelled is not None:
        with suppress(Exception):
            future.result()
        raise cancelled
    return future.result()


class SqliteConnection:
    """As SQLAlchemy's `AsyncConnection`, as far as the log uses it.

    While `lengthy` is set every statement goes to a thread.
    """

    def __init__(self, plain: PlainConnection, disk: Disk, *, reads: bool) -> None:
        self._plain = plain
        self._driver = driver_of(plain)
        self._disk = disk
        self._reads = reads
        self.lengthy = False

    @property
    def info(self) -> dict[Any, Any]:
        """What is noted of the connection, for as long as it is open."""
        return self._plain.info

    @overload
    async def execute(self, statement: TypedReturnsRows[*_Ts], parameters: Any = None) -> CursorResult[*_Ts]: ...

    @overload
    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]: ...

    async def execute(self, statement: Executable, parameters: Any = None) -> CursorResult[*tuple[Any, ...]]:
        """Execute a statement; all of its rows are there then."""
        work = partial(self._plain.execute, statement, parameters)
        if not self.lengthy:
            if not self._reads:
                return work()
            # What reads may be interrupted and done once more. What writes may not: that would undo its transaction.
            self._driver.brief = True
            try:
                return work()
            except OperationalError as exc:
                if getattr(exc.orig, "sqlite_errorcode", None) != sqlite3.SQLITE_INTERRUPT:
                    raise
            finally:
                self._driver.brief = False
        return await self._disk.run(work)

    async def run_sync(self, work: Callable[..., _T], *args: Any) -> _T:
        """Call `work` with the plain connection and `args`, on a thread."""
        return await self._disk.run(partial(work, self._plain, *args))

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[None]:
        """Enter a transaction: committed on leaving, rolled back on an exception."""
        self._plain.begin()
        try:
            yield
            await self._disk.run(self._plain.commit)
        finally:
            # After a commit there is nothing left of it.
            self.rollback()

    def rollback(self) -> None:
        """Roll back what was begun, if anything was: no disk is waited for."""
        self._plain.rollback()


class SqliteFile:
    """A file that is open: one connection that writes and eight that read.

    `engine` is the one that all of them belong to, for instruments that watch statements. When all that read are in
    use, one is waited for `patience_s`.
    """

    def __init__(self, url: URL, disk: Disk, *, patience_s: float) -> None:
        self._disk = disk
        # Connections stay open here and are handed out by turns, which waits for one as a pool of SQLAlchemy's can't.
        self.engine = create_engine(url, creator=partial(disk.connect, str(url.database)), poolclass=NullPool)
        event.listen(self.engine, "begin", _begin)
        self._writing = asyncio.Lock()
        self._writer: PlainConnection | None = None
        self._may_read = asyncio.Semaphore(READERS)
        self._readers: list[PlainConnection] = []
        self._patience_s = patience_s
        self._closed = False

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[SqliteConnection]:
        """Enter with a connection that reads, in one snapshot.

        Raises:
            DatabaseAway: none was free for `patience_s`, or it is closed.
        """
        await self._wait_to_read()
        try:
            plain = self._readers.pop() if self._readers else await self._disk.run(partial(self._open, reads=True))
            conn = SqliteConnection(plain, self._disk, reads=True)
            try:
                yield conn
            finally:
                conn.rollback()
                if self._closed:
                    plain.close()
                else:
                    self._readers.append(plain)
        finally:
            self._may_read.release()

    async def _wait_to_read(self) -> None:
        if self._closed:
            raise DatabaseAway(_CLOSED)
        if not self._may_read.locked():
            await self._may_read.acquire()
            return
        try:
            async with asyncio.timeout(self._patience_s):
                await self._may_read.acquire()
        except TimeoutError as exc:
            raise DatabaseAway("no connection to the database was free in time") from exc

    @asynccontextmanager
    async def writing(self, *, lengthy: bool = False) -> AsyncIterator[SqliteConnection]:
        """Enter with the connection that writes, once it has SQLite's lock; its transaction is to begin.

        Raises:
            OperationalError: another process had the lock for 10 s, or the disk fails.
            DatabaseAway: it is closed.
        """
        # SQLite has one writer at a time anyway; queueing here is fair and doesn't time out as its lock does.
        async with self._writing:
            if self._closed:
                raise DatabaseAway(_CLOSED)
            plain = self._writer
            if plain is None:
                plain = self._writer = await self._disk.run(partial(self._open, reads=False))
            driver = driver_of(plain)
            conn = SqliteConnection(plain, self._disk, reads=False)
            conn.lengthy = lengthy
            try:
                if not _locked_at_once(driver):
                    await self._disk.run(partial(_lock_in_time, driver))
                yield conn
            finally:
                conn.rollback()
                driver.rollback()

    @asynccontextmanager
    async def alone(self) -> AsyncIterator[None]:
        """Enter while nobody here writes."""
        async with self._writing:
            yield

    async def close(self) -> None:
        """Close all connections, once whoever uses one is done; who comes later finds the database away."""
        if self._closed:
            return
        self._closed = True
        async with self._writing:
            writers = [self._writer] if self._writer is not None else []
            self._writer = None
        with suppress(TimeoutError):
            # Nobody takes long. Who does all the same closes what he reads with, when he is done.
            async with asyncio.timeout(_LAST_READS_S):
                for _ in range(READERS):
                    await self._may_read.acquire()
        readers, self._readers = self._readers, []
        await self._disk.run(partial(_close, [*readers, *writers]))
        self._disk.close()

    def _open(self, *, reads: bool) -> PlainConnection:
        plain = self.engine.connect()
        try:
            driver = driver_of(plain)
            driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()
            driver.execute("PRAGMA foreign_keys = ON").close()
            if reads:
                driver.execute("PRAGMA query_only = ON").close()
                return plain
            driver.execute("PRAGMA journal_mode = WAL").close()
            driver.execute("PRAGMA synchronous = FULL").close()
            # What is deleted is overwritten, so that no erased word stays in a free page.
            driver.execute("PRAGMA secure_delete = ON").close()
            # From here on only the beginning of a transaction waits for the lock, where waiting holds nobody up.
            driver.execute("PRAGMA busy_timeout = 0").close()
        except BaseException:
            plain.close()
            raise
        return plain


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


def driver_of(plain: PlainConnection) -> Driver:
    """SQLite's own connection."""
    return cast(Driver, plain.connection.driver_connection)


def _begin(plain: PlainConnection) -> None:
    driver = driver_of(plain)
    # Who is to write has the lock by now: what begins as a read can't wait for it, SQLite refuses it at once.
    if not driver.in_transaction:
        driver.cursor(sqlite3.Cursor).execute("BEGIN").close()


def _locked_at_once(driver: sqlite3.Connection) -> bool:
    """Whether it is ours; it isn't while somebody else has it."""
    try:
        driver.execute("BEGIN IMMEDIATE").close()
    except sqlite3.OperationalError as exc:
        if exc.sqlite_errorcode != sqlite3.SQLITE_BUSY:
            raise
        return False
    return True


def _lock_in_time(driver: sqlite3.Connection) -> None:
    """Wait for the lock; on a thread."""
    driver.execute(f"PRAGMA busy_timeout = {BUSY_TIMEOUT_MS}").close()
    try:
        driver.execute("BEGIN IMMEDIATE").close()
    finally:
        driver.execute("PRAGMA busy_timeout = 0").close()


def _close(plain: list[PlainConnection]) -> None:
    for each in plain:
        with suppress(SQLAlchemyError):
            each.close()
