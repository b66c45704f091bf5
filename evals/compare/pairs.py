"""Two runs, ticket by ticket."""

import math
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from evals.scoring.measures import ABSENT, MEASURES
from evals.scoring.metrics import EXTRA
from evals.scoring.score import CaseScore
from evals.statistics.clustered import Floats

SHARES = {
    "groundedness": ("supported", "judged"),
    "citation_precision": ("cited_known", "cited"),
    "dangling_citations": ("dangling", "claims"),
}
"""Shares of smaller things than cases, of what and among what."""


@dataclass(frozen=True, slots=True)
class Column:
    """One measure of one run, ticket by ticket: the sum of its values, how many are scored, how many unscored."""

    sums: Floats
    scored: Floats
    unscored: Floats


@dataclass
class Side:
    """One run: a few numbers of each ticket, repetitions added up."""

    places: dict[str, int] = field(default_factory=dict)
    customers: list[str] = field(default_factory=list)
    labels: list[str] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    usable: list[bool] = field(default_factory=list)
    tries: "array[int]" = field(default_factory=lambda: array("q"))
    numbers: dict[str, "array[float]"] = field(default_factory=dict)

    def column(self, name: str, places: Floats) -> Column:
        """One measure of the tickets at these places."""
        at = places.astype(np.int64)
        sums, scored, unscored = (
            np.asarray(self.numbers[f"{name}.{part}"], dtype=np.float64)[at] for part in ("sum", "scored", "unscored")
        )
        return Column(sums, scored, unscored)

    def number(self, name: str, places: Floats) -> Floats:
        """One of the numbers behind shares."""
        return np.asarray(self.numbers[name], dtype=np.float64)[places.astype(np.int64)]


_EXTRA_NAMES = sorted({name for pair in SHARES.values() for name in pair})


def read_side(scores: Iterable[CaseScore]) -> Side:
    """Take in a run's scores. A ticket that broke down or leaked in one repetition isn't usable."""
    side = Side()
    for measure in MEASURES:
        for part in ("sum", "scored", "unscored"):
            side.numbers[f"{measure.name}.{part}"] = array("d")
    for name in _EXTRA_NAMES:
        side.numbers[name] = array("d")
    for score in scores:
        place = side.places.get(score.ticket_id)
        if place is None:
            place = side.places[score.ticket_id] = len(side.places)
            side.customers.append(score.customer)
            side.labels.append(score.label)
            side.outcomes.append(outcome_of(score))
            side.usable.append(True)
            side.tries.append(0)
            for numbers in side.numbers.values():
                numbers.append(0.0)
        side.tries[place] += 1
        if score.status != "scored":
            side.usable[place] = False
            continue
        for measure in MEASURES:
            _add(side, measure.name, place, measure.of(score))
        for name in _EXTRA_NAMES:
            side.numbers[name][place] += EXTRA[name](score)
    return side


def _add(side: Side, name: str, place: int, value: float) -> None:
    if value == ABSENT:
        return
    if math.isnan(value):
        side.numbers[f"{name}.unscored"][place] += 1
        return
    side.numbers[f"{name}.sum"][place] += value
    side.numbers[f"{name}.scored"][place] += 1


def outcome_of(score: CaseScore) -> str:
    """What became of a case, in a word or two."""
    if score.status != "scored":
        return score.status
    contained, handed = score.contained, score.handed
    if contained is None or handed is None:
        return "courtesy" if score.substantive is False else "unscored"
    words = (
        ("contained", contained.verified),
        ("missed a person", handed.missed),
        ("wrong", contained.wrong),
        ("handed over without need", handed.needless),
        ("handed over", handed.handed_over),
        ("unscored", contained.verified is None),
        ("asked", score.questions > 0),
    )
    return next((word for word, holds in words if holds), "left open")
