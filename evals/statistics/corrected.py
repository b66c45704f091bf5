"""Rates put right for what is known to bend them: a judge's errors, repeated tries, many categories, another mix."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

import numpy as np
from numpy.typing import NDArray

from evals.statistics.measured import Measured

_Z = 1.959964


@dataclass(frozen=True, slots=True)
class JudgeErrors:
    """How a judge did on cases that people labelled: hits among true ones, and among false ones those it refused."""

    true_found: int
    true_cases: int
    false_found: int
    false_cases: int

    @property
    def sensitivity(self) -> float:
        """The share of true cases that it called true."""
        return self.true_found / self.true_cases

    @property
    def specificity(self) -> float:
        """The share of false cases that it called false."""
        return self.false_found / self.false_cases


def rogan_gladen(called_true: int, cases: int, errors: JudgeErrors) -> Measured:
    """The true rate behind a judge's rate, with an interval that includes how little is known of its errors.

    The value is the plain estimate, cut to [0, 1]; the interval is Lang and Reiczigel's.

    Raises:
        ValueError: there is no case, or the judge was not seen on both kinds, or it is no better than a coin.

    Source: Rogan and Gladen, "Estimating prevalence from the results of a screening test", Am. J. Epidemiol. 107
    (1978), 71-76; Lang and Reiczigel, "Confidence limits for prevalence of disease adjusted for estimated sensitivity
    and specificity", Prev. Vet. Med. 113 (2014), 13-22. For judges: arXiv 2511.21140.
    """
    if cases == 0 or errors.true_cases == 0 or errors.false_cases == 0:
        raise ValueError("nothing to measure: no case")
    better = errors.sensitivity + errors.specificity - 1
    if better <= 0:
        raise ValueError("the judge is no better than a coin: nothing follows from what it says")
    value = min(1.0, max(0.0, (called_true / cases + errors.specificity - 1) / better))
    squared = _Z**2
    trials, true_cases, false_cases = cases + squared, errors.true_cases + 2, errors.false_cases + 2
    apparent = (called_true + squared / 2) / trials
    sensitivity, specificity = (errors.true_found + 1) / true_cases, (errors.false_found + 1) / false_cases
    youden = sensitivity + specificity - 1
    if youden <= 0:
        return Measured(value, 0.0, 1.0, cases)
    rate = (apparent + specificity - 1) / youden
    true_error = sensitivity * (1 - sensitivity) / true_cases
    false_error = specificity * (1 - specificity) / false_cases
    shift = 2 * squared * (rate * true_error - (1 - rate) * false_error)
    spread = apparent * (1 - apparent) / trials + rate**2 * true_error + (1 - rate) ** 2 * false_error
    half = _Z * math.sqrt(spread) / youden
    low, high = max(0.0, rate + shift - half), min(1.0, rate + shift + half)
    return Measured(value, min(low, value), max(high, value), cases)


def zero_events(cases: int) -> float:
    """The rate that is still compatible with no event in `cases` cases, at 95 %; about three over `cases`.

    Source: Hanley and Lippman-Hand, "If nothing goes wrong, is everything all right?", JAMA 249 (1983), 1743-1745.

    Raises:
        ValueError: there is no case.
    """
    if cases == 0:
        raise ValueError("nothing to measure: no case")
    return float(1 - 0.05 ** (1 / cases))


def all_of(passed: int, tries: int, k: int) -> float:
    """The chance that `k` tries at one case all pass, unbiased, from `passed` of `tries`: pass^k.

    Raises:
        ValueError: fewer than `k` tries.

    Source: Yao et al., "tau-bench", arXiv 2406.12045, section 4.
    """
    if not 1 <= k <= tries:
        raise ValueError(f"{tries} tries don't tell how {k} would go")
    return float(comb(passed, k) / comb(tries, k))


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """The p-values, raised so that of those at most 5 % one in twenty is expected to be there by chance.

    Source: Benjamini and Hochberg, "Controlling the false discovery rate", J. R. Stat. Soc. B 57 (1995), 289-300.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    raised = np.empty(count)
    least = 1.0
    for place in range(count - 1, -1, -1):
        least = min(least, p_values[order[place]] * count / (place + 1))
        raised[order[place]] = least
    return [float(value) for value in raised]


def shrunk(hits: NDArray[np.float64], trials: NDArray[np.float64]) -> NDArray[np.float64]:
    """Rates drawn towards the common one, the more so the fewer cases are behind them.

    The strength is what the rates' spread beyond chance says (method of moments for the beta-binomial).

    Source: Kleinman, "Proportions with extraneous variance", J. Am. Stat. Assoc. 68 (1973), 46-54.

    Raises:
        ValueError: a rate has no case.
    """
    if (trials <= 0).any() or not len(trials):
        raise ValueError("nothing to measure: no case")
    total = trials.sum()
    common = hits.sum() / total
    if len(trials) == 1 or common in (0.0, 1.0):
        return np.full(len(trials), common)
    chance = common * (1 - common)
    seen = float((trials * (hits / trials - common) ** 2).sum())
    beyond = (seen - chance * (len(trials) - 1)) / (total - (trials**2).sum() / total)
    if beyond <= 0:
        return np.full(len(trials), common)
    strength = max(0.0, chance / beyond - 1)
    return np.asarray((hits + strength * common) / (trials + strength))


def standardised(rates: Mapping[str, Measured], mix: Mapping[str, float]) -> Measured | None:
    """The rate that the categories' rates give under a fixed mix: a change of what people ask doesn't move it.

    Categories without a rate are left out, and the others' weights raised; None when nothing of the mix is left. The
    bounds combine each category's own (the square root of the sum of squares of the weighted half-widths).

    Source: direct standardisation, Rothman, "Modern Epidemiology", 2008, chapter 3; the bounds: Zou and Donner,
    "Construction of confidence limits about effect measures", Stat. Med. 27 (2008), 1693-1702.
    """
    total = sum(weight for name, weight in mix.items() if name in rates)
    if total <= 0:
        return None
    parts = [(weight / total, rates[name]) for name, weight in mix.items() if name in rates]
    value = sum(weight * rate.value for weight, rate in parts)
    down = math.sqrt(sum((weight * (rate.value - rate.low)) ** 2 for weight, rate in parts))
    up = math.sqrt(sum((weight * (rate.high - rate.value)) ** 2 for weight, rate in parts))
    return Measured(value, max(0.0, value - down), min(1.0, value + up), sum(rate.n for _, rate in parts))
