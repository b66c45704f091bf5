"""What people see of conversations, in the shapes of the inbox's HTTP answers."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, and_, case, func, select, true

from agent.events import Custom
from agent.types import Author, Mode
from tools.storage import handoff_rows, timeline, tracker_views
from tools.storage.codec import identity_from_json, identity_to_json
from tools.storage.connection import Connection
from tools.storage.log_reader import message_rows, turn_facts
from tools.storage.records import Conversation
from tools.storage.schema import client_messages, conversations, events, handoffs
from tools.storage.scope import Scope

_PRIORITY_ORDER = {"urgent": 0, "high": 1, "normal": 2}
_MESSAGES_SHOWN = 500


async def inbox(
    conn: Connection, scope: Scope, mode: Mode | None, *, now: datetime, limit: int
) -> list[dict[str, Any]]:
    """Return one row per conversation in `mode`, the most pressing first, at most `limit`.

    Without a mode these are all conversations of the workspace, the last changed first: a person may take any.
    `unread` counts the customer's messages since a person last took it or replied; `overdue` is a promise that
    passed while nobody came. Fields of the story are None or neutral where nobody was asked for.
    """
    newest = (
        select(handoffs.c.handoff_id)
        .where(
            handoffs.c.conversation_id == conversations.c.conversation_id,
            handoffs.c.workspace_id == scope.workspace_id,
        )
        .order_by(handoffs.c.closed_at.is_(None).desc(), handoffs.c.waiting_since.desc(), handoffs.c.handoff_id)
        .limit(1)
        .correlate(conversations)
        .scalar_subquery()
    )
    last_message = (
        select(events.c.event)
        .where(
            events.c.conversation_id == conversations.c.conversation_id,
            events.c.workspace_id == scope.workspace_id,
            events.c.kind == Custom.MESSAGE.value,
        )
        .order_by(events.c.seq.desc())
        .limit(1)
        .correlate(conversations)
        .scalar_subquery()
    )
    unread = (
        select(func.count())
        .select_from(client_messages)
        .where(
            client_messages.c.conversation_id == conversations.c.conversation_id,
            client_messages.c.workspace_id == scope.workspace_id,
            client_messages.c.seq > handoffs.c.read_seq,
        )
        .correlate(conversations, handoffs)
        .scalar_subquery()
    )
    query = (
        select(
            conversations,
            *(c for c in handoffs.c if c.name not in conversations.c),
            last_message.label("last_message"),
            unread.label("unread"),
        )
        .outerjoin(
            handoffs,
            and_(
                handoffs.c.conversation_id == conversations.c.conversation_id,
                handoffs.c.workspace_id == scope.workspace_id,
                handoffs.c.handoff_id == newest,
            ),
        )
        .where(
            conversations.c.workspace_id == scope.workspace_id,
            true() if mode is None else conversations.c.conversation_id.in_(_most_pressing(scope, mode, limit)),
        )
        .order_by(conversations.c.updated_at.desc())
        .limit(limit)
    )
    found = [_inbox_row(row, now) for row in await conn.execute(query)]
    if mode is not None:
        found.sort(key=lambda row: (_PRIORITY_ORDER.get(row["priority"], 2), row["waiting_since"] or ""))
    return found


def _most_pressing(scope: Scope, mode: Mode, limit: int) -> Select[tuple[str]]:
    """The conversations in `mode` that are shown when there are more: not the newest, or who waits longest is lost."""
    return (
        select(conversations.c.conversation_id)
        .outerjoin(
            handoffs,
            and_(
                handoffs.c.conversation_id == conversations.c.conversation_id,
                handoffs.c.workspace_id == scope.workspace_id,
                handoffs.c.closed_at.is_(None),
            ),
        )
        .where(conversations.c.workspace_id == scope.workspace_id, conversations.c.mode == mode.value)
        .order_by(
            case(_PRIORITY_ORDER, value=handoffs.c.priority, else_=2),
            handoffs.c.waiting_since,
            conversations.c.updated_at.desc(),
        )
        .limit(limit)
    )


async def conversation(conn: Connection, view: Conversation) -> dict[str, Any]:
    """Return the conversation, its handoff, bugs, timeline, and messages, the bot's with decision and evidence."""
    row = await handoff_rows.open_row(conn, view)
    kept = await message_rows(conn, view, before_seq=None, limit=_MESSAGES_SHOWN)
    turn_ids = [message.turn_id for message in kept if message.turn_id is not None]
    decisions = await turn_facts(conn, view, turn_ids, Custom.DECISION)
    evidence = await turn_facts(conn, view, turn_ids, Custom.EVIDENCE)
    messages = []
    for message in kept:
        value = message.event["value"]
        if value["author"] == Author.BOT:
            value = {
                **value,
                "decision": decisions.get(message.turn_id),
                "evidence": evidence.get(message.turn_id),
            }
        messages.append(value)
    return {
        "conversation": {
            "conversation_id": view.conversation_id,
            "mode": view.mode.value,
            "language": view.language,
            "channel": view.channel,
            "identity": identity_to_json(view.identity),
            "account_id": view.identity.account_id,
            "contact_email": view.contact_email,
            "handbacks": view.handbacks,
            "person": row.person if row is not None else None,
            "created_at": view.created_at.isoformat(),
            "updated_at": view.updated_at.isoformat(),
        },
        "handoff": row.handoff if row is not None else None,
        "bugs": await tracker_views.reported_in(conn, view.workspace_id, view.conversation_id),
        "messages": messages,
        "timeline": await timeline.acts(conn, view, kept),
        "last_event_id": str(view.last_seq),
    }


def _inbox_row(row: Row[Any], now: datetime) -> dict[str, Any]:
    story = row.handoff or {}
    identity = identity_from_json(row.identity)
    return {
        "conversation_id": row.conversation_id,
        "mode": row.mode,
        "queue_id": row.queue_id,
        "priority": row.priority or "normal",
        "wanted": story.get("wanted", ""),
        "reason": story.get("reason"),
        "sentiment": story.get("sentiment", 0.0),
        "waiting_since": row.waiting_since.isoformat() if row.waiting_since else None,
        "promised_by": row.promised_by.isoformat() if row.promised_by else None,
        "overdue": row.mode == Mode.WAITING and row.promised_by is not None and row.promised_by < now,
        "person": row.person,
        "outcome": row.outcome,
        "account_summary": story.get("account_summary"),
        "customer": identity.display_name,
        "language": row.language,
        "page": story.get("page"),
        "last_message": row.last_message["value"]["text"] if row.last_message else "",
        "unread": row.unread if row.handoff_id is not None and row.closed_at is None else 0,
        "updated_at": row.updated_at.isoformat(),
    }
