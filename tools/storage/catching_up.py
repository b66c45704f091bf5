"""What hints between processes missed, found by one question for all streams instead of one from each."""

import asyncio
import logging
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

from sqlalchemy import select

from agent.errors import ConnectorError
from tools.storage.database import Database
from tools.storage.log_reader import LogReader
from tools.storage.schema import conversations
from tools.storage.wakeups import Wakeups

logger = logging.getLogger(__name__)

EVERY_S = 1.0
# Longer than a transaction lasts and than clocks of well-kept machines differ.
_LOOKS_BACK = timedelta(seconds=10)
_AT_ONCE = 5_000


async def catch_up(log: LogReader, wakeups: Wakeups, workspace_ids: Collection[str]) -> None:
    """Look for conversations of these workspaces that changed and wake who waits for them; for ever.

    On SQLite all writers are in this process and no hint is lost, so it ends at once.
    """
    if log.database.dialect == "sqlite":
        return
    while True:
        await asyncio.sleep(EVERY_S)
        try:
            for conversation_id, last_seq in await changed_since(
                log.database, workspace_ids, datetime.now(UTC) - _LOOKS_BACK
            ):
                wakeups.hear(conversation_id, last_seq)
        except Exception as exc:
            # Whatever it was: without this loop a lost hint would cost a stream a minute.
            logger.warning("changes not read", exc_info=not isinstance(exc, ConnectorError))


async def changed_since(db: Database, workspace_ids: Collection[str], since: datetime) -> list[tuple[str, int]]:
    """Conversations of these workspaces that changed since then, the newest first, each with its last event."""
    query = (
        select(conversations.c.conversation_id, conversations.c.last_seq)
        .where(conversations.c.workspace_id.in_(workspace_ids), conversations.c.updated_at >= since)
        .order_by(conversations.c.updated_at.desc())
        .limit(_AT_ONCE)
    )
    async with db.reading() as conn:
        return [(row.conversation_id, row.last_seq) for row in await conn.execute(query)]
