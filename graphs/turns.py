"""Turns of a running installation: accepted in one transaction, run detached, written only under a lease."""

import asyncio
import logging
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from agent.deps import TurnDeps
from agent.errors import BadTurn, LeaseLost, SupportError
from agent.handoff import Move
from agent.nodes.finish import last_rung
from agent.types import Author, Message, Mode, Reply, Source, TurnRequest, Untrusted
from agent.untrusted import clean
from graphs.supervisor import Supervisor
from graphs.translate import Emitted, Finished, TurnEvent, reply_events, run_turn
from graphs.turn_graph import TurnGraph
from graphs.turn_metrics import TurnMetrics
from tools.storage.log import Accepted, ConversationLog, Lease, NewEvent, TurnWork
from tools.storage.scope import Scope
from tools.storage.wakeups import Wakeups

logger = logging.getLogger(__name__)

LEASE_S = 15.0
MAX_ATTEMPTS = 3
BATCH_S = 0.05
TYPING_FRESH_S = 1.2
_POLL_S = 1.0


@dataclass(frozen=True, slots=True)
class SubmittedMessage:
    """A customer's message as a door hands it in. `wish` is set by the button that asks for a person."""

    client_message_id: str
    text: str
    run_id: str
    page: dict[str, object] | None = None
    wish: bool = False


@dataclass(frozen=True, slots=True)
class TurnLimits:
    """The numbers that bound a turn."""

    turn_timeout_s: float
    concurrent_turns: int
    max_message_chars: int


TurnEnd = Literal["finished", "failed", "parked"]


class _Joined(Exception):
    """More messages joined the turn before its first word: it starts anew with all of them."""


