"""The figures of the serving benchmark, each with the interval that its sample earns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from evals.bench.serve_clients import Timed
from evals.statistics.measured import Measured, bootstrap


@dataclass(frozen=True, slots=True)
class Round:
    """Chats that began together, and how long until the last was over."""

    wall_s: float
    chats: list[Timed]


def chat_metrics(own: list[Round], base: list[Round] | None, ideal_s: float) -> dict[str, Measured]:
    """Each metric, drawn by rounds; over the relay's of the same rounds where it is another's."""
    n = sum(len(each.chats) for each in own)

    def measured(value: Callable[[Sequence[Round]], float]) -> Measured:
        return bootstrap(len(own), lambda drawn: value([own[place] for place in drawn]), n=n)

    values: dict[str, Callable[[Sequence[Round]], float]] = {
        "first_event_p50_ms": lambda rounds: _ms((c.first_event_s for r in rounds for c in r.chats), 50),
        "first_event_p95_ms": lambda rounds: _ms((c.first_event_s for r in rounds for c in r.chats), 95),
        "first_step_p50_ms": lambda rounds: _ms((c.first_step_s for r in rounds for c in r.chats), 50),
        "first_step_p95_ms": lambda rounds: _ms((c.first_step_s for r in rounds for c in r.chats), 95),
        "first_word_p50_ms": lambda rounds: _ms((c.first_word_s or c.end_s for r in rounds for c in r.chats), 50),
        "end_p50_ms": lambda rounds: _ms((c.end_s for r in rounds for c in r.chats), 50),
        "end_p95_ms": lambda rounds: _ms((c.end_s for r in rounds for c in r.chats), 95),
        "turns_per_s": lambda rounds: sum(len(r.chats) for r in rounds) / sum(r.wall_s for r in rounds),
    }
    found = {name: measured(value) for name, value in values.items()}
    if ideal_s:
        found["total_over_ideal"] = measured(lambda rounds: sum(r.wall_s for r in rounds) / (len(rounds) * ideal_s))
    if base is not None:
        for name in ("first_event_p50_ms", "end_p50_ms", "turns_per_s"):
            value = values[name]

            def over(drawn: NDArray[np.int64], value: Callable[[Sequence[Round]], float] = value) -> float:
                return value([own[place] for place in drawn]) / value([base[place] for place in drawn])

            found[f"{name.removesuffix('_ms')}_over_relay"] = bootstrap(len(own), over, n=n)
        for name in ("first_event", "first_step"):
            first = values[f"{name}_p50_ms"]

            def added(drawn: NDArray[np.int64], first: Callable[[Sequence[Round]], float] = first) -> float:
                return first([own[place] for place in drawn]) - first([base[place] for place in drawn])

            found[f"{name}_added_ms"] = bootstrap(len(own), added, n=n)
    return found


def _ms(seconds: Iterable[float], percent: float) -> float:
    return float(np.percentile([1000 * each for each in seconds], percent))


def percentile(seconds: Sequence[float], percent: float) -> Measured:
    """A percentile in milliseconds."""
    return bootstrap(len(seconds), lambda drawn: _ms((seconds[place] for place in drawn), percent))


def ratio_of(ours: Sequence[float], theirs: Sequence[float]) -> Measured:
    """The ratio of two medians; each is drawn by itself."""
    random = np.random.default_rng(0)

    def ratio(drawn: NDArray[np.int64]) -> float:
        other = random.choice(np.asarray(theirs), len(theirs)) if len(set(drawn)) < len(ours) else np.asarray(theirs)
        return float(np.median([ours[place] for place in drawn]) / np.median(other))

    return bootstrap(len(ours), ratio)


def mean(values: Sequence[float]) -> Measured:
    """The mean, in the unit of the values."""
    return bootstrap(len(values), lambda drawn: float(np.mean([values[place] for place in drawn])))


def once(value: float, n: int) -> Measured:
    """What was measured once, over so many: the interval isn't known, so it is the value."""
    return Measured(value, value, value, n)
