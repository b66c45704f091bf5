"""Statements, rows and transactions of the SQLite connection, through the database that uses it."""

import asyncio
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from agent.errors import DatabaseAway
from tools.storage.database import Database

# Takes a fifth of a second and more, ten times as long as anything waits before it is cancelled.
_SLOW = (
    "INSERT INTO bug_counters WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 600000) "
    "SELECT 'slow', max(i) FROM n"
)


@pytest.fixture
async def db(tmp_path: Path) -> Database:
    return await Database.open(None, data_dir=tmp_path)


async def counted(db: Database) -> dict[str, int]:
    async with db.reading() as conn:
        return dict(tuple(row) for row in await conn.execute(text("SELECT * FROM bug_counters")))


async def test_what_a_cancelled_statement_did_is_rolled_back_and_the_next_transaction_begins(db: Database) -> None:
    async def write() -> None:
        async with db.transaction(lengthy=True) as conn:
            await conn.execute(text("INSERT INTO bug_counters VALUES ('first', 1)"))
            await conn.execute(text(_SLOW))

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.02)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with db.transaction() as conn:
        await conn.execute(text("INSERT INTO bug_counters VALUES ('second', 2)"))
    assert await counted(db) == {"second": 2}
    await db.close()


async def test_a_cancelled_first_statement_leaves_no_transaction_open(db: Database) -> None:
    async def write() -> None:
        async with db.transaction(lengthy=True) as conn:
            await conn.execute(text(_SLOW))

    for moment in (0.0, 0.001, 0.02):
        writing = asyncio.create_task(write())
        await asyncio.sleep(moment)
        writing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writing
        async with db.transaction() as conn:
            await conn.execute(text("INSERT OR REPLACE INTO bug_counters VALUES ('kept', 1)"))
    assert await counted(db) == {"kept": 1}
    await db.close()


async def test_a_transaction_without_a_statement_is_nothing(db: Database) -> None:
    async with db.transaction():
        pass
    assert await counted(db) == {}
    await db.close()


async def test_a_refused_statement_undoes_what_came_before_it(db: Database) -> None:
    async def write() -> None:
        async with db.transaction() as conn:
            await conn.execute(text("INSERT INTO bug_counters VALUES ('first', 1)"))
            await conn.execute(text("INSERT INTO no_such_table VALUES (1)"))

    with pytest.raises(DatabaseAway):
        await write()
    assert await counted(db) == {}
    await db.close()


async def test_a_reader_sees_one_snapshot(db: Database) -> None:
    async with db.reading() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM bug_counters"))).scalar_one() == 0
        async with db.transaction() as writer:
            await writer.execute(text("INSERT INTO bug_counters VALUES ('new', 1)"))
        assert (await conn.execute(text("SELECT count(*) FROM bug_counters"))).scalar_one() == 0
    assert await counted(db) == {"new": 1}
    await db.close()


async def test_a_reader_writes_nothing(db: Database) -> None:
    async with db.reading() as conn:
        with pytest.raises(OperationalError, match="readonly"):
            await conn.execute(text("INSERT INTO bug_counters VALUES ('new', 1)"))
    await db.close()
