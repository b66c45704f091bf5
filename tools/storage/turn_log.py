"""The bot's side of the log: the next turn, its words and its end."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from enum import Enum
from typing import Any, Literal

from sqlalchemy import bindparam, func, or_, select, update

from agent.events import Custom
from agent.handoff import Move, step
from agent.types import Handoff, Mode
from agent.wire import mode_value
from tools.storage import handoff_rows, rows
from tools.storage.codec import custom
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.leases import Leases, claim, release
from tools.storage.records import UNFINISHED, Conversation, Lease, NewEvent, TurnMessage, TurnWork
from tools.storage.schema import client_messages, turns
from tools.storage.unfinished import close_what_is_open
from tools.storage.wakeups import Wakeups, inbox_key


class Ended(Enum):
    """What became of the wish to end a turn: false while it goes on."""

    NOT_YET = "not yet"
    ENDED = "ended"
    ENDED_AND_LET_GO = "ended, and the lease is let go of"

    def __bool__(self) -> bool:
        return self is not Ended.NOT_YET


class TurnLog(Leases):
    """What a runner needs to work on conversations, one holder at a time."""

    def __init__(self, db: Database, wakeups: Wakeups) -> None:
        super().__init__(db)
        self._wakeups = wakeups

    @property
    def wakeups(self) -> Wakeups:
        """Who is told of what is new in it."""
        return self._wakeups

    async def begin(self, conversation_id: str, *, holder: str, ttl_s: float) -> tuple[Lease, TurnWork] | None:
        """Claim a conversation and begin its oldest unfinished turn: the attempt is counted, the run's start logged.

        None, with nothing changed, while another holder's lease lives and when there is no turn to run.
        """
        try:
            async with self._db.transaction() as conn:
                claimed = await claim(conn, conversation_id, holder, ttl_s)
                if claimed is None:
                    return None
                lease, conversation = claimed
                work = await _next(conn, lease, conversation)
                if work is None:
                    raise _Undo
        except _Undo:
            return None
        self._wakeups.notify(conversation_id, work.conversation.last_seq)
        return lease, work

    async def next_turn(self, lease: Lease) -> TurnWork | None:
        """Return the next turn, begun as `begin` does; when there is none, the lease is let go of.

        Raises:
            LeaseLost: another epoch has begun.
        """
        async with self._db.transaction() as conn:
            # Locked first: what is accepted from here on finds the lease let go of.
            work = await _next(conn, lease, await rows.load_leased(conn, lease))
            if work is None:
                await release(conn, lease)
                return None
        self._wakeups.notify(lease.conversation_id, work.conversation.last_seq)
        return work

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
        try:
            async with self._db.transaction() as conn:
                # First, because it takes the conversation's lock: no message comes between the count and the end.
                seq = await rows.append(conn, lease, events, at=now, turn_id=turn_id)
                opened = await conn.execute(_OPEN, {**_of(turn_id, lease), "messages": message_count, "new_at": now})
                if opened.one_or_none() is None:
                    raise _Undo
        except _Undo:
            return False
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
        let_go: bool = False,
        cut_off: bool = False,
    ) -> Ended:
        """End the turn: append `events` (the caller's RUN_FINISHED among them), move the mode, keep the handoff.

        When the mode changes and `events` don't say so, `helpgraph.mode.v1` is put before the last of them. With
        `let_go` the lease is let go of at once when there is no other turn to run, as `next_turn` would. With
        `cut_off` what the turn had opened is closed first, and words that were shown stay, as a message.
        Returns NOT_YET, with nothing written, when more than `message_count` messages are in the turn and nothing
        was said yet. Finishing a finished turn again changes nothing.

        Raises:
            LeaseLost: another epoch has begun.
            Conflict: the mode table has no such move.
        """
        now = datetime.now(UTC)
        async with self._db.transaction() as conn:
            conversation = await rows.load_leased(conn, lease)
            end = {"messages": message_count, "new_status": status, "new_outcome": outcome, "new_at": now}
            if (await conn.execute(_END, {**_of(turn_id, lease), **end})).one_or_none() is None:
                status_now = (await conn.execute(_STATUS, _of(turn_id, lease))).scalar_one()
                return Ended.NOT_YET if status_now in UNFINISHED else Ended.ENDED
            mode = conversation.mode if move is None else step(conversation.mode, move).to
            changes: dict[str, Any] = {"mode": mode.value}
            if move is Move.HAND_OFF:
                if handoff is None:
                    raise ValueError("a handoff needs its story")
                await handoff_rows.open_for_people(self._db, conn, conversation, handoff, now=now)
                # What is said while they wait is said in the language that they wrote in.
                changes["language"] = handoff.language
            elif move is Move.WITHDRAW:
                await handoff_rows.close(conn, conversation, outcome="withdrawn", note=None, now=now)
            if contact_email is not None:
                changes["contact_email"] = contact_email
            if asked_email:
                changes["asked_email"] = True
            told = _with_mode_change(events, conversation, mode, handoff)
            if cut_off:
                closing = await close_what_is_open(conn, conversation, turn_id, now)
                told = [*(NewEvent(event) for event in closing), *told]
            # The conversation is locked: what is accepted from here on finds the lease let go of.
            let_go = let_go and (await conn.execute(_UNFINISHED_ONE, rows.whose(lease))).first() is None
            if let_go:
                changes |= {"lease_holder": None, "lease_until": 0.0}
            seq = await rows.append(conn, lease, told, at=now, turn_id=turn_id, **changes)
        self._wakeups.notify(lease.conversation_id, seq)
        self._wakeups.notify(inbox_key(lease.workspace_id))
        return Ended.ENDED_AND_LET_GO if let_go else Ended.ENDED


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


async def _next(conn: Connection, lease: Lease, conversation: Conversation) -> TurnWork | None:
    """The oldest unfinished turn, its attempt counted and its run's start logged; None when there is none."""
    found = await conn.execute(_OLDEST_UNFINISHED, rows.whose(lease))
    turn = found.one_or_none()
    if turn is None:
        return None
    started = turn.run_started_seq
    if started is None:
        start = NewEvent({"type": "RUN_STARTED", "threadId": conversation.thread_id, "runId": turn.run_id})
        started = await rows.append(conn, lease, [start], at=datetime.now(UTC), turn_id=turn.turn_id)
        conversation = replace(conversation, last_seq=started)
    # Counted before the attempt, so that a crash counts.
    begun = {"new_attempts": turn.attempts + 1, "started": started}
    await conn.execute(_BEGIN, {**_of(turn.turn_id, lease), **begun})
    in_it = await conn.execute(_MESSAGES, _of(turn.turn_id, lease))
    return TurnWork(
        turn_id=turn.turn_id,
        run_id=turn.run_id,
        messages=tuple(TurnMessage(m.client_message_id, m.text, m.page, m.wish, m.at, m.seq) for m in in_it),
        attempts=turn.attempts + 1,
        conversation=conversation,
        restarted_after_words=turn.answered_at is not None,
    )


def _of(turn_id: str, lease: Lease) -> dict[str, Any]:
    return {"of_turn": turn_id, "of_workspace": lease.workspace_id}


# Built once, see `rows`.
_THIS = (turns.c.turn_id == bindparam("of_turn"), turns.c.workspace_id == bindparam("of_workspace"))
_IN_THIS = (
    client_messages.c.turn_id == bindparam("of_turn"),
    client_messages.c.workspace_id == bindparam("of_workspace"),
)
_NO_MORE_MESSAGES = select(func.count()).select_from(client_messages).where(*_IN_THIS).scalar_subquery() <= bindparam(
    "messages"
)
_NEW_AT = bindparam("new_at", type_=turns.c.finished_at.type)
_UNFINISHED = (
    turns.c.conversation_id == bindparam("of_conversation"),
    turns.c.workspace_id == bindparam("of_workspace"),
    turns.c.status.in_(UNFINISHED),
)
_OLDEST_UNFINISHED = select(turns).where(*_UNFINISHED).order_by(turns.c.first_seq).limit(1)
_UNFINISHED_ONE = select(turns.c.turn_id).where(*_UNFINISHED).limit(1)
_BEGIN = (
    update(turns)
    .where(*_THIS)
    .values(status="running", attempts=bindparam("new_attempts"), run_started_seq=bindparam("started"))
)
_MESSAGES = select(client_messages).where(*_IN_THIS).order_by(client_messages.c.seq)
_OPEN = (
    update(turns)
    .where(*_THIS, _NO_MORE_MESSAGES)
    .values(answered_at=func.coalesce(turns.c.answered_at, _NEW_AT))
    .returning(turns.c.turn_id)
)
_END = (
    update(turns)
    .where(*_THIS, turns.c.status.in_(UNFINISHED), or_(turns.c.answered_at.is_not(None), _NO_MORE_MESSAGES))
    .values(status=bindparam("new_status"), outcome=bindparam("new_outcome"), finished_at=_NEW_AT)
    .returning(turns.c.turn_id)
)
_STATUS = select(turns.c.status).where(*_THIS)


class _Undo(Exception):
    """Nothing of the transaction stays."""
