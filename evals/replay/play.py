"""One ticket through the turn that serves customers."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime

from agent.deps import TurnDeps
from agent.errors import SupportError
from agent.types import (
    Author,
    Identity,
    IdentityLevel,
    Message,
    Source,
    Spent,
    TurnRequest,
    Untrusted,
)
from agent.wire import JsonObject
from evals.replay.case import Case, Effect, Ending, Failure, Timing, Turn
from evals.replay.fakes import KnowledgeAsOf, RecordingTracker
from evals.replay.script import MAX_EXCHANGES, Exchange, exchanges, why_it_ends
from evals.replay.told import TurnBook, effects_of, says_solved
from evals.tickets.ticket import Ticket
from graphs.assembly import Runtime
from graphs.translate import Finished, run_turn
from graphs.turn_graph import build_turn_graph


@dataclass(frozen=True, slots=True)
class AsOf:
    """What was there when a ticket came in: the model's id, and the articles that were not there yet."""

    model_id: str
    younger: frozenset[str]

    def to_json(self) -> JsonObject:
        """For the case."""
        return {"model_id": self.model_id, "articles_left_out": len(self.younger)}


@dataclass(frozen=True, slots=True)
class Played:
    """A replayed ticket. `gist` is what its bug is compared by with others', None when it reported none."""

    case: Case
    timing: Timing
    gist: str | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """One turn as it went."""

    finished: Finished
    path: tuple[str, ...]
    first_words_s: float | None
    took_s: float


class Player:
    """Replays tickets in one open installation. Several may be played at the same time."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._graph = build_turn_graph()
        self._book = TurnBook(runtime)

    async def play(self, ticket: Ticket, as_of: AsOf, *, run: int = 1) -> Played:
        """Play a ticket to where the recorded customer's words lose their meaning. Never raises but when cancelled.

        What our own process or a service of it can't do is a failure of the infrastructure, tried twice.
        """
        failure = None
        for attempt in (1, 2):
            try:
                return await self._play(ticket, as_of, run=run)
            except Exception as exc:
                # One poisoned ticket must not end thousands: it is counted, and says nothing about the agent.
                failure = Failure(error=type(exc).__name__, message=_harmless(exc), attempts=attempt)
        return failed(ticket, failure, as_of, run=run)

    async def _play(self, ticket: Ticket, as_of: AsOf, *, run: int) -> Played:
        parts = exchanges(ticket)
        tracker = RecordingTracker()
        knowledge = KnowledgeAsOf(self._runtime.knowledge, as_of.younger)
        deps = replace(self._runtime.deps, tracker=tracker, knowledge=knowledge)
        history: list[Message] = []
        turns: list[Turn] = []
        effects: list[Effect] = []
        waits: list[float | None] = []
        took: list[float] = []
        spent, tier = Spent(), None
        ending: Ending = "end"
        why: str | None = None
        for number, exchange in enumerate(parts[:MAX_EXCHANGES], 1):
            request = self._request(ticket, exchange, number, tuple(history), spent, run=run)
            said = await self._turn(deps, request)
            finished = said.finished
            turn = await self._book.write(number, exchange, finished, said.path)
            if turns:
                turns[-1] = turns[-1].model_copy(update={"solved": says_solved(finished.state.get("understanding"))})
            turns.append(turn)
            effects += effects_of(number, finished)
            waits.append(said.first_words_s)
            took.append(said.took_s)
            account = finished.state.get("account")
            tier = account.tier if account else tier
            report = finished.engine
            if report is not None:
                spent = Spent(spent.tokens + report.input_tokens + report.output_tokens, spent.cost + report.cost)
            if finished.reply.handoff is not None:
                ending = "handed_off"
                break
            if number < len(parts):
                why = why_it_ends(turn, exchange, ticket)
                if why is not None:
                    ending = "diverged"
                    break
            history += _heard(request, finished, exchange.at)
        if ending == "end" and len(parts) > MAX_EXCHANGES:
            ending, why = "diverged", f"only the first {MAX_EXCHANGES} turns of a ticket are replayed"
        case = Case(
            ticket_id=ticket.ticket_id,
            run=run,
            created_at=ticket.created_at.isoformat(),
            channel=ticket.channel,
            language=ticket.language,
            page=ticket.page,
            account_tier=tier,
            customer_key=ticket.customer_key,
            turns=tuple(turns),
            effects=tuple(effects),
            ending=ending,
            why=why,
            customer_messages=sum(len(part.said) for part in parts),
            replayed_messages=sum(len(part.said) for part in parts[: len(turns)]),
            as_of=as_of.to_json(),
        )
        timing = Timing(ticket_id=ticket.ticket_id, run=run, first_words_s=tuple(waits), turn_s=tuple(took))
        return Played(case, timing, tracker.gist)

    def _request(
        self,
        ticket: Ticket,
        exchange: Exchange,
        number: int,
        history: tuple[Message, ...],
        spent: Spent,
        *,
        run: int,
    ) -> TurnRequest:
        limit = self._runtime.settings.max_message_chars
        name = f"{ticket.ticket_id}.{run}"
        return TurnRequest(
            turn_id=f"{name}.{number}",
            conversation_id=name,
            workspace_id=self._runtime.workspace.workspace_id,
            reply_message_id=f"{name}.{number}.reply",
            texts=tuple(Untrusted.of(entry.text, Source.CUSTOMER, limit=limit) for entry in exchange.said),
            identity=_identity(ticket),
            now=exchange.at,
            page=self._page(ticket.page),
            history=history,
            interface_language=ticket.language,
            spent=spent,
        )

    def _page(self, route: str | None) -> dict[str, object] | None:
        """The page as the widget would have reported it: which of the map's elements were there, nobody knows."""
        if route is None:
            return None
        elements = self._runtime.pages.element_ids(route) or []
        return {"route": route, "elements": [{"id": element_id} for element_id in elements]}

    async def _turn(self, deps: TurnDeps, request: TurnRequest) -> _Said:
        path: list[str] = []
        began = time.perf_counter()
        first = None
        finished = None
        async with asyncio.timeout(self._runtime.settings.turn_timeout_s):
            stream = run_turn(self._graph, deps, request, callbacks=self._runtime.tracing.callbacks())
            async for event in stream:
                if isinstance(event, Finished):
                    finished = event
                else:
                    if event.says and first is None:
                        first = time.perf_counter() - began
                    if event.event["type"] == "STEP_STARTED":
                        path.append(event.event["stepName"])
        assert finished is not None  # noqa: S101  # `run_turn` says so; narrows the type.
        return _Said(finished, tuple(path), first, time.perf_counter() - began)


