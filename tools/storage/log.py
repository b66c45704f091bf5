"""The log of every conversation: what customers, the bot and people said, in order, and nothing else is truth."""

import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, bindparam, insert, select, true, update

from agent.errors import BadTurn, Conflict, NotFound
from agent.events import Custom
from agent.handoff import Move, step
from agent.types import Author, Identity, Mode
from agent.wire import message_value, mode_value
from tools.storage import rows
from tools.storage.codec import custom, identity_to_json
from tools.storage.columns import storable_text
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.records import (
    BOT_MESSAGE,
    PERSONS_MESSAGE,
    UNFINISHED,
    Accepted,
    ActiveTurn,
    Conversation,
    Lease,
    LogEvent,
    NewEvent,
    Stamp,
    TurnMessage,
    TurnWork,
)
from tools.storage.schema import client_messages, conversations, desk_replies, turns
from tools.storage.scope import Scope
from tools.storage.turn_log import TurnLog
from tools.storage.wakeups import Wakeups, inbox_key

__all__ = [
    "Accepted",
    "ActiveTurn",
    "Conversation",
    "ConversationLog",
    "Lease",
    "LogEvent",
    "NewEvent",
    "Stamp",
    "TurnMessage",
    "TurnWork",
]

_ID_LIMIT = 200


class ConversationLog(TurnLog):
    """The customer's and the reader's side; what a runner needs is in `TurnLog`."""

    def __init__(self, db: Database, wakeups: Wakeups) -> None:
        super().__init__(db, wakeups)
        keys = ["workspace_id", "owner_id", "thread_id"]
        # Built once, see `rows`.
        self._insert_if_new = db.insert(conversations).on_conflict_do_nothing(index_elements=keys)

    async def create_conversation(
        self,
        scope: Scope,
        *,
        thread_id: str,
        identity: Identity,
        channel: str,
        language: str,
        now: datetime,
    ) -> Conversation:
        """Return the owner's conversation of that thread, made if there was none. One's id names it as well.

        An empty `thread_id` always makes a new one, whose thread id is its conversation id.

        Raises:
            BadTurn: the thread id can't be used, or the scope owns nothing.
        """
        if scope.owner_id is None:
            raise BadTurn("a conversation needs an owner", field="owner_id")
        conversation_id = secrets.token_hex(16)
        thread_id = _usable_id(thread_id or conversation_id, "thread_id")
        whose = {"of_workspace": scope.workspace_id, "of_owner": scope.owner_id, "of_thread": thread_id}
        if thread_id != conversation_id:
            # Mostly it is there: that takes no turn at writing.
            async with self._db.reading() as conn:
                found = await rows.load_named(conn, scope, thread_id)
            if found is not None:
                return found
        new = {
            "conversation_id": conversation_id,
            "workspace_id": scope.workspace_id,
            "owner_id": scope.owner_id,
            "thread_id": thread_id,
            "identity": identity_to_json(identity),
            "channel": channel,
            "language": language,
            "mode": Mode.BOT.value,
            "created_at": now,
            "updated_at": now,
        }
        async with self._db.transaction() as conn:
            await conn.execute(self._insert_if_new, new)
            # Another may have made it meanwhile.
            return rows.to_conversation((await conn.execute(_OF_THREAD, whose)).one())

    async def accept(
        self,
        scope: Scope,
        conversation_id: str,
        *,
        client_message_id: str,
        text: str,
        page: dict[str, object] | None,
        run_id: str,
        wish: bool,
        now: datetime,
    ) -> Accepted:
        """Keep a customer's message, once, and say which turn answers it. After this returns it can't be lost.

        It joins the newest turn while that is unfinished and hasn't spoken, else it begins one. The same
        `client_message_id` with the same text finds what became of the first.

        Raises:
            NotFound: the conversation isn't there, or isn't the scope's.
            Conflict: the id was used for another text, or is that of a message of the bot's or a person's.
            BadTurn: the id can't be used.
        """
        _usable_id(client_message_id, "client_message_id")
        digest = rows.body_hash(text, wish)
        async with self._db.transaction() as conn:
            conversation = await rows.load(conn, scope, conversation_id, lock=True)
            earlier = await _find_message(conn, conversation, client_message_id)
            if earlier is not None:
                if earlier.body_hash != digest:
                    raise Conflict(f"message id {client_message_id!r} was used for another text")
                return Accepted(
                    turn_id=earlier.turn_id,
                    seq=earlier.seq,
                    run_id=earlier.run_id,
                    joined=earlier.joined,
                    duplicate=True,
                    run_started_seq=earlier.run_started_seq,
                )
            if await _is_ours(conn, conversation, client_message_id):
                raise Conflict(f"message id {client_message_id!r} is that of another message here")
            seq = conversation.last_seq + 1
            turn = await _open_turn(conn, conversation)
            accepted = Accepted(
                turn_id=turn.turn_id if turn else uuid4().hex,
                seq=seq,
                run_id=turn.run_id if turn else run_id,
                joined=turn is not None,
                duplicate=False,
                run_started_seq=turn.run_started_seq if turn else None,
            )
            if turn is None:
                new_turn = {
                    "turn_id": accepted.turn_id,
                    "conversation_id": conversation_id,
                    "workspace_id": conversation.workspace_id,
                    "run_id": run_id,
                    "first_seq": seq,
                    "status": "accepted",
                    "created_at": now,
                }
                await conn.execute(_INSERT_TURN, new_turn)
            message = {
                "conversation_id": conversation_id,
                "client_message_id": client_message_id,
                "workspace_id": conversation.workspace_id,
                "turn_id": accepted.turn_id,
                "seq": seq,
                "body_hash": digest,
                "text": text,
                "page": page,
                "wish": wish,
                "joined": accepted.joined,
                "at": now,
            }
            await conn.execute(_INSERT_MESSAGE, message)
            mode = step(conversation.mode, Move.CUSTOMER_WRITES).to
            told = _tell_message(conversation, client_message_id, text, accepted, mode, now)
            last_seq = await rows.append(
                conn, conversation, told, at=now, turn_id=accepted.turn_id, mode=mode.value, typing_at=None
            )
        self._wakeups.notify(conversation_id, last_seq)
        self._wakeups.notify(inbox_key(scope.workspace_id))
        return accepted

    async def record(self, scope: Scope, conversation_id: str, events: Sequence[NewEvent]) -> int:
        """Append events that belong to no turn (ratings, feedback, notices) and return the last seq.

        Raises:
            NotFound: the conversation isn't there, or isn't the scope's.
        """
        async with self._db.transaction() as conn:
            conversation = await rows.load(conn, scope, conversation_id, lock=True)
            seq = await rows.append(conn, conversation, events, at=datetime.now(UTC))
        self._wakeups.notify(conversation_id, seq)
        self._wakeups.notify(inbox_key(scope.workspace_id))
        return seq

    async def typing(self, scope: Scope, conversation_id: str, now: datetime) -> None:
        """Remember that the customer was typing at `now`.

        Raises:
            NotFound: the conversation isn't there, or isn't the scope's.
        """
        statement = (
            update(conversations)
            .where(conversations.c.conversation_id == conversation_id, rows.visible(scope))
            .values(typing_at=now)
            .returning(conversations.c.conversation_id)
        )
        async with self._db.transaction() as conn:
            if (await conn.execute(statement)).one_or_none() is None:
                raise NotFound("no such conversation")


