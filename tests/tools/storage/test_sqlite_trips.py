"""What a statement on SQLite waits for: nothing but the disk, a lock, and what turns out to be slow."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy import text

from agent.errors import DatabaseAway
from tools.storage.brief_connection import connect_briefly
from tools.storage.database import FILE_NAME, Database

INSERT = text("INSERT INTO bug_counters VALUES (:name, 1)")
COUNT = text("SELECT count(*) FROM bug_counters")
_SUM = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {}) SELECT sum(i) FROM n"
LAST = 300_000
SLOW = text(_SUM.format(LAST))
# Not done before it is cancelled, and who cancels it waits for its end.
SLOWER = text(_SUM.format(4 * LAST))
SUM = LAST * (LAST + 1) // 2


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    opened = await Database.open(None, data_dir=tmp_path)
    yield opened
    await opened.close()


class Rounds:
    """How many rounds the event loop has made."""

    made = 0

    async def count(self) -> None:
        while True:
            await asyncio.sleep(0)
            self.made += 1


@asynccontextmanager
async def rounds() -> AsyncIterator[Rounds]:
    counting = Rounds()
    task = asyncio.create_task(counting.count())
    await asyncio.sleep(0)
    yield counting
    task.cancel()


async def counted(database: Database) -> int:
    async with database.reading() as conn:
        return int((await conn.execute(COUNT)).scalar_one())


async def test_a_transactions_statements_take_no_round_and_its_commit_does(database: Database) -> None:
    async with rounds() as loop:
        async with database.transaction() as conn:
            before = loop.made
            for name in ("one", "other"):
                await conn.execute(INSERT, {"name": name})
            assert int((await conn.execute(COUNT)).scalar_one()) == 2
            assert loop.made == before
        assert loop.made > before


async def test_a_read_takes_no_round(database: Database) -> None:
    async with database.reading() as conn:
        await conn.execute(COUNT)
    async with rounds() as loop:
        before = loop.made
        async with database.reading() as conn:
            assert int((await conn.execute(COUNT)).scalar_one()) == 0
            assert loop.made == before


async def test_a_slow_read_holds_nobody_up_and_sees_what_its_transaction_sees(database: Database) -> None:
    async with database.reading() as conn:
        assert int((await conn.execute(COUNT)).scalar_one()) == 0
        async with database.transaction() as writing:
            await writing.execute(INSERT, {"name": "meanwhile"})
        async with rounds() as loop:
            assert (await conn.execute(SLOW)).scalar_one() == SUM
            assert loop.made > 10
        assert int((await conn.execute(COUNT)).scalar_one()) == 0
    assert await counted(database) == 1


async def test_a_lengthy_transaction_holds_nobody_up(database: Database) -> None:
    async with rounds() as loop, database.transaction(lengthy=True) as conn:
        before = loop.made
        assert (await conn.execute(SLOW)).scalar_one() == SUM
        assert loop.made > before + 10
    async with rounds() as loop, database.transaction() as conn:
        before = loop.made
        await conn.execute(INSERT, {"name": "brief again"})
        assert loop.made == before


async def test_a_lock_is_waited_for_and_holds_nobody_up(database: Database, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / FILE_NAME, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")

        async def write() -> None:
            async with database.transaction() as conn:
                await conn.execute(INSERT, {"name": "after"})

        async with rounds() as loop:
            writing = asyncio.create_task(write())
            while loop.made < 1000:
                await asyncio.sleep(0.01)
            assert not writing.done()
            assert await counted(database) == 0
            other.execute("ROLLBACK")
            await writing
    other.close()
    assert await counted(database) == 1


async def test_a_cancelled_transaction_leaves_nothing_and_the_next_one_works(database: Database) -> None:
    async def write() -> None:
        async with database.transaction(lengthy=True) as conn:
            await conn.execute(INSERT, {"name": "cancelled"})
            await conn.execute(SLOWER)

    writing = asyncio.create_task(write())
    await asyncio.sleep(0.05)
    writing.cancel()
    with pytest.raises(asyncio.CancelledError):
        await writing
    async with database.transaction() as conn:
        await conn.execute(INSERT, {"name": "next"})
    assert await counted(database) == 1


async def test_a_cancelled_slow_read_leaves_the_connection_sound(database: Database) -> None:
    async def read() -> None:
        async with database.reading() as conn:
            await conn.execute(SLOWER)

    for _ in range(3):
        reading = asyncio.create_task(read())
        await asyncio.sleep(0.05)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        assert await counted(database) == 0


async def test_a_brief_connection_takes_rounds_only_to_move_its_log(tmp_path: Path) -> None:
    path = tmp_path / "brief.db"
    async with connect_briefly(path) as conn:
        for pragma in ("journal_mode = WAL", "synchronous = NORMAL", "wal_autocheckpoint = 0"):
            await conn.execute(f"PRAGMA {pragma}")
        await conn.execute("CREATE TABLE kept (number INTEGER, what BLOB)")
        async with rounds() as loop:
            taken = []
            for number in range(1000):
                before = loop.made
                async with conn.execute("INSERT INTO kept VALUES (?, ?)", (number, b"x" * 5000)):
                    await conn.commit()
                taken.append(loop.made - before)
        with sqlite3.connect(path) as other:
            assert other.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        other.close()
        log = path.with_name("brief.db-wal").stat().st_size
    assert sum(rounds > 0 for rounds in taken) == 5
    # Five million bytes were written; the log starts anew once all of it has been moved.
    assert log < 3_000_000


async def test_closing_waits_for_who_writes_and_later_nothing_can_be_asked(tmp_path: Path) -> None:
    database = await Database.open(None, data_dir=tmp_path)
    begun, end = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        async with database.transaction() as conn:
            begun.set()
            await end.wait()
            await conn.execute(INSERT, {"name": "last"})

    writing = asyncio.create_task(write())
    await begun.wait()
    closing = asyncio.create_task(database.close())
    await asyncio.sleep(0)
    assert not closing.done()
    end.set()
    await asyncio.gather(writing, closing)

    with pytest.raises(DatabaseAway, match="closed"):
        await counted(database)
    with pytest.raises(DatabaseAway, match="closed"):
        await write()
    with sqlite3.connect(tmp_path / FILE_NAME) as other:
        assert other.execute("SELECT workspace_id FROM bug_counters").fetchall() == [("last",)]
    other.close()
