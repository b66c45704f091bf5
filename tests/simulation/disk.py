"""The SQLite files of a round, as machines see them: each statement travels there and back, and can fail on the way."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Callable, Generator
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any, Literal, TypeVar, cast

import aiosqlite
from sqlalchemy.exc import OperationalError

from tests.simulation.chance import Clock
from tests.simulation.loop import Machine, SimulatedLoop
from tools.storage.sqlite_file import Driver, FetchedCursor, to_its_end

# How long a writer waits for another one, as the product tells SQLite to.
_BUSY_S = 10.0
_RETRY_S = 0.02

_T = TypeVar("_T")
Moment = Literal["before", "after"]


class Drive:
    """What one machine has open. `fatal_commit` kills it when so many commits were asked for, before or after the last.

    Until `fails_until` nothing can be read or written: half the commits of that time happen all the same.
    """

    def __init__(self, loop: SimulatedLoop, machine: Machine, clock: Clock, random: Random, latency_s: float) -> None:
        self.loop = loop
        self.machine = machine
        self.clock = clock
        self.fatal_commit: tuple[int, Moment] | None = None
        self.fails_until = 0.0
        self.failed = False
        self._random = random
        self._latency_s = latency_s
        self._open: list[sqlite3.Connection] = []
        machine.at_death.append(self._let_go)

    def connect(self, path: str) -> "DriverOfTheLog":
        """A connection of the product's own kind."""
        driver: DriverOfTheLog = self.open(path, factory=DriverOfTheLog, isolation_level=None)
        driver.drive = self
        return driver

    async def run(self, work: Callable[[], _T]) -> _T:
        """Do something that takes a way there and back: as in a thread, nothing but the machine's end keeps it."""
        future: asyncio.Future[_T] = self.loop.create_future()
        self.loop.tell(self.machine, partial(self._work, future, work, self.loop.time() + _BUSY_S), self.latency_s())
        return await to_its_end(future)

    def _work(self, future: "asyncio.Future[_T]", work: Callable[[], _T], deadline: float) -> None:
        try:
            answer: Callable[[], None] = partial(_result, future, work())
        except (sqlite3.OperationalError, OperationalError) as exc:
            if "locked" in str(exc) and self.loop.time() < deadline:
                self.loop.tell(self.machine, partial(self._work, future, work, deadline), _RETRY_S)
                return
            answer = partial(_error, future, exc)
        except BaseException as exc:
            answer = partial(_error, future, exc)
        self.loop.tell(self.machine, answer, self.latency_s())

    def close(self) -> None:
        """Nothing to let go of."""

    def connect_plainly(self, path: str) -> "ConnectionOfCheckpoints":
        """A connection as aiosqlite makes it, to be awaited."""
        return ConnectionOfCheckpoints(self, path)

    def open(self, path: str, **options: Any) -> Any:
        """A connection of SQLite's own, on the clock of the round. The loop waits for other writers, not SQLite."""
        found = sqlite3.connect(path, timeout=0, **options)
        found.create_function("julianday", -1, partial(_julian_day, self.clock))
        self._open.append(found)
        return found

    def has_open(self, connection: sqlite3.Connection) -> bool:
        """Whether nobody has closed it."""
        return connection in self._open

    def forget(self, connection: sqlite3.Connection) -> bool:
        """Have it closed by somebody else; whether it was open."""
        if connection not in self._open:
            return False
        # The process ends soon after, and its locks with it; here a statement that is still open would keep one.
        connection.rollback()
        self._open.remove(connection)
        return True

    def latency_s(self) -> float:
        """How long one way takes, this time: mostly little, now and then long."""
        return self._latency_s * self._random.random() ** 4

    def away(self) -> bool:
        """Whether a statement fails now."""
        away = self.loop.time() < self.fails_until
        self.failed = self.failed or away
        return away

    def commit(self, happens: Callable[[], None]) -> None:
        """Commit, unless the machine dies before that or the disk refuses; it may die after it, or the answer be lost.

        Raises:
            OperationalError: nobody knows whether it happened.
        """
        moment: Moment | None = None
        if self.fatal_commit is not None:
            left, when = self.fatal_commit
            self.fatal_commit = (left - 1, when)
            moment = when if left <= 1 else None
        if moment == "before":
            self.machine.kill()
            return
        away = self.away()
        if away and self._random.random() < 0.5:
            raise _fault("disk I/O error, before the commit")
        happens()
        if moment == "after":
            self.machine.kill()
        elif away:
            raise _fault("disk I/O error, after the commit")

    def _let_go(self) -> None:
        while self._open:
            each = self._open[-1]
            # What wasn't committed never was.
            self.forget(each)
            each.close()


