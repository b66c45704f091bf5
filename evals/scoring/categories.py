"""The categories side by side: an average hides the one that goes wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy.special import bdtr, bdtrc

from agent.policy import Policy
from agent.wire import JsonObject
from evals.scoring.measures import ABSENT, BY_NAME
from evals.scoring.metrics import Columns, Keys, Metric, measure_rate
from evals.statistics.clustered import Floats, group, worth
from evals.statistics.corrected import benjamini_hochberg, shrunk, standardised
from evals.statistics.measured import Measured

TABLE = (
    "containment", "durable_containment", "confirmed", "went_quiet", "wrong_containment", "handed_over",
    "escalation_recall", "escalation_precision", "escalation_accuracy", "needless_handoff", "question_rate",
    "article_used", "expected_cost",
)  # fmt: skip
UNLABELLED = "unlabelled"
_SURE = 0.05

Light = Literal["green", "amber", "red", "unknown"]


@dataclass(frozen=True, slots=True)
class CategorySummary:
    """One category. `cases` have a request.

    `light` compares containment with the team's range: green inside it, red surely outside (of all red ones, one in
    twenty is expected to be there by chance), amber outside, but it may be chance; too good is as odd as too bad, and
    `side` says which. Without a range or a scored case it is unknown. `steady` is the containment drawn towards that
    of all, for ranking small categories. `worse_than_rest` says that surely more goes wrong here than elsewhere.
    """

    category: str
    cases: int
    metrics: dict[str, Metric]
    target: tuple[float, float] | None
    light: Light
    side: Literal["below", "above"] | None
    steady: float | None
    worse_than_rest: bool

    def to_json(self) -> JsonObject:
        """As JSON."""
        return {
            "category": self.category,
            "cases": self.cases,
            "metrics": {name: metric.to_json() for name, metric in self.metrics.items()},
            "target": list(self.target) if self.target else None,
            "light": self.light,
            "side": self.side,
            "steady": None if self.steady is None else round(self.steady, 4),
            "worse_than_rest": self.worse_than_rest,
        }


def summarise_categories(columns: Columns, failed: dict[str | None, int], policy: Policy) -> list[CategorySummary]:
    """The categories, the largest first. `failed` is how many cases with a request broke down in each."""
    members, keys = np.asarray(columns.categories, dtype=np.int64), columns.customers()
    table = {name: columns.column(name) for name in TABLE}
    names = list(columns.category_ids)
    targets = {known.category_id: known.target_containment for known in policy.categories}
    found = []
    for place, name in enumerate(names):
        here = members == place
        metrics = {
            measure: measure_rate(BY_NAME[measure], values[here], keys[here], failed=failed.get(name, 0))
            for measure, values in table.items()
        }
        if (table["went_quiet"][here] != ABSENT).any():
            found.append((name, here, metrics))
    outside = _adjusted(
        [_outside(table["containment"][here], keys[here], targets.get(name or "")) for name, here, _ in found]
    )
    worse = _adjusted([_worse(table["wrong_containment"], here, keys) for _, here, _ in found])
    steady = _steady([metrics["containment"] for _, _, metrics in found])
    summaries = []
    for place, (name, here, metrics) in enumerate(found):
        target = targets.get(name or "")
        light, side = _light(metrics["containment"].value, target, outside[place])
        summaries.append(
            CategorySummary(
                category=name or UNLABELLED,
                cases=int((table["went_quiet"][here] != ABSENT).sum()),
                metrics=metrics,
                target=target,
                light=light,
                side=side,
                steady=steady[place],
                worse_than_rest=(p := worse[place]) is not None and p < _SURE,
            )
        )
    return sorted(summaries, key=lambda summary: (-summary.cases, summary.category))


def standardise(
    categories: Sequence[CategorySummary], mix: dict[str, float], measure: str = "containment"
) -> Measured | None:
    """A rate under a fixed mix of categories, such as that of an earlier quarter."""
    rates = {c.category: m for c in categories if (m := c.metrics[measure].measured()) is not None}
    return standardised(rates, mix)


def _light(
    value: float | None, target: tuple[float, float] | None, p_value: float | None
) -> tuple[Light, Literal["below", "above"] | None]:
    if value is None or target is None:
        return "unknown", None
    if target[0] <= value <= target[1]:
        return "green", None
    side: Literal["below", "above"] = "below" if value < target[0] else "above"
    return ("red" if p_value is not None and p_value < _SURE else "amber"), side


def _scored(values: Floats, keys: Keys) -> tuple[float, float] | None:
    """Hits and trials, in as many independent cases as these are worth."""
    known = np.isfinite(values)
    if not known.any():
        return None
    trials = worth(group(values[known], keys[known]))
    return float(values[known].mean()) * trials, trials


def _outside(values: Floats, keys: Keys, target: tuple[float, float] | None) -> float | None:
    """The p-value of a true rate within the range, two-sided."""
    found = _scored(values, keys)
    if found is None or target is None:
        return None
    hits, trials = round(found[0]), round(found[1])
    below = float(bdtr(hits, trials, target[0]))
    above = 1.0 if hits == 0 else float(bdtrc(hits - 1, trials, target[1]))
    return min(1.0, 2 * min(below, above))


def _worse(values: Floats, here: Keys, keys: Keys) -> float | None:
    """The p-value of the same true rate here as elsewhere, against more here."""
    inside, rest = _scored(values[here], keys[here]), _scored(values[~here], keys[~here])
    if inside is None or rest is None:
        return None
    hits, trials = round(inside[0]), round(inside[1])
    # The rest's rate is itself uncertain: half a hit more keeps a rest without any from making all that is seen odd.
    rate = (rest[0] + 0.5) / (rest[1] + 1)
    return 1.0 if hits == 0 else float(bdtrc(hits - 1, trials, rate))


def _adjusted(p_values: Sequence[float | None]) -> list[float | None]:
    known = [p for p in p_values if p is not None]
    raised = iter(benjamini_hochberg(known))
    return [None if p is None else next(raised) for p in p_values]


def _steady(metrics: Sequence[Metric]) -> list[float | None]:
    known = [metric for metric in metrics if metric.value is not None]
    if not known:
        return [None] * len(metrics)
    trials = np.array([metric.n for metric in known], dtype=np.float64)
    rates = iter(shrunk(np.array([metric.value for metric in known]) * trials, trials))
    return [None if metric.value is None else float(next(rates)) for metric in metrics]
