"""Two versions on the same cases: what the difference is, whether it is one, and how small a one could be seen."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, stdtrit

from evals.statistics.clustered import Floats, group, resampled
from evals.statistics.measured import RESAMPLES

Standing = Literal["not_worse", "worse", "unclear"]

_POWER_80 = 1.959964 + 0.841621
_AT_ONCE = 4_000_000


def mcnemar(gained: int, lost: int) -> float:
    """The exact two-sided p-value of `gained` against `lost` among the pairs that differ; 1 when none does.

    Source: McNemar, "Note on the sampling error of the difference between correlated proportions or percentages",
    Psychometrika 12 (1947), 153-157; exact by the binomial distribution with a half.
    """
    differ = gained + lost
    if differ == 0:
        return 1.0
    return min(1.0, 2 * float(bdtr(min(gained, lost), differ, 0.5)))


@dataclass(frozen=True, slots=True)
class Difference:
    """The mean of paired differences with its 95 % interval, over `n` pairs in `groups` groups.

    `p_value` is that of no difference, two-sided. `detectable` is the smallest true difference that so many pairs
    would show (significant at 5 %) four times out of five.
    """

    value: float
    low: float
    high: float
    n: int
    groups: int
    p_value: float
    detectable: float


def paired_difference(
    differences: Floats,
    keys: Sequence[object] | NDArray[np.int64],
    *,
    scale: float = 1.0,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Measure paired `differences`, one per case.

    The interval is the wider of two: percentiles over resampled groups, and Student's t on groups with one more
    difference of `scale` (the largest one difference can be) each way, half a case each. Without the second, pairs
    that never differed would have an interval of no width however few they are. The p-value swaps the two versions
    within whole groups at random; where each group is one case and differences are -1, 0 and 1 it is McNemar's.

    Raises:
        ValueError: there is no pair.

    Source: Agresti and Min, "Simple improved confidence intervals for comparing matched proportions", Stat. Med. 24
    (2005), 729-740; Field and Welsh (2007), see `evals.statistics.clustered`; Good, "Permutation, Parametric, and
    Bootstrap Tests of Hypotheses", 2005, chapter 3.
    """
    n = len(differences)
    if n == 0:
        raise ValueError("nothing to measure: no pair")
    grouped = group(differences, keys)
    groups, value = len(grouped.sizes), float(differences.mean())
    off = grouped.sums[:, 0] - value * grouped.sizes
    spread = groups / max(groups - 1, 1) * float(off @ off)
    error = math.sqrt(spread + scale**2) / (n + 2 * 0.5)
    half = float(stdtrit(max(groups - 1, 1), 0.975)) * error
    means = resampled(grouped, lambda sums, sizes: sums[:, 0] / sizes, resamples=resamples, seed=seed)
    low, high = np.percentile(means, (2.5, 97.5))
    signs = np.isin(differences, (-1.0, 0.0, 1.0)).all()
    if grouped.alone and signs:
        p_value = mcnemar(int((differences > 0).sum()), int((differences < 0).sum()))
    else:
        p_value = swapped(grouped.sums[:, 0], seed=seed)
    return Difference(
        value, min(float(low), value - half), max(float(high), value + half), n, groups, p_value, _POWER_80 * error
    )


