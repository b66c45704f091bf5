"""How many tickets a second `helpgraph replay` plays with the local engine, and what memory it takes.

The tickets are made up of the messages that the engine ships as examples, two in each, no two tickets alike, so that
nothing remembered helps; the articles are made up as for `speed`. The baseline is the same turn, one after another, in
one process without a log: what counts are the ratios within one run, because machines differ, and so do minutes.
"""

import json
import os
import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evals.bench.arena import Progress
from evals.bench.report import BenchResult, Part
from evals.bench.speed import asked, write_articles
from evals.replay.models import younger_than
from evals.replay.play import AsOf, Player
from evals.replay.run import Options, replay
from evals.statistics.measured import Measured, bootstrap
from evals.tickets.index import TicketIndex
from graphs.assembly import open_runtime
from graphs.settings import Settings, load_settings
from tools.learned.shelf import SHIPPED

NAME = "replay"
SIZES = {"1k": 1_000, "20k": 20_000}
PASSAGES = 400
_BASELINE_TICKETS = 300
_WARM_UP = 20
_CHUNK = 50
_BEGUN = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)


def splits(data: Path) -> list[str]:
    """The sizes; `data` isn't looked at."""
    return list(SIZES)


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Measure the parts with the embedding model of the settings, with a worker a core."""
    return BenchResult(NAME, await measure({part: SIZES[part] for part in parts}, on_progress))


async def measure(sizes: Mapping[str, int], on_progress: Progress) -> list[Part]:
    """Replay so many tickets for each part, from small to large; the last has the growth from the first as well.

    A part's rate is over all of its tickets; its interval draws pieces of fifty.
    """
    with tempfile.TemporaryDirectory(prefix="helpgraph-replay-") as folder:
        root = Path(folder)
        settings = _settings(root)
        write_articles(root / "articles.jsonl", PASSAGES)
        async with open_runtime(settings) as runtime:
            await runtime.knowledge.ingest(root / "articles.jsonl", on_progress)
        alone = await _alone(settings, root, on_progress)
        parts: list[Part] = []
        pieces: list[NDArray[np.float64]] = []
        for name, tickets in sorted(sizes.items(), key=lambda size: size[1]):
            took = await _replayed(settings, root, name, tickets, on_progress)
            pieces.append(took)
            metrics = {
                "tickets_per_second": _rate(took),
                "over_one_process": _ratio(took, alone),
            }
            parts.append(Part(name, metrics, notes={"tickets": tickets, "workers": os.cpu_count() or 1, **_memory()}))
        if len(parts) > 1:
            parts[-1].metrics["rate_growth"] = _ratio(pieces[-1], pieces[0])
        parts[0].metrics["one_process_per_second"] = _rate(alone)
        return parts


async def _alone(settings: Settings, root: Path, on_progress: Progress) -> NDArray[np.float64]:
    """Seconds for each piece of the baseline."""
    path = root / "alone.jsonl"
    _write_tickets(path, _WARM_UP + _BASELINE_TICKETS, seed=0)
    ends = []
    async with open_runtime(settings) as runtime:
        with TicketIndex.build(path, root / "alone.index") as index:
            player = Player(runtime)
            catalogue = runtime.knowledge.catalogue()
            for place, ticket in enumerate(index):
                await player.play(ticket, AsOf(SHIPPED, younger_than(catalogue, ticket)))
                on_progress("one after another", place + 1, len(index))
                if place + 1 >= _WARM_UP and (place + 1 - _WARM_UP) % _CHUNK == 0:
                    ends.append(time.perf_counter())
    return np.diff(np.array(ends))


async def _replayed(
    settings: Settings, root: Path, name: str, tickets: int, on_progress: Progress
) -> NDArray[np.float64]:
    """Seconds for each piece of a replay, from its first ticket's end on: its start isn't its speed."""
    path = root / f"{name}.jsonl"
    _write_tickets(path, tickets, seed=1)
    ends: dict[int, float] = {}

    def seen(stage: str, done: int, total: int) -> None:
        if stage == "replaying" and done % _CHUNK == 0 and done:
            ends.setdefault(done, time.perf_counter())
        on_progress(f"{name}: {stage}", done, total)

    with TicketIndex.build(path, root / f"{name}.index") as index:
        await replay(settings, index, root / f"run-{name}", Options(), on_progress=seen)
    return np.diff(np.array([ends[done] for done in sorted(ends)]))


def _rate(took: NDArray[np.float64]) -> Measured:
    return bootstrap(len(took), lambda drawn: float(_CHUNK / took[drawn].mean()), n=len(took) * _CHUNK)


def _ratio(ours: NDArray[np.float64], theirs: NDArray[np.float64]) -> Measured:
    """Our rate by theirs; both are drawn anew each time, from a generator of their own."""
    random = np.random.default_rng(1)

    def drawn_ratio(drawn: NDArray[np.int64]) -> float:
        other = random.integers(0, len(theirs), len(theirs))
        return float(theirs[other].mean() / ours[drawn].mean())

    measured = bootstrap(len(ours), drawn_ratio, n=len(ours) * _CHUNK)
    return Measured(float(theirs.mean() / ours.mean()), measured.low, measured.high, measured.n)


def _memory() -> dict[str, int]:
    """The most that was resident until now, in MB: of this process, and of the largest worker."""
    return {
        "resident_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
        "worker_resident_mb": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def _settings(root: Path) -> Settings:
    (root / "workspace").mkdir()
    (root / "workspace" / "workspace.yaml").write_text('{"name": "Benchmark", "workspace_id": "bench"}')
    return load_settings(
        workspace=root / "workspace",
        data_dir=root / "data",
        database_url=f"sqlite:///{root / 'data' / 'helpgraph.db'}",
    )


def _write_tickets(path: Path, count: int, *, seed: int) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(_texts(count, seed=seed)):
            at = _BEGUN + timedelta(minutes=number)
            reply, thanks = at + timedelta(minutes=9), at + timedelta(minutes=12)
            messages = [
                {"author": "customer", "at": at.isoformat(), "text": text},
                {"author": "agent", "at": reply.isoformat(), "text": "Please look under Settings."},
                {"author": "customer", "at": thanks.isoformat(), "text": "thanks, that did it"},
            ]
            ticket = {"ticket_id": f"t{number}", "created_at": at.isoformat(), "messages": messages}
            file.write(json.dumps(ticket) + "\n")


def _texts(count: int, *, seed: int) -> Iterator[str]:
    """So many messages, no two alike: pairs of the shipped ones."""
    single = asked(800)
    pairs = np.random.default_rng(seed).permutation(len(single) * len(single))[:count]
    for pair in pairs:
        one, other = divmod(int(pair), len(single))
        yield f"{single[one]}. {single[other]}"
