"""Two runs of one agent that acts by chance are told apart, and fail a gate, as seldom as is promised."""

from collections import Counter

import pytest

from evals.compare.comparison import Comparison, compare
from evals.compare.gate import DROPPED, check_gate, exit_code
from evals.scoring.adversaries import Honest, NeverHandsOver
from tests.evals.compare.staged import GATE, mixed, redrawn, scores_of


@pytest.fixture(scope="module")
def comparisons() -> list[Comparison]:
    """A hundred times two runs."""
    # It keeps a person in some tickets, by chance: the two runs differ in many tickets, the agents in none.
    honest = scores_of(Honest(), 200)
    sometimes = mixed(honest, scores_of(NeverHandsOver(), 200), 0.5, 5)
    return [compare(*redrawn(honest, sometimes, seed)) for seed in range(100)]


def test_two_runs_of_one_agent_are_told_apart_five_times_in_a_hundred_at_most(comparisons: list[Comparison]) -> None:
    verdicts = Counter(found.verdict for found in comparisons)

    assert verdicts["cannot_tell"] >= 95


def test_two_runs_of_one_agent_hardly_ever_fail(comparisons: list[Comparison]) -> None:
    codes = [exit_code(check_gate(found, GATE)) for found in comparisons]

    assert codes.count(DROPPED) <= 5
