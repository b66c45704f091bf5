"""How long understanding, retrieval and judgement of one message take, with 10,000 passages and with 100,000.

The passages are made up (words drawn by Zipf's law, vectors in clusters); the questions are embedded by the real
model. What counts is the ratio of the two sizes in one run: machines differ, and so do minutes.
"""

import hashlib
import json
import resource
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import Misconfigured
from agent.ports import Embedder, SearchQuery
from agent.types import PageContext, Source, Untrusted
from evals.bench.arena import Progress
from evals.bench.report import BenchResult, Part
from evals.stats import Measured, bootstrap
from graphs.assembly import open_embedding
from graphs.settings import load_settings
from tools.embedding.remembered import remembering
from tools.engines.local.engine import LocalEngine
from tools.knowledge.store import KnowledgeStore
from tools.storage.database import Database

NAME = "speed"
SIZES = {"10k": 10_000, "100k": 100_000}
QUESTIONS = 300
_WARM_UP = 30
_PASSAGES_PER_ARTICLE = 4
_WORDS_PER_PASSAGE = 70
_VOCABULARY = 30_000
_CLUSTERS = 400
_SPREAD = 0.6


def splits(data: Path) -> list[str]:
    """The sizes; `data` isn't looked at."""
    return list(SIZES)


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Build a base of each size, ask it fresh questions one by one, and time every one."""
    embedder = open_embedding(load_settings())
    if embedder is None:
        raise Misconfigured("speed is measured with the embedding model, and there is none: helpgraph doctor")
    measured = []
    for part in parts:
        times, resident = await _time(embedder, SIZES[part], on_progress, part)
        metrics = {"p50_ms": _percentile(times, 50), "p95_ms": _percentile(times, 95)}
        measured.append(Part(part, metrics, notes={"passages": SIZES[part], "resident_mb": resident}))
    if len(measured) == 2:
        small, large = (part.metrics["p95_ms"].value for part in measured)
        measured[1].notes["p95_growth"] = round(large / small, 3)
    return BenchResult(NAME, measured)


class _Sketch:
    """Makes up vectors for what is loaded and embeds questions with the real model."""

    def __init__(self, real: Embedder) -> None:
        self.name = f"{real.name}-sketch"
        self.dimensions = real.dimensions
        self._real = real
        self._centres = np.random.default_rng(0).normal(size=(_CLUSTERS, real.dimensions)).astype(np.float32)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One question is embedded, a batch is made up."""
        if len(texts) == 1:
            return await self._real.embed(texts)
        rows = np.stack([self._made_up(text) for text in texts])
        unit: NDArray[np.float32] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
        return unit

    def _made_up(self, text: str) -> NDArray[np.float32]:
        seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
        random = np.random.default_rng(seed)
        noise = random.normal(size=self.dimensions).astype(np.float32)
        near: NDArray[np.float32] = self._centres[seed % _CLUSTERS] + _SPREAD * noise
        return near


async def _time(embedder: Embedder, passages: int, on_progress: Progress, part: str) -> tuple[list[float], int]:
    # One memory for what the engine and the base embed, as in an installation.
    remembered = remembering(embedder)
    sketch = _Sketch(remembered)
    with tempfile.TemporaryDirectory(prefix="helpgraph-speed-") as folder:
        root = Path(folder)
        words = [f"w{number:05d}" for number in range(_VOCABULARY)]
        _write(root / "articles.jsonl", passages, words)
        db = await Database.open(f"sqlite+aiosqlite:///{root / 'helpgraph.db'}", data_dir=root)
        store = await KnowledgeStore.open(db, root, sketch, "speed")
        try:
            await store.ingest(root / "articles.jsonl", lambda s, done, total: on_progress(f"{part}: {s}", done, total))
            found = (await store.status()).passages
            if found < passages * 0.9:
                raise Misconfigured(f"the made-up base has {found} passages instead of about {passages}")
            engine = await LocalEngine.open(remembered, (), cache_dir=root / "models")
            times = []
            for place, question in enumerate(_questions(words)):
                began = time.perf_counter()
                text = Untrusted.of(question, Source.CUSTOMER, limit=2000)
                heard = await engine.understand((text,), (), PageContext())
                passages_found = await store.search(SearchQuery(text=heard.question, language=heard.language))
                await engine.assess(heard, tuple(passages_found))
                if place >= _WARM_UP:
                    times.append((time.perf_counter() - began) * 1000)
                on_progress(f"{part}: questions", place + 1, QUESTIONS + _WARM_UP)
        finally:
            await store.close()
            await db.close()
    return times, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def _write(path: Path, passages: int, words: Sequence[str]) -> None:
    random = np.random.default_rng(passages)
    shares = 1 / np.arange(1, len(words) + 1)
    shares /= shares.sum()
    with path.open("w", encoding="utf-8") as file:
        for number in range(passages // _PASSAGES_PER_ARTICLE):
            drawn = random.choice(len(words), _PASSAGES_PER_ARTICLE * _WORDS_PER_PASSAGE + 6, p=shares)
            said = [words[place] for place in drawn]
            rest = said[6:]
            sections = [
                f"## {rest[n]} {n}\n\n{' '.join(rest[n * _WORDS_PER_PASSAGE : (n + 1) * _WORDS_PER_PASSAGE])}."
                for n in range(_PASSAGES_PER_ARTICLE)
            ]
            article = {
                "id": f"a{number}",
                "title": " ".join(said[:6]),
                "content": "\n\n".join(sections),
                "language": "en",
            }
            file.write(json.dumps(article) + "\n")


def _questions(words: Sequence[str]) -> list[str]:
    random = np.random.default_rng(1)
    asked = []
    for number in range(QUESTIONS + _WARM_UP):
        drawn = " ".join(words[place] for place in random.integers(20, 4000, 7))
        asked.append(f"How do I change the {drawn} setting for guests in project {number}?")
    return asked


def _percentile(times: Sequence[float], percent: float) -> Measured:
    array = np.array(times)
    return bootstrap(len(array), lambda drawn: float(np.percentile(array[drawn], percent)))
