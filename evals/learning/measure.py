"""What an installation makes of tickets, and how well it does on those that it hasn't seen."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from agent.judgement import decide
from agent.nodes.judge import Known, signals_of
from agent.policy import Costs, Policy
from agent.ports import SearchQuery
from agent.types import AccountFacts, Evidence, Identity, IdentityLevel, Passage, Source, TurnRequest, Untrusted
from evals.learning.ends import cost_of, outcome_of
from evals.statistics.measured import Measured, bootstrap, expected_calibration_error
from evals.tickets.ticket import MAX_TEXT_CHARS, Ticket
from graphs.assembly import Runtime
from tools.engines.local.engine import Impression

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Seen:
    """What the engine made of one ticket: its kind and category, the best article, the promise of an answer, the route.

    `found`, `passages` and `impression` are what learning starts from.
    """

    kind: str
    category: str
    article_id: str | None
    probability: float
    route: str
    found: Evidence
    passages: tuple[Passage, ...]
    impression: Impression | None = None


async def look(
    runtime: Runtime, tickets: Sequence[Ticket], stage: str, on_progress: Progress, *, closely: bool = False
) -> list[Seen]:
    """Understand, retrieve and judge each ticket's first message, as a turn would; `closely` gives impressions too.

    Raises:
        ConnectorError: the knowledge base failed.
    """
    policy: Policy = runtime.deps.policy
    tools = tuple(tool.offer.name for tool in runtime.deps.tools)
    seen = []
    for place, ticket in enumerate(tickets):
        page = runtime.pages.locate({"route": ticket.page} if ticket.page else None)
        text = Untrusted.of(ticket.text, Source.CUSTOMER, limit=MAX_TEXT_CHARS)
        heard = await runtime.learner.understand((text,), (), page)
        account = await _account(runtime, ticket)
        query = SearchQuery(
            text=heard.question,
            language=heard.language,
            area=page.area,
            plan=account.plan if account else None,
            preferred_article_ids=page.article_ids,
            limit=policy.passages_per_turn,
        )
        passages = tuple(await runtime.knowledge.search(query))
        evidence = await runtime.learner.assess(heard, passages, tools)
        verdict = decide(
            signals_of(_request(runtime, ticket, text), Known(heard, evidence, page, account), policy), policy
        )
        best = max(passages, key=lambda passage: passage.score, default=None)
        seen.append(
            Seen(
                kind=heard.kind.value,
                category=heard.category,
                article_id=best.article_id if best else None,
                probability=evidence.probability,
                route=verdict.route.value,
                found=evidence,
                passages=passages,
                impression=await runtime.local.impression(heard, evidence) if closely and runtime.local else None,
            )
        )
        on_progress(stage, place + 1, len(tickets))
        # Without an embedder nothing above waits for anything: here it can be interrupted.
        await asyncio.sleep(0)
    return seen


async def _account(runtime: Runtime, ticket: Ticket) -> AccountFacts | None:
    if ticket.account_id is None:
        return None
    return await runtime.accounts.facts(Identity(IdentityLevel.VERIFIED, account_id=ticket.account_id))


def _request(runtime: Runtime, ticket: Ticket, text: Untrusted) -> TurnRequest:
    return TurnRequest(
        turn_id=ticket.ticket_id,
        conversation_id=ticket.ticket_id,
        workspace_id=runtime.workspace.workspace_id,
        reply_message_id="",
        texts=(text,),
        identity=Identity(),
        now=ticket.created_at,
    )


def answered_right(tickets: Sequence[Ticket], seen: Sequence[Seen], articles: Mapping[str, str]) -> list[bool | None]:
    """For each ticket whether the best article is the one that answers; None where nobody knows."""
    return [
        found.article_id is not None and articles.get(ticket.gold.article or "") == found.article_id
        if ticket.gold.labelled_article or ticket.gold.article
        else None
        for ticket, found in zip(tickets, seen, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Ability:
    """One thing measured before and after; `gain` is the paired difference, and more is better."""

    name: str
    before: Measured
    after: Measured
    gain: Measured


def compare(
    tickets: Sequence[Ticket],
    before: Sequence[Seen],
    after: Sequence[Seen],
    articles: Mapping[str, str],
    costs: Costs,
) -> list[Ability]:
    """Compare two installations on the same tickets, as far as these have labels.

    What decisions cost (by `costs`) is measured below zero, so that more is better there too.
    """
    abilities = [
        _paired(
            "kind",
            [
                (a.kind == t.gold.kind, b.kind == t.gold.kind)
                for t, a, b in zip(tickets, before, after, strict=True)
                if t.gold.kind
            ],
        ),
        _paired(
            "category",
            [
                (a.category == t.gold.category, b.category == t.gold.category)
                for t, a, b in zip(tickets, before, after, strict=True)
                if t.gold.category
            ],
        ),
    ]
    was, now = answered_right(tickets, before, articles), answered_right(tickets, after, articles)
    with_article = [place for place, ticket in enumerate(tickets) if (ticket.gold.article or "") in articles]
    abilities.append(_paired("right_article", [(bool(was[p]), bool(now[p])) for p in with_article]))
    known = [place for place, right in enumerate(was) if right is not None]
    abilities.append(
        _paired(
            # Brier's score, so that more is better: 1 for certain and right, 0 for certain and wrong.
            "answer_probability",
            [
                (
                    1 - (before[p].probability - bool(was[p])) ** 2,
                    1 - (after[p].probability - bool(now[p])) ** 2,
                )
                for p in known
            ],
        )
    )
    outcomes = [outcome_of(ticket, articles) for ticket in tickets]
    abilities.append(
        _paired(
            "decisions",
            [
                (
                    -cost_of(before[place].route, outcome, right=bool(was[place]), costs=costs),
                    -cost_of(after[place].route, outcome, right=bool(now[place]), costs=costs),
                )
                for place, outcome in enumerate(outcomes)
                if outcome is not None
            ],
        )
    )
    return [ability for ability in abilities if ability is not None]


def calibration(right: Sequence[bool | None], seen: Sequence[Seen]) -> Measured | None:
    """The expected calibration error of the answer's probability; None without labels."""
    pairs = [(s.probability, r) for r, s in zip(right, seen, strict=True) if r is not None]
    if not pairs:
        return None
    promised, kept = np.array([p for p, _ in pairs]), np.array([r for _, r in pairs])
    return bootstrap(len(pairs), lambda drawn: expected_calibration_error(promised[drawn], kept[drawn]))


def _paired(name: str, pairs: Sequence[tuple[float, float]]) -> Ability | None:
    if not pairs:
        return None
    before, after = np.array(pairs, dtype=np.float64).T
    return Ability(
        name,
        bootstrap(len(pairs), lambda drawn: float(before[drawn].mean())),
        bootstrap(len(pairs), lambda drawn: float(after[drawn].mean())),
        bootstrap(len(pairs), lambda drawn: float((after - before)[drawn].mean())),
    )