def ratio_difference(
    one: Floats,
    other: Floats,
    keys: Sequence[object] | NDArray[np.int64],
    *,
    scale: float = 1.0,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Difference:
    """Measure how a share of `other` differs from that of `one`, where each has its own cases in the denominator.

    Both are tables of cases by two: what is above the line and what is below it. For the rest as `paired_difference`:
    `n` is the smaller denominator.

    Raises:
        ValueError: one side has nothing below the line.
    """
    if one[:, 1].sum() <= 0 or other[:, 1].sum() <= 0:
        raise ValueError("nothing to measure: no case")
    grouped = group(np.column_stack([one, other]), keys)
    table = grouped.sums
    above_one, below_one, above, below = table.sum(axis=0)
    rate_one, rate, groups = above_one / below_one, above / below, len(table)
    pull = (table[:, 2] - rate * table[:, 3]) / below - (table[:, 0] - rate_one * table[:, 1]) / below_one
    n = float(min(below_one, below))
    error = math.sqrt(groups / max(groups - 1, 1) * float(pull @ pull) + (scale / n) ** 2)
    half, value = float(stdtrit(max(groups - 1, 1), 0.975)) * error, float(rate - rate_one)

    def difference(sums: Floats, _: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(sums[:, 2] / sums[:, 3] - sums[:, 0] / sums[:, 1])

    found = resampled(grouped, difference, resamples=resamples, seed=seed)
    found = found[np.isfinite(found)]
    low, high = np.percentile(found, (2.5, 97.5)) if len(found) else (value, value)
    p_value = _swapped_ratio(table, abs(value), seed=seed)
    low, high = min(float(low), value - half), max(float(high), value + half)
    return Difference(value, low, high, round(n), groups, p_value, _POWER_80 * error)


def _swapped_ratio(table: Floats, seen: float, *, draws: int = 4 * RESAMPLES, seed: int = 0) -> float:
    """As `swapped`, for a difference of two ratios: whole groups change sides at random."""
    apart = table[:, 2:] - table[:, :2]
    apart = apart[(apart != 0).any(axis=1)]
    if not len(apart):
        return 1.0
    random = np.random.default_rng(seed)
    one, other = table[:, :2].sum(axis=0), table[:, 2:].sum(axis=0)
    at_once, further = max(1, _AT_ONCE // len(apart)), 0
    for start in range(0, draws, at_once):
        moved = random.integers(0, 2, (min(at_once, draws - start), len(apart)), dtype=np.int8) @ apart
        left, right = one + moved, other - moved
        with np.errstate(divide="ignore", invalid="ignore"):
            found = np.abs(right[:, 0] / right[:, 1] - left[:, 0] / left[:, 1])
        further += int((found >= seen - 1e-9).sum())
    return (further + 1) / (draws + 1)


def swapped(sums: Floats, *, draws: int = 4 * RESAMPLES, seed: int = 0) -> float:
    """The p-value of group sums as far from 0 as these, if each group's sign were a coin's; 1 when all are 0.

    With few groups that differ, all ways are counted; else `draws` random ones, and this one.
    """
    differ = sums[sums != 0]
    if len(differ) == 0:
        return 1.0
    seen = abs(float(differ.sum())) - 1e-9
    if len(differ) <= 12:
        ways = (np.arange(2 ** len(differ))[:, None] >> np.arange(len(differ))) & 1
        return float((np.abs((2.0 * ways - 1) @ differ) >= seen).mean())
    # Groups that differ by as much are the same: how many of them keep their sign is all that matters.
    sizes, counts = np.unique(np.abs(differ), return_counts=True)
    random = np.random.default_rng(seed)
    at_once = max(1, _AT_ONCE // len(sizes))
    further = 0
    for start in range(0, draws, at_once):
        kept = random.binomial(counts, 0.5, (min(at_once, draws - start), len(sizes)))
        further += int((np.abs((2.0 * kept - counts) @ sizes) >= seen).sum())
    return (further + 1) / (draws + 1)


def standing(difference: Difference, margin: float, *, p_value: float | None = None) -> Standing:
    """Whether the second version is shown not to be worse than the first by `margin` or more (more is better).

    "worse" needs both: not shown, and a significant drop. All else is "unclear": too few cases to tell. `p_value` is
    the difference's own, raised where several are judged at once.

    Source: Piaggio et al., "Reporting of noninferiority and equivalence randomized trials", JAMA 308 (2012).

    Raises:
        ValueError: the margin is not above 0: no number of cases would show it.
    """
    if margin <= 0:
        raise ValueError("a margin has to be above 0")
    if difference.low > -margin:
        return "not_worse"
    if difference.high < 0 and (difference.p_value if p_value is None else p_value) < 0.05:
        return "worse"
    return "unclear"


def holm(p_values: Sequence[float]) -> list[float]:
    """The p-values, raised so that of all that are below 5 % none is there by chance, 19 times in 20.

    Source: Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Stat. 6 (1979), 65-70.
    """
    order = np.argsort(p_values, kind="stable")
    raised = np.empty(len(p_values))
    largest = 0.0
    for place, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - place)))
        raised[index] = largest
    return [float(value) for value in raised]
