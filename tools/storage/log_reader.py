"""Reading the log: conversations, events, messages and the turn that runs."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Integer, Row, Select, bindparam, func, literal, select

from agent.errors import NotFound
from agent.events import Custom
from agent.types import Author, Message, Mode, Spent
from tools.storage import rows
from tools.storage.codec import message_from_wire
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.following import Following
from tools.storage.records import UNFINISHED, ActiveTurn, Conversation, LogEvent, Stamp
from tools.storage.schema import conversations, events, turns
from tools.storage.scope import Scope
from tools.storage.sql_functions import custom_number

_MESSAGES_SHOWN = 500


class LogReader:
    """What anyone who may see a conversation can read of it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    @property
    def database(self) -> Database:
        """Where the log is kept."""
        return self._db

    @property
    def following(self) -> Following:
        """What is committed here, for who follows a conversation that its scope was found to see."""
        return self._db.following

    async def conversation(self, scope: Scope, conversation_id: str) -> Conversation:
        """Return the conversation as it stands.

        Raises:
            NotFound: it isn't there, or isn't the scope's.
        """
        async with self._db.reading() as conn:
            return await rows.load(conn, scope, conversation_id)

    async def find(self, scope: Scope, name: str) -> Conversation:
        """Return the conversation of that id or, of an owner's, of that thread; people on the team own no threads.

        Raises:
            NotFound: there is none, or it isn't the scope's.
        """
        if scope.owner_id is None:
            return await self.conversation(scope, name)
        async with self._db.reading() as conn:
            found = await rows.load_named(conn, scope, name)
        if found is None:
            raise NotFound("no such conversation")
        return found

    async def recent(self, scope: Scope, *, limit: int = 200) -> list[Stamp]:
        """Return stamps of the conversations that changed last, newest first."""
        query = (
            select(conversations.c.conversation_id, conversations.c.mode, conversations.c.last_seq)
            .where(rows.visible(scope))
            .order_by(conversations.c.updated_at.desc())
            .limit(limit)
        )
        async with self._db.reading() as conn:
            found = await conn.execute(query)
            return [Stamp(row.conversation_id, Mode(row.mode), row.last_seq) for row in found]

    async def read(
        self, scope: Scope, conversation_id: str, *, after_seq: int, staff: bool, limit: int = 500
    ) -> list[LogEvent]:
        """Return events after `after_seq` in order, at most `limit`; staff-only ones when `staff` and allowed.

        Raises:
            NotFound: the conversation isn't there, or isn't the scope's.
        """
        query = _news(owned=scope.owner_id is not None, all_of_it=staff and scope.sees_everything)
        whose = {"of_conversation": conversation_id, "of_workspace": scope.workspace_id, "of_owner": scope.owner_id}
        async with self._db.reading() as conn:
            news = await conn.execute(query, {**whose, "after_seq": after_seq, "most": limit})
            found = [LogEvent(row.seq, row.at, row.turn_id, row.audience, row.event) for row in news]
            if not found:
                await rows.load(conn, scope, conversation_id)
        return found

    async def messages(self, scope: Scope, conversation_id: str) -> list[dict[str, Any]]:
        """Return the values of `helpgraph.message.v1` in order, the newest 500, each message as it ended up.

        Raises:
            NotFound: the conversation isn't there, or isn't the scope's.
        """
        async with self._db.reading() as conn:
            conversation = await rows.load(conn, scope, conversation_id)
            kept = await message_rows(conn, conversation, before_seq=None, limit=_MESSAGES_SHOWN)
        return [row.event["value"] for row in kept]

    async def history(
        self, conversation: Conversation, *, before_seq: int | None = None, limit: int = 50
    ) -> list[Message]:
        """Return the newest `limit` messages older than `before_seq`, in order; none of what was erased meanwhile."""
        async with self._db.reading() as conn:
            kept = await message_rows(conn, conversation, before_seq=before_seq, limit=limit)
        return [message_from_wire(row.event["value"]) for row in kept]

    async def active_turn(self, scope: Scope, conversation_id: str) -> ActiveTurn | None:
        """Return the oldest unfinished turn, which is the one that runs or runs next."""
        query = (
            select(turns.c.turn_id, turns.c.run_id, turns.c.run_started_seq)
            .join(conversations, conversations.c.conversation_id == turns.c.conversation_id)
            .where(
                turns.c.conversation_id == conversation_id,
                turns.c.workspace_id == scope.workspace_id,
                rows.visible(scope),
                turns.c.status.in_(UNFINISHED),
            )
            .order_by(turns.c.first_seq)
            .limit(1)
        )
        async with self._db.reading() as conn:
            row = (await conn.execute(query)).one_or_none()
        return None if row is None else ActiveTurn(row.turn_id, row.run_id, row.run_started_seq)

    async def spent(self, scope: Scope, conversation_id: str) -> Spent:
        """Return what the conversation's turns have cost so far."""
        whose = {"of_conversation": conversation_id, "of_workspace": scope.workspace_id, "of_owner": scope.owner_id}
        async with self._db.reading() as conn:
            spent = (await conn.execute(_spent(owned=scope.owner_id is not None), whose)).one()
        return Spent(tokens=int(spent[0]), cost=float(spent[1]))

    async def typing_at(self, conversation_id: str) -> datetime | None:
        """Return when the customer last typed without having sent it; for the runner, which has no scope."""
        async with self._db.reading() as conn:
            found = await conn.execute(_TYPING_AT, {"of_conversation": conversation_id})
            at: datetime | None = found.scalar_one_or_none()
        return at


