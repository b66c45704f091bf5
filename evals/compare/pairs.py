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
    numbers: "array[float]" = field(default_factory=lambda: array("d"))

    def column(self, name: str, places: Floats) -> Column:
        """One measure of the tickets at these places."""
        first = _FIRST[name]
        return Column(*(self._numbers(first + part, places) for part in range(_PARTS)))

    def number(self, name: str, places: Floats) -> Floats:
        """One of the numbers behind shares."""
        return self._numbers(_FIRST[name], places)

    def _numbers(self, place: int, places: Floats) -> Floats:
        column: Floats = np.asarray(self.numbers, dtype=np.float64).reshape(-1, _WIDTH)[:, place]
        return column[places.astype(np.int64)]


_EXTRA_NAMES = sorted({name for pair in SHARES.values() for name in pair})
# A ticket's numbers stand in a row: a measure's sum, scored and unscored, then those behind shares.
_PARTS = 3
_FIRST = {measure.name: _PARTS * place for place, measure in enumerate(MEASURES)}
_MEASURED = tuple((_FIRST[measure.name], measure.of) for measure in MEASURES)
_COUNTED = tuple((_PARTS * len(MEASURES) + place, EXTRA[name]) for place, name in enumerate(_EXTRA_NAMES))
_FIRST |= {name: place for name, (place, _) in zip(_EXTRA_NAMES, _COUNTED, strict=True)}
_WIDTH = _PARTS * len(MEASURES) + len(_EXTRA_NAMES)
_NOTHING = array("d", [0.0] * _WIDTH)


def read_side(scores: Iterable[CaseScore]) -> Side:
    """Take in a run's scores. A ticket that broke down or leaked in one repetition isn't usable."""
    side = Side()
    numbers = side.numbers
    for score in scores:
        place = side.places.get(score.ticket_id)
        if place is None:
            place = side.places[score.ticket_id] = len(side.places)
            side.customers.append(score.customer)
            side.labels.append(score.label)
            side.outcomes.append(outcome_of(score))
            side.usable.append(True)
            side.tries.append(0)
            numbers.extend(_NOTHING)
        side.tries[place] += 1
        if score.status != "scored":
            side.usable[place] = False
            continue
        row = place * _WIDTH
        for first, of in _MEASURED:
            value = of(score)
            if value == ABSENT:
                continue
            at = row + first
            if math.isnan(value):
                numbers[at + 2] += 1
                continue
            numbers[at] += value
            numbers[at + 1] += 1
        for column, of in _COUNTED:
            numbers[row + column] += of(score)
    return side


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
