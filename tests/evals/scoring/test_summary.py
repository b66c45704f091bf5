"""The numbers of a whole run."""

import math
import random
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.policy import CategoryPolicy, Costs, Policy
from agent.types import Kind
from evals.labels.label import Label
from evals.replay.case import Case, Timing
from evals.scoring.categories import standardise
from evals.scoring.measures import ABSENT, BY_NAME, HEADLINES, MEASURES, UNKNOWN, prefers
from evals.scoring.metrics import measure_rate
from evals.scoring.summary import Summary, summarise
from tests.evals.scoring.making import (
    POLICY,
    answer,
    bug,
    case,
    filed,
    for_person,
    handoff,
    how_to,
    question,
    turn,
)


def some_run(tickets: int, seed: int, *, runs: int = 1, customers: int = 10_000) -> tuple[list[Case], dict[str, Label]]:
    """Cases of all sorts, drawn at random."""
    draw = random.Random(seed)  # noqa: S311  # Not for secrets.
    cases, labels = [], {}
    for number in range(tickets):
        ticket_id = f"T-{number}"
        labels[ticket_id] = draw.choice(
            [
                how_to(ticket_id),
                how_to(ticket_id, articles=None),
                how_to(ticket_id, articles=(), returned=None),
                for_person(ticket_id),
                bug(ticket_id, f"bug-{number % 3}"),
                how_to(ticket_id, kind=Kind.SMALL_TALK, articles=(), category="other"),
                how_to(ticket_id, needs_person=None, category="legal"),
            ]
        )
        for run in range(1, runs + 1):
            handed, filing = handoff(draw.choice([1, 2])), filed(f"B-{draw.randrange(4)}")
            choices: list[list[Any] | None] = [
                [answer(evidence=0.9)],
                [answer("other", evidence=0.4)],
                [question(evidence=0.3)],
                [question(evidence=0.3), answer(number=2)],
                [turn()],
                [handed],
                [filing],
                None,
            ]
            made = draw.choice(choices)
            effects = tuple(part[1] for part in made or [] if isinstance(part, tuple))
            turns = tuple(part[0] if isinstance(part, tuple) else part for part in made or [])
            cases.append(
                case(
                    *turns,
                    ticket_id=ticket_id,
                    run=run,
                    effects=effects,
                    customer_key=f"c{draw.randrange(customers)}",
                    ending="failed" if made is None else "handed_off" if handed in made else "end",
                )
            )
    return cases, labels


def test_an_empty_run_has_no_value_anywhere() -> None:
    found = summarise([], {}, [], POLICY)

    assert {metric.value for metric in found.metrics.values()} == {None}
    assert {metric.n for metric in found.metrics.values()} == {0}
    assert found.counts.cases == 0
    assert (found.categories, found.mistakes, found.gaps, found.repeated) == ((), (), (), ())
    assert orjson.dumps(found.to_json())


def test_unscored_failed_and_leaked_are_counted_beside_and_bound_the_rate() -> None:
    labels = {str(n): how_to(str(n)) for n in range(8)} | {"3": how_to("3", articles=None)}
    cases = [
        case(answer(), ticket_id="0"),
        case(answer(), ticket_id="1"),
        case(answer("other"), ticket_id="2"),
        case(answer(), ticket_id="3"),
        case(ending="failed", ticket_id="4"),
        case(ending="leaked", ticket_id="5"),
        case(turn(), ticket_id="thanks"),
    ]
    labels["thanks"] = Label("thanks", kind=Kind.SMALL_TALK)

    found = summarise(cases, labels, [], POLICY)

    contained, wrong = found.metrics["containment"], found.metrics["wrong_containment"]
    assert (contained.value, contained.n, contained.unscored, contained.failed) == (2 / 3, 3, 1, 1)
    assert (contained.worst, contained.best) == (2 / 5, 3 / 4)
    assert (wrong.value, wrong.worst, wrong.best) == (1 / 3, 3 / 5, 1 / 4)
    assert contained.unscored_share == 0.25
    assert (found.counts.with_request, found.counts.courtesies, found.counts.failed, found.counts.leaked) == (
        4,
        1,
        1,
        1,
    )


