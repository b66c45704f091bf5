"""The graph's own state while a turn runs; deleted at the turn's end, rebuilt from the log if it is lost."""

import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from enum import Enum
from pathlib import Path

import aiosqlite
from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver
from sqlalchemy import URL

from agent import types, untrusted

_BUSY_TIMEOUT_MS = 10_000


@asynccontextmanager
async def open_checkpointer(database: URL, *, data_dir: Path) -> AsyncIterator[BaseCheckpointSaver[str]]:
    """Open the checkpointer beside the database: a SQLite file in `data_dir`, or tables in PostgreSQL."""
    if database.get_backend_name() == "sqlite":
        async with aiosqlite.connect(data_dir / "checkpoints.db") as conn:
            # A lost checkpoint costs a turn its place, not its message: NORMAL is enough here.
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", f"busy_timeout={_BUSY_TIMEOUT_MS}"):
                await conn.execute(f"PRAGMA {pragma}")
            saver = AsyncSqliteSaver(conn, serde=_serializer())
            await saver.setup()
            yield saver
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
        kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0},
    )
    async with pool:
        postgres = AsyncPostgresSaver(pool, serde=_serializer())
        await postgres.setup()
        yield postgres


def _serializer() -> JsonPlusSerializer:
    """Only our own values come back from a checkpoint: a row that names anything else is refused, not imported."""
    ours = [
        (module.__name__, name)
        for module in (types, untrusted)
        for name, value in vars(module).items()
        if isinstance(value, type)
        and value.__module__ == module.__name__
        and (dataclasses.is_dataclass(value) or issubclass(value, Enum))
    ]
    return JsonPlusSerializer(allowed_msgpack_modules=ours)