class TurnService:
    """Accepts messages and answers them, one turn at a time per conversation."""

    def __init__(
        self,
        log: ConversationLog,
        graph: TurnGraph,
        deps: TurnDeps,
        *,
        wakeups: Wakeups,
        limits: TurnLimits,
        metrics: TurnMetrics,
        supervisor: Supervisor,
    ) -> None:
        self._log = log
        self._graph = graph
        self._deps = deps
        self._wakeups = wakeups
        self._limits = limits
        self._metrics = metrics
        self._supervisor = supervisor
        self._holder = f"worker-{secrets.token_hex(8)}"
        self._slots = asyncio.Semaphore(limits.concurrent_turns)
        self._busy: set[str] = set()
        self._again: set[str] = set()
        self._stopped = asyncio.Event()

    async def start(self) -> None:
        """Begin answering, first of all what an earlier process left unfinished."""
        self._supervisor.spawn(self._sweep(), name="turns-sweep")

    def stop(self) -> None:
        """Start no further turn; those that run are ended by the supervisor."""
        self._stopped.set()

    async def submit(self, scope: Scope, conversation_id: str, message: SubmittedMessage) -> Accepted:
        """Accept a message: when this returns, it is in the log for good and will be answered.

        Raises:
            BadTurn: the text is empty or too long.
            NotFound: no such conversation in this scope.
            Conflict: the client message id was used for another text.
        """
        text = self.readable(message.text)
        accepted = await self._log.accept(
            scope,
            conversation_id,
            client_message_id=message.client_message_id,
            text=text,
            page=message.page,
            run_id=message.run_id,
            wish=message.wish,
            now=datetime.now(UTC),
        )
        self.poke(conversation_id)
        return accepted

    def readable(self, text: str) -> str:
        """Return `text` as it will be logged.

        Raises:
            BadTurn: it is empty or too long; doors ask before they make anything for it.
        """
        if len(text) > self._limits.max_message_chars:
            raise BadTurn(
                f"the message has {len(text)} characters; at most {self._limits.max_message_chars} are taken",
                field="text",
            )
        cleaned = clean(text, limit=self._limits.max_message_chars).strip()
        if not cleaned:
            raise BadTurn("the message is empty", field="text")
        return cleaned

    def poke(self, conversation_id: str) -> None:
        """Look at a conversation now: it may have an unanswered turn."""
        if self._stopped.is_set():
            return
        if conversation_id in self._busy:
            self._again.add(conversation_id)
            return
        self._busy.add(conversation_id)
        try:
            self._supervisor.spawn(self._work(conversation_id), name=f"turns-{conversation_id}")
        except RuntimeError:
            self._busy.discard(conversation_id)

    async def _sweep(self) -> None:
        """Find turns that nobody runs: left by a dead process, or missed by a wake-up."""
        while not self._stopped.is_set():
            try:
                for conversation_id in await self._log.waiting_work(limit=100):
                    self.poke(conversation_id)
            except (SupportError, OSError):
                logger.exception("sweep failed")
            await _wait(self._stopped, _POLL_S)

    async def _work(self, conversation_id: str) -> None:
        try:
            while True:
                self._again.discard(conversation_id)
                async with self._slots:
                    await self._work_under_lease(conversation_id)
                if conversation_id not in self._again or self._stopped.is_set():
                    return
        except LeaseLost:
            logger.info("lease lost conversation_id=%s", conversation_id)
        finally:
            self._busy.discard(conversation_id)
            if conversation_id in self._again:
                self._again.discard(conversation_id)
                self.poke(conversation_id)

    async def _work_under_lease(self, conversation_id: str) -> None:
        lease = await self._log.claim(conversation_id, holder=self._holder, ttl_s=LEASE_S)
        if lease is None:
            return
        done = asyncio.Event()
        self._supervisor.spawn(self._keep(lease, done), name=f"lease-{conversation_id}")
        try:
            while not self._stopped.is_set():
                work = await self._log.next_turn(lease)
                if work is None:
                    return
                await self._run(lease, work)
        finally:
            done.set()
            with suppress(asyncio.CancelledError, LeaseLost):
                await asyncio.shield(self._log.release(lease))

    async def _keep(self, lease: Lease, done: asyncio.Event) -> None:
        """Prolong the lease while the work goes on. Told, not cancelled: a cancelled statement costs a connection."""
        while not await _wait(done, LEASE_S / 3):
            if not await self._log.renew(lease, LEASE_S):
                return

    async def _run(self, lease: Lease, work: TurnWork) -> None:
        began = asyncio.get_running_loop().time()
        request = await self._request(work)
        try:
            # A burst restarts a turn on purpose, so each joined message allows one more attempt.
            if work.attempts > MAX_ATTEMPTS + len(work.messages) - 1:
                logger.error("turn parked turn_id=%s attempts=%d", work.turn_id, work.attempts)
                await self._hand_over(lease, work, request, status="parked", cause="parked")
            else:
                await self._attempt(lease, work, request)
        except _Joined:
            logger.info("turn starts anew with joined messages turn_id=%s", work.turn_id)
            return
        except (LeaseLost, asyncio.CancelledError):
            raise
        except Exception as exc:
            # The outermost edge of a turn: whatever broke, a person gets the message and the customer is told.
            logger.exception("turn failed turn_id=%s", work.turn_id)
            cause = "turn_timeout" if isinstance(exc, TimeoutError) else "turn_failed"
            await self._hand_over(lease, work, request, status="failed", cause=cause)
        self._metrics.turn_seconds(asyncio.get_running_loop().time() - began)

    async def _request(self, work: TurnWork) -> TurnRequest:
        conversation = work.conversation
        scope = Scope(conversation.workspace_id, None, "system")
        history = _before(work, await self._log.history(scope, conversation.conversation_id))
        return TurnRequest(
            turn_id=work.turn_id,
            conversation_id=conversation.conversation_id,
            workspace_id=conversation.workspace_id,
            reply_message_id=f"msg_{work.turn_id}",
            texts=tuple(
                Untrusted.of(message.text, Source.CUSTOMER, limit=self._limits.max_message_chars)
                for message in work.messages
            ),
            identity=conversation.identity,
            now=datetime.now(UTC),
            mode=conversation.mode,
            page=next((m.page for m in reversed(work.messages) if m.page is not None), None),
            history=history,
            asked_email=conversation.asked_email,
            contact_email=conversation.contact_email,
            interface_language=conversation.language,
            wish_for_person=any(message.wish for message in work.messages),
            handbacks=conversation.handbacks,
        )

    async def _attempt(self, lease: Lease, work: TurnWork, request: TurnRequest) -> None:
        thread_id = f"{work.turn_id}-{len(work.messages)}"
        resume = False
        if work.attempts > 1:
            snapshot = await self._graph.aget_state({"configurable": {"thread_id": thread_id}})
            resume = bool(snapshot.next)
        await self._announce(lease, work)
        writer = _TurnWriter(self, lease, work)
        events: asyncio.Queue[TurnEvent | BaseException] = asyncio.Queue()
        producer = self._supervisor.spawn(
            self._produce(request, thread_id, events, resume=resume), name=f"graph-{work.turn_id}"
        )
        try:
            await writer.drain(events)
        finally:
            producer.cancel()
            with suppress(asyncio.CancelledError):
                await producer
            await self._forget(thread_id)

    async def _produce(
        self,
        request: TurnRequest,
        thread_id: str,
        into: "asyncio.Queue[TurnEvent | BaseException]",
        *,
        resume: bool,
    ) -> None:
        try:
            async with asyncio.timeout(self._limits.turn_timeout_s):
                stream = run_turn(
                    self._graph,
                    self._deps,
                    request,
                    thread_id=thread_id,
                    resume=resume,
                    on_node=self._metrics.node_seconds,
                )
                async for event in stream:
                    into.put_nowait(event)
        except Exception as exc:
            into.put_nowait(exc)

    async def _forget(self, thread_id: str) -> None:
        """The log has it all; a checkpoint is only for the turn that runs. A crash keeps it, for the resume."""
        saver = self._graph.checkpointer
        if saver and not isinstance(saver, bool):
            await saver.adelete_thread(thread_id)

    async def _announce(self, lease: Lease, work: TurnWork) -> None:
        """Open the run, once however often it is tried; after half an answer was shown, say first what stands."""
        run_started = NewEvent({"type": "RUN_STARTED", "threadId": work.conversation.thread_id, "runId": work.run_id})
        if work.attempts == 1:
            await self._log.append(lease, work.turn_id, [run_started])
            return
        scope = Scope(lease.workspace_id, None, "system")
        active = await self._log.active_turn(scope, lease.conversation_id)
        if active is None or active.run_started_seq is None:
            await self._log.append(lease, work.turn_id, [run_started])
        if work.restarted_after_words:
            messages = await self._log.messages(scope, lease.conversation_id)
            snapshot: dict[str, object] = {
                "type": "MESSAGES_SNAPSHOT",
                "messages": [_snapshot_message(message) for message in messages],
            }
            await self._log.append(lease, work.turn_id, [NewEvent(snapshot)])

    async def _hand_over(
        self, lease: Lease, work: TurnWork, request: TurnRequest, *, status: TurnEnd, cause: str
    ) -> None:
        """The last rung: it needs nothing but the log."""
        reply = last_rung(request, self._deps.policy, cause=cause)
        message_id = reply.message_id
        said: list[Emitted] = []
        if message_id is not None:
            said = [
                Emitted({"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"}),
                Emitted({"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": reply.text}),
                Emitted({"type": "TEXT_MESSAGE_END", "messageId": message_id}),
            ]
        events = [*said, *reply_events(reply, turn_id=work.turn_id, at=request.now.isoformat(), route=None)]
        await self.conclude(lease, work, reply, events, status=status)

    async def conclude(
        self,
        lease: Lease,
        work: TurnWork,
        reply: Reply,
        events: Sequence[Emitted],
        *,
        status: TurnEnd = "finished",
    ) -> bool:
        """Write the end of a turn in one transaction; false when more messages joined and nothing was said."""
        run_finished = {
            "type": "RUN_FINISHED",
            "threadId": work.conversation.thread_id,
            "runId": work.run_id,
        }
        done = await self._log.finish_turn(
            lease,
            work.turn_id,
            message_count=len(work.messages),
            events=[NewEvent(e.event, e.audience) for e in (*events, Emitted(run_finished))],
            status=status,
            outcome=reply.outcome.value,
            move=Move.HAND_OFF if reply.handoff is not None and reply.mode is Mode.WAITING else None,
            handoff=reply.handoff,
            contact_email=reply.contact_email,
            asked_email=reply.asked_email,
        )
        if done:
            self._metrics.turn_ended(reply.outcome.value)
        return done

    async def hold_first_word(self, conversation_id: str) -> None:
        """Wait while the customer is reported typing, at most the policy's hold; nobody else waits."""
        deadline = asyncio.get_running_loop().time() + self._deps.policy.burst_hold_s
        while asyncio.get_running_loop().time() < deadline:
            typing_at = await self._log.typing_at(conversation_id)
            if typing_at is None or (datetime.now(UTC) - typing_at).total_seconds() > TYPING_FRESH_S:
                return
            await asyncio.sleep(0.1)

    @property
    def log(self) -> ConversationLog:
        """The log that turns are written to."""
        return self._log

    @property
    def metrics(self) -> TurnMetrics:
        """Where durations and outcomes are counted."""
        return self._metrics


