"""A measure over all cases: a value with what it is worth."""

import math
from array import array
from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from agent.wire import JsonObject
from evals.scoring.measures import ABSENT, MEASURES, UNKNOWN, Measure
from evals.scoring.score import CaseScore
from evals.statistics.clustered import Floats, clustered_mean, clustered_rate, clustered_ratio, group, resampled
from evals.statistics.measured import Measured

Keys = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Metric:
    """A value over `n` cases with its 95 % interval; None where no case is scored.

    `unscored` cases belong to it, but what they say isn't known; `failed` ones broke down (infrastructure) and are
    neither passed nor failed. `worst` and `best` are the value if all of both went wrong, and if all unscored went
    right; None where that is no share of cases.
    """

    name: str
    value: float | None
    low: float | None
    high: float | None
    n: int
    unscored: int = 0
    failed: int = 0
    worst: float | None = None
    best: float | None = None

    @property
    def unscored_share(self) -> float:
        """The share of its cases that are unscored."""
        return self.unscored / (self.n + self.unscored) if self.n + self.unscored else 0.0

    def measured(self) -> Measured | None:
        """The value with its interval alone."""
        if self.value is None or self.low is None or self.high is None:
            return None
        return Measured(self.value, self.low, self.high, self.n)

    def to_json(self) -> JsonObject:
        """As JSON, rounded to four places."""
        return {
            "name": self.name,
            "value": _rounded(self.value),
            "low": _rounded(self.low),
            "high": _rounded(self.high),
            "n": self.n,
            "unscored": self.unscored,
            "unscored_share": round(self.unscored_share, 4),
            "failed": self.failed,
            "worst": _rounded(self.worst),
            "best": _rounded(self.best),
        }


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def measure_rate(measure: Measure, values: Floats, keys: Keys, *, failed: int = 0) -> Metric:
    """Measure values of cases (with `UNKNOWN` and `ABSENT` among them) that belong together by `keys`."""
    inside = values != ABSENT
    unknown = inside & np.isnan(values)
    scored = inside & ~unknown
    counted, unscored = values[scored].astype(np.float64), int(unknown.sum())
    failed = failed if measure.for_all else 0
    worst = best = None
    if measure.form == "rate":
        worst, best = _bounds(measure, float(counted.sum()), len(counted), unscored, failed)
    if not len(counted):
        return Metric(measure.name, None, None, None, 0, unscored, failed, worst, best)
    of = clustered_rate if measure.form == "rate" else clustered_mean
    found = of(counted, keys[scored])
    return Metric(measure.name, found.value, found.low, found.high, found.n, unscored, failed, worst, best)


def _bounds(measure: Measure, hits: float, n: int, unscored: int, failed: int) -> tuple[float | None, float | None]:
    if n + unscored + failed == 0:
        return None, None
    if measure.better == "less":
        worst = (hits + unscored + failed) / (n + unscored + failed)
        best = hits / (n + unscored) if n + unscored else None
        return worst, best
    return hits / (n + unscored + failed), (hits + unscored) / (n + unscored) if n + unscored else None


def measure_share(name: str, above: Floats, below: Floats, keys: Keys, *, unscored: int = 0) -> Metric:
    """Measure a share of smaller things than cases (claims, citations); `n` counts these."""
    if below.sum() <= 0:
        return Metric(name, None, None, None, 0, unscored)
    found = clustered_ratio(above, below, keys)
    return Metric(name, found.value, found.low, found.high, found.n, unscored)


def matthews(handed: Floats, needed: Floats, keys: Keys) -> Metric:
    """Matthews' correlation of what was handed over with what needed it; nothing when one side never varies.

    Source: Matthews, Biochim. Biophys. Acta 405 (1975), 442-451.
    """
    known = np.isfinite(handed) & np.isfinite(needed)
    handed, needed, name = handed[known], needed[known], "escalation_mcc"
    unscored = int(np.isnan(needed).sum())
    if not len(handed):
        return Metric(name, None, None, None, 0, unscored)
    cells = np.column_stack(
        [handed * needed, handed * (1 - needed), (1 - handed) * needed, (1 - handed) * (1 - needed)]
    )
    value = float(_correlation(cells.sum(axis=0, keepdims=True), np.empty(0))[0])
    if math.isnan(value):
        return Metric(name, None, None, None, len(handed), unscored)
    found = resampled(group(cells, keys[known]), _correlation)
    low, high = np.nanpercentile(found, (2.5, 97.5))
    return Metric(name, value, min(float(low), value), max(float(high), value), len(handed), unscored)


