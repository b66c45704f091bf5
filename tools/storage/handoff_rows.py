"""The rows behind the inbox: one open row per conversation that waits for a person or has one."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, insert, select, update

from agent.types import Handoff
from agent.wire import handoff_value
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.records import Conversation
from tools.storage.schema import handoffs


async def open_row(conn: Connection, conversation: Conversation) -> Row[Any] | None:
    """Return the conversation's open row, or None when no person is involved."""
    found = await conn.execute(
        select(handoffs).where(
            handoffs.c.conversation_id == conversation.conversation_id,
            handoffs.c.workspace_id == conversation.workspace_id,
            handoffs.c.closed_at.is_(None),
        )
    )
    return found.one_or_none()


async def open_for_people(
    db: Database, conn: Connection, conversation: Conversation, handoff: Handoff, *, now: datetime
) -> None:
    """Put a handoff in front of people. A row that is still open is told anew."""
    story = {
        "queue_id": handoff.queue_id,
        "priority": handoff.priority,
        "handoff": handoff_value(handoff),
        "promised_by": handoff.promised_by,
    }
    statement = db.insert(handoffs).values(**_new_row(conversation, now), **story)
    await conn.execute(
        statement.on_conflict_do_update(
            index_elements=["conversation_id"], index_where=handoffs.c.closed_at.is_(None), set_=story
        )
    )


async def open_unasked(conn: Connection, conversation: Conversation, *, now: datetime) -> None:
    """Open a row for a person who steps in without having been asked."""
    await conn.execute(insert(handoffs).values(**_new_row(conversation, now), queue_id="general", priority="normal"))


async def change(conn: Connection, conversation: Conversation, **values: Any) -> None:
    """Set values on the conversation's open row, if there is one."""
    await conn.execute(
        update(handoffs)
        .where(
            handoffs.c.conversation_id == conversation.conversation_id,
            handoffs.c.workspace_id == conversation.workspace_id,
            handoffs.c.closed_at.is_(None),
        )
        .values(**values)
    )


async def close(conn: Connection, conversation: Conversation, *, outcome: str, note: str | None, now: datetime) -> None:
    """Close the conversation's open row, if there is one, with how it ended."""
    await change(conn, conversation, closed_at=now, outcome=outcome, note=note)


def _new_row(conversation: Conversation, now: datetime) -> dict[str, Any]:
    return {
        "handoff_id": uuid4().hex,
        "conversation_id": conversation.conversation_id,
        "workspace_id": conversation.workspace_id,
        "waiting_since": now,
    }
