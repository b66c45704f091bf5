"""Fixtures for tests of what the tools keep."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.migrated import migrate_once
from tools.storage.database import Database


@pytest.fixture
async def database(migrated_url: str | None, tmp_path: Path) -> AsyncIterator[Database]:
    """An empty, migrated database, once for each kind that is supported; how one is made is `test_database`'s."""
    if migrated_url is None:
        await migrate_once(tmp_path)
    opened = await Database.open(migrated_url, data_dir=tmp_path)
    yield opened
    await opened.close()
