"""One ticket through the turn that serves customers."""

import asyncio
import time
from dataclasses import dataclass, replace
from datetime import datetime

import numpy as np

from agent.deps import TurnDeps
from agent.errors import SupportError
from agent.state import TurnState
from agent.types import (
    Author,
    Identity,
    IdentityLevel,
    Message,
    Outcome,
    Passage,
    Source,
    Spent,
    TurnRequest,
    Understanding,
    Untrusted,
)
from agent.wire import JsonObject, to_json
from evals.replay.case import Case, Cited, Claim, Effect, Ending, Failure, Found, Timing, Turn
from evals.replay.fakes import KnowledgeAsOf, RecordingTracker
from evals.replay.script import MAX_EXCHANGES, Exchange, exchanges, why_it_ends
from evals.tickets.ticket import Ticket
from graphs.assembly import Runtime
from graphs.translate import Finished, run_turn
from graphs.turn_graph import build_turn_graph
from tools.embedding.sentences import SentenceEmbedder

_COMPARED_CHARS = 400
_SOLVED = 0.5


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
        self._encoder = SentenceEmbedder()
        self._articles = {
            name: article.article_id
            for article in runtime.knowledge.catalogue()
            for name in (article.url, article.article_id)
            if name
        }

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
            turn = await self._record(number, exchange, said)
            if turns:
                turns[-1] = turns[-1].model_copy(update={"solved": _solved(finished.state.get("understanding"))})
            turns.append(turn)
            effects += _effects(number, finished)
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

    async def _record(self, number: int, exchange: Exchange, said: _Said) -> Turn:
        finished, state = said.finished, said.finished.state
        reply, heard = finished.reply, state["understanding"]
        draft = state.get("draft")
        passages = (*state["passages"], *(p for result in state.get("tool_results", ()) for p in result.passages))
        agreement = same = None
        if exchange.answer is not None and _is_compared(reply.outcome, exchange.answer):
            agreement = await self._alike(reply.text, exchange.answer)
            linked = {self._articles[link] for link in exchange.links if link in self._articles}
            same = bool(linked & {citation.article_id for citation in reply.citations}) if linked else None
        return Turn(
            turn=number,
            texts=tuple(entry.text for entry in exchange.said),
            outcome=reply.outcome.value,
            route=finished.route,
            reply=reply.text,
            path=said.path,
            category=heard.category,
            kind=heard.kind.value,
            language=heard.language,
            evidence=round(state["evidence"].probability, 6),
            decision=_decision(finished),
            found=tuple(
                Found(passage_id=p.passage_id, article_id=p.article_id, rank=place, score=round(p.score, 6))
                for place, p in enumerate(passages)
            ),
            citations=tuple(Cited(n=c.n, article_id=c.article_id, passage_id=c.passage_id) for c in reply.citations),
            claims=await self._claims(state, passages) if draft is not None else (),
            held_back=len(draft.held_back) if draft is not None else 0,
            broken_off=draft.broken_off if draft is not None else None,
            tools=tuple(result.tool for result in state.get("tool_results", ())),
            engine=to_json(finished.engine) if finished.engine is not None else {},
            human_reply=exchange.answer,
            agreement=agreement,
            same_article=same,
        )

    async def _claims(self, state: TurnState, passages: tuple[Passage, ...]) -> tuple[Claim, ...]:
        by_id = {passage.passage_id: passage for passage in passages}
        results = state.get("tool_results", ())
        claims = []
        for sentence in state["draft"].sentences:
            if not sentence.claim:
                continue
            cited = tuple(by_id[passage_id] for passage_id in sentence.cites if passage_id in by_id)
            support = await self._runtime.learner.support(sentence, cited, results)
            claims.append(
                Claim(text=sentence.text, cites=sentence.cites, from_tool=sentence.from_tool, support=round(support, 4))
            )
        return tuple(claims)

    async def _alike(self, ours: str, theirs: str) -> float:
        """How alike two replies are: the cosine of their embeddings, in [0, 1].

        The sentence encoder is the same in every installation, reads many languages, and tells replies to one question
        from replies to others better than the model behind search does (docs/replay.md).
        """
        one, other = await self._encoder.embed([ours[:_COMPARED_CHARS], theirs[:_COMPARED_CHARS]])
        return round(float(np.clip(one @ other, 0.0, 1.0)), 4)


def _is_compared(outcome: Outcome, human: str) -> bool:
    """Only an answer can agree with theirs, and a question with a question."""
    return outcome is Outcome.ANSWERED or (outcome is Outcome.ASKED and "?" in human)


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


def _decision(finished: Finished) -> JsonObject:
    """The staff's DECISION event without the customer's words, page and account, which the case has where it may."""
    verdict, heard = finished.state["verdict"], finished.state["understanding"]
    return {
        "route": verdict.route.value,
        "handoff_reason": verdict.handoff_reason,
        "clarify_reason": verdict.clarify_reason,
        "reasons": [to_json(reason) for reason in verdict.reasons],
        "expected_cost": dict(verdict.expected_cost),
        "understanding": {name: value for name, value in to_json(heard).items() if name != "question"},
        "evidence_features": {name: round(value, 6) for name, value in finished.state["evidence"].features.items()},
    }


def _effects(number: int, finished: Finished) -> list[Effect]:
    effects = []
    reply = finished.reply
    if reply.ticket is not None:
        title, is_new = reply.ticket.title, reply.ticket.is_new
        effects.append(Effect(turn=number, kind="bug", is_new=is_new, title=title, bug_id=reply.ticket.bug_id))
    if reply.handoff is not None:
        handoff = reply.handoff
        effects.append(
            Effect(
                turn=number,
                kind="handoff",
                queue=handoff.queue_id,
                priority=handoff.priority,
                reason=handoff.reason,
                bug_id=handoff.bug_id,
            )
        )
    return effects


def _solved(heard: Understanding | None) -> bool | None:
    if heard is None or max(heard.says_solved, heard.says_unsolved) < _SOLVED:
        return None
    return heard.says_solved >= heard.says_unsolved


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
