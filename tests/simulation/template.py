"""An empty, migrated installation that rounds begin with, made once."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import aiosqlite

from graphs.checkpoints import FILE_NAME as CHECKPOINTS
from graphs.checkpoints import kept_in
from tests.simulation.server import WORKSPACE
from tools.storage.database import Database
from tools.storage.hooks import KINDS, Webhooks


def make_template(folder: Path) -> Path:
    """Make it in `folder`: no conversation, one webhook that is told of everything."""
    folder.mkdir(parents=True, exist_ok=True)
    asyncio.run(_make(folder))
    return folder


async def _make(folder: Path) -> None:
    db = await Database.open(None, data_dir=folder)
    await Webhooks(db).add(WORKSPACE, "team", "https://team.example/hooks", KINDS, now=datetime.now(UTC))
    await db.close()
    async with aiosqlite.connect(folder / CHECKPOINTS) as conn:
        await kept_in(conn)
