"""How far two people who labelled the same tickets agree, beyond what chance would give."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evals.labels.file import HAND_FIELDS, Hand, HandLabels
from evals.statistics.measured import Measured, bootstrap, wilson


@dataclass(frozen=True, slots=True)
class Agreement:
    """Two labellers on one field. `kappa` is None where both always said one and the same thing: chance explains it."""

    field: str
    one: str
    other: str
    agreed: Measured
    kappa: Measured | None

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "field": self.field,
            "labellers": [self.one, self.other],
            "agreed": self.agreed.to_json(),
            "kappa": None if self.kappa is None else self.kappa.to_json(),
        }


def agreements(labels: HandLabels) -> list[Agreement]:
    """Every pair of labellers on every field that both spoke about."""
    return [
        found
        for one, other in combinations(labels.labellers, 2)
        for name in HAND_FIELDS
        if (found := _compare(name, (one, labels.by(one)), (other, labels.by(other)))) is not None
    ]


def cohen_kappa(one: NDArray[np.int64], other: NDArray[np.int64]) -> float:
    """Agreement beyond chance, at most 1; nan when chance alone would make it perfect.

    Source: Cohen, "A coefficient of agreement for nominal scales", Educ. Psychol. Meas. 20 (1960), 37-46.
    """
    classes = int(max(one.max(), other.max())) + 1
    shares = [np.bincount(said, minlength=classes) / len(said) for said in (one, other)]
    by_chance = float(shares[0] @ shares[1])
    return float("nan") if by_chance >= 1 else (float(np.mean(one == other)) - by_chance) / (1 - by_chance)


def kappa(one: Sequence[object], other: Sequence[object]) -> Measured | None:
    """Cohen's kappa with a bootstrap interval over the tickets; None where it isn't defined."""
    codes: dict[object, int] = {}
    coded = [np.array([codes.setdefault(value, len(codes)) for value in said]) for said in (one, other)]
    if np.isnan(cohen_kappa(coded[0], coded[1])):
        return None
    return bootstrap(len(one), lambda drawn: cohen_kappa(coded[0][drawn], coded[1][drawn]))


def _compare(name: str, one: tuple[str, Mapping[str, Hand]], other: tuple[str, Mapping[str, Hand]]) -> Agreement | None:
    pairs = [
        (_plain(getattr(one[1][ticket_id], name)), _plain(getattr(other[1][ticket_id], name)))
        for ticket_id in one[1]
        if ticket_id in other[1]
    ]
    pairs = [pair for pair in pairs if None not in pair]
    if not pairs:
        return None
    firsts, seconds = [first for first, _ in pairs], [second for _, second in pairs]
    same = sum(first == second for first, second in pairs)
    return Agreement(name, one[0], other[0], wilson(same, len(pairs)), kappa(firsts, seconds))


def _plain(value: object) -> object:
    return frozenset(value) if isinstance(value, tuple) else value
