"""What reading a model's streamed answers costs: processor time for each token, and what many chats at once are late.

Chats start together against an endpoint that sends every token as an event of its own. The contenders take turns within
each round. What counts are the ratios to bare httpx within one run: machines differ, and so do minutes.
"""

import asyncio
import gc
import re
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.bench.arena import Progress
from evals.bench.endpoint import Pace, answer, endpoint
from evals.bench.report import BenchResult, Part
from evals.bench.stream_clients import BASELINE, CONTENDERS, Chat, Contender
from evals.bench.stream_turns import turn_contenders
from evals.statistics.measured import Measured, bootstrap

NAME = "stream"
PACE = Pace(tokens=100, gap_s=0.01)
CHATS = 50
ROUNDS = 5
_SENTENCE = re.compile(r"[.!?]\s")


def splits(data: Path) -> list[str]:
    """The contenders; `data` isn't looked at."""
    return [*CONTENDERS, *turn_contenders(data)]


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Measure the contenders named, and bare httpx, which they are compared with."""
    with tempfile.TemporaryDirectory(prefix="helpgraph-stream-") as models:
        known = {**CONTENDERS, **turn_contenders(Path(models))}
        contenders = {name: contender for name, contender in known.items() if name in parts or name == BASELINE}
        async with endpoint(PACE) as url:
            measured = await measure(url, contenders, PACE, on_progress)
    return BenchResult(NAME, [part for part in measured if part.name in parts])


async def measure(
    url: str,
    contenders: Mapping[str, Contender],
    pace: Pace,
    on_progress: Progress,
    *,
    chats: int = CHATS,
    rounds: int = ROUNDS,
) -> list[Part]:
    """Let every contender hold so many chats at once, so many times, and compare it with `BASELINE`, which is one.

    Intervals draw rounds, each with all its chats and the baseline's of the same round.

    Raises:
        RuntimeError: a contender gave another answer than was sent.
    """
    found: dict[str, list[_Round]] = {name: [] for name in contenders}
    for number in range(rounds):
        for place, (name, contender) in enumerate(contenders.items()):
            found[name].append(await _round(url, name, contender, pace, chats))
            on_progress("rounds", number * len(contenders) + place + 1, rounds * len(contenders))
    notes = {"chats": chats, "tokens": pace.tokens, "gap_ms": round(pace.gap_s * 1000, 3), "rounds": rounds}
    return [Part(name, _metrics(of, found[BASELINE], pace), notes=notes) for name, of in found.items()]


@dataclass(frozen=True, slots=True)
class _Waited:
    first_token_s: float
    first_sentence_s: float


@dataclass(frozen=True, slots=True)
class _Round:
    cpu_s: float
    """The whole process's."""
    wall_s: float
    """Until the last chat was over."""
    chats: list[_Waited]


_Value = Callable[[Sequence[_Round]], float]


async def _round(url: str, name: str, contender: Contender, pace: Pace, chats: int) -> _Round:
    expected = "".join(answer(pace.tokens)) if contender.verbatim else None
    async with contender.open(url) as ask:
        # Connections are made and code is warm before anything is measured.
        await asyncio.gather(*(_read(name, ask, expected) for _ in range(chats)))
        gc.collect()
        cpu, wall = time.process_time(), time.perf_counter()
        waited = await asyncio.gather(*(_read(name, ask, expected) for _ in range(chats)))
        return _Round(time.process_time() - cpu, time.perf_counter() - wall, waited)


async def _read(name: str, ask: Chat, expected: str | None) -> _Waited:
    began = time.perf_counter()
    first_token_s = first_sentence_s = 0.0
    text = ""
    async for piece in ask():
        text += piece
        if text and not first_token_s:
            first_token_s = time.perf_counter() - began
        if not first_sentence_s and _SENTENCE.search(text):
            first_sentence_s = time.perf_counter() - began
    if expected is not None and text != expected:
        raise RuntimeError(f"{name} gave {len(text)} characters that aren't the {len(expected)} sent")
    return _Waited(first_token_s, first_sentence_s or time.perf_counter() - began)


def _metrics(ours: Sequence[_Round], theirs: Sequence[_Round], pace: Pace) -> dict[str, Measured]:
    """Every metric, and its ratio to the baseline's unless that is what is measured."""
    chats = len(ours[0].chats)
    found = {}
    for name, value in _values(pace, chats).items():
        n = len(ours) * (chats if name.endswith("_ms") else 1)

        def over(drawn: NDArray[np.int64], value: _Value = value) -> float:
            return value([ours[place] for place in drawn])

        def ratio(drawn: NDArray[np.int64], value: _Value = value) -> float:
            return value([ours[place] for place in drawn]) / value([theirs[place] for place in drawn])

        found[name] = bootstrap(len(ours), over, n=n)
        if ours is not theirs:
            found[f"{name.removesuffix('_ms')}_over_{BASELINE}"] = bootstrap(len(ours), ratio, n=n)
    return found


def _values(pace: Pace, chats: int) -> dict[str, _Value]:
    def cpu_us(rounds: Sequence[_Round]) -> float:
        return 1e6 * sum(one.cpu_s for one in rounds) / (len(rounds) * chats * pace.tokens)

    def total(rounds: Sequence[_Round]) -> float:
        return sum(one.wall_s for one in rounds) / (len(rounds) * pace.ideal_s)

    def first_token(percent: float) -> _Value:
        return lambda rounds: _percentile_ms((chat.first_token_s for one in rounds for chat in one.chats), percent)

    def first_sentence(percent: float) -> _Value:
        return lambda rounds: _percentile_ms((chat.first_sentence_s for one in rounds for chat in one.chats), percent)

    return {
        "cpu_us_per_token": cpu_us,
        "total_over_ideal": total,
        "first_token_p50_ms": first_token(50),
        "first_token_p95_ms": first_token(95),
        "first_sentence_p50_ms": first_sentence(50),
        "first_sentence_p95_ms": first_sentence(95),
    }


def _percentile_ms(seconds: Iterable[float], percent: float) -> float:
    return float(np.percentile([1000 * each for each in seconds], percent))
