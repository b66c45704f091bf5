"""What learning goes by: how tickets should have ended, what a decision costs, and which parts are worth using."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest

from agent.policy import Costs
from agent.types import Evidence, Kind, Passage, Source, Untrusted
from evals.learning.ends import cost_of, outcome_of
from evals.learning.measure import Ability, Seen
from evals.learning.teach import learn_judging
from evals.learning.train import better_parts
from evals.statistics.measured import Measured
from evals.tickets.ticket import Entry, Gold, Ticket
from tests.tools.learned.test_models import classifier
from tools.engines.local.engine import Impression
from tools.engines.local.signals import of_answer
from tools.knowledge.matching import Wording
from tools.learned.logistic import Odds
from tools.learned.model import LearnedModel, Trust
from tools.learned.outcomes import Taught, learn_outcomes

COSTS = Costs()


def ticket(**gold: Any) -> Ticket:
    labels = Gold(**gold)
    return Ticket("t", datetime(2026, 1, 1, tzinfo=UTC), (Entry("customer", "hello"),), gold=labels)


@pytest.mark.parametrize(
    ("gold", "expected"),
    [
        ({"needs_person": True, "article": "a", "kind": Kind.HOW_TO}, "person"),
        ({"needs_person": True, "kind": Kind.BUG}, "person"),
        ({"article": "a", "kind": Kind.BUG}, "article"),
        ({"article": "gone", "kind": Kind.HOW_TO}, None),
        ({"kind": Kind.BUG}, "bug"),
        ({"kind": Kind.SMALL_TALK}, "courtesy"),
        ({"kind": Kind.HOW_TO, "labelled_article": True}, "person"),
        ({"kind": Kind.HOW_TO}, None),
        ({}, None),
    ],
)
def test_labels_say_how_a_ticket_should_have_ended(gold: dict[str, object], expected: str | None) -> None:
    assert outcome_of(ticket(**gold), {"a"}) == expected


@pytest.mark.parametrize(
    ("route", "outcome", "right", "cost"),
    [
        ("answer", "article", True, 0),
        ("answer", "article", False, COSTS.wrong_answer),
        ("answer", "person", True, COSTS.missed_handoff),
        ("answer", "courtesy", False, 0),
        ("clarify", "person", False, COSTS.missed_handoff),
        ("clarify", "article", True, COSTS.needless_question),
        ("handoff", "person", False, 0),
        ("handoff", "article", True, COSTS.needless_handoff),
        ("bug_report", "bug", False, 0),
        ("bug_report", "article", True, COSTS.needless_ticket),
    ],
)
def test_a_decision_costs_what_the_policy_says(route: str, outcome: str, right: bool, cost: float) -> None:
    assert cost_of(route, outcome, right=right, costs=COSTS) == cost


def learnt() -> LearnedModel:
    rows = tuple({"risk": float(place % 2)} for place in range(20))
    outcomes = learn_outcomes(
        Taught(
            rows, np.zeros((20, 0), dtype=np.float32), tuple("bug" if place % 2 else "person" for place in range(20))
        )
    )
    questions = Wording().questions(["where"], ["en"], ["a"], np.ones((1, 4), dtype=np.float32))
    answers = Odds(("promised",), np.zeros(1), np.ones(1), np.ones(1), 0.0)
    return LearnedModel("", classifier(), classifier(), questions, Trust(0.5, 0.1), outcomes, answers)


def seen(place: int) -> Seen:
    """An article's question, a bug and a person's case in turn, and two greetings at the end."""
    end = place % 3 if place < 36 else 3
    found = Evidence(0.5, {"by_passages": 0.9 if end == 0 else 0.2})
    passage = Passage("p", "a", "A", "", Untrusted.of("x", Source.ARTICLE), None, "en", 0.5, None, None, 0)
    vector = np.eye(4, dtype=np.float32)[end]
    impression = Impression({"risk": float(end == 2)}, vector)
    return Seen("how_to", "other", "a", 0.5, "clarify", found, (passage,), impression)


def test_judgement_is_learnt_also_where_an_outcome_is_too_rare_for_some_rounds() -> None:
    ends: list[dict[str, Any]] = [
        {"article": "a"},
        {"kind": Kind.BUG},
        {"needs_person": True},
        {"kind": Kind.SMALL_TALK},
    ]
    tickets = [ticket(**ends[place % 3 if place < 36 else 3]) for place in range(41)]
    looked = [seen(place) for place in range(41)]

    judging = learn_judging(tickets, looked, looked, {"a": "a"})

    assert judging is not None
    likely = {label: float(label == "article") for label in judging.outcomes.labels}
    unlikely = {label: float(label == "person") for label in judging.outcomes.labels}
    sure, unsure = (of_answer(looked[0].found, looked[0].passages, said) for said in (likely, unlikely))
    assert judging.answers(sure) > 0.7 > judging.answers(unsure)


def test_tickets_that_do_not_say_how_they_ended_teach_no_judgement() -> None:
    assert learn_judging([ticket()] * 41, [seen(0)] * 41, [seen(0)] * 41, {"a": "a"}) is None


def ability(name: str, gain: float, high: float | None = None) -> Ability:
    nothing = Measured(0.5, 0.4, 0.6, 50)
    return Ability(name, nothing, nothing, Measured(gain, gain - 0.1, gain + 0.1 if high is None else high, 50))


def test_each_part_is_used_for_its_own_gain() -> None:
    candidate, now = learnt(), LearnedModel("", trust=Trust(0.9, 0.0))
    gains = [ability("kind", 0.1), ability("category", -0.02), ability("right_article", 0.0)]

    used, parts = better_parts(candidate, now, [*gains, ability("answer_probability", 0.01), ability("decisions", 0.4)])

    assert parts == ["kind", "questions", "judging"]
    assert (used.kind, used.category) == (candidate.kind, None)
    assert (used.outcomes, used.questions) == (candidate.outcomes, candidate.questions)


@pytest.mark.parametrize(
    "worse",
    [
        ability("decisions", -0.1),
        ability("decisions", 0.0),
        ability("answer_probability", -0.2, high=-0.1),
        ability("right_article", -0.2, high=-0.1),
    ],
)
def test_a_judgement_that_is_worse_stays_away_with_all_that_it_was_learnt_beside(worse: Ability) -> None:
    now = LearnedModel("", trust=Trust(0.9, 0.0))
    gains = {
        gain.name: gain
        for gain in (
            ability("decisions", 0.4),
            ability("answer_probability", 0.1),
            ability("right_article", 0.1),
            worse,
        )
    }

    used, parts = better_parts(learnt(), now, [*gains.values(), ability("kind", 0.2)])

    assert parts == ["kind"]
    assert (used.outcomes, used.answers, used.questions, used.trust) == (None, None, None, now.trust)


def test_without_labelled_articles_the_decisions_alone_are_compared() -> None:
    assert better_parts(learnt(), None, [ability("decisions", 0.1)])[1] == ["questions", "judging"]


def test_nothing_better_is_nothing_used() -> None:
    assert better_parts(learnt(), None, [ability("kind", 0.0), ability("category", -0.1)])[1] == []
