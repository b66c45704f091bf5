"""Turns of a running installation: accepted in one transaction, run detached, written only under a lease."""

import asyncio
import logging
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from agent.deps import TurnDeps
from agent.effects import effect_key
from agent.errors import BadTurn, LeaseLost, TrackerError
from agent.types import Spent, TurnRequest
from agent.untrusted import clean
from graphs.checkpoints import is_outage
from graphs.holder import Holder
from graphs.keeping import Keeping
from graphs.supervisor import Closing, Supervisor
from graphs.translate import run_turn
from graphs.turn_effects import ClosingTracker
from graphs.turn_graph import TurnGraph
from graphs.turn_metrics import TurnMetrics
from graphs.turn_request import turn_request
from graphs.turn_writing import Joined, TurnEvents, TurnWriter
from tools.observing.context import working_on
from tools.storage.glance import Look, always
from tools.storage.log import Accepted, ConversationLog, Lease, TurnWork
from tools.storage.scope import Scope
from tools.storage.wakeups import Wakeups
from tools.tracing.opening import NO_TRACING, Tracing

logger = logging.getLogger(__name__)

# Another machine's turns are taken over when their lease has run out and a sweep has found them: within 15 s.
LEASE_S = 12.0
MAX_ATTEMPTS = 3
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


class TurnService:
    """Accepts messages and answers them, one turn at a time per conversation."""

    def __init__(
        self,
        log: ConversationLog,
        graph: TurnGraph,
        deps: TurnDeps,
        *,
        workspace_id: str,
        wakeups: Wakeups,
        limits: TurnLimits,
        metrics: TurnMetrics,
        supervisor: Supervisor,
        tracing: Tracing = NO_TRACING,
        look: Look = always,
        holder: Holder | None = None,
    ) -> None:
        self._log = log
        self._keeping = Keeping(graph, repeatable=deps.engine.repeatable)
        self._deps = deps
        self._workspace_id = workspace_id
        self._wakeups = wakeups
        self._limits = limits
        self._metrics = metrics
        self._supervisor = supervisor
        self._tracing = tracing
        self._look = look
        self._holder = holder or Holder.this_process()
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
        except Closing:
            self._busy.discard(conversation_id)

    async def _sweep(self) -> None:
        """Find turns that nobody runs: left by a dead process, or missed by a wake-up."""
        while not self._stopped.is_set():
            try:
                if await self._look():
                    await self._free_what_the_dead_hold()
                    limit = 100 + len(self._busy)
                    for conversation_id in await self._log.waiting_work(
                        self._workspace_id, limit, holder=self._holder.name
                    ):
                        # One that is ours and isn't being worked on was taken, or not let go, when the database went
                        # away.
                        if conversation_id not in self._busy:
                            self.poke(conversation_id)
            except Exception as exc:
                # Whatever it was: without sweeps, what a dead process left would wait for ever.
                logger.warning("sweep failed error=%s", exc, exc_info=not is_outage(exc))
            await _wait(self._stopped, _POLL_S)

    async def _free_what_the_dead_hold(self) -> None:
        """A process of this machine that is seen to be gone needn't be waited for."""
        for holder in await self._log.holders_of_work(self._workspace_id):
            if self._holder.is_gone(holder):
                freed = await self._log.free(holder)
                logger.warning("turns of a dead process are taken over holder=%s conversations=%d", holder, freed)

    async def _work(self, conversation_id: str) -> None:
        # Not the request's any more that poked it: the next turn may be another request's.
        with working_on(conversation_id=conversation_id):
            await self._work_while_there_is_some(conversation_id)

    async def _work_while_there_is_some(self, conversation_id: str) -> None:
        try:
            while True:
                self._again.discard(conversation_id)
                async with self._slots:
                    await self._work_under_lease(conversation_id)
                if conversation_id not in self._again or self._stopped.is_set():
                    return
        except LeaseLost:
            self._metrics.lease_lost()
            logger.info("lease lost conversation_id=%s", conversation_id)
        except Closing:
            logger.info("left for the next process conversation_id=%s", conversation_id)
        finally:
            self._busy.discard(conversation_id)
            if conversation_id in self._again:
                self._again.discard(conversation_id)
                self.poke(conversation_id)

    async def _work_under_lease(self, conversation_id: str) -> None:
        if self._stopped.is_set():
            return
        begun = await self._log.begin(conversation_id, holder=self._holder.name, ttl_s=LEASE_S)
        if begun is None:
            return
        lease, work = begun
        done = asyncio.Event()
        tried: set[str] = set()
        held = True
        try:
            self._supervisor.spawn(self._keep(lease, done), name=f"lease-{conversation_id}")
            while True:
                ids = {"turn_id": work.turn_id, "conversation_id": conversation_id, "workspace_id": lease.workspace_id}
                with working_on(**ids):
                    if work.attempts > 1 and work.turn_id not in tried:
                        self._metrics.turn_taken_over()
                        logger.warning("turn taken over attempts=%d", work.attempts)
                    tried.add(work.turn_id)
                    let_go = await self._run(lease, work)
                if let_go:
                    held = False
                    return
                if self._stopped.is_set():
                    return
                following = await self._log.next_turn(lease)
                if following is None:
                    held = False
                    return
                work = following
        finally:
            done.set()
            if held:
                with suppress(asyncio.CancelledError, LeaseLost):
                    await asyncio.shield(self._log.release(lease))

    async def _keep(self, lease: Lease, done: asyncio.Event) -> None:
        """Prolong the lease while the work goes on. Told, not cancelled: a cancelled statement costs a connection."""
        while not await _wait(done, LEASE_S / 3):
            try:
                if not await self._log.renew(lease, LEASE_S):
                    return
            except Exception as exc:
                # The lease lives on for two more of these: whoever gives up now has another begin the turn as well.
                logger.warning("lease not renewed", exc_info=not is_outage(exc))

    async def _run(self, lease: Lease, work: TurnWork) -> bool:
        """Run a turn; whether the lease was let go of with its end."""
        began = asyncio.get_running_loop().time()
        request = await self._request(work)
        writer = TurnWriter(self._log, lease, work, policy=self._deps.policy, metrics=self._metrics)
        try:
            # A burst restarts a turn on purpose, so each joined message allows one more attempt.
            if work.attempts > MAX_ATTEMPTS + len(work.messages) - 1:
                self._metrics.turn_parked()
                logger.error("turn parked turn_id=%s attempts=%d", work.turn_id, work.attempts)
                await writer.hand_over(request, status="parked", cause="parked")
            else:
                await self._attempt(work, request, writer)
        except Joined:
            logger.info("turn starts anew with joined messages turn_id=%s", work.turn_id)
            return False
        except (LeaseLost, Closing, asyncio.CancelledError):
            raise
        except Exception as exc:
            if is_outage(exc):
                # Not the turn's fault: it is tried again once the store is back, and parked if that never helps.
                logger.warning("turn interrupted turn_id=%s error=%s", work.turn_id, type(exc).__name__)
                await _wait(self._stopped, _POLL_S)
                return False
            # The outermost edge of a turn: whatever broke, a person gets the message and the customer is told.
            logger.exception("turn failed turn_id=%s", work.turn_id)
            cause = "turn_timeout" if isinstance(exc, TimeoutError) else "turn_failed"
            await writer.hand_over(request, status="failed", cause=cause)
            await self._keeping.forget(work)
        seconds = asyncio.get_running_loop().time() - began
        self._metrics.turn_seconds(seconds)
        logger.info("turn done turn_id=%s ms=%d", work.turn_id, 1000 * seconds)
        return writer.let_go

    async def _request(self, work: TurnWork) -> TurnRequest:
        messages = await self._log.history(work.conversation)
        # A repeatable engine costs next to nothing, and a long conversation takes a while to add up.
        free = self._deps.engine.repeatable
        scope = Scope(work.conversation.workspace_id, None, "system")
        spent = Spent() if free else await self._log.spent(scope, work.conversation.conversation_id)
        request = turn_request(work, messages, limit=self._limits.max_message_chars, now=datetime.now(UTC))
        return replace(request, spent=spent)

    async def _attempt(self, work: TurnWork, request: TurnRequest, writer: TurnWriter) -> None:
        thread_id = self._keeping.thread(work)
        filed = work.attempts > 1 and await self._has_filed(request)
        resume = work.attempts > 1 and await self._keeping.stands(work, filed=filed)
        await writer.announce()
        events: TurnEvents = asyncio.Queue()
        producer = self._supervisor.spawn(
            self._produce(request, writer, thread_id, events, resume=resume, filed=filed),
            name=f"graph-{work.turn_id}",
        )
        over = True
        try:
            await writer.drain(events)
        except BaseException as exc:
            # Whoever goes on with the turn goes on from where it stands. Even of one that failed that may be another
            # process, until it is written that it did.
            over = isinstance(exc, Joined)
            raise
        finally:
            producer.cancel()
            with suppress(asyncio.CancelledError):
                await producer
            if over:
                await self._keeping.forget(work)

    async def _has_filed(self, request: TurnRequest) -> bool:
        try:
            return await self._deps.tracker.already_filed(request.workspace_id, effect_key(request, "bug"))
        except TrackerError:
            logger.exception("tracker failed turn_id=%s", request.turn_id)
            return False

    async def _produce(
        self,
        request: TurnRequest,
        writer: TurnWriter,
        thread_id: str | None,
        into: TurnEvents,
        *,
        resume: bool,
        filed: bool,
    ) -> None:
        deps = replace(self._deps, tracker=ClosingTracker(self._deps.tracker, writer.close), filed=filed)
        try:
            async with asyncio.timeout(self._limits.turn_timeout_s):
                stream = run_turn(
                    self._keeping.graph,
                    deps,
                    request,
                    thread_id=thread_id,
                    resume=resume,
                    on_node=self._metrics.node_seconds,
                    callbacks=self._tracing.callbacks(),
                )
                async for event in stream:
                    into.put_nowait(event)
        except Exception as exc:
            into.put_nowait(exc)


async def _wait(event: asyncio.Event, timeout_s: float) -> bool:
    """Wait for an event, at most so long; whether it came."""
    try:
        async with asyncio.timeout(timeout_s):
            await event.wait()
    except TimeoutError:
        return False
    return True