def test_everything_unscored_gives_no_value_but_bounds() -> None:
    found = summarise([case(answer())], {}, [], POLICY).metrics["containment"]

    assert (found.value, found.low, found.high, found.n, found.unscored) == (None, None, None, 0, 1)
    assert (found.worst, found.best) == (0.0, 1.0)


def recomputed(cases: list[Case], labels: dict[str, Label], policy: Policy) -> dict[str, tuple[float, int]]:
    """The main figures once more, by other means: one plain pass over the raw log, in plain words."""
    sums: dict[str, list[float]] = {
        name: [] for name in ("containment", "wrong", "recall", "precision", "quiet", "cost")
    }
    for raw in (made.model_dump() for made in cases):
        label = labels[raw["ticket_id"]]
        if raw["ending"] in ("failed", "leaked"):
            continue
        called = [effect for effect in raw["effects"] if effect["kind"] == "handoff"]
        bugs = [effect for effect in raw["effects"] if effect["kind"] == "bug"]
        reserved = {known.category_id for known in policy.categories if known.needs_person}
        needed = True if label.needs_person is None and label.category in reserved else label.needs_person
        assert needed is not None
        if label.kind is Kind.SMALL_TALK and not label.articles and not needed:
            sums["cost"].append(3.0 * bool(called) + 4.0 * bool(bugs))
            continue
        sums["quiet"].append(not called)
        if needed:
            sums["recall"].append(bool(called))
        if called:
            sums["precision"].append(needed)
        answers = [t for t in raw["turns"] if t["outcome"] == "answered" and t["claims"]]
        empty = [t for t in raw["turns"] if t["outcome"] == "answered" and not t["claims"]]
        asked = [t for t in raw["turns"] if t["outcome"] == "asked"]
        cited = {c["article_id"] for t in answers for c in t["citations"]}
        right = None if answers and label.articles is None else bool(cited & set(label.articles or ()))
        unknown = bool(answers) and right is None and not called and not needed
        good_answer = (
            bool(answers)
            and bool(right)
            and not called
            and not needed
            and not (bugs and not label.is_bug)
            and raw["turns"][-1]["outcome"] != "asked"
        )
        good_bug = bool(bugs) and bool(label.is_bug) and not called and not needed
        told_wrong = (
            (bool(answers) and right is False) or (bool(empty) and not answers) or (bool(bugs) and not label.is_bug)
        )
        if not unknown:
            sums["containment"].append(good_answer or good_bug)
            claimed = bool(answers or empty or bugs)
            sums["wrong"].append(not called and claimed and not (good_answer or good_bug) and (told_wrong or needed))
        if bool(answers) and right is None:
            continue
        price = 1.5 * len(asked)
        if told_wrong:
            price += 4.0 if bugs and not (answers or empty) else 10.0
        price += 12.0 * (needed and not called) + 3.0 * (not needed and bool(called))
        if not called and not needed and not told_wrong and not (good_answer or good_bug):
            price += 3.0
        sums["cost"].append(price)
    return {name: (float(np.mean(values)), len(values)) for name, values in sums.items()}


@pytest.mark.parametrize("seed", range(5))
def test_the_figures_agree_with_a_recomputation_from_the_raw_log(seed: int) -> None:
    cases, labels = some_run(400, seed)

    found = summarise(cases, labels, [], POLICY).metrics
    again = recomputed(cases, labels, POLICY)

    for name, other in {
        "containment": "containment",
        "wrong_containment": "wrong",
        "escalation_recall": "recall",
        "escalation_precision": "precision",
        "went_quiet": "quiet",
        "expected_cost": "cost",
    }.items():
        value, n = again[other]
        assert found[name].n == n, name
        assert found[name].value == pytest.approx(value, abs=1e-6), name


def test_where_no_person_came_each_case_ended_in_one_way() -> None:
    cases, labels = some_run(300, 9)
    found = summarise(cases, labels, [], POLICY).metrics
    ways = ("containment", "wrong_containment", "open_question", "silent_end")

    scored = summarise([c for c in cases if labels[c.ticket_id].articles is not None], labels, [], POLICY).metrics
    assert sum(scored[name].value or 0 for name in ways) == pytest.approx(scored["went_quiet"].value)
    assert found["silent_end"].unscored > 0


