"""Runs of staged agents, for tests of comparing."""

from collections.abc import Callable
from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import orjson

from agent.policy import Policy
from evals.compare.gate import Check, Gate
from evals.replay.case import Case
from evals.scoring.adversaries import Honest
from evals.scoring.bugs import BugBook
from evals.scoring.reading import Rules
from evals.scoring.score import CaseScore, score_case
from evals.scoring.stage import Agent, perform_all
from evals.scoring.synthetic import Made, World, make_tickets
from evals.scoring.written import writing_scores

GATE = Gate(
    checks=(
        Check(metric="containment", margin=0.05),
        Check(metric="wrong_containment", margin=0.03),
        Check(metric="escalation_recall", margin=0.1, min_n=60),
    )
)


@cache
def tickets(count: int, seed: int = 1) -> list[Made]:
    """Made-up tickets."""
    return make_tickets(count, seed=seed, world=World(sharpness=1.0))


def cases_of(agent: Agent, count: int, seed: int = 1) -> list[Case]:
    """An agent's log."""
    return list(perform_all(agent, [(made.seen, made.truth) for made in tickets(count, seed)]))


def scores_of(agent: Agent, count: int, seed: int = 1) -> list[CaseScore]:
    """An agent's scores."""
    return list(_scored(agent, count, seed))  # type: ignore[arg-type]  # An agent is a frozen data class.


@cache
def _scored(agent: Agent, count: int, seed: int) -> tuple[CaseScore, ...]:
    book = BugBook()
    labels = {made.label.ticket_id: made.label for made in tickets(count, seed)}
    return tuple(
        score_case(case, labels[case.ticket_id], None, Policy(), Rules(), book) for case in cases_of(agent, count, seed)
    )


def mixed(one: list[CaseScore], other: list[CaseScore], share: float, seed: int) -> list[CaseScore]:
    """An agent that acts like `other` in this share of tickets, chosen anew with each seed."""
    chosen = np.random.default_rng(seed).random(len(one)) < share
    return [b if pick else a for a, b, pick in zip(one, other, chosen, strict=True)]


def redrawn(one: list[CaseScore], other: list[CaseScore], seed: int) -> tuple[list[CaseScore], list[CaseScore]]:
    """Two runs of one agent that acts by chance, over customers drawn anew; tickets get ids of their own."""
    random = np.random.default_rng(seed)
    by_customer: dict[str, list[int]] = {}
    for place, score in enumerate(one):
        by_customer.setdefault(score.customer, []).append(place)
    customers = list(by_customer.values())
    first: list[CaseScore] = []
    second: list[CaseScore] = []
    for draw, pick in enumerate(random.integers(0, len(customers), len(customers))):
        for place in customers[int(pick)]:
            for run in (first, second):
                chosen = (one if random.random() < 0.5 else other)[place]
                run.append(replace(chosen, ticket_id=f"{draw}.{place}", customer=f"{draw}"))
    return first, second


def folder_of(
    path: Path,
    agent: Agent | None = None,
    count: int = 200,
    *,
    change: Callable[[dict[str, object]], object] | None = None,
    policy: Policy | None = None,
) -> Path:
    """A scored run's folder; `change` alters its manifest."""
    path.mkdir(parents=True, exist_ok=True)
    manifest: dict[str, object] = {
        "format": 1,
        "revision": "abc",
        "started_at": "2026-08-01T00:00:00Z",
        "tickets": {"sha256": "t1", "tickets": count},
        "settings": {"model": None},
    }
    if change:
        change(manifest)
    (path / "run.json").write_bytes(orjson.dumps(manifest))
    labels = {made.label.ticket_id: made.label for made in tickets(count)}
    policy, book = policy or Policy(), BugBook()
    with writing_scores(path, policy) as write:
        for case in cases_of(agent or Honest(), count):
            label = labels[case.ticket_id]
            write(score_case(case, label, None, policy, Rules(), book), label)
    return path
