"""Opening, migrating and refusing databases."""

import asyncio
import stat
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Connection, text

from agent.errors import ConnectorError, DatabaseAway, Misconfigured
from tools.storage.database import FILE_NAME, Database
from tools.storage.migrate import revisions
from tools.storage.schema import metadata


async def test_migrated_tables_are_the_schema(database: Database) -> None:
    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.reading() as conn:
        assert await conn.run_sync(differences) == []


async def test_opening_again_keeps_what_is_there(tmp_path: Path) -> None:
    first = await Database.open(None, data_dir=tmp_path)
    async with first.transaction() as conn:
        await conn.execute(text("INSERT INTO bug_counters VALUES ('orrery', 7)"))
    await first.close()

    second = await Database.open(None, data_dir=tmp_path)
    async with second.reading() as conn:
        assert (await conn.execute(text("SELECT last_number FROM bug_counters"))).scalar_one() == 7
    await second.close()


async def test_newer_database_is_refused_with_both_revisions(database: Database, tmp_path: Path) -> None:
    async with database.transaction() as conn:
        await conn.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(
        Misconfigured, match=rf"'9999'.*'{revisions()[-1]}'.*Install that version again, or restore a backup"
    ):
        await Database.open(database.url.render_as_string(hide_password=False), data_dir=tmp_path)


async def test_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE_NAME).write_bytes(b"not a database at all, but long enough to look at\n" * 100)
    with pytest.raises(Misconfigured, match=r"helpgraph\.db is damaged .*restore a backup"):
        await Database.open(None, data_dir=tmp_path)


async def test_file_damaged_in_the_middle_is_refused(tmp_path: Path) -> None:
    database = await Database.open(None, data_dir=tmp_path)
    await database.close()
    path = tmp_path / FILE_NAME
    content = bytearray(path.read_bytes())
    content[4096 * 2 : 4096 * 6] = b"\xff" * 4096 * 4
    path.write_bytes(bytes(content))
    with pytest.raises(Misconfigured, match="damaged"):
        await Database.open(None, data_dir=tmp_path)


async def test_a_page_that_cannot_be_read_is_a_database_that_is_away(tmp_path: Path) -> None:
    # What a disk that fails looks like from here: SQLite calls what it doesn't get malformed.
    await (await Database.open(None, data_dir=tmp_path)).close()
    database = await Database.open(None, data_dir=tmp_path)
    path = tmp_path / FILE_NAME
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096)
        file.write(b"\xff" * (size - 4096))

    with pytest.raises(DatabaseAway):
        async with database.reading() as conn:
            await conn.execute(text("SELECT count(*) FROM conversations"))
    await database.close()


async def test_another_applications_database_is_refused(tmp_path: Path) -> None:
    database = await Database.open(None, data_dir=tmp_path)
    async with database.transaction() as conn:
        await conn.execute(text("DELETE FROM alembic_version"))
    await database.close()
    with pytest.raises(Misconfigured, match="belongs to another application"):
        await Database.open(None, data_dir=tmp_path)


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("mysql://host/name", "'mysql' is not supported"),
        ("nonsense", "not a URL"),
        ("sqlite://", "needs a file"),
        ("postgresql://helpgraph:hunter2@127.0.0.1:1/helpgraph", "can't be reached"),
        ("postgresql://helpgraph@127.0.0.1:1/helpgraph?password=hunter2", "can't be reached"),
        ("postgresql://helpgraph:a@b:hunter2@127.0.0.1:hunter2/helpgraph", "not a URL"),
    ],
)
async def test_unusable_url_names_the_setting_and_no_password(url: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=message) as caught:
        await Database.open(url, data_dir=tmp_path)
    assert "DATABASE_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)


async def test_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Misconfigured, match="HELPGRAPH_DATA_DIR"):
        await Database.open(None, data_dir=tmp_path / "file" / "data")


async def test_sqlite_is_durable_private_and_read_only_for_readers(tmp_path: Path) -> None:
    database = await Database.open(None, data_dir=tmp_path)
    async with database.transaction() as conn:
        assert (await conn.execute(text("PRAGMA journal_mode"))).scalar_one() == "wal"
        assert (await conn.execute(text("PRAGMA synchronous"))).scalar_one() == 2
        assert (await conn.execute(text("PRAGMA foreign_keys"))).scalar_one() == 1
    assert stat.S_IMODE((tmp_path / FILE_NAME).stat().st_mode) == 0o600
    with pytest.raises(ConnectorError):
        async with database.reading() as conn:
            await conn.execute(text("INSERT INTO bug_counters VALUES ('orrery', 1)"))
    await database.close()


async def test_failed_transaction_leaves_nothing(database: Database) -> None:
    async def write_and_fail() -> None:
        async with database.transaction() as conn:
            await conn.execute(text("INSERT INTO bug_counters VALUES ('orrery', 1)"))
            raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError):
        await write_and_fail()
    async with database.reading() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM bug_counters"))).scalar_one() == 0


@pytest.mark.postgres
async def test_an_index_is_made_in_a_section_that_another_process_waits_for(postgres_url: str, tmp_path: Path) -> None:
    here = await Database.open(postgres_url, data_dir=tmp_path)
    there = await Database.open(postgres_url, data_dir=tmp_path)
    entered = asyncio.Event()

    async def wait_for_it() -> None:
        async with there.exclusive("indexes"):
            entered.set()

    async with asyncio.timeout(60):
        async with here.exclusive("indexes"):
            waiting = asyncio.create_task(wait_for_it())
            await asyncio.sleep(0.5)
            async with here.server.connect() as conn:
                await conn.execution_options(isolation_level="AUTOCOMMIT")
                # It waits until every statement has ended that had begun before.
                await conn.execute(text("CREATE INDEX CONCURRENTLY tried ON bug_counters (workspace_id)"))
            assert not entered.is_set()
        await waiting
    for database in (here, there):
        await database.close()


async def test_when_no_connection_comes_free_the_database_is_away(migrated_url: str | None, tmp_path: Path) -> None:
    database = await Database.open(migrated_url, data_dir=tmp_path, patience_s=0.1)
    async with AsyncExitStack() as held:

        async def hold_all() -> None:
            for _ in range(100):
                await held.enter_async_context(database.reading())

        with pytest.raises(DatabaseAway, match="no connection"):
            await hold_all()
    async with database.reading() as conn:
        assert (await conn.execute(text("SELECT count(*) FROM bug_counters"))).scalar_one() == 0
    await database.close()


@pytest.mark.postgres
async def test_a_server_that_only_reads_any_more_is_a_database_that_is_away(postgres_url: str, tmp_path: Path) -> None:
    database = await Database.open(postgres_url, data_dir=tmp_path)
    async with database.server.connect() as conn:
        await conn.execution_options(isolation_level="AUTOCOMMIT")
        name = database.url.database
        await conn.exec_driver_sql(f'ALTER DATABASE "{name}" SET default_transaction_read_only = on')
    await database.server.dispose()

    with pytest.raises(DatabaseAway, match="ReadOnlySqlTransaction"):
        async with database.transaction() as conn:
            await conn.execute(text("INSERT INTO bug_counters VALUES ('orrery', 1)"))
    await database.close()