def failed(ticket: Ticket, failure: Failure | None, as_of: AsOf | None, *, run: int) -> Played:
    """The case of a ticket that our own side couldn't replay."""
    case = Case(
        ticket_id=ticket.ticket_id,
        run=run,
        created_at=ticket.created_at.isoformat(),
        channel=ticket.channel,
        language=ticket.language,
        page=ticket.page,
        customer_key=ticket.customer_key,
        ending="failed",
        why="the infrastructure failed",
        customer_messages=sum(entry.author == "customer" for entry in ticket.entries),
        replayed_messages=0,
        as_of=as_of.to_json() if as_of else {},
        failure=failure,
    )
    return Played(case, Timing(ticket_id=ticket.ticket_id, run=run))


def _identity(ticket: Ticket) -> Identity:
    """A ticket's account was known to the helpdesk, so it is as good as signed in."""
    if ticket.account_id is None:
        return Identity()
    return Identity(IdentityLevel.VERIFIED, account_id=ticket.account_id)


def _heard(request: TurnRequest, finished: Finished, at: datetime) -> list[Message]:
    said = [
        Message(f"{request.turn_id}.{place}", Author.CUSTOMER, text, at) for place, text in enumerate(request.texts)
    ]
    reply = finished.reply
    if reply.message_id is None:
        return said
    answer = Message(
        reply.message_id,
        Author.BOT,
        Untrusted.of(reply.text, Source.MODEL),
        at,
        route=finished.route,
        citations=reply.citations,
    )
    return [*said, answer]


def _harmless(exc: BaseException) -> str:
    """What broke, without the data that broke it: only our own errors promise to hold none."""
    if isinstance(exc, SupportError):
        return " ".join(str(exc).split())[:300]
    return f"{type(exc).__module__}.{type(exc).__qualname__}"