async def _wait(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event, at most so long; whether it came."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True


def _before(work: TurnWork, messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation before this turn. What the customer wrote since belongs to this turn or to a later one."""
    first = work.messages[0].client_message_id
    older: list[Message] = []
    reached = False
    for message in messages:
        reached = reached or (message.author is Author.CUSTOMER and message.message_id == first)
        if not reached or message.author is not Author.CUSTOMER:
            older.append(message)
    return tuple(older)


def _snapshot_message(message: dict[str, object]) -> dict[str, object]:
    role = "user" if message["author"] == Author.CUSTOMER else "assistant"
    return {"id": message["message_id"], "role": role, "content": message["text"]}


class _TurnWriter:
    """Writes a turn's events in batches; what a customer sees is always committed first."""

    def __init__(self, service: TurnService, lease: Lease, work: TurnWork) -> None:
        self._service = service
        self._lease = lease
        self._work = work
        self._buffer: list[NewEvent] = []
        self._opened = work.restarted_after_words
        self._began = asyncio.get_running_loop().time()

    async def drain(self, events: "asyncio.Queue[TurnEvent | BaseException]") -> None:
        """Write until the turn is finished.

        Raises:
            _Joined: more messages came before the first word.
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
                if not await self._service.conclude(self._lease, self._work, event.reply, [*rest, *event.events]):
                    raise _Joined
                return
            else:
                await self._take(event)

    async def _next(self, events: "asyncio.Queue[TurnEvent | BaseException]") -> TurnEvent | BaseException | None:
        """The next event, or None when the batch has waited long enough."""
        if not self._buffer:
            return await events.get()
        try:
            async with asyncio.timeout(BATCH_S):
                return await events.get()
        except TimeoutError:
            return None

    async def _take(self, event: Emitted) -> None:
        if event.says and not self._opened:
            await self._service.hold_first_word(self._lease.conversation_id)
            opening = [*self._buffer, NewEvent(event.event, event.audience)]
            self._buffer = []
            if not await self._service.log.open_answer(
                self._lease, self._work.turn_id, message_count=len(self._work.messages), events=opening
            ):
                raise _Joined
            self._opened = True
            self._service.metrics.first_word_seconds(asyncio.get_running_loop().time() - self._began)
            return
        self._buffer.append(NewEvent(event.event, event.audience))

    async def _flush(self) -> None:
        if self._buffer:
            batch, self._buffer = self._buffer, []
            await self._service.log.append(self._lease, self._work.turn_id, batch)
