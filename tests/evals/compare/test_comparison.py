"""What changed between two runs, and what can't be told."""

from dataclasses import replace

import numpy as np
import pytest

from agent.errors import BadTurn
from evals.compare.comparison import compare
from evals.scoring.adversaries import AlwaysAnswers, AlwaysHandsOver, Honest, NeverHandsOver
from evals.scoring.score import CaseScore
from evals.statistics.paired import mcnemar
from tests.evals.compare.staged import scores_of


@pytest.fixture(scope="module")
def honest() -> list[CaseScore]:
    """The honest agent's scores."""
    return scores_of(Honest(), 500)


@pytest.fixture(scope="module")
def keeper() -> list[CaseScore]:
    """Those of an agent that never hands over."""
    return scores_of(NeverHandsOver(), 500)


def test_a_run_and_itself_can_t_be_told_apart(honest: list[CaseScore]) -> None:
    found = compare(honest, honest)

    assert found.verdict == "cannot_tell"
    assert {change.difference.value for change in found.changes} == {0.0}
    assert (found.better, found.worse, found.newly_missed) == ((), (), ())


def test_keeping_people_is_a_gain_that_is_bought_and_worse_all_in_all(
    honest: list[CaseScore], keeper: list[CaseScore]
) -> None:
    found = compare(honest, keeper)
    containment, recall = found.change("containment"), found.change("escalation_recall")

    assert containment is not None
    assert recall is not None
    assert containment.difference.value > 0
    assert containment.verdict == "bought"
    assert "escalation_recall" in containment.price
    assert recall.verdict == "worse"
    assert found.verdict == "worse"
    assert set(found.newly_missed) <= {ticket.ticket_id for ticket in found.worse}


def test_the_other_way_round_it_is_better(honest: list[CaseScore], keeper: list[CaseScore]) -> None:
    there, back = compare(honest, keeper), compare(keeper, honest)

    assert back.verdict in ("better", "mixed")
    assert back.newly_missed == there.no_longer_missed
    assert {t.ticket_id for t in back.better} == {t.ticket_id for t in there.worse}
    for change in there.changes:
        other = back.change(change.name)
        assert other is not None
        assert other.difference.value == pytest.approx(-change.difference.value)
        assert (other.gained, other.lost) == (change.lost, change.gained)


def test_discordant_pairs_are_counted_and_mcnemar_is_of_them(honest: list[CaseScore]) -> None:
    others = scores_of(AlwaysAnswers(), 500)
    change = compare(honest, others).change("containment")
    pairs = [
        (a.contained.verified, b.contained.verified)
        for a, b in zip(honest, others, strict=True)
        if a.contained and b.contained and None not in (a.contained.verified, b.contained.verified)
    ]

    assert change is not None
    assert change.gained == pairs.count((False, True))
    assert change.lost == pairs.count((True, False))
    assert change.mcnemar == pytest.approx(mcnemar(change.gained, change.lost))
    assert change.difference.value == pytest.approx((change.gained - change.lost) / len(pairs))
    assert change.difference.n == len(pairs)


def test_the_ticket_list_says_what_became_of_each(honest: list[CaseScore]) -> None:
    found = compare(honest, scores_of(AlwaysHandsOver(), 500))

    assert [ticket.cost for ticket in found.worse] == sorted((t.cost for t in found.worse), reverse=True)
    assert {(t.before, t.after) for t in found.worse} >= {("contained", "handed over without need")}
    assert all(ticket.cost < 0 for ticket in found.better)


def test_a_metric_over_each_run_s_own_cases_is_compared_as_such(honest: list[CaseScore]) -> None:
    # All are handed over: precision has other cases below the line than before.
    change = compare(honest, scores_of(AlwaysHandsOver(), 500)).change("escalation_precision")
    handed = [bool(s.handed.needs_person) for s in honest if s.handed and s.handed.handed_over]
    needed = [bool(s.handed.needs_person) for s in honest if s.handed]

    assert change is not None
    assert change.before == pytest.approx(np.mean(handed))
    assert change.after == pytest.approx(np.mean(needed))
    assert change.mcnemar is None
    assert change.difference.low <= change.difference.value <= change.difference.high


def test_broken_and_unscored_tickets_are_left_out_and_counted(honest: list[CaseScore]) -> None:
    broken = [replace(honest[0], status="failed", contained=None, handed=None, mistake_cost=None), *honest[1:]]
    place = next(n for n, s in enumerate(honest) if s.contained and s.contained.verified)
    contained = honest[place].contained
    assert contained is not None
    unscored = [*honest]
    unscored[place] = replace(honest[place], contained=replace(contained, verified=None))

    assert compare(honest, broken).left_out == 1
    change = compare(honest, unscored).change("containment")
    assert change is not None
    assert change.one_sided == 1
    assert change.difference.value == 0


def test_other_tickets_are_refused_unless_enough_are_shared(honest: list[CaseScore]) -> None:
    most, few = honest[:480], honest[:300]

    assert compare(honest, most, same_file=False).only_before == 20
    assert compare(honest, few, same_file=True).tickets == 300
    with pytest.raises(BadTurn, match="300 of 500"):
        compare(honest, few, same_file=False)
    with pytest.raises(BadTurn, match="different tickets"):
        compare(honest[:100], honest[100:])
    with pytest.raises(BadTurn, match="different tickets"):
        compare([], honest)


def test_other_labels_are_refused(honest: list[CaseScore]) -> None:
    relabelled = [replace(honest[0], label="other"), *honest[1:]]

    with pytest.raises(BadTurn, match="1 tickets have other labels"):
        compare(honest, relabelled)


def test_repetitions_of_a_ticket_are_one_pair(honest: list[CaseScore], keeper: list[CaseScore]) -> None:
    def twice(one: list[CaseScore], other: list[CaseScore]) -> list[CaseScore]:
        return [*one, *(replace(score, run=2) for score in other)]

    change = compare(twice(honest, honest), twice(honest, keeper)).change("containment")
    whole = compare(honest, keeper).change("containment")

    assert change is not None
    assert whole is not None
    assert change.difference.n == whole.difference.n
    assert change.difference.value == pytest.approx(whole.difference.value / 2)
    assert change.mcnemar is None
