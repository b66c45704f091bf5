"""The checkpointer, as an installation opens it."""

import stat
from pathlib import Path

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from langgraph.checkpoint.postgres.aio import AsyncPostgresSaver
from psycopg_pool import AsyncConnectionPool
from sqlalchemy.engine import URL, make_url

from graphs.checkpoints import open_checkpointer


@pytest.mark.postgres
async def test_a_connection_that_is_used_often_has_no_more_prepared_statements(
    postgres_url: str, tmp_path: Path
) -> None:
    async with open_checkpointer(make_url(postgres_url), data_dir=tmp_path) as saver:
        assert isinstance(saver, AsyncPostgresSaver)
        assert isinstance(saver.conn, AsyncConnectionPool)

        for number in range(60):
            config = {"configurable": {"thread_id": f"turn-{number}", "checkpoint_ns": ""}}
            await saver.aput(config, empty_checkpoint(), {}, {})  # type: ignore[arg-type]  # A plain dict will do.
            await saver.adelete_thread(f"turn-{number}")
        async with saver.conn.connection() as conn:
            found = await conn.execute("SELECT count(*) AS number FROM pg_prepared_statements", prepare=False)
            row = await found.fetchone()

        # Each of the saver's own statements once.
        assert row is not None
        assert row["number"] < 20


def modes(folder: Path) -> dict[str, int]:
    """Who may read which file."""
    return {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}


async def test_a_file_of_checkpoints_is_its_owners_alone(tmp_path: Path) -> None:
    async with open_checkpointer(URL.create("sqlite"), data_dir=tmp_path) as saver:
        await saver.aput({"configurable": {"thread_id": "t", "checkpoint_ns": ""}}, empty_checkpoint(), {}, {})
        assert modes(tmp_path) == dict.fromkeys(("checkpoints.db", "checkpoints.db-wal", "checkpoints.db-shm"), 0o600)