def _correlation(cells: Floats, _: Floats) -> Floats:
    both, only_handed, only_needed, neither = cells.T
    product = (both + only_handed) * (both + only_needed) * (neither + only_handed) * (neither + only_needed)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.asarray(
            (both * neither - only_handed * only_needed) / np.sqrt(np.where(product > 0, product, np.nan))
        )


@dataclass
class Columns:
    """A few numbers per case, whatever was said in it: what metrics are made of."""

    values: dict[str, "array[float]"] = field(
        default_factory=lambda: {measure.name: array("f") for measure in MEASURES}
    )
    extra: dict[str, "array[float]"] = field(default_factory=lambda: {name: array("f") for name in EXTRA})
    keys: "array[int]" = field(default_factory=lambda: array("q"))
    categories: "array[int]" = field(default_factory=lambda: array("q"))
    tickets: "array[int]" = field(default_factory=lambda: array("q"))
    _customers: dict[str, int] = field(default_factory=dict)
    category_ids: dict[str | None, int] = field(default_factory=dict)
    ticket_ids: dict[str, int] = field(default_factory=dict)

    def add(self, score: CaseScore) -> None:
        """Take in the numbers of one scored case."""
        for measure in MEASURES:
            self.values[measure.name].append(measure.of(score))
        for name, of in EXTRA.items():
            self.extra[name].append(of(score))
        self.keys.append(self._customers.setdefault(score.customer, len(self._customers)))
        self.categories.append(self.category_ids.setdefault(score.category, len(self.category_ids)))
        self.tickets.append(self.ticket_ids.setdefault(score.ticket_id, len(self.ticket_ids)))

    def __len__(self) -> int:
        return len(self.keys)

    def column(self, name: str) -> Floats:
        """One measure's values, with `UNKNOWN` and `ABSENT`."""
        return np.asarray(self.values[name] if name in self.values else self.extra[name], dtype=np.float64)

    def customers(self) -> Keys:
        """For each case, which customer's it is."""
        return np.asarray(self.keys, dtype=np.int64)


def _sourced(read: Callable[[CaseScore], float]) -> Callable[[CaseScore], float]:
    return lambda score: 0.0 if score.sourcing is None else read(score)


def _first_right(score: CaseScore) -> float:
    first = score.first_turn
    return ABSENT if first is None else UNKNOWN if first.right is None else float(first.right)


def _needed(score: CaseScore) -> float:
    if score.handed is None:
        return ABSENT
    return UNKNOWN if score.handed.needs_person is None else float(score.handed.needs_person)


EXTRA: dict[str, Callable[[CaseScore], float]] = {
    "claims": _sourced(lambda s: float(s.sourcing.claims) if s.sourcing else 0.0),
    "judged": _sourced(lambda s: float(s.sourcing.judged) if s.sourcing else 0.0),
    "supported": _sourced(lambda s: float(s.sourcing.supported) if s.sourcing else 0.0),
    "dangling": _sourced(lambda s: float(s.sourcing.dangling) if s.sourcing else 0.0),
    "cited": _sourced(lambda s: float(s.sourcing.cited) if s.sourcing and s.sourcing.cited_known is not None else 0.0),
    "cited_known": _sourced(lambda s: float(s.sourcing.cited_known or 0) if s.sourcing else 0.0),
    "needs_person": _needed,
    "evidence": lambda s: ABSENT if s.first_turn is None else s.first_turn.evidence,
    "first_right": _first_right,
    "first_answered": lambda s: ABSENT if s.first_turn is None else float(s.first_turn.answered),
    "cost_at_best": lambda s: UNKNOWN if s.mistake_cost is None else s.mistake_cost.at_best,
}
