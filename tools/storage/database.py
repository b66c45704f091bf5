"""The database: opening, migrating, and what transactions and sections are on SQLite and on PostgreSQL."""

import asyncio
import hashlib
import sqlite3
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Literal, cast

from sqlalchemy import Engine, Table, event
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError, DatabaseError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from agent.errors import DatabaseAway, Misconfigured
from tools.storage.connection import Connection
from tools.storage.following import Following, noted
from tools.storage.migrate import upgrade
from tools.storage.postgres_channel import PostgresChannel
from tools.storage.scrubbing import database_files, scrub_sqlite
from tools.storage.sqlite_file import Disk, OwnThreads, SqliteFile, create_privately

FILE_NAME = "helpgraph.db"
_ASK_AGAIN_S = 0.1
_BEGAN = "helpgraph_statement_began"
_AWAY_STATES = frozenset({"25006", "25P03", "57P01", "57P02", "57P03", "57P05"})
# Reading a whole file at every start is too slow past this size; then damage shows when it is met.
_CHECKED_BYTES = 512 * 1024 * 1024


Observer = Callable[[str, float], None]
"""Told of each statement and commit: "read", "write" or "commit", and its seconds."""


class Database:
    """An open database. Writes go through `transaction`, reads through `reading`.

    `following` hears of the events that its transactions append, once they are committed.
    """

    def __init__(self, kept: SqliteFile | AsyncEngine, url: URL) -> None:
        self._kept = kept
        self._url = url
        self.following = Following()
        self._sections: dict[str, asyncio.Lock] = {}
        self._observers: list[Observer] = []

    @classmethod
    async def open(
        cls, url: str | None, *, data_dir: Path | str, disk: Disk | None = None, patience_s: float = 30.0
    ) -> "Database":
        """Open, create or migrate the database at `url`; without one it is a SQLite file in `data_dir`.

        `disk` opens a SQLite file and waits for it. When all connections are in use, one is waited for `patience_s`.

        Raises:
            Misconfigured: it is damaged, from a newer version, another application's, or can't be reached;
                the message says which, and what to do.
        """
        parsed = _parse(url, Path(data_dir))
        # libpq takes passwords among the parameters, too.
        where = parsed.set(query={}).render_as_string(hide_password=True)
        kept: SqliteFile | AsyncEngine
        if parsed.get_backend_name() == "sqlite":
            where = str(parsed.database)
            create_privately(Path(where))
            kept = SqliteFile(parsed, disk or OwnThreads(), patience_s=patience_s)
        else:
            kept = create_async_engine(
                parsed, pool_size=10, max_overflow=10, pool_timeout=patience_s, pool_pre_ping=True
            )
        database = cls(kept, parsed)
        try:
            async with database._to_write(lengthy=True) as conn, conn.begin():
                await conn.run_sync(_check_file)
                await conn.run_sync(upgrade, where)
        except (DBAPIError, sqlite3.DatabaseError) as exc:
            await database.close()
            raise Misconfigured(_explain(exc, where)) from exc
        except BaseException:
            await database.close()
            raise
        return database

    @property
    def dialect(self) -> Literal["sqlite", "postgresql"]:
        """The kind of database behind the URL."""
        return "sqlite" if self._url.get_backend_name() == "sqlite" else "postgresql"

    @property
    def engine(self) -> Engine:
        """The engine of every connection, for instruments that watch statements."""
        return self._kept.engine if isinstance(self._kept, SqliteFile) else self._kept.sync_engine

    @property
    def server(self) -> AsyncEngine:
        """The engine of a database that is a server's."""
        return cast(AsyncEngine, self._kept)

    def observe(self, observer: Observer) -> None:
        """Tell `observer` from now on how long statements and commits take, on the way there and back included."""
        if not self._observers:
            event.listen(self.engine, "before_cursor_execute", _note_the_time)
            event.listen(self.engine, "after_cursor_execute", self._statement_done)
        self._observers.append(observer)

    def _statement_done(
        self, conn: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool
    ) -> None:
        kind = "read" if statement.lstrip()[:6].upper() == "SELECT" else "write"
        self._tell(kind, time.perf_counter() - conn.info[_BEGAN])

    def _tell(self, kind: str, seconds: float) -> None:
        for observer in self._observers:
            observer(kind, seconds)

    @property
    def url(self) -> URL:
        """The normalised URL, password included: for opening more connections, never for logs."""
        return self._url

    def transaction(self, *, lengthy: bool = False) -> AbstractAsyncContextManager[Connection]:
        """Enter a write transaction: committed on leaving, rolled back on an exception.

        `lengthy` is for one with statements over many rows: on SQLite others hold up the whole process.

        Raises:
            DatabaseAway: the database can't be reached, is full, or was locked for 10 s, its disk fails, or no
                connection was free in time.
        """
        return self._transaction(lengthy)

    @asynccontextmanager
    async def _transaction(self, lengthy: bool) -> AsyncIterator[Connection]:
        with _or_away():
            async with self._to_write(lengthy=lengthy) as conn:
                began = 0.0
                # What one that was rolled back has left.
                noted(conn)
                async with conn.begin():
                    yield conn
                    began = time.perf_counter()
                self._tell("commit", time.perf_counter() - began)
                self.following.tell(noted(conn))

    def _to_write(self, *, lengthy: bool) -> AbstractAsyncContextManager[Connection]:
        return self._kept.writing(lengthy=lengthy) if isinstance(self._kept, SqliteFile) else self._kept.connect()

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Connection]:
        """Enter a read: one snapshot on SQLite, one statement at a time on PostgreSQL.

        Raises:
            DatabaseAway: the database can't be reached, its disk fails, or no connection was free in time.
        """
        with _or_away():
            async with self._to_read() as conn:
                yield conn

    def _to_read(self) -> AbstractAsyncContextManager[Connection]:
        return self._kept.reading() if isinstance(self._kept, SqliteFile) else self._kept.connect()

    @asynccontextmanager
    async def exclusive(self, name: str, *, wait: bool = True) -> AsyncIterator[bool]:
        """Enter a section that one process of the installation is in at a time; whether it was entered.

        It always is, unless `wait` is false and another is in it. On SQLite the owner of the data folder is alone
        anyway, and its own tasks take turns. On PostgreSQL it is an advisory lock, which ends with its connection, so
        that a process that dies holds nobody up.

        Raises:
            DatabaseAway: the database can't be reached.
        """
        section = self._sections.setdefault(name, asyncio.Lock())
        if section.locked() and not wait:
            yield False
            return
        async with section:
            if self.dialect == "sqlite":
                yield True
                return
            key = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big", signed=True)
            with _or_away():
                async with self.server.connect() as conn:
                    # The lock is the connection's, not a transaction's: a long one would hold up vacuum.
                    await conn.execution_options(isolation_level="AUTOCOMMIT")
                    take = partial(conn.exec_driver_sql, "SELECT pg_try_advisory_lock(%s)", (key,))
                    # Asked again and again: a statement that waits for the lock has a snapshot, and whoever is in the
                    # section may make an index, which waits for every snapshot to end.
                    while not (entered := bool((await take()).scalar_one())) and wait:  # noqa: ASYNC110  # Nothing tells.
                        await asyncio.sleep(_ASK_AGAIN_S)
                    try:
                        yield entered
                    finally:
                        # Closing the connection ends the lock, whatever state either is in.
                        await conn.invalidate()

    def insert(self, table: Table) -> sqlite.Insert:
        """Return an insert that knows `on_conflict_do_nothing` and `on_conflict_do_update`."""
        if self.dialect == "sqlite":
            return sqlite.insert(table)
        # The two have the same methods and no common base.
        return cast(sqlite.Insert, postgresql.insert(table))

    def channel(self) -> PostgresChannel | None:
        """Return the channel that carries wakeups between processes, or None when there is but one."""
        if self.dialect == "sqlite":
            return None
        return PostgresChannel(self._url.set(drivername="postgresql").render_as_string(hide_password=False))

    @property
    def files(self) -> list[Path]:
        """The database's own files; none when it is a server's."""
        return database_files(Path(str(self._url.database))) if self.dialect == "sqlite" else []

    async def scrub(self, tables: Sequence[Table]) -> bool:
        """Leave nothing in the files of what was deleted, as far as it is ours; False when a reader was in the way.

        SQLite's file is written anew, which keeps writers waiting. PostgreSQL is asked to vacuum `tables`; what its own
        log and its copies hold is out of reach from here.
        """
        if isinstance(self._kept, SqliteFile):
            async with self._kept.alone():
                return await asyncio.to_thread(scrub_sqlite, Path(str(self._url.database)))
        async with self.server.connect() as conn:
            await conn.execution_options(isolation_level="AUTOCOMMIT")
            for table in tables:
                await conn.exec_driver_sql(f"VACUUM {table.name}")
        return True

    async def close(self) -> None:
        """Close all connections."""
        if isinstance(self._kept, SqliteFile):
            await self._kept.close()
        else:
            await self._kept.dispose()