def test_the_two_by_two_and_its_correlation() -> None:
    cases, labels = some_run(500, 3)
    found = summarise(cases, labels, [], POLICY)
    table = found.escalation

    a, b = table.needed_and_handed, table.not_needed_and_handed
    c, d = table.needed_and_kept, table.not_needed_and_kept
    mcc = (a * d - b * c) / math.sqrt((a + b) * (a + c) * (d + b) * (d + c))

    assert found.metrics["escalation_mcc"].value == pytest.approx(mcc)
    assert found.metrics["escalation_accuracy"].value == pytest.approx((a + d) / (a + b + c + d))
    assert sum(row.cases for row in found.reasons) == a + b + c + d
    assert sum(row.cases for row in found.reasons if row.needed and not row.handed) == c


def test_reading_is_streamed_and_the_order_of_tickets_changes_no_rate() -> None:
    cases, labels = some_run(200, 5)
    timings = [Timing(ticket_id=made.ticket_id, first_words_s=(0.5,), turn_s=(1.0,)) for made in cases]

    one = summarise(iter(cases), labels, iter(timings), POLICY)
    two = summarise(reversed(cases), labels, timings, POLICY)

    order_free = [measure.name for measure in MEASURES if measure.name not in ("duplicate_found", "merged_wrongly")]
    assert {name: one.metrics[name].value for name in order_free} == pytest.approx(
        {name: two.metrics[name].value for name in order_free}, nan_ok=True
    )
    assert one.metrics["response_seconds"].value is not None


def test_the_same_run_gives_the_same_bytes() -> None:
    cases, labels = some_run(150, 6)

    once, again = (orjson.dumps(summarise(cases, labels, [], POLICY).to_json()) for _ in range(2))

    assert once == again


def test_the_worst_mistakes_and_the_largest_gaps_come_first() -> None:
    labels = {str(n): how_to(str(n)) for n in range(60)} | {"p": for_person("p")}
    cases = [case(answer("other"), ticket_id=str(n)) for n in range(30)]
    cases += [case(answer("other", found=()), ticket_id=str(n)) for n in range(30, 40)]
    cases += [case(answer("other"), ticket_id="p")]
    labels |= {"w": how_to("w", articles=())}
    cases += [case(question(), ticket_id="w")]

    found = summarise(cases, labels, [], POLICY)

    assert len(found.mistakes) == 20
    assert found.mistakes[0].ticket_id == "p"
    assert found.mistakes[0].parts == ("wrong_answer", "missed_handoff")
    assert [mistake.ticket_id for mistake in found.mistakes[1:3]] == ["0", "1"]
    assert [(gap.kind, gap.about, gap.tickets) for gap in found.gaps] == [
        ("not_retrieved", "reset", 40),
        ("missing", "login", 1),
    ]


def targets(hits: int, of: int, *, others: int = 0) -> Summary:
    """A run in which the category with a range of 0.5 to 0.9 contained `hits` of `of`."""
    labels = {str(n): how_to(str(n)) for n in range(of)} | {
        f"o{n}": how_to(f"o{n}", category="bug") for n in range(others)
    }
    cases = [case(answer() if n < hits else answer("other"), ticket_id=str(n)) for n in range(of)]
    cases += [case(answer(), ticket_id=f"o{n}") for n in range(others)]
    return summarise(cases, labels, [], POLICY)


@pytest.mark.parametrize(
    ("hits", "of", "light", "side"),
    [
        (70, 100, "green", None),
        (20, 100, "red", "below"),
        (100, 100, "red", "above"),
        (4, 10, "amber", "below"),
        (10, 10, "amber", "above"),
    ],
)
def test_a_category_is_compared_with_its_range(hits: int, of: int, light: str, side: str | None) -> None:
    category = targets(hits, of).categories[0]

    assert (category.light, category.side) == (light, side)


