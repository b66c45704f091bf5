"""The graph's own state while a turn runs; deleted at the turn's end, rebuilt from the log if it is lost."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import aiosqlite
import psycopg
from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from sqlalchemy import URL

from agent.errors import DatabaseAway
from agent.state import TurnState
from graphs.checkpoint_serializer import TurnSerializer
from tools.storage.brief_connection import connect_briefly
from tools.storage.scrubbing import database_files, scrub_sqlite
from tools.storage.sqlite_file import BUSY_TIMEOUT_MS, create_privately

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow
    from psycopg_pool import AsyncConnectionPool

FILE_NAME = "checkpoints.db"
_TABLES = ("checkpoints", "checkpoint_blobs", "checkpoint_writes")


@asynccontextmanager
async def open_checkpointer(database: URL, *, data_dir: Path) -> AsyncIterator[BaseCheckpointSaver[str]]:
    """Open the checkpointer beside the database: a SQLite file in `data_dir`, or tables in PostgreSQL."""
    if database.get_backend_name() == "sqlite":
        create_privately(data_dir / FILE_NAME)
        async with connect_briefly(data_dir / FILE_NAME) as conn:
            # A lost checkpoint costs a turn its place, not its message: NORMAL is enough here.
            pragmas = ("journal_mode=WAL", "synchronous=NORMAL", "wal_autocheckpoint=0")
            for pragma in (*pragmas, f"busy_timeout={BUSY_TIMEOUT_MS}"):
                await conn.execute(f"PRAGMA {pragma}")
            yield await kept_in(conn)
        return
    # Imported here because SQLite installations needn't load the PostgreSQL client's pool.
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg import AsyncConnection
    from psycopg.rows import DictRow, dict_row
    from psycopg_pool import AsyncConnectionPool

    plain = database.set(drivername="postgresql").render_as_string(hide_password=False)
    pool: AsyncConnectionPool[AsyncConnection[DictRow]] = AsyncConnectionPool(
        plain,
        min_size=1,
        max_size=8,
        open=False,
        # After a restart of the server, or a cut, every connection that is kept is a dead one.
        check=_check,
        kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0},
    )
    async with pool:
        postgres = AsyncPostgresSaver(pool, serde=TurnSerializer())
        await postgres.setup()
        yield postgres


async def kept_in(conn: aiosqlite.Connection) -> AsyncSqliteSaver:
    """Return a checkpointer on an open SQLite connection, its tables made."""
    saver = AsyncSqliteSaver(conn, serde=TurnSerializer())
    await saver.setup()
    return saver


async def _check(conn: "AsyncConnection[DictRow]") -> None:
    # The pool's own check sends an empty statement, which psycopg 3.3 prepares under a new name each time where
    # everything is prepared at once: the server keeps them all, 40 KB for a turn, as long as the connection lives.
    await conn.execute("SELECT 1", prepare=False)


def thread_of(turn_id: str, messages: int, attempt: int) -> str:
    """The name under which an attempt at a turn keeps its state: with another message it begins anew.

    No two attempts share one. A process that stood still, and doesn't know that another has taken its turn, goes on
    writing under its own name.
    """
    return f"{turn_id}-{messages}-{attempt}"


def turn_of(thread_id: str) -> str:
    """The turn whose state is kept under this name; ids of turns have no dash."""
    return thread_id.partition("-")[0]


async def stored_threads(saver: BaseCheckpointSaver[str], turn_ids: Collection[str] | None = None) -> list[str]:
    """Return the names under which anything is kept: of these turns, or of all."""
    if isinstance(saver, AsyncSqliteSaver):
        async with saver.lock:
            found = await saver.conn.execute_fetchall(
                "SELECT thread_id FROM checkpoints UNION SELECT thread_id FROM writes ORDER BY 1"
            )
        threads = [str(row[0]) for row in found]
    else:
        threads = await _postgres_threads(saver)
    return threads if turn_ids is None else [each for each in threads if turn_of(each) in turn_ids]


async def kept_state(saver: BaseCheckpointSaver[str], thread_id: str) -> list[dict[str, object]]:
    """Return the values of a thread's checkpoints and of what was written since, the newest first."""
    return [
        {**found.checkpoint["channel_values"], "writes": [value for _, _, value in found.pending_writes or ()]}
        async for found in saver.alist({"configurable": {"thread_id": thread_id}})
    ]


async def copy_state(saver: BaseCheckpointSaver[str], thread_id: str, to: str) -> bool:
    """Put a thread's newest checkpoint, and what was written since, under another name; whether there was a whole one.

    On PostgreSQL each checkpoint keeps what is new in it and refers to the others for the rest. What they kept may be
    gone: deleted by a process that took the turn for over while another went on with it. The copy refers to none.
    """
    found = await saver.aget_tuple({"configurable": {"thread_id": thread_id}})
    if found is None:
        return False
    versions, values = found.checkpoint["channel_versions"], found.checkpoint["channel_values"]
    if any(key in versions and key not in values for key in TurnState.__annotations__):
        return False
    own: RunnableConfig = {"configurable": {"thread_id": to, "checkpoint_ns": ""}}
    kept = await saver.aput(own, found.checkpoint, found.metadata, versions)
    writes: dict[str, list[tuple[str, Any]]] = {}
    for task_id, channel, value in found.pending_writes or ():
        writes.setdefault(task_id, []).append((channel, value))
    for task_id, of_task in writes.items():
        await saver.aput_writes(kept, of_task, task_id)
    return True


def checkpoint_files(saver: BaseCheckpointSaver[str], data_dir: Path) -> list[Path]:
    """The files that the checkpoints are in; none when they are in a server's database."""
    return database_files(data_dir / FILE_NAME) if isinstance(saver, AsyncSqliteSaver) else []


async def scrub_checkpoints(saver: BaseCheckpointSaver[str], data_dir: Path) -> bool:
    """Leave nothing of what was deleted in the files; False when a reader was in the way. See `Database.scrub`."""
    if isinstance(saver, AsyncSqliteSaver):
        async with saver.lock:
            return await asyncio.to_thread(scrub_sqlite, data_dir / FILE_NAME)
    await _postgres_vacuum(saver)
    return True


async def _postgres_threads(saver: BaseCheckpointSaver[str]) -> list[str]:
    pool = _pool(saver)
    if pool is None:
        return []
    named = " UNION ".join(f"SELECT thread_id FROM {table}" for table in _TABLES)  # noqa: S608  # Names of our own.
    async with pool.connection() as conn:
        found = await conn.execute(named.encode())
        return sorted(str(row["thread_id"]) for row in await found.fetchall())


async def _postgres_vacuum(saver: BaseCheckpointSaver[str]) -> None:
    pool = _pool(saver)
    if pool is None:
        return
    async with pool.connection() as conn:
        for table in _TABLES:
            await conn.execute(f"VACUUM {table}".encode())


def _pool(saver: BaseCheckpointSaver[str]) -> "AsyncConnectionPool[AsyncConnection[DictRow]] | None":
    from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
    from psycopg_pool import AsyncConnectionPool

    if isinstance(saver, AsyncPostgresSaver) and isinstance(saver.conn, AsyncConnectionPool):
        return saver.conn
    return None


def is_outage(exc: BaseException) -> bool:
    """Whether a turn broke because a store was away for a moment, so that it may be tried again."""
    # The two behind the checkpointer raise their own.
    away = (DatabaseAway, sqlite3.OperationalError, psycopg.OperationalError, psycopg.InterfaceError)
    # What SQLite raises when the disk doesn't give it a page has no class of its own.
    return isinstance(exc, away) or type(exc) is sqlite3.DatabaseError
