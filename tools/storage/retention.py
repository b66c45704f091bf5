"""Which conversations are over and old, and which turns' checkpoints nobody needs."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, and_, exists, select

from agent.types import Mode
from tools.storage import bug_words
from tools.storage.database import Database
from tools.storage.records import UNFINISHED
from tools.storage.schema import conversations, turns
from tools.storage.sql_functions import among, database_now

# Who waits for a person, or has one, is not over.
_OVER = (Mode.BOT.value, Mode.HANDED_BACK.value, Mode.CLOSED.value)


def over_since(before: datetime) -> ColumnElement[bool]:
    """The predicate of conversations in which nothing has happened since, and nothing is to come."""
    unfinished = exists().where(
        turns.c.conversation_id == conversations.c.conversation_id,
        turns.c.workspace_id == conversations.c.workspace_id,
        turns.c.status.in_(UNFINISHED),
    )
    return and_(
        conversations.c.updated_at < before,
        conversations.c.mode.in_(_OVER),
        conversations.c.lease_until <= database_now(),
        ~unfinished,
    )


async def old_conversations(
    db: Database, workspace_id: str, before: datetime, *, limit: int | None = None
) -> list[str]:
    """Return the ids of the workspace's conversations that are over since then, the oldest first."""
    query = (
        select(conversations.c.conversation_id)
        .where(conversations.c.workspace_id == workspace_id, over_since(before))
        .order_by(conversations.c.updated_at, conversations.c.conversation_id)
        .limit(limit)
    )
    async with db.reading() as conn:
        return list((await conn.execute(query)).scalars())


async def unfinished_among(db: Database, turn_ids: Collection[str]) -> set[str]:
    """Return those of these turns, of any workspace, that are still to be worked on."""
    query = select(turns.c.turn_id).where(among(turns.c.turn_id, turn_ids), turns.c.status.in_(UNFINISHED))
    async with db.reading() as conn:
        return set((await conn.execute(query)).scalars())


async def retell_closed_bugs(db: Database, workspace_id: str, *, limit: int) -> int:
    """Take from closed bugs the words of conversations that are gone, and return from how many."""
    # Looked at first: there hardly ever is one, and a write would keep others waiting.
    async with db.reading() as conn:
        if not await bug_words.any_closed_to_retell(conn, workspace_id):
            return 0
    async with db.transaction(lengthy=True) as conn:
        return await bug_words.retell_closed(conn, workspace_id, limit=limit)
