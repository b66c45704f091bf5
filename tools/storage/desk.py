"""What people on the team do with conversations: take, reply, hand back, resolve, and be reminded."""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import insert, select, update

from agent.errors import BadTurn, Conflict
from agent.events import Custom
from agent.handoff import Move, step
from agent.types import Author, Mode
from agent.wire import message_value, mode_value
from tools.storage import desk_views, handoff_rows, rows
from tools.storage.codec import custom
from tools.storage.connection import Connection
from tools.storage.log import ConversationLog
from tools.storage.records import PERSONS_MESSAGE, Conversation, NewEvent, OverdueHandoff, Replied
from tools.storage.schema import conversations, desk_acts, desk_replies, handoffs
from tools.storage.scope import Scope
from tools.storage.unfinished import deliver_unfinished
from tools.storage.wakeups import inbox_key

Resolution = Literal["solved", "not_solved", "duplicate", "spam"]


class Desk:
    """Every act is one transaction that checks the mode table. A scope with an owner sees no desk: NotFound, and may
    only `leave` what it owns.

    An act under an `act_id` happens once: sent again, be it late by a server that stood still, it changes nothing.
    """

    def __init__(self, log: ConversationLog) -> None:
        self._db = log.database
        self._wakeups = log.wakeups

    async def handoffs(
        self, scope: Scope, mode: Mode | None = None, *, now: datetime | None = None, limit: int = 200
    ) -> list[dict[str, Any]]:
        """Return the rows of the inbox; see `desk_views.inbox` for their shape and order."""
        scope.require_staff()
        async with self._db.reading() as conn:
            return await desk_views.inbox(conn, scope, mode, now=now or datetime.now(UTC), limit=limit)

    async def conversation_view(self, scope: Scope, conversation_id: str) -> dict[str, Any]:
        """Return everything that a person needs to take over; see `desk_views.conversation`."""
        scope.require_staff()
        async with self._db.reading() as conn:
            return await desk_views.conversation(conn, await rows.load(conn, scope, conversation_id))

    async def take(
        self, scope: Scope, conversation_id: str, person: str, now: datetime, *, act_id: str | None = None
    ) -> Conversation:
        """Give the conversation to `person`, asked for or not. From here on the bot can't write to it.

        Its unfinished turn ends as delivered; what the bot had said of an answer stays in the log.

        Raises:
            NotFound: no such conversation in this scope.
            Conflict: the id was used for another act.
        """
        async with self._db.transaction() as conn:
            conversation = await self._locked(conn, scope, conversation_id)
            if await self._was_done(conn, conversation, act_id, "take", person, now=now):
                return conversation
            row = await handoff_rows.open_row(conn, conversation)
            if conversation.mode is Mode.WITH_PERSON and row is not None and row.person == person:
                return conversation
            if row is None:
                await handoff_rows.open_unasked(conn, conversation, now=now)
                row = await handoff_rows.open_row(conn, conversation)
            moved = await self._move(conn, conversation, Move.TAKE, row=row, person=person, now=now)
            await handoff_rows.change(conn, moved, person=person, taken_at=now, read_seq=moved.last_seq)
        self._told(moved)
        return moved

    async def reply(
        self,
        scope: Scope,
        conversation_id: str,
        text: str,
        client_message_id: str,
        person: str,
        now: datetime,
    ) -> Replied:
        """Say `text` to the customer as `person`; once per `client_message_id`, however often it is sent.

        Only whoever has the conversation speaks in it: the customer was told whom they talk with.

        Raises:
            NotFound: no such conversation in this scope.
            Conflict: nobody or somebody else has taken the conversation, or the id was used for another text.
            BadTurn: the text or the id is empty.
        """
        if not text.strip() or not client_message_id:
            raise BadTurn("a reply needs a text and an id", field="text" if client_message_id else "client_message_id")
        digest = rows.body_hash(text)
        async with self._db.transaction() as conn:
            conversation = await self._locked(conn, scope, conversation_id)
            found = await conn.execute(
                select(desk_replies).where(
                    desk_replies.c.conversation_id == conversation_id,
                    desk_replies.c.workspace_id == scope.workspace_id,
                    desk_replies.c.client_message_id == client_message_id,
                )
            )
            earlier = found.one_or_none()
            if earlier is not None:
                if earlier.body_hash != digest:
                    raise Conflict(f"reply id {client_message_id!r} was used for another text")
                return Replied(earlier.message_id, earlier.seq, duplicate=True)
            if conversation.mode is not Mode.WITH_PERSON:
                raise Conflict(f"take the conversation before replying: its mode is {conversation.mode.value!r}")
            row = await handoff_rows.open_row(conn, conversation)
            if row is not None and row.person != person:
                raise Conflict(f"{row.person!r} has this conversation: take it over before replying")
            # An id of our own: the sender's could be one that a customer has used.
            message_id = f"{PERSONS_MESSAGE}{uuid4().hex}"
            value = message_value(
                message_id=message_id, author=Author.PERSON, text=text, at=now.isoformat(), author_name=person
            )
            seq = await rows.append(conn, conversation, [NewEvent(custom(Custom.MESSAGE, value))], at=now)
            await conn.execute(
                insert(desk_replies).values(
                    conversation_id=conversation_id,
                    client_message_id=client_message_id,
                    workspace_id=scope.workspace_id,
                    message_id=message_id,
                    seq=seq,
                    body_hash=digest,
                )
            )
            await handoff_rows.change(conn, conversation, read_seq=seq)
        self._wakeups.notify(conversation_id, seq)
        self._wakeups.notify(inbox_key(scope.workspace_id))
        return Replied(message_id, seq, duplicate=False)

    async def hand_back(
        self,
        scope: Scope,
        conversation_id: str,
        note: str | None,
        now: datetime,
        *,
        person: str | None = None,
        act_id: str | None = None,
    ) -> Conversation:
        """Give the conversation back: the bot answers the customer's next message. `person` says who did.

        Raises:
            NotFound: no such conversation in this scope.
            Conflict: no person has it or is asked for, or the id was used for another act.
        """
        return await self._end(
            scope,
            conversation_id,
            Move.HAND_BACK,
            outcome="handed_back",
            note=note,
            now=now,
            person=person,
            act_id=act_id,
        )

    async def resolve(
        self,
        scope: Scope,
        conversation_id: str,
        outcome: Resolution,
        note: str | None,
        now: datetime,
        *,
        person: str | None = None,
        act_id: str | None = None,
    ) -> Conversation:
        """Close the conversation with an outcome, as `person`; the customer's next message opens it again, for the bot.

        Raises:
            NotFound: no such conversation in this scope.
            Conflict: it is closed already, or the id was used for another act.
        """
        return await self._end(
            scope, conversation_id, Move.RESOLVE, outcome=outcome, note=note, now=now, person=person, act_id=act_id
        )

    async def leave(self, scope: Scope, conversation_id: str, now: datetime) -> Conversation:
        """Note that the customer, whose scope it is, ended the chat: nobody waits any more, and the team is told.

        While a person has it, it stays theirs to close; otherwise nothing changes.

        Raises:
            NotFound: no such conversation in this scope.
        """
        async with self._db.transaction() as conn:
            conversation = await rows.load(conn, scope, conversation_id, lock=True)
            if conversation.mode not in (Mode.WAITING, Mode.WITH_PERSON):
                return conversation
            waited = conversation.mode is Mode.WAITING
            left = {"code": "withdrawn" if waited else "left", "text": "", "person": None}
            said = [NewEvent(custom(Custom.NOTICE, left), audience="staff")]
            if waited:
                await handoff_rows.close(conn, conversation, outcome="withdrawn", note=None, now=now)
                moved = await self._move(conn, conversation, Move.WITHDRAW, row=None, person=None, now=now, said=said)
            else:
                await rows.append(conn, conversation, said, at=now)
                moved = await rows.load(conn, scope, conversation_id)
        self._told(moved)
        return moved

    async def overdue(self, now: datetime, workspace_ids: Collection[str], *, limit: int = 100) -> list[OverdueHandoff]:
        """Return handoffs of these workspaces that nobody took within their promise, not yet reminded of."""
        query = (
            select(
                handoffs.c.conversation_id,
                handoffs.c.workspace_id,
                handoffs.c.queue_id,
                handoffs.c.promised_by,
                conversations.c.language,
            )
            .join(conversations, conversations.c.conversation_id == handoffs.c.conversation_id)
            .where(
                *_unreminded(),
                handoffs.c.promised_by < now,
                handoffs.c.workspace_id.in_(workspace_ids),
            )
            .order_by(handoffs.c.promised_by)
            .limit(limit)
        )
        async with self._db.reading() as conn:
            return [
                OverdueHandoff(r.conversation_id, r.workspace_id, r.queue_id, r.promised_by, r.language)
                for r in await conn.execute(query)
            ]

    async def remind(
        self, scope: Scope, conversation_id: str, *, now: datetime, events: Sequence[NewEvent] = ()
    ) -> bool:
        """Mark the waiting handoff as reminded of and append `events` (what to tell whom); once per handoff.

        Returns False, with nothing written, when somebody else did or a person has come.

        Raises:
            NotFound: no such conversation in this scope.
        """
        async with self._db.transaction() as conn:
            conversation = await self._locked(conn, scope, conversation_id)
            marked = await conn.execute(
                update(handoffs)
                .where(
                    handoffs.c.conversation_id == conversation_id,
                    handoffs.c.workspace_id == scope.workspace_id,
                    *_unreminded(),
                )
                .values(reminded_at=now)
                .returning(handoffs.c.handoff_id)
            )
            if marked.one_or_none() is None:
                return False
            seq = await rows.append(conn, conversation, events, at=now)
        self._wakeups.notify(conversation_id, seq)
        self._wakeups.notify(inbox_key(scope.workspace_id))
        return True

    async def _end(
        self,
        scope: Scope,
        conversation_id: str,
        move: Move,
        *,
        outcome: str,
        note: str | None,
        now: datetime,
        person: str | None,
        act_id: str | None,
    ) -> Conversation:
        async with self._db.transaction() as conn:
            conversation = await self._locked(conn, scope, conversation_id)
            if await self._was_done(conn, conversation, act_id, outcome, note, now=now):
                return conversation
            step(conversation.mode, move)
            row = await handoff_rows.open_row(conn, conversation)
            if row is None:
                # Closing what no person had: the row keeps the outcome.
                await handoff_rows.open_unasked(conn, conversation, now=now)
            await handoff_rows.close(conn, conversation, outcome=outcome, note=note, now=now)
            ended = {"code": outcome, "text": note or "", "person": person}
            said = [NewEvent(custom(Custom.NOTICE, ended), audience="staff")]
            moved = await self._move(conn, conversation, move, row=None, person=None, now=now, said=said)
        self._told(moved)
        return moved

    async def _was_done(
        self, conn: Connection, conversation: Conversation, act_id: str | None, *act: str | None, now: datetime
    ) -> bool:
        """Whether this happened under the id; if not, it is noted that it does."""
        if act_id is None:
            return False
        digest = rows.body_hash(conversation.conversation_id, *act)
        noted = await conn.execute(
            self._db.insert(desk_acts)
            .values(
                workspace_id=conversation.workspace_id,
                act_id=act_id,
                conversation_id=conversation.conversation_id,
                body_hash=digest,
                at=now,
            )
            .on_conflict_do_nothing(index_elements=["workspace_id", "act_id"])
            .returning(desk_acts.c.act_id)
        )
        if noted.one_or_none() is not None:
            return False
        found = await conn.execute(
            select(desk_acts.c.body_hash).where(
                desk_acts.c.workspace_id == conversation.workspace_id, desk_acts.c.act_id == act_id
            )
        )
        if found.scalar_one() != digest:
            raise Conflict(f"the id {act_id!r} was used for another act")
        return True

    async def _locked(self, conn: Connection, scope: Scope, conversation_id: str) -> Conversation:
        scope.require_staff()
        return await rows.load(conn, scope, conversation_id, lock=True)

    async def _move(
        self,
        conn: Connection,
        conversation: Conversation,
        move: Move,
        *,
        row: Any,
        person: str | None,
        now: datetime,
        said: Sequence[NewEvent] = (),
    ) -> Conversation:
        """Change the mode and begin a new epoch, so that a turn in flight is refused from here on."""
        mode = step(conversation.mode, move).to
        await deliver_unfinished(conn, conversation, now=now)
        value = mode_value(mode, person=person)
        if row is not None:
            value = mode_value(
                mode,
                queue=row.queue_id,
                promised_by=row.promised_by,
                in_business_hours=(row.handoff or {}).get("in_business_hours", True),
                person=person,
            )
        await rows.append(
            conn,
            conversation,
            [*said, NewEvent(custom(Custom.MODE, value))],
            at=now,
            mode=mode.value,
            handbacks=conversation.handbacks + (move is Move.HAND_BACK),
            epoch=conversations.c.epoch + 1,
            lease_holder=None,
            lease_until=0.0,
        )
        return await rows.load(conn, Scope.system(conversation.workspace_id), conversation.conversation_id)

    def _told(self, conversation: Conversation) -> None:
        self._wakeups.notify(conversation.conversation_id, conversation.last_seq)
        self._wakeups.notify(inbox_key(conversation.workspace_id))


def _unreminded() -> tuple[Any, ...]:
    return handoffs.c.closed_at.is_(None), handoffs.c.taken_at.is_(None), handoffs.c.reminded_at.is_(None)
