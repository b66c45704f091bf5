"""How far labellers agree, against sklearn's kappa and against known cases."""

from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import cohen_kappa_score

from agent.types import Kind
from evals.labels.agreement import agreements, cohen_kappa, kappa
from evals.labels.file import Hand, HandLabels


@pytest.mark.parametrize("seed", range(20))
def test_kappa_is_sklearns(seed: int) -> None:
    random = np.random.default_rng(seed)
    one, other = random.integers(0, 4, 60), random.integers(0, 3, 60)
    other[:30] = one[:30]

    assert cohen_kappa(one, other) == pytest.approx(cohen_kappa_score(one, other))


def test_its_interval_holds_it_and_narrows_with_more_tickets() -> None:
    one, other = [True, False] * 20, [True, False] * 15 + [False, True] * 5
    few, many = kappa(one, other), kappa(one * 20, other * 20)

    assert few is not None
    assert many is not None
    assert few.value == pytest.approx(0.5)
    assert few.low < many.low < 0.5 < many.high < few.high


def test_where_both_always_say_one_thing_there_is_no_kappa() -> None:
    assert kappa(["bug"] * 10, ["bug"] * 10) is None


def test_only_what_both_said_is_compared(tmp_path: Path) -> None:
    labels = HandLabels.open(tmp_path / "labels")
    for number in range(10):
        labels.say(str(number), "ada", Hand(kind=Kind.BUG if number % 2 else Kind.HOW_TO, articles=("a", "b")))
    for number in range(4, 14):
        kind = Kind.BUG if number % 2 and number != 5 else Kind.HOW_TO
        labels.say(str(number), "ben", Hand(kind=kind, articles=("b", "a"), category="x"))

    found = {agreement.field: agreement for agreement in agreements(labels)}

    assert found.keys() == {"kind", "articles"}
    assert found["kind"].agreed.value == pytest.approx(5 / 6)
    assert found["kind"].agreed.n == 6
    assert found["kind"].kappa is not None
    assert found["articles"].agreed.value == 1
    assert found["articles"].kappa is None


def test_one_labeller_agrees_with_nobody(tmp_path: Path) -> None:
    labels = HandLabels.open(tmp_path / "labels")
    labels.say("1", "ada", Hand(kind=Kind.BUG))

    assert agreements(labels) == []
