"""Ending the bot's turns from outside, when a person's act decides over the conversation."""

from datetime import datetime

from sqlalchemy import select, update

from agent.events import Custom
from agent.types import Author, Outcome
from agent.wire import message_value
from tools.storage import rows
from tools.storage.codec import custom
from tools.storage.connection import Connection
from tools.storage.records import UNFINISHED, Conversation, NewEvent
from tools.storage.schema import events, turns

_OPENERS = (
    "TEXT_MESSAGE_START",
    "TEXT_MESSAGE_CONTENT",
    "TEXT_MESSAGE_END",
    "MESSAGES_SNAPSHOT",
    "STEP_STARTED",
    "STEP_FINISHED",
)


async def deliver_unfinished(conn: Connection, conversation: Conversation, *, now: datetime) -> None:
    """End the conversation's unfinished turns: their messages are with people now.

    Streams stay well formed: what a turn had opened is closed, and a turn that never began begins and ends.
    """
    unfinished = (
        await conn.execute(
            select(turns)
            .where(
                turns.c.conversation_id == conversation.conversation_id,
                turns.c.workspace_id == conversation.workspace_id,
                turns.c.status.in_(UNFINISHED),
            )
            .order_by(turns.c.first_seq)
        )
    ).all()
    for turn in unfinished:
        run = {"threadId": conversation.thread_id, "runId": turn.run_id}
        told: list[dict[str, object]] = []
        if turn.run_started_seq is None:
            told.append({"type": "RUN_STARTED", **run})
        told += await close_what_is_open(conn, conversation, turn.turn_id, now)
        outcome = {"turn_id": turn.turn_id, "outcome": Outcome.DELIVERED.value, "route": None}
        told.append(custom(Custom.OUTCOME, outcome))
        told.append({"type": "RUN_FINISHED", **run})
        new = [NewEvent(event) for event in told]
        last_seq = await rows.append(conn, conversation, new, at=now, turn_id=turn.turn_id)
        started = last_seq - len(new) + 1 if turn.run_started_seq is None else turn.run_started_seq
        await conn.execute(
            update(turns)
            .where(turns.c.turn_id == turn.turn_id, turns.c.workspace_id == conversation.workspace_id)
            .values(status="finished", outcome=Outcome.DELIVERED.value, finished_at=now, run_started_seq=started)
        )


async def close_what_is_open(
    conn: Connection, conversation: Conversation, turn_id: str, now: datetime
) -> list[dict[str, object]]:
    """Return the events that close what a turn has opened in the log and didn't come to the end of.

    Words that the customer has already read become a message of the log, because a person should see them too.
    """
    found = await conn.execute(
        select(events.c.event)
        .where(
            events.c.conversation_id == conversation.conversation_id,
            events.c.workspace_id == conversation.workspace_id,
            events.c.turn_id == turn_id,
            events.c.kind.in_(_OPENERS),
        )
        .order_by(events.c.seq)
    )
    said: dict[str, str] = {}
    steps: dict[str, None] = {}
    for event in found.scalars():
        match event["type"]:
            case "TEXT_MESSAGE_START":
                said[event["messageId"]] = ""
            case "TEXT_MESSAGE_CONTENT":
                said[event["messageId"]] = said.get(event["messageId"], "") + event["delta"]
            case "TEXT_MESSAGE_END":
                said.pop(event["messageId"], None)
            case "MESSAGES_SNAPSHOT":
                # The turn began anew, and what stands was said without these words.
                said.clear()
            case "STEP_STARTED":
                steps[event["stepName"]] = None
            case _:
                steps.pop(event["stepName"], None)
    told: list[dict[str, object]] = []
    for message_id, text in said.items():
        told.append({"type": "TEXT_MESSAGE_END", "messageId": message_id})
        if text:
            value = message_value(message_id=message_id, author=Author.BOT, text=text, at=now.isoformat())
            told.append(custom(Custom.MESSAGE, value))
    return told + [{"type": "STEP_FINISHED", "stepName": name} for name in steps]
