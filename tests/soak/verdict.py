"""Whether a server stays the same while it works: its memory by a slope with an interval, the rest by its medians."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.statistics.measured import Measured, bootstrap

# A turn that kept what was said in it would cost ten times that; what memory does by itself in ten minutes is below it.
LIMIT_MB = 2.0
WARM_UP = 0.3
MIN_SAMPLES = 12
# Samples that follow one another are alike, so they are drawn in blocks of half a minute.
_BLOCK = 6


@dataclass(frozen=True, slots=True)
class Sample:
    """What the server's processes have at a moment, in sum, and how many turns they have answered by then."""

    at_s: float
    turns: int
    resident_mb: float
    files: int
    threads: int
    checkpoints: int
    database_mb: float


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    steady: bool
    line: str


def after_warm_up(samples: Sequence[Sample]) -> list[Sample]:
    """Without the first part of the time, in which caches fill."""
    from_s = samples[0].at_s + WARM_UP * (samples[-1].at_s - samples[0].at_s)
    return [sample for sample in samples if sample.at_s >= from_s]


def judge(samples: Sequence[Sample], *, limit_mb: float = LIMIT_MB) -> list[Finding]:
    """Say of each thing whether it stays the same.

    Raises:
        ValueError: there are too few samples to say anything.
    """
    kept = after_warm_up(samples) if samples else []
    if len(kept) < MIN_SAMPLES:
        raise ValueError(f"{len(kept)} samples after the warm-up; {MIN_SAMPLES} are needed: give it more time")
    if kept[-1].turns == kept[0].turns:
        raise ValueError("not one turn was answered after the warm-up")
    return [
        _memory(kept, limit_mb),
        _count(kept, "open files", lambda sample: sample.files, slack=8),
        _count(kept, "threads", lambda sample: sample.threads, slack=3),
        _count(kept, "checkpoints", lambda sample: sample.checkpoints, slack=20),
    ]


def growth(samples: Sequence[Sample]) -> Measured:
    """Megabytes of memory for every 1,000 turns (Theil and Sen: the median of all slopes between two samples)."""
    turns = np.array([sample.turns for sample in samples]) / 1000
    memory = np.array([sample.resident_mb for sample in samples])

    def slope(drawn: NDArray[np.int64]) -> float:
        first, second = np.triu_indices(len(drawn), 1)
        run = turns[drawn[second]] - turns[drawn[first]]
        rise = memory[drawn[second]] - memory[drawn[first]]
        return float(np.median(rise[run != 0] / run[run != 0])) if np.any(run) else 0.0

    return bootstrap(len(samples), slope, groups=[place // _BLOCK for place in range(len(samples))])


def _memory(samples: Sequence[Sample], limit_mb: float) -> Finding:
    found = growth(samples)
    text = f"{found.value:+.2f} MB for 1,000 turns, 95 % within {found.low:+.2f} and {found.high:+.2f}"
    if found.high <= limit_mb:
        return Finding(True, f"memory is flat: {text} (at most {limit_mb:g})")
    if found.low > limit_mb:
        return Finding(False, f"memory GROWS: {text} (at most {limit_mb:g})")
    return Finding(False, f"memory is NOT SEEN to be flat: {text} (at most {limit_mb:g}); give it more time")


def _count(samples: Sequence[Sample], name: str, number: Callable[[Sample], int], *, slack: int) -> Finding:
    third = len(samples) // 3
    first = float(np.median([number(sample) for sample in samples[:third]]))
    last = float(np.median([number(sample) for sample in samples[-third:]]))
    steady = last <= first + slack
    return Finding(steady, f"{name} {'stay the same' if steady else 'GROW'}: {first:g} at first, {last:g} in the end")
