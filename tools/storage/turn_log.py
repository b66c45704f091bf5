"""The bot's side of the log: leases, the next turn, its words and its end."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from agent.events import Custom
from agent.handoff import Move, step
from agent.types import Handoff, Mode
from agent.wire import mode_value
from tools.storage import handoff_rows, rows
from tools.storage.codec import custom
from tools.storage.database import Database
from tools.storage.log_reader import LogReader
from tools.storage.records import UNFINISHED, Conversation, Lease, NewEvent, TurnMessage, TurnWork
from tools.storage.schema import client_messages, conversations, turns
from tools.storage.sql_functions import database_now
from tools.storage.wakeups import Wakeups, inbox_key


class TurnLog(LogReader):
    """What a runner needs to work on conversations, one holder at a time."""

    def __init__(self, db: Database, wakeups: Wakeups) -> None:
        super().__init__(db)
        self._wakeups = wakeups

    @property
    def wakeups(self) -> Wakeups:
        """Who is told of what is new in it."""
        return self._wakeups

    async def claim(self, conversation_id: str, *, holder: str, ttl_s: float) -> Lease | None:
        """Begin a new epoch of the conversation, or return None while another holder's lease lives.

        Time is the database's. A holder that claims again gets a new epoch and loses the old one.
        """
        async with self._db.transaction() as conn:
            row = (
                await conn.execute(
                    update(conversations)
                    .where(
                        conversations.c.conversation_id == conversation_id,
                        or_(
                            conversations.c.lease_until <= database_now(),
                            conversations.c.lease_holder == holder,
                        ),
                    )
                    .values(
                        epoch=conversations.c.epoch + 1,
                        lease_holder=holder,
                        lease_until=database_now() + ttl_s,
                    )
                    .returning(conversations.c.workspace_id, conversations.c.epoch)
                )
            ).one_or_none()
        return None if row is None else Lease(conversation_id, row.workspace_id, row.epoch, holder)

    async def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong the lease to `ttl_s` from now; False when another epoch has begun."""
        return await self._set_lease(lease, lease_until=database_now() + ttl_s)

    async def release(self, lease: Lease) -> None:
        """Let go, so that another may claim at once; a lost lease is left alone."""
        await self._set_lease(lease, lease_until=0.0, lease_holder=None)

    async def _set_lease(self, lease: Lease, **values: Any) -> bool:
        async with self._db.transaction() as conn:
            result = await conn.execute(
                update(conversations)
                .where(
                    conversations.c.conversation_id == lease.conversation_id,
                    conversations.c.workspace_id == lease.workspace_id,
                    conversations.c.epoch == lease.epoch,
                )
                .values(**values)
                .returning(conversations.c.epoch)
            )
            return result.one_or_none() is not None

    async def holders_of_work(self, workspace_id: str) -> list[str]:
        """Return who holds a live lease on a conversation of the workspace with unfinished turns."""
        query = (
            select(conversations.c.lease_holder)
            .join(turns, conversations.c.conversation_id == turns.c.conversation_id)
            .where(
                turns.c.workspace_id == workspace_id,
                turns.c.status.in_(UNFINISHED),
                conversations.c.lease_until > database_now(),
            )
            .distinct()
        )
        async with self._db.reading() as conn:
            return [holder for holder in (await conn.execute(query)).scalars() if holder is not None]

    async def free(self, holder: str) -> int:
        """End a dead holder's leases on conversations with unfinished turns, and return how many there were.

        Should it live after all, nothing breaks: whoever claims next begins a new epoch, and its late writes are
        refused.
        """
        async with self._db.transaction() as conn:
            freed = await conn.execute(
                update(conversations)
                .where(
                    # Only what there is to do for: a scan of all conversations would take a while.
                    conversations.c.conversation_id.in_(
                        select(turns.c.conversation_id).where(turns.c.status.in_(UNFINISHED))
                    ),
                    conversations.c.lease_holder == holder,
                    conversations.c.lease_until > database_now(),
                )
                .values(lease_until=0.0, lease_holder=None)
                .returning(conversations.c.conversation_id)
            )
            return len(freed.all())

    async def waiting_work(self, workspace_id: str, limit: int = 100) -> list[str]:
        """Return conversations of the workspace with unfinished turns and no live lease, oldest turn first.

        Another workspace's turns are for a server that has its articles and its policy.
        """
        query = (
            select(turns.c.conversation_id)
            .join(conversations, conversations.c.conversation_id == turns.c.conversation_id)
            .where(
                turns.c.workspace_id == workspace_id,
                turns.c.status.in_(UNFINISHED),
                conversations.c.lease_until <= database_now(),
            )
            .group_by(turns.c.conversation_id)
            .order_by(func.min(turns.c.created_at))
            .limit(limit)
        )
        async with self._db.reading() as conn:
            return list((await conn.execute(query)).scalars())

    async def next_turn(self, lease: Lease) -> TurnWork | None:
        """Return the conversation's oldest unfinished turn, its attempt already counted, or None.

        Raises:
            LeaseLost: another epoch has begun.
        """
        async with self._db.transaction() as conn:
            conversation = await rows.load_leased(conn, lease)
            turn = (
                await conn.execute(
                    select(turns)
                    .where(
                        turns.c.conversation_id == lease.conversation_id,
                        turns.c.workspace_id == lease.workspace_id,
                        turns.c.status.in_(UNFINISHED),
                    )
                    .order_by(turns.c.first_seq)
                    .limit(1)
                )
            ).one_or_none()
            if turn is None:
                return None
            # Counted before the attempt, so that a crash counts.
            await conn.execute(
                update(turns)
                .where(turns.c.turn_id == turn.turn_id, turns.c.workspace_id == lease.workspace_id)
                .values(status="running", attempts=turn.attempts + 1)
            )
            found = await conn.execute(
                select(client_messages)
                .where(
                    client_messages.c.turn_id == turn.turn_id,
                    client_messages.c.workspace_id == lease.workspace_id,
                )
                .order_by(client_messages.c.seq)
            )
            messages = tuple(TurnMessage(m.client_message_id, m.text, m.page, m.wish, m.at, m.seq) for m in found)
        return TurnWork(
            turn_id=turn.turn_id,
            run_id=turn.run_id,
            messages=messages,
            attempts=turn.attempts + 1,
            conversation=conversation,
            restarted_after_words=turn.answered_at is not None,
        )

    async def append(self, lease: Lease, turn_id: str, events: Sequence[NewEvent]) -> int:
        """Append events of a running turn and return the last seq.

        Raises:
            LeaseLost: another epoch has begun; nothing was written.
        """
        async with self._db.transaction() as conn:
            seq = await rows.append(conn, lease, events, at=datetime.now(UTC), turn_id=turn_id)
        self._wakeups.notify(lease.conversation_id, seq)
        return seq

    async def open_answer(self, lease: Lease, turn_id: str, *, message_count: int, events: Sequence[NewEvent]) -> bool:
        """Say the first word: append `events` and close the turn to further messages.

        Returns False, with nothing written, when more than `message_count` messages are in the turn by now.

        Raises:
            LeaseLost: another epoch has begun.
        """
        now = datetime.now(UTC)
        async with self._db.transaction() as conn:
            await rows.load_leased(conn, lease)
            if await _count_messages(conn, lease, turn_id) > message_count:
                return False
            await conn.execute(
                update(turns)
                .where(turns.c.turn_id == turn_id, turns.c.workspace_id == lease.workspace_id)
                .values(answered_at=func.coalesce(turns.c.answered_at, now))
            )
            seq = await rows.append(conn, lease, events, at=now, turn_id=turn_id)
        self._wakeups.notify(lease.conversation_id, seq)
        return True

    async def finish_turn(
        self,
        lease: Lease,
        turn_id: str,
        *,
        message_count: int,
        events: Sequence[NewEvent],
        status: Literal["finished", "failed", "parked"],
        outcome: str,
        move: Move | None = None,
        handoff: Handoff | None = None,
        contact_email: str | None = None,
        asked_email: bool = False,
    ) -> bool:
        """End the turn: append `events` (the caller's RUN_FINISHED among them), move the mode, keep the handoff.

        When the mode changes and `events` don't say so, `helpgraph.mode.v1` is put before the last of them.
        Returns False, with nothing written, when more than `message_count` messages are in the turn and nothing
        was said yet. Finishing a finished turn again changes nothing.

        Raises:
            LeaseLost: another epoch has begun.
            Conflict: the mode table has no such move.
        """
        now = datetime.now(UTC)
        async with self._db.transaction() as conn:
            conversation = await rows.load_leased(conn, lease)
            turn = (
                await conn.execute(
                    select(turns.c.status, turns.c.answered_at).where(
                        turns.c.turn_id == turn_id, turns.c.workspace_id == lease.workspace_id
                    )
                )
            ).one()
            if turn.status not in UNFINISHED:
                return True
            if turn.answered_at is None and await _count_messages(conn, lease, turn_id) > message_count:
                return False
            mode = conversation.mode if move is None else step(conversation.mode, move).to
            await conn.execute(
                update(turns)
                .where(turns.c.turn_id == turn_id, turns.c.workspace_id == lease.workspace_id)
                .values(status=status, outcome=outcome, finished_at=now)
            )
            if move is Move.HAND_OFF:
                if handoff is None:
                    raise ValueError("a handoff needs its story")
                await handoff_rows.open_for_people(self._db, conn, conversation, handoff, now=now)
            elif move is Move.WITHDRAW:
                await handoff_rows.close(conn, conversation, outcome="withdrawn", note=None, now=now)
            changes: dict[str, Any] = {"mode": mode.value}
            if contact_email is not None:
                changes["contact_email"] = contact_email
            if asked_email:
                changes["asked_email"] = True
            told = _with_mode_change(events, conversation, mode, handoff)
            seq = await rows.append(conn, lease, told, at=now, turn_id=turn_id, **changes)
        self._wakeups.notify(lease.conversation_id, seq)
        self._wakeups.notify(inbox_key(lease.workspace_id))
        return True


def _with_mode_change(
    events: Sequence[NewEvent], conversation: Conversation, mode: Mode, handoff: Handoff | None
) -> list[NewEvent]:
    told = list(events)
    if mode is not conversation.mode and not any(rows.kind(e.event) == Custom.MODE for e in told):
        value = mode_value(mode)
        if handoff is not None and mode is Mode.WAITING:
            value = mode_value(
                mode,
                queue=handoff.queue_id,
                promised_by=handoff.promised_by,
                in_business_hours=handoff.in_business_hours,
                ask_email=handoff.ask_email,
            )
        told.insert(max(0, len(told) - 1), NewEvent(custom(Custom.MODE, value)))
    return told


async def _count_messages(conn: AsyncConnection, lease: Lease, turn_id: str) -> int:
    counted = await conn.execute(
        select(func.count())
        .select_from(client_messages)
        .where(client_messages.c.turn_id == turn_id, client_messages.c.workspace_id == lease.workspace_id)
    )
    return int(counted.scalar_one())
