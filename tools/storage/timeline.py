"""What was done with a conversation beside what was said: asked for a person, taken, handed back, closed, left."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select

from agent.events import Custom
from agent.types import Mode
from tools.storage.connection import Connection
from tools.storage.records import Conversation
from tools.storage.schema import events

_KINDS = {
    Mode.WAITING: "asked",
    Mode.WITH_PERSON: "taken",
    Mode.HANDED_BACK: "handed_back",
    Mode.CLOSED: "resolved",
}
# What the customer does is told by a notice alone.
_LEFT = {"withdrawn", "left"}


async def acts(conn: Connection, conversation: Conversation, messages: Sequence[Row[Any]]) -> list[dict[str, Any]]:
    """Return the acts in order, each with the id of the shown message that it comes after; for the team alone.

    `note` and `outcome` are what a person gave who ended it. Acts before the first of `messages` have no `after`.
    """
    query = (
        select(events.c.seq, events.c.at, events.c.kind, events.c.audience, events.c.event)
        .where(
            events.c.conversation_id == conversation.conversation_id,
            events.c.workspace_id == conversation.workspace_id,
            events.c.kind.in_([Custom.MODE.value, Custom.NOTICE.value]),
        )
        .order_by(events.c.seq)
    )
    found: list[dict[str, Any]] = []
    ended: dict[str, Any] = {}
    for row in await conn.execute(query):
        value = row.event["value"]
        kind = None
        if row.kind == Custom.MODE:
            kind = _KINDS.get(Mode(value["mode"]))
        elif row.audience != "staff":
            continue
        elif value["code"] in _LEFT:
            kind = value["code"]
        else:
            # How a person ended it stands just before the end.
            ended = value
            continue
        if kind is not None:
            before = [message for message in messages if message.seq < row.seq]
            found.append(
                {
                    "kind": kind,
                    "at": row.at.isoformat(),
                    "person": value.get("person") or ended.get("person"),
                    "outcome": ended.get("code") if kind == "resolved" else None,
                    "note": ended.get("text") or None,
                    "after": before[-1].event["value"]["message_id"] if before else None,
                }
            )
        ended = {}
    return found
