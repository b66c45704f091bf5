"""Numbers with the intervals that their sample sizes earn."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

RESAMPLES = 1000
_LEVEL = (2.5, 97.5)
ECE_BINS = 10


@dataclass(frozen=True, slots=True)
class Measured:
    """A value with its 95 % interval from `low` to `high`, over `n` cases."""

    value: float
    low: float
    high: float
    n: int

    def to_json(self) -> dict[str, float | int]:
        """As JSON, rounded to four places."""
        return {"value": round(self.value, 4), "low": round(self.low, 4), "high": round(self.high, 4), "n": self.n}

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}], n={self.n}"


def bootstrap(
    cases: int,
    metric: Callable[[NDArray[np.int64]], float],
    *,
    groups: Sequence[object] | None = None,
    n: int | None = None,
    seed: int = 0,
) -> Measured:
    """Measure `metric` over all cases, with a percentile interval over resampled cases.

    Args:
        cases: how many there are.
        metric: takes the places of the cases to measure, with repetitions.
        groups: one per case when cases belong together (turns of a dialogue): whole groups are drawn then.
        n: what to report as the sample size, when it isn't all cases.
        seed: of the draws; the same seed gives the same interval.

    Source: Efron and Tibshirani, "An Introduction to the Bootstrap", 1993, chapter 13.

    Raises:
        ValueError: there is no case.
    """
    if cases == 0:
        raise ValueError("nothing to measure: no case")
    everything = np.arange(cases)
    random = np.random.default_rng(seed)
    members = _members(groups) if groups is not None else [np.array([place]) for place in everything]
    values = []
    for _ in range(RESAMPLES):
        drawn = random.integers(0, len(members), len(members))
        values.append(metric(drawn if groups is None else np.concatenate([members[place] for place in drawn])))
    # A resample may lack what the metric needs (no case of a class): those say nothing.
    low, high = np.nanpercentile(values, _LEVEL)
    return Measured(float(metric(everything)), float(low), float(high), cases if n is None else n)


def wilson(hits: int, trials: int) -> Measured:
    """The rate of `hits` among `trials` cases that were drawn one by one, with its 95 % interval.

    Source: Wilson, "Probable inference", J. Am. Stat. Assoc. 22 (1927), 209-212.

    Raises:
        ValueError: there is no case.
    """
    if trials == 0:
        raise ValueError("nothing to measure: no case")
    rate, z_squared = hits / trials, 1.959964**2
    shrunk = 1 + z_squared / trials
    middle = (rate + z_squared / (2 * trials)) / shrunk
    half = math.sqrt(z_squared * rate * (1 - rate) / trials + (z_squared / (2 * trials)) ** 2) / shrunk
    # At a rate of 0 or 1 a bound is the rate itself; rounding must not put it beyond.
    return Measured(rate, max(0.0, min(rate, middle - half)), min(1.0, max(rate, middle + half)), trials)


def mean(values: Sequence[float], *, groups: Sequence[object] | None = None) -> Measured:
    """The mean with its interval; `groups` as in `bootstrap`."""
    array = np.array(values, dtype=np.float64)
    return bootstrap(len(array), lambda drawn: float(array[drawn].mean()), groups=groups)


def _members(groups: Sequence[object]) -> list[NDArray[np.int64]]:
    places: dict[object, list[int]] = {}
    for place, group in enumerate(groups):
        places.setdefault(group, []).append(place)
    return [np.array(members) for members in places.values()]


def expected_calibration_error(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> float:
    """Mean distance between what was promised and what came true, over ten bins of equal width, in [0, 1].

    Source: Naeini, Cooper, Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    """
    bins = np.minimum((probabilities * ECE_BINS).astype(int), ECE_BINS - 1)
    total = 0.0
    for index in np.unique(bins):
        inside = bins == index
        total += inside.mean() * abs(probabilities[inside].mean() - right[inside].mean())
    return float(total)


def risk_coverage(probabilities: NDArray[np.float64], right: NDArray[np.bool_]) -> list[tuple[float, float, float]]:
    """Points of the risk-coverage curve: threshold, share answered, and share of wrong ones among those.

    Source: El-Yaniv and Wiener, "On the foundations of noise-free selective classification", JMLR 11 (2010).
    """
    points = []
    for threshold in np.unique(np.floor(probabilities * 100) / 100):
        answered = probabilities >= threshold
        points.append((float(threshold), float(answered.mean()), float(1 - right[answered].mean())))
    return points