@contextmanager
def _or_away() -> Iterator[None]:
    try:
        yield
    except NoConnectionFree as exc:
        # Each waits for an answer that doesn't come: to whoever asks now the database is as good as gone.
        raise DatabaseAway("no connection to the database was free in time") from exc
    except (DatabaseError, InterfaceError) as exc:
        if not _is_away(exc):
            raise
        raise DatabaseAway(f"the database refused: {type(exc.orig).__name__}") from exc
    except sqlite3.OperationalError as exc:
        # Of SQLite's lock, which is taken before SQLAlchemy begins.
        raise DatabaseAway(f"the database refused: {type(exc).__name__}") from exc


def _is_away(exc: DatabaseError | InterfaceError) -> bool:
    """Whether the database couldn't do it now, whatever it was."""
    if isinstance(exc, (OperationalError, InterfaceError)) or exc.connection_invalidated:
        return True
    # A page that the disk doesn't give is malformed to SQLite, which Python names by no class of its own.
    # PostgreSQL's states: read-only, as one is that another has taken over from, and one that ended us.
    return type(exc.orig) is sqlite3.DatabaseError or getattr(exc.orig, "sqlstate", None) in _AWAY_STATES


def _note_the_time(conn: Any, *rest: Any) -> None:
    conn.info[_BEGAN] = time.perf_counter()


