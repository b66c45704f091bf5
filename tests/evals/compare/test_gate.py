"""The gate: a drop fails, too few never pass."""

from pathlib import Path

import pytest

from agent.errors import Misconfigured
from evals.compare.comparison import compare
from evals.compare.gate import DROPPED, PASSED, TOO_FEW, Check, Gate, check_gate, exit_code, read_gate
from evals.scoring.adversaries import AlwaysHandsOver, Honest, NeverHandsOver
from tests.evals.compare.staged import GATE, scores_of


def code(before: Honest | NeverHandsOver, after: object, tickets: int, gate: Gate = GATE) -> int:
    """The exit code for two agents."""
    runs = scores_of(before, tickets), scores_of(after, tickets)  # type: ignore[arg-type]  # Agents all.
    return exit_code(check_gate(compare(*runs), gate))


def test_enough_tickets_without_a_change_pass() -> None:
    assert code(Honest(), Honest(), 600) == PASSED


@pytest.mark.parametrize("tickets", [12, 60])
def test_the_same_run_over_too_few_tickets_does_not_pass(tickets: int) -> None:
    assert code(Honest(), Honest(), tickets) == TOO_FEW


def test_few_tickets_that_never_differed_do_not_pass_even_without_a_minimum() -> None:
    gate = Gate(checks=(Check(metric="containment", margin=0.03),), min_n=1)

    assert code(Honest(), Honest(), 20, gate) == TOO_FEW


def test_a_drop_fails_in_either_direction_of_better() -> None:
    checked = check_gate(compare(scores_of(Honest(), 600), scores_of(AlwaysHandsOver(), 600)), GATE)
    results = {each.metric: each.result for each in checked}

    assert results == {"containment": "dropped", "wrong_containment": "passed", "escalation_recall": "passed"}
    assert exit_code(checked) == DROPPED
    assert code(Honest(), NeverHandsOver(), 600) == DROPPED


def test_a_gain_in_containment_does_not_pay_for_missed_people() -> None:
    checked = check_gate(compare(scores_of(Honest(), 600), scores_of(NeverHandsOver(), 600)), GATE)
    results = {each.metric: each.result for each in checked}

    assert (results["containment"], results["escalation_recall"]) == ("passed", "dropped")


def test_a_metric_that_nobody_has_scored_does_not_pass() -> None:
    gate = Gate(checks=(Check(metric="response_seconds", margin=1.0),))

    assert code(Honest(), Honest(), 600, gate) == TOO_FEW


def test_leaving_the_hard_ones_unscored_does_not_pass() -> None:
    honest = scores_of(Honest(), 600)
    hidden = [
        type(s)(**{n: getattr(s, n) for n in s.__slots__} | {"mistake_cost": None})
        if s.mistake_cost and s.mistake_cost.value
        else s
        for s in honest
    ]
    gate = Gate(checks=(Check(metric="expected_cost", margin=0.5),))

    assert exit_code(check_gate(compare(honest, hidden), gate)) == TOO_FEW


def test_a_gate_s_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text("min_n: 200\nchecks:\n  - {metric: containment, margin: 0.03}\n")

    assert read_gate(path) == Gate(min_n=200, checks=(Check(metric="containment", margin=0.03),))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("checks: []", "at least 1"),
        ("checks: [{metric: containment, margin: 0}]", "greater than 0"),
        ("checks: [{metric: containment, margin: .nan}]", "checks.0.margin"),
        ("checks: [{metric: went_quiet, margin: 0.1}]", "no such metric to gate on: 'went_quiet'"),
        ("checks: [{metric: nonsense, margin: 0.1}]", "'nonsense'"),
        ("checks: [{metric: containment, margin: 0.1, extra: 1}]", "Extra inputs"),
        ("checks: [", "can't be read as a gate"),
        ("- 1", "dictionary"),
    ],
)
def test_a_wrong_gate_is_refused_with_its_place(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(text)

    with pytest.raises(Misconfigured, match=message):
        read_gate(path)
    with pytest.raises(Misconfigured, match="can't be read"):
        read_gate(tmp_path / "none.yaml")
