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

# A ticket's numbers lie side by side: three of each measure (sum, scored, unscored), then those behind shares.
_PLACES = {measure.name: 3 * place for place, measure in enumerate(MEASURES)}
_EXTRAS = {
    name: 3 * len(MEASURES) + place for place, name in enumerate(sorted({n for pair in SHARES.values() for n in pair}))
}
_WIDTH = 3 * len(MEASURES) + len(_EXTRAS)
_NOTHING = array("d", bytes(8 * _WIDTH))


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
        first = _PLACES[name]
        sums, scored, unscored = (self._of(place, places) for place in range(first, first + 3))
        return Column(sums, scored, unscored)

    def number(self, name: str, places: Floats) -> Floats:
        """One of the numbers behind shares."""
        return self._of(_EXTRAS[name], places)

    def _of(self, number: int, places: Floats) -> Floats:
        table = np.asarray(self.numbers, dtype=np.float64).reshape(-1, _WIDTH)
        return np.asarray(table[places.astype(np.int64), number])


def read_side(scores: Iterable[CaseScore]) -> Side:
    """Take in a run's scores. A ticket that broke down or leaked in one repetition isn't usable."""
    side = Side()
    for score in scores:
        place = side.places.get(score.ticket_id)
        if place is None:
            place = side.places[score.ticket_id] = len(side.places)
            side.customers.append(score.customer)
            side.labels.append(score.label)
            side.outcomes.append(outcome_of(score))
            side.usable.append(True)
            side.tries.append(0)
            side.numbers.extend(_NOTHING)
        side.tries[place] += 1
        if score.status != "scored":
            side.usable[place] = False
            continue
        row = place * _WIDTH
        for at, measure in enumerate(MEASURES):
            _add(side.numbers, row + 3 * at, measure.of(score))
        for name, at in _EXTRAS.items():
            side.numbers[row + at] += EXTRA[name](score)
    return side


def _add(numbers: "array[float]", first: int, value: float) -> None:
    if value == ABSENT:
        return
    if math.isnan(value):
        numbers[first + 2] += 1
        return
    numbers[first] += value
    numbers[first + 1] += 1


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