@cache
def _news(*, owned: bool, all_of_it: bool) -> Select[Any]:
    # Built once: every stream asks for it with each thing that happens.
    query = (
        select(events)
        .join(conversations, conversations.c.conversation_id == events.c.conversation_id)
        .where(
            events.c.conversation_id == bindparam("of_conversation"),
            events.c.workspace_id == bindparam("of_workspace"),
            *rows.visible_to(owned=owned),
            events.c.seq > bindparam("after_seq"),
        )
        .order_by(events.c.seq)
        .limit(bindparam("most", type_=Integer))
    )
    return query if all_of_it else query.where(events.c.audience == "all")


@cache
def _spent(*, owned: bool) -> Select[float, float]:
    tokens, cost = (
        func.coalesce(func.sum(number), 0.0)
        for number in (_number("input_tokens") + _number("output_tokens"), _number("cost"))
    )
    return (
        select(tokens, cost)
        .select_from(events)
        .join(conversations, conversations.c.conversation_id == events.c.conversation_id)
        .where(
            events.c.conversation_id == bindparam("of_conversation"),
            events.c.workspace_id == bindparam("of_workspace"),
            *rows.visible_to(owned=owned),
            events.c.kind == Custom.ENGINE.value,
        )
    )


def _number(name: str) -> custom_number:
    return custom_number(events.c.event, literal(name))


_TYPING_AT = select(conversations.c.typing_at).where(conversations.c.conversation_id == bindparam("of_conversation"))


@cache
def _messages(*, older: bool) -> Select[Any]:
    query = select(events.c.seq, events.c.turn_id, events.c.event).where(
        events.c.conversation_id == bindparam("of_conversation"),
        events.c.workspace_id == bindparam("of_workspace"),
        events.c.kind == Custom.MESSAGE.value,
    )
    if older:
        query = query.where(events.c.seq < bindparam("before_seq"))
    return query.order_by(events.c.seq.desc()).limit(bindparam("most", type_=Integer))


async def message_rows(
    conn: Connection, conversation: Conversation, *, before_seq: int | None, limit: int
) -> list[Row[Any]]:
    """Return the message events (seq, turn_id, event) in order; a message told twice counts as told last.

    A customer chooses the ids of their own messages, so theirs never count as another's told again.
    """
    asked = {**rows.whose(conversation), "before_seq": before_seq, "most": limit}
    told = await conn.execute(_messages(older=before_seq is not None), asked)
    by_id: dict[tuple[bool, str], Row[Any]] = {}
    for row in reversed(told.all()):
        value = row.event["value"]
        by_id[value["author"] == Author.CUSTOMER, value["message_id"]] = row
    return list(by_id.values())


async def turn_facts(
    conn: Connection, conversation: Conversation, turn_ids: Sequence[str], name: Custom
) -> dict[str, dict[str, Any]]:
    """Return each turn's last value of a CUSTOM event, by turn id."""
    if not turn_ids:
        return {}
    query = (
        select(events.c.turn_id, events.c.event)
        .where(
            events.c.conversation_id == conversation.conversation_id,
            events.c.workspace_id == conversation.workspace_id,
            events.c.kind == name.value,
            events.c.turn_id.in_(set(turn_ids)),
        )
        .order_by(events.c.seq)
    )
    return {row.turn_id: row.event["value"] for row in await conn.execute(query)}