def _parse(url: str | None, data_dir: Path) -> URL:
    if not url:
        return URL.create("sqlite", database=str(data_dir / FILE_NAME))
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError) as exc:  # ValueError: a port that is no number.
        raise Misconfigured("HELPGRAPH_DATABASE_URL is not a URL like postgresql://user:password@host/name") from exc
    match parsed.drivername.partition("+")[0]:
        case "postgres" | "postgresql":
            return parsed.set(drivername="postgresql+psycopg")
        case "sqlite" if parsed.database and parsed.database != ":memory:":
            return parsed.set(drivername="sqlite")
        case "sqlite":
            raise Misconfigured(
                "HELPGRAPH_DATABASE_URL: SQLite needs a file, as in sqlite:////var/lib/helpgraph/helpgraph.db"
            )
        case other:
            raise Misconfigured(f"HELPGRAPH_DATABASE_URL: {other!r} is not supported; use postgresql:// or sqlite://")


def _check_file(connection: Any) -> None:
    if connection.dialect.name != "sqlite":
        # Two processes that start at once would both migrate.
        connection.exec_driver_sql("SELECT pg_advisory_xact_lock(7205759403792)")
        return
    path = Path(connection.engine.url.database)
    if path.stat().st_size > _CHECKED_BYTES:
        return
    found = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    if found != "ok":
        raise Misconfigured(f"the database file {path} is damaged ({found}): restore a backup")


def _explain(exc: DBAPIError | sqlite3.DatabaseError, where: str) -> str:
    cause = exc.orig if isinstance(exc, DBAPIError) else exc
    reason = " ".join(str(cause).split())[:300]
    if isinstance(cause, sqlite3.DatabaseError):
        if "not a database" in reason or "malformed" in reason:
            return f"the database file {where} is damaged ({reason}): restore a backup, or move the file away"
        if "already exists" in reason:
            return f"the database file {where} belongs to another application ({reason})"
        return f"the database file {where} can't be used ({reason}): check its owner and the disk"
    if "already exists" in reason:
        return f"the database {where} holds another application's tables ({reason}): give Helpgraph its own"
    return f"the database {where} can't be reached or used ({reason}): check HELPGRAPH_DATABASE_URL"
