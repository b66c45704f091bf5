"""The writing of one turn: what a customer sees is committed first, in batches, and the end in one transaction."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal

from agent.handoff import Move
from agent.nodes.finish import last_rung
from agent.policy import Policy
from agent.types import Author, Mode, Reply, TurnRequest
from graphs.translate import Emitted, Finished, TurnEvent, reply_events
from graphs.turn_metrics import TurnMetrics
from tools.storage.log import ConversationLog, Lease, NewEvent, TurnWork
from tools.storage.scope import Scope
from tools.storage.turn_log import Ended

BATCH_S = 0.05
TYPING_FRESH_S = 1.2

TurnEnd = Literal["finished", "failed", "parked"]
TurnEvents = asyncio.Queue[TurnEvent | BaseException]


class Joined(Exception):
    """More messages joined the turn before its first word: it starts anew with all of them."""


class TurnWriter:
    """Writes one attempt at a turn under its lease."""

    def __init__(
        self, log: ConversationLog, lease: Lease, work: TurnWork, *, policy: Policy, metrics: TurnMetrics
    ) -> None:
        self._log = log
        self._lease = lease
        self._work = work
        self._policy = policy
        self._metrics = metrics
        self._buffer: list[NewEvent] = []
        # When the first of them has waited long enough.
        self._due = 0.0
        self._opened = work.restarted_after_words
        self._let_go = False

    @property
    def let_go(self) -> bool:
        """Whether the lease was let go of with the turn's end, because there was no other turn to run."""
        return self._let_go

    async def announce(self) -> None:
        """After half an answer was shown, say first what stands. The run's start is there already."""
        if self._work.attempts == 1:
            self._metrics.first_event_seconds(self._since_accepted())
        if self._work.restarted_after_words:
            scope = Scope(self._lease.workspace_id, None, "system")
            messages = await self._log.messages(scope, self._lease.conversation_id)
            snapshot: dict[str, object] = {
                "type": "MESSAGES_SNAPSHOT",
                "messages": [_snapshot_message(message) for message in messages],
            }
            await self._append([NewEvent(snapshot)])

    async def close(self) -> None:
        """Let no further message join, before something happens that the turn must tell of.

        Raises:
            Joined: more messages came before.
            LeaseLost: the conversation has another writer.
        """
        count = len(self._work.messages)
        if not await self._log.open_answer(self._lease, self._work.turn_id, message_count=count, events=[]):
            raise Joined

    async def drain(self, events: TurnEvents) -> None:
        """Write until the turn is finished.

        Raises:
            Joined: more messages came before the first word.
            LeaseLost: the conversation has another writer.
        """
        while True:
            event = await self._next(events)
            if event is None:
                await self._flush()
            elif isinstance(event, BaseException):
                await self._flush()
                raise event
            elif isinstance(event, Finished):
                rest = [Emitted(new.event, new.audience) for new in self._buffer]
                if not await self._conclude(event.reply, [*rest, *event.events], status="finished"):
                    raise Joined
                if event.engine is not None:
                    self._metrics.engine_reported(event.engine)
                return
            else:
                await self._take(event)

    async def hand_over(self, request: TurnRequest, *, status: TurnEnd, cause: str) -> None:
        """End the turn with a person, wherever it was. The last rung: it needs nothing but the log."""
        reply = last_rung(request, self._policy, cause=cause)
        message_id = reply.message_id
        said: list[Emitted] = []
        if message_id is not None:
            said += [
                Emitted({"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"}),
                Emitted({"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": reply.text}),
                Emitted({"type": "TEXT_MESSAGE_END", "messageId": message_id}),
            ]
        events = [*said, *reply_events(reply, turn_id=self._work.turn_id, at=request.now.isoformat(), route=None)]
        await self._conclude(reply, events, status=status, cut_off=True)

    async def _next(self, events: TurnEvents) -> TurnEvent | BaseException | None:
        """The next event, or None when the batch has waited long enough."""
        loop = asyncio.get_running_loop()
        if not self._buffer:
            event = await events.get()
            self._due = loop.time() + BATCH_S
            return event
        if loop.time() >= self._due:
            return None
        try:
            async with asyncio.timeout_at(self._due):
                return await events.get()
        except TimeoutError:
            return None

    async def _take(self, event: Emitted) -> None:
        if event.says and not self._opened:
            await self._hold_first_word()
            opening = [*self._buffer, NewEvent(event.event, event.audience)]
            self._buffer = []
            if not await self._log.open_answer(
                self._lease, self._work.turn_id, message_count=len(self._work.messages), events=opening
            ):
                raise Joined
            self._opened = True
            self._metrics.first_word_seconds(self._since_accepted())
            return
        self._buffer.append(NewEvent(event.event, event.audience))

    def _since_accepted(self) -> float:
        """Seconds since the turn's first message was taken, whichever process took it."""
        return max(0.0, (datetime.now(UTC) - self._work.messages[0].at).total_seconds())

    async def _hold_first_word(self) -> None:
        """Wait while the customer is reported typing, at most the policy's hold; nobody else waits."""
        deadline = asyncio.get_running_loop().time() + self._policy.burst_hold_s
        while asyncio.get_running_loop().time() < deadline:
            typing_at = await self._log.typing_at(self._lease.conversation_id)
            if typing_at is None or (datetime.now(UTC) - typing_at).total_seconds() > TYPING_FRESH_S:
                return
            await asyncio.sleep(0.1)

    async def _flush(self) -> None:
        if self._buffer:
            batch, self._buffer = self._buffer, []
            await self._append(batch)

    async def _append(self, batch: Sequence[NewEvent]) -> None:
        await self._log.append(self._lease, self._work.turn_id, batch)

    async def _conclude(
        self, reply: Reply, events: Sequence[Emitted], *, status: TurnEnd, cut_off: bool = False
    ) -> bool:
        """Write the end of a turn in one transaction; false when more messages joined and nothing was said."""
        ended = await self._log.finish_turn(
            self._lease,
            self._work.turn_id,
            message_count=len(self._work.messages),
            events=[NewEvent(e.event, e.audience) for e in (*events, Emitted(self._run_finished()))],
            status=status,
            outcome=reply.outcome.value,
            move=Move.HAND_OFF if reply.handoff is not None and reply.mode is Mode.WAITING else None,
            handoff=reply.handoff,
            contact_email=reply.contact_email,
            asked_email=reply.asked_email,
            let_go=True,
            cut_off=cut_off,
        )
        self._let_go = ended is Ended.ENDED_AND_LET_GO
        if ended:
            self._metrics.turn_ended(reply.outcome.value)
        return bool(ended)

    def _run_finished(self) -> dict[str, object]:
        return {"type": "RUN_FINISHED", "threadId": self._work.conversation.thread_id, "runId": self._work.run_id}


def _snapshot_message(message: dict[str, object]) -> dict[str, object]:
    role = "user" if message["author"] == Author.CUSTOMER else "assistant"
    return {"id": message["message_id"], "role": role, "content": message["text"]}
