"""Rates and means of cases that come in groups: one customer's tickets are alike, and so are the turns of one ticket.

Everything works on one row per group (its sum, its number of cases), so that a resample is a draw of rows.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

from evals.statistics.measured import RESAMPLES, Measured, wilson

Floats = NDArray[np.float64]

_AT_ONCE = 2_000_000


@dataclass(frozen=True, slots=True)
class Groups:
    """For each group, the sum of each quantity (`sums`, groups by quantities) and its number of cases (`sizes`)."""

    sums: Floats
    sizes: Floats

    @property
    def alone(self) -> bool:
        """Whether each group has one case."""
        return bool((self.sizes == 1).all())


def group(values: Floats, keys: Sequence[object] | NDArray[np.int64]) -> Groups:
    """Sum `values` (cases, or cases by quantities) within the groups that `keys` name."""
    table = values.reshape(len(values), -1)
    if isinstance(keys, np.ndarray):
        _, places = np.unique(keys, return_inverse=True)
    else:
        known: dict[object, int] = {}
        places = np.array([known.setdefault(key, len(known)) for key in keys], dtype=np.int64)
    count = int(places.max()) + 1 if len(places) else 0
    sums = np.zeros((count, table.shape[1]))
    np.add.at(sums, places, table)
    return Groups(sums, np.bincount(places, minlength=count).astype(np.float64))


def clustered_rate(hits: Floats, keys: Sequence[object] | NDArray[np.int64]) -> Measured:
    """The rate of ones among `hits` (zeros and ones), with an interval that knows that cases of one group are alike.

    The spread between groups gives the number of independent cases that these are worth; Wilson's interval is taken
    for so many, with Student's t for the number of groups. Where there are no hits, or only hits, there is no spread
    to see: then the cases are taken to be worth as many as there are groups.

    Raises:
        ValueError: there is no case.

    Source: Korn and Graubard, "Confidence intervals for proportions with small expected number of positive counts
    estimated from survey data", Survey Methodology 24 (1998), 193-201; Dean and Pagano, "Evaluating confidence
    interval methods for binomial proportions in clustered surveys", J. Surv. Stat. Methodol. 3 (2015), 484-503.
    """
    n = len(hits)
    if n == 0:
        raise ValueError("nothing to measure: no case")
    grouped = group(hits, keys)
    if grouped.alone:
        return wilson(round(float(hits.sum())), n)
    groups = len(grouped.sizes)
    rate = float(hits.mean())
    if groups == 1:
        # One customer says nothing of the others.
        return Measured(rate, 0.0, 1.0, n)
    seen_spread = 0 < rate < 1
    quantile = float(stdtrit(groups - 1, 0.975)) if seen_spread else 1.959964
    low, high = score_interval(rate, worth(grouped), quantile)
    return Measured(rate, low, high, n)


def worth(grouped: Groups) -> float:
    """How many independent cases these are worth, for the rate of their first quantity; see `clustered_rate`."""
    n, groups = float(grouped.sizes.sum()), len(grouped.sizes)
    rate = float(grouped.sums[:, 0].sum()) / n
    if groups == 1 or rate <= 0 or rate >= 1:
        return float(groups)
    off = grouped.sums[:, 0] - rate * grouped.sizes
    variance = groups / (groups - 1) * float(off @ off) / n**2
    return n / max(1.0, variance / (rate * (1 - rate) / n))


def score_interval(rate: float, trials: float, quantile: float) -> tuple[float, float]:
    """Wilson's bounds for a rate seen in `trials` cases, which needn't be a whole number."""
    squared = quantile**2
    shrunk = 1 + squared / trials
    middle = (rate + squared / (2 * trials)) / shrunk
    half = quantile * math.sqrt(rate * (1 - rate) / trials + squared / (4 * trials**2)) / shrunk
    return max(0.0, min(middle - half, rate)), min(1.0, max(middle + half, rate))


def resampled(
    grouped: Groups, metric: Callable[[Floats, Floats], Floats], *, resamples: int = RESAMPLES, seed: int = 0
) -> Floats:
    """Values of `metric` over resamples of whole groups.

    `metric` takes the sums (resamples by quantities) and the numbers of cases (resamples) and returns one value each;
    nan where a resample lacks what it needs.

    Source: Field and Welsh, "Bootstrapping clustered data", J. R. Stat. Soc. B 69 (2007), 369-390.
    """
    groups = len(grouped.sizes)
    random = np.random.default_rng(seed)
    rows, counts = np.unique(np.column_stack([grouped.sums, grouped.sizes]), axis=0, return_counts=True)
    # Groups with the same sums are the same to every metric: how often each kind is drawn is all that matters.
    few = len(rows) * 4 <= groups
    if not few:
        rows = np.column_stack([grouped.sums, grouped.sizes])
    found = []
    at_once = max(1, min(resamples, _AT_ONCE // max(len(rows), 1)))
    for start in range(0, resamples, at_once):
        draws = min(at_once, resamples - start)
        if few:
            totals = random.multinomial(groups, counts / groups, draws) @ rows
        else:
            drawn = random.integers(0, groups, (draws, groups))
            totals = np.column_stack([column[drawn].sum(axis=1) for column in rows.T])
        found.append(metric(totals[:, :-1], totals[:, -1]))
    return np.concatenate(found)


def clustered_mean(
    values: Floats, keys: Sequence[object] | NDArray[np.int64], *, resamples: int = RESAMPLES, seed: int = 0
) -> Measured:
    """The mean of `values` with the percentile interval of a bootstrap over whole groups.

    Raises:
        ValueError: there is no case.
    """
    if len(values) == 0:
        raise ValueError("nothing to measure: no case")
    grouped = group(values, keys)
    means = resampled(grouped, lambda sums, sizes: sums[:, 0] / sizes, resamples=resamples, seed=seed)
    low, high = np.percentile(means, (2.5, 97.5))
    value = float(values.mean())
    return Measured(value, min(float(low), value), max(float(high), value), len(values))


def clustered_ratio(
    above: Floats,
    below: Floats,
    keys: Sequence[object] | NDArray[np.int64],
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Measured:
    """The sum of `above` over the sum of `below` (shares of claims, not of cases), with an interval over groups.

    `n` is the sum of `below`.

    Raises:
        ValueError: `below` sums to nothing.
    """
    if below.sum() <= 0:
        raise ValueError("nothing to measure: no case")
    grouped = group(np.column_stack([above, below]), keys)

    def ratio(sums: Floats, sizes: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(sums[:, 1] > 0, sums[:, 0] / sums[:, 1], np.nan)

    found = resampled(grouped, ratio, resamples=resamples, seed=seed)
    low, high = np.nanpercentile(found, (2.5, 97.5))
    value = float(above.sum() / below.sum())
    return Measured(value, min(float(low), value), max(float(high), value), round(float(below.sum())))