class _Queued(aiosqlite.Connection):
    """A connection whose thread is a queue of the loop: one statement after the other, in the order asked.

    As there, who is cancelled while a statement is under way doesn't keep it from being carried out.
    """

    def __init__(self, drive: Drive, path: str, **options: Any) -> None:
        super().__init__(partial(drive.open, path, **options), iter_chunk_size=64)
        self._drive = drive
        self._jobs: deque[tuple[asyncio.Future[Any], Callable[[], Any], float]] = deque()

    def __await__(self) -> Generator[Any, None, Any]:
        return self._reach().__await__()

    def __del__(self) -> None:
        """Nothing to say: whoever is dropped with a machine couldn't close it."""

    def stop(self) -> None:
        self._running = False
        if self._connection is not None:
            self._close(self._connection)

    def _close(self, connection: sqlite3.Connection) -> None:
        if self._drive.forget(connection):
            connection.close()

    async def _reach(self) -> Any:
        self._connection = await self._ask(self._connector)
        return self

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kw: Any) -> Any:
        if not self._running or self._connection is None:
            raise ValueError("Connection closed")
        if fn == self._connection.close:
            fn = partial(self._close, self._connection)
            return await self._ask(fn)
        if fn == self._connection.commit:
            return await self._ask(partial(self._drive.commit, fn))
        return await self._ask(partial(fn, *args, **kw), fails=fn != self._connection.rollback)

    async def _ask(self, job: Callable[[], Any], *, fails: bool = False) -> Any:
        drive = self._drive
        future = drive.loop.create_future()
        if fails:
            job = partial(self._unless_away, job)
        self._jobs.append((future, job, drive.loop.time() + _BUSY_S))
        if len(self._jobs) == 1:
            drive.loop.tell(drive.machine, self._work, drive.latency_s())
        return await future

    def _unless_away(self, job: Callable[[], Any]) -> Any:
        if self._drive.away():
            raise _fault("disk I/O error")
        return job()

    def _work(self) -> None:
        drive = self._drive
        future, job, deadline = self._jobs[0]
        try:
            answer: Callable[[], None] = partial(_result, future, job())
        except sqlite3.OperationalError as exc:
            if "locked" in str(exc) and drive.loop.time() < deadline:
                drive.loop.tell(drive.machine, self._work, _RETRY_S)
                return
            answer = partial(_error, future, exc)
        except BaseException as exc:
            answer = partial(_error, future, exc)
        self._jobs.popleft()
        drive.loop.tell(drive.machine, answer, drive.latency_s())
        if self._jobs:
            drive.loop.tell(drive.machine, self._work, drive.latency_s())


class ConnectionOfCheckpoints(_Queued):
    """As LangGraph's checkpointer has it."""


class DriverOfTheLog(Driver):
    """The product's own, on such a disk."""

    drive: Drive

    def set_progress_handler(self, *args: Any) -> None:
        """Nothing: the product gives up after two milliseconds, which are real ones."""

    def cursor(self, factory: Any = None) -> Any:
        """Make a cursor whose statements can fail."""
        return super().cursor(factory or _FailingCursor)

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        """Execute a statement that can fail."""
        return self.cursor().execute(sql, parameters)

    def commit(self) -> None:
        """Commit as the drive lets it."""
        if self.in_transaction:
            self.drive.commit(super().commit)

    def rollback(self) -> None:
        """Roll back, if it is open: the dead say so when they are buried."""
        if self.drive.has_open(self):
            super().rollback()

    def close(self) -> None:
        """Close it, if it is open."""
        self.drive.forget(self)
        super().close()


class _FailingCursor(FetchedCursor):
    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        # Here the loop waits for the lock, and SQLite would in earnest.
        if sql.startswith("PRAGMA busy_timeout"):
            return self
        drive = cast(DriverOfTheLog, self.connection).drive
        if drive.away():
            raise _fault("disk I/O error")
        return super().execute(sql, parameters)


def _fault(says: str) -> sqlite3.OperationalError:
    fault = sqlite3.OperationalError(says)
    fault.sqlite_errorcode, fault.sqlite_errorname = sqlite3.SQLITE_IOERR, "SQLITE_IOERR"
    return fault


def _result(future: asyncio.Future[Any], value: Any) -> None:
    if not future.done():
        future.set_result(value)


def _error(future: asyncio.Future[Any], exc: BaseException) -> None:
    if not future.done():
        future.set_exception(exc)


def _julian_day(clock: Clock, *args: Any) -> float | None:
    if args == ("now",):
        return clock() / 86400.0 + 2440587.5
    found: float | None = _plain().execute(f"SELECT julianday({', '.join('?' * len(args))})", args).fetchone()[0]
    return found


@cache
def _plain() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")


def copy_of(template: Path, folder: Path) -> None:
    """Put the files of an empty, migrated installation into a folder."""
    for each in template.iterdir():
        (folder / each.name).write_bytes(each.read_bytes())
