"""How long understanding, retrieval and judgement of one message take, with 10,000 passages and with 100,000.

The questions are the messages that the engine ships as examples, hand-written, of a customer's usual length, and are
embedded by the real model. The passages are made up: the questions' words and others, drawn by Zipf's law, and vectors
in clusters. What counts are the ratios within one run, to embedding the question alone and of the two sizes: machines
differ, and so do minutes.
"""

import hashlib
import json
import re
import resource
import tempfile
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import Misconfigured
from agent.ports import Embedder, SearchQuery
from agent.types import PageContext, Source, Untrusted
from evals.bench.arena import Progress
from evals.bench.report import BenchResult, Part
from evals.statistics.measured import Measured, bootstrap
from graphs.settings import load_settings
from graphs.shared import open_embedding
from tools.embedding.remembered import RememberedEmbedder
from tools.engines.local.ears.examples import by_language, load_examples
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
    """Measure the parts with the embedding model of the settings."""
    embedder = open_embedding(load_settings())
    if embedder is None:
        raise Misconfigured("speed is measured with the embedding model, and there is none: helpgraph doctor")
    sizes = {part: SIZES[part] for part in parts}
    with tempfile.TemporaryDirectory(prefix="helpgraph-speed-") as models:
        return BenchResult(NAME, await measure(embedder.beneath, sizes, on_progress, models=Path(models)))


async def measure(
    embedder: Embedder, sizes: Mapping[str, int], on_progress: Progress, *, models: Path, questions: int = QUESTIONS
) -> list[Part]:
    """Build a base of each size, ask it fresh questions one by one, and time each, and its embedding alone.

    The largest part has the growth from the smallest as well. The ratios' intervals draw questions, each with both of
    its times.

    Args:
        embedder: the model itself. One that remembers would give away what the questions cost.
        sizes: passages by the name of the part.
        models: a folder for what the engine learns before it is measured.
        questions: how many are timed.
    """
    parts = []
    timed = {}
    # From small to large: the peak of memory is the process's.
    for name, passages in sorted(sizes.items(), key=lambda size: size[1]):
        timed[name] = times = await _time(embedder, name, passages, models, questions, on_progress)
        metrics = {
            "p50_ms": _percentile(times.decision_ms, 50),
            "p95_ms": _percentile(times.decision_ms, 95),
            "p95_embedding_ms": _percentile(times.embedding_ms, 95),
            "p95_over_embedding": _p95_ratio(times.decision_ms, times.embedding_ms),
        }
        parts.append(Part(name, metrics, notes={"passages": passages, "resident_mb": times.resident_mb}))
    if len(parts) > 1:
        small, large = timed[parts[0].name], timed[parts[-1].name]
        parts[-1].metrics["p95_growth"] = _p95_ratio(large.decision_ms, small.decision_ms)
    return parts


@dataclass(frozen=True, slots=True)
class _Times:
    """One time per question, in milliseconds, and the most memory that was resident until then."""

    decision_ms: list[float]
    embedding_ms: list[float]
    resident_mb: int


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


async def _time(
    embedder: Embedder, part: str, passages: int, models: Path, questions: int, on_progress: Progress
) -> _Times:
    # One memory for what the engine and the base embed, as in an installation. It starts empty for each size: the
    # questions are the same.
    remembered = RememberedEmbedder(embedder)
    sketch = _Sketch(remembered)
    with tempfile.TemporaryDirectory(prefix="helpgraph-speed-") as folder:
        root = Path(folder)
        write_articles(root / "articles.jsonl", passages)
        db = await Database.open(f"sqlite:///{root / 'helpgraph.db'}", data_dir=root)
        store = await KnowledgeStore.open(db, root, sketch, "speed")
        try:
            await store.ingest(root / "articles.jsonl", lambda s, done, total: on_progress(f"{part}: {s}", done, total))
            found = (await store.status()).passages
            if found < passages * 0.9:
                raise Misconfigured(f"the made-up base has {found} passages instead of about {passages}")
            engine = await LocalEngine.open(remembered, (), cache_dir=models)
            decision_ms, embedding_ms = [], []
            for place, question in enumerate(asked(_WARM_UP + questions)):
                began = time.perf_counter()
                text = Untrusted.of(question, Source.CUSTOMER, limit=2000)
                heard = await engine.understand((text,), (), PageContext())
                passages_found = await store.search(SearchQuery(text=heard.question, language=heard.language))
                await engine.assess(heard, tuple(passages_found), ())
                decided = time.perf_counter()
                await embedder.embed([question])
                if place >= _WARM_UP:
                    decision_ms.append((decided - began) * 1000)
                    embedding_ms.append((time.perf_counter() - decided) * 1000)
                on_progress(f"{part}: questions", place + 1, _WARM_UP + questions)
        finally:
            await store.close()
            await db.close()
    return _Times(decision_ms, embedding_ms, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)


def write_articles(path: Path, passages: int) -> None:
    """Write about so many passages of made-up articles as JSON Lines."""
    words = _vocabulary()
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


def asked(number_of: int) -> list[str]:
    """Return so many messages, no two alike: the first of one fixed order of the eight hundred shipped ones."""
    texts = by_language(load_examples())["en"]
    return [texts[place] for place in np.random.default_rng(1).permutation(len(texts))[:number_of]]


def _vocabulary() -> list[str]:
    """Words, the most frequent first: those of the messages, then made-up ones."""
    said = Counter(word for text in by_language(load_examples())["en"] for word in re.findall(r"[a-z']+", text.lower()))
    words = [word for word, _ in said.most_common()]
    return words + [f"w{number:05d}" for number in range(_VOCABULARY - len(words))]


def _percentile(times: Sequence[float], percent: float) -> Measured:
    array = np.array(times)
    return bootstrap(len(array), lambda drawn: float(np.percentile(array[drawn], percent)))


def _p95_ratio(times: Sequence[float], baseline: Sequence[float]) -> Measured:
    ours, theirs = np.array(times), np.array(baseline)
    return bootstrap(len(ours), lambda drawn: float(np.percentile(ours[drawn], 95) / np.percentile(theirs[drawn], 95)))
