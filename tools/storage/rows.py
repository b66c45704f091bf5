"""What every write to a conversation is made of: find it within a scope, lock it, append to its log."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Integer, Row, Select, and_, bindparam, insert, or_, select, update
from sqlalchemy.sql.dml import ReturningUpdate

from agent.errors import LeaseLost, NotFound
from agent.types import Mode
from tools.storage import following, posting
from tools.storage.codec import identity_from_json
from tools.storage.columns import storable
from tools.storage.connection import Connection
from tools.storage.records import Conversation, Lease, NewEvent
from tools.storage.schema import conversations, events
from tools.storage.scope import Scope


def visible(scope: Scope) -> ColumnElement[bool]:
    """The predicate that keeps a scope to its own conversations."""
    if scope.owner_id is None:
        return conversations.c.workspace_id == scope.workspace_id
    return and_(conversations.c.workspace_id == scope.workspace_id, conversations.c.owner_id == scope.owner_id)


def visible_to(*, owned: bool) -> tuple[ColumnElement[bool], ...]:
    """As `visible`, for statements that are built once: the scope's values are `of_workspace` and `of_owner`."""
    mine = conversations.c.workspace_id == bindparam("of_workspace")
    return (mine, conversations.c.owner_id == bindparam("of_owner")) if owned else (mine,)


def body_hash(*parts: object) -> str:
    """Return what tells one message body from another."""
    return hashlib.sha256(orjson.dumps(storable(parts))).hexdigest()


async def load(conn: Connection, scope: Scope, conversation_id: str, *, lock: bool = False) -> Conversation:
    """Return the conversation; `lock` keeps other writers out until the transaction ends.

    Raises:
        NotFound: it isn't there, or isn't the scope's.
    """
    found = await conn.execute(
        _one_of_scope(owned=scope.owner_id is not None, lock=lock),
        {"of_conversation": conversation_id, "of_workspace": scope.workspace_id, "of_owner": scope.owner_id},
    )
    row = found.one_or_none()
    if row is None:
        raise NotFound("no such conversation")
    return to_conversation(row)


async def load_named(conn: Connection, scope: Scope, name: str) -> Conversation | None:
    """Return the owner's conversation of that id, or else of that thread id."""
    named = {"of_name": name, "of_workspace": scope.workspace_id, "of_owner": scope.owner_id}
    row = (await conn.execute(_NAMED, named)).one_or_none()
    return None if row is None else to_conversation(row)


async def load_leased(conn: Connection, lease: Lease) -> Conversation:
    """Return the lease's conversation, locked until the transaction ends.

    Raises:
        LeaseLost: another epoch has begun.
    """
    row = (await conn.execute(_LEASED, whose(lease))).one_or_none()
    if row is None:
        raise LeaseLost(f"epoch {lease.epoch} of conversation {lease.conversation_id!r} is over")
    return to_conversation(row)


def to_conversation(row: Row[Any]) -> Conversation:
    """Return a row of `conversations` as a value."""
    return Conversation(
        conversation_id=row.conversation_id,
        workspace_id=row.workspace_id,
        owner_id=row.owner_id,
        thread_id=row.thread_id,
        identity=identity_from_json(row.identity),
        channel=row.channel,
        language=row.language,
        mode=Mode(row.mode),
        last_seq=row.last_seq,
        created_at=row.created_at,
        updated_at=row.updated_at,
        contact_email=row.contact_email,
        asked_email=row.asked_email,
        handbacks=row.handbacks,
    )


async def append(
    conn: Connection,
    conversation: Conversation | Lease,
    new: Sequence[NewEvent],
    *,
    at: datetime,
    turn_id: str | None = None,
    **changes: Any,
) -> int:
    """Append events, set `changes` on the conversation, and return the last event's seq.

    A lease in place of a conversation makes the write depend on its epoch. Seqs are dense: the counter and the
    rows commit together, and the counter's row lock puts writers in a line.

    Raises:
        LeaseLost: another epoch has begun.
    """
    values = {name: value for name, value in changes.items() if not isinstance(value, ColumnElement)}
    statement = _counting(isinstance(conversation, Lease), tuple(sorted(values)))
    if len(values) < len(changes):
        statement = statement.values({name: value for name, value in changes.items() if name not in values})
    counted = await conn.execute(
        statement,
        {
            **whose(conversation),
            "added": len(new),
            "new_updated_at": at,
            **{f"new_{name}": value for name, value in values.items()},
        },
    )
    last_seq = counted.scalar_one_or_none()
    if last_seq is None:
        raise LeaseLost(f"conversation {conversation.conversation_id!r} has another writer")
    if not new:
        return int(last_seq)
    first = last_seq - len(new) + 1
    rows = [
        {
            "conversation_id": conversation.conversation_id,
            "seq": first + offset,
            "workspace_id": conversation.workspace_id,
            "turn_id": turn_id,
            "at": at,
            "audience": item.audience,
            "kind": kind(item.event),
            "event": item.event,
        }
        for offset, item in enumerate(new)
    ]
    await conn.execute(_INSERT_EVENTS, rows)
    await posting.post(conn, rows)
    following.note(conn, rows)
    return int(last_seq)


def whose(conversation: Conversation | Lease) -> dict[str, Any]:
    """The values that tell a statement which conversation, and in a lease's epoch: `of_conversation` and so on."""
    epoch = {"of_epoch": conversation.epoch} if isinstance(conversation, Lease) else {}
    return {"of_conversation": conversation.conversation_id, "of_workspace": conversation.workspace_id, **epoch}


# A turn makes some forty statements, and building one costs more than running it: these are built once.
_THIS = (
    conversations.c.conversation_id == bindparam("of_conversation"),
    conversations.c.workspace_id == bindparam("of_workspace"),
)
_IN_ITS_EPOCH = (*_THIS, conversations.c.epoch == bindparam("of_epoch"))
_LEASED = select(conversations).where(*_IN_ITS_EPOCH).with_for_update()
_INSERT_EVENTS = insert(events)
_HAS_THE_ID = conversations.c.conversation_id == bindparam("of_name")
_NAMED = (
    select(conversations)
    .where(*visible_to(owned=True), or_(_HAS_THE_ID, conversations.c.thread_id == bindparam("of_name")))
    .order_by(_HAS_THE_ID.desc())
    .limit(1)
)


@cache
def _one_of_scope(*, owned: bool, lock: bool) -> Select[Any]:
    query = select(conversations).where(*_THIS, *visible_to(owned=owned))
    return query.with_for_update() if lock else query


@cache
def _counting(leased: bool, changes: tuple[str, ...]) -> ReturningUpdate[Any]:
    counted = conversations.c.last_seq + bindparam("added", type_=Integer)
    values: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("updated_at", *changes)}
    statement = update(conversations).where(*(_IN_ITS_EPOCH if leased else _THIS))
    return statement.values(last_seq=counted, **values).returning(conversations.c.last_seq)


def kind(event: dict[str, object]) -> str:
    """Return an event's type, or for a CUSTOM event its name."""
    return str(event["name"]) if event.get("type") == "CUSTOM" else str(event["type"])