def test_a_category_without_range_or_scores_has_no_light_and_a_bad_one_stands_out() -> None:
    found = {category.category: category for category in targets(50, 100, others=200).categories}

    assert found["bug"].light == "unknown"
    assert found["login"].worse_than_rest
    assert not found["bug"].worse_than_rest


def test_a_shift_of_the_mix_does_not_move_the_standardised_rate() -> None:
    mix = {"login": 0.5, "bug": 0.5}
    few, many = targets(50, 100, others=100), targets(50, 100, others=900)

    one, two = standardise(few.categories, mix), standardise(many.categories, mix)

    assert one is not None
    assert two is not None
    assert one.value == two.value == 0.75
    assert few.metrics["containment"].value != many.metrics["containment"].value
    assert standardise(few.categories, {"unheard": 1.0}) is None


def test_categories_may_have_their_own_costs() -> None:
    policy = Policy(categories=(CategoryPolicy("login", "Sign-in", costs=Costs(wrong_answer=100.0)),))

    found = summarise([case(answer("other"))], {"T-1": how_to()}, [], policy)

    assert found.metrics["expected_cost"].value == 100


def test_repeats_give_the_chance_that_all_tries_hold() -> None:
    labels = {"a": how_to("a"), "b": how_to("b")}
    cases = [case(answer(), ticket_id="a", run=run) for run in (1, 2, 3)]
    cases += [case(answer() if run == 1 else answer("other"), ticket_id="b", run=run) for run in (1, 2, 3)]

    found = summarise(cases, labels, [], POLICY)

    assert found.metrics["containment"].value == pytest.approx(4 / 6)
    assert [(each.k, each.metric.value) for each in found.repeated] == [(2, 0.5), (3, 0.5)]


def test_the_curve_has_the_operating_point() -> None:
    cases, labels = some_run(300, 8)
    curve = summarise(cases, labels, [], POLICY).curve

    assert curve.points[0].coverage == 1.0
    assert [point.coverage for point in curve.points] == sorted((p.coverage for p in curve.points), reverse=True)
    assert curve.coverage is not None
    assert 0 < curve.coverage < 1
    assert curve.n + curve.unscored <= 300


values = st.lists(st.sampled_from([0.0, 1.0, UNKNOWN, ABSENT]), max_size=40)


@given(values, st.integers(1, 5), st.integers(0, 4))
@settings(max_examples=60)
def test_bounds_hold_the_value_and_n_adds_up(drawn: list[float], customers: int, failed: int) -> None:
    for measure in (BY_NAME["containment"], BY_NAME["wrong_containment"]):
        keys = np.arange(len(drawn)) % customers
        found = measure_rate(measure, np.array(drawn), keys, failed=failed)

        assert found.n + found.unscored + drawn.count(ABSENT) == len(drawn)
        if found.value is None:
            assert found.n == 0
            continue
        assert found.low is not None
        assert found.high is not None
        assert found.worst is not None
        assert found.best is not None
        assert 0 <= found.low <= found.value <= found.high <= 1
        span = sorted((found.worst, found.best))
        assert span[0] - 1e-12 <= found.value <= span[1] + 1e-12


def test_a_gain_with_a_loss_beside_it_is_no_gain() -> None:
    headline = next(headline for headline in HEADLINES if headline.name == "containment")
    before = {"containment": 0.5, "wrong_containment": 0.03, "escalation_recall": 0.95}

    assert prefers(headline, before | {"containment": 0.6}, before)
    assert not prefers(headline, before | {"containment": 0.6, "wrong_containment": 0.04}, before)
    assert not prefers(headline, before | {"containment": 0.6, "escalation_recall": 0.9}, before)
    assert not prefers(headline, before | {"containment": 0.6, "escalation_recall": None}, before)
    assert not prefers(headline, before, before)
    assert not prefers(headline, before | {"containment": None}, before)


def test_every_measure_s_partners_exist() -> None:
    names = {measure.name for measure in MEASURES}

    assert len(names) == len(MEASURES)
    assert all(names.issuperset(measure.partners) for measure in MEASURES)
    assert all(headline.better in ("more", "less") for headline in HEADLINES)
