"""How tickets like a message ended, and whether an article answers it: learnt from few tickets, and read back."""

from pathlib import Path

import numpy as np
import pytest

from tools.learned.logistic import Odds, learn_odds
from tools.learned.model import DamagedModel, LearnedModel, read, write
from tools.learned.outcomes import Outcomes, Taught, learn_outcomes, left_out

RANDOM = np.random.default_rng(1)
LABELS = ("article", "bug", "person")
# Each outcome has a direction of its own in meaning, and a signal of its own.
VECTORS = np.repeat(np.eye(3, 8, dtype=np.float32), 8, axis=0) + RANDOM.normal(0, 0.1, (24, 8)).astype(np.float32)
TAUGHT = Taught(
    tuple({"risk": float(place // 8 == 2), "broken": float(place // 8 == 1)} for place in range(24)),
    VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True),
    tuple(LABELS[place // 8] for place in range(24)),
)


def outcomes(taught: Taught = TAUGHT) -> Outcomes:
    learnt = learn_outcomes(taught)
    assert learnt is not None
    return learnt


def odds() -> Odds:
    rows = [{"promised": float(place), "long": 1.0} for place in range(20)]
    learnt = learn_odds(rows, [place >= 10 for place in range(20)])
    assert learnt is not None
    return learnt


@pytest.mark.parametrize("place", [0, 1, 2])
def test_a_message_near_tickets_of_an_outcome_most_likely_ends_like_them(place: int) -> None:
    found = outcomes()({"risk": float(place == 2), "broken": float(place == 1)}, np.eye(3, 8, dtype=np.float32)[place])

    assert max(found, key=lambda label: found[label]) == LABELS[place]
    assert sum(found.values()) == pytest.approx(1)


def test_two_outcomes_are_told_apart_like_three() -> None:
    found = outcomes(TAUGHT.take(range(16)))({"broken": 1.0, "risk": 0.0}, np.eye(3, 8, dtype=np.float32)[1])

    assert set(found) == {"article", "bug"}
    assert found["bug"] > 0.7


def test_a_signal_that_is_gone_counts_as_usual() -> None:
    usual = {"risk": 1 / 3, "broken": 1 / 3}

    assert outcomes()({}, VECTORS[0]) == pytest.approx(outcomes()(usual, VECTORS[0]))


@pytest.mark.parametrize("sizes", [(24, 0), (20, 4), (0, 0)])
def test_one_outcome_or_too_few_of_the_others_teach_nothing(sizes: tuple[int, int]) -> None:
    labels = ("article",) * sizes[0] + ("bug",) * sizes[1]
    taught = Taught(TAUGHT.signals[: len(labels)], TAUGHT.vectors[: len(labels)], labels)

    assert learn_outcomes(taught) is None
    assert all(said == {} for said in left_out(taught))


def test_words_alone_teach_as_well() -> None:
    without = Taught(TAUGHT.signals, np.zeros((24, 0), dtype=np.float32), TAUGHT.labels)

    found = outcomes(without)({"risk": 1.0, "broken": 0.0}, np.zeros(0, dtype=np.float32))

    assert max(found, key=lambda label: found[label]) == "person"


def test_what_is_said_of_a_ticket_was_learnt_from_others() -> None:
    odd = Taught(TAUGHT.signals, TAUGHT.vectors, ("person", *TAUGHT.labels[1:]))

    # It lies among articles: who had learnt from it would say "person" more often than who hadn't.
    assert left_out(odd)[0]["person"] < outcomes(odd)(odd.signals[0], odd.vectors[0])["person"]


def test_more_tickets_are_trusted_more() -> None:
    assert outcomes(TAUGHT.take(range(16))).trust < outcomes().trust < 1


def test_odds_rise_with_what_they_rose_with() -> None:
    assert odds()({"promised": 2.0, "long": 1.0}) < 0.5 < odds()({"promised": 18.0, "long": 1.0})
    assert odds()({}) == pytest.approx(odds()({"promised": 9.5, "long": 1.0}))


def test_what_was_always_so_teaches_no_odds() -> None:
    assert learn_odds([{"promised": 1.0}] * 20, [True] * 16 + [False] * 4) is None
    assert learn_odds([], []) is None


def test_both_come_back_as_they_were_written(tmp_path: Path) -> None:
    written = LearnedModel("", outcomes=outcomes(), answers=odds())

    back = read(tmp_path / write(written, tmp_path))

    assert back.outcomes is not None
    assert back.answers is not None
    signals = {"risk": 0.3, "broken": 0.6}
    assert back.outcomes(signals, VECTORS[5]) == outcomes()(signals, VECTORS[5])
    assert back.answers({"promised": 4.0, "long": 1.0}) == odds()({"promised": 4.0, "long": 1.0})


def test_arrays_that_do_not_fit_together_are_refused() -> None:
    arrays = outcomes().to_arrays()

    for name in ("weights", "means", "intercept", "targets"):
        with pytest.raises(ValueError, match="different lengths"):
            Outcomes.from_arrays({**arrays, name: arrays[name][1:]})
    with pytest.raises(ValueError, match="different lengths"):
        Odds.from_arrays({**odds().to_arrays(), "scales": np.ones(1)})


def test_a_changed_file_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / write(LearnedModel("", outcomes=outcomes()), tmp_path)
    (folder / "outcomes.npz").write_bytes(b"nothing")

    with pytest.raises(DamagedModel):
        read(folder)