def _usable_id(value: str, field: str) -> str:
    if not value or len(value) > _ID_LIMIT or storable_text(value) != value:
        raise BadTurn(f"{field} must be 1 to {_ID_LIMIT} characters of text", field=field)
    return value


async def _find_message(conn: Connection, conversation: Conversation, client_message_id: str) -> Row[Any] | None:
    return (await conn.execute(_MESSAGE, {**rows.whose(conversation), "of_message": client_message_id})).one_or_none()


async def _is_ours(conn: Connection, conversation: Conversation, message_id: str) -> bool:
    """Whether the bot or a person has said something under this id, or is about to. What shows messages goes by ids."""
    if message_id.startswith(BOT_MESSAGE):
        table, named = turns, turns.c.turn_id == message_id.removeprefix(BOT_MESSAGE).partition("_")[0]
    elif message_id.startswith(PERSONS_MESSAGE):
        table, named = desk_replies, desk_replies.c.message_id == message_id
    else:
        return False
    query = select(true()).where(
        table.c.conversation_id == conversation.conversation_id,
        table.c.workspace_id == conversation.workspace_id,
        named,
    )
    return (await conn.execute(query)).first() is not None


async def _open_turn(conn: Connection, conversation: Conversation) -> Row[Any] | None:
    """Return the newest turn if a message may still join it."""
    newest = (await conn.execute(_NEWEST_TURN, rows.whose(conversation))).one_or_none()
    if newest is None or newest.status not in UNFINISHED or newest.answered_at is not None:
        return None
    return newest


# Built once, see `rows`.
_OF_THREAD = select(conversations).where(
    *rows.visible_to(owned=True), conversations.c.thread_id == bindparam("of_thread")
)
_INSERT_TURN, _INSERT_MESSAGE = insert(turns), insert(client_messages)
_MESSAGE = (
    select(client_messages, turns.c.run_id, turns.c.run_started_seq)
    .join(turns, turns.c.turn_id == client_messages.c.turn_id)
    .where(
        client_messages.c.conversation_id == bindparam("of_conversation"),
        client_messages.c.workspace_id == bindparam("of_workspace"),
        client_messages.c.client_message_id == bindparam("of_message"),
    )
)
_NEWEST_TURN = (
    select(turns)
    .where(
        turns.c.conversation_id == bindparam("of_conversation"),
        turns.c.workspace_id == bindparam("of_workspace"),
    )
    .order_by(turns.c.first_seq.desc())
    .limit(1)
)


def _tell_message(
    conversation: Conversation,
    client_message_id: str,
    text: str,
    accepted: Accepted,
    mode: Mode,
    now: datetime,
) -> list[NewEvent]:
    value = message_value(
        message_id=client_message_id,
        author=Author.CUSTOMER,
        text=text,
        at=now.isoformat(),
        author_name=conversation.identity.display_name,
    )
    told = [NewEvent(custom(Custom.MESSAGE, value))]
    if accepted.joined:
        joined = {"turn_id": accepted.turn_id, "message_id": client_message_id}
        told.append(NewEvent(custom(Custom.JOINED, joined)))
    if mode is not conversation.mode:
        told.append(NewEvent(custom(Custom.MODE, mode_value(mode))))
    return told
