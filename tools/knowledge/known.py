"""The questions that a base's articles are known to answer: kept beside the passages, and what was learnt from them."""

import asyncio
import hashlib
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import ConnectorError
from agent.ports import Embedder
from tools.arrays import read_arrays, write_arrays
from tools.embedding.sentences import PairedEmbedder, sentence_encoder
from tools.knowledge.matching import (
    ARRAYS,
    FORMAT,
    MIN_ARTICLES,
    MIN_QUESTIONS,
    Match,
    QuestionMatcher,
    Questions,
    Wording,
    elsewhere_texts,
    fit,
)
from tools.knowledge.vectors import VectorCollection, VectorStore
from tools.storage.knowledge import ArticleRow, QuestionRow

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

_EMBED_BATCH = 128
_NEAREST = 60
# The classifier has a column per article: with more it would take minutes to learn and gigabytes to hold.
_MOST_ARTICLES = 1000
# More than one, because servers of two versions or models may share a folder for a while.
_FILES_KEPT = 8


_SECOND_SHARE = 0.4


def for_questions(embedder: Embedder) -> PairedEmbedder:
    """Return the embedder of known questions: what search uses, with the sentence encoder beside it."""
    return PairedEmbedder(embedder, sentence_encoder(), share=_SECOND_SHARE)


@dataclass(frozen=True, slots=True)
class KnownQuestions:
    """Ready to be asked. `articles` names the article of every entry of `collection`."""

    matcher: QuestionMatcher
    collection: VectorCollection
    articles: Mapping[str, str]
    wording: Wording

    def match(self, text: str, language: str, vector: NDArray[np.float32]) -> list[Match]:
        """Return the articles that most likely answer `text`, best first.

        Raises:
            KnowledgeError: the vector index failed.
        """
        nearest: dict[str, float] = {}
        for hit in self.collection.search(vector, limit=min(_NEAREST, len(self.articles))):
            nearest.setdefault(self.articles[hit.entry_id], hit.cosine)
        return self.matcher.match(vector, self.wording.rows([text]), self.wording.stems(text, language), nearest)


class QuestionShelf:
    """All known questions of one generation: the articles' own, their titles, and what tickets taught.

    `taught` are questions of solved tickets with the articles that answered them. What is learnt is kept in files
    whose names begin with `kept`.
    """

    def __init__(
        self,
        rows: Sequence[QuestionRow],
        articles: Mapping[str, ArticleRow],
        taught: Questions | None,
        embedder: PairedEmbedder,
        kept: Path,
    ) -> None:
        if taught is not None and embedder.dimensions not in (0, taught.vectors.shape[1]):
            logger.warning("what tickets taught is of another embedding model and NOT searched: learn again")
            taught = None
        asked = Counter(row.article_id for row in rows)
        asked.update(taught.article_ids if taught else ())
        # Those most asked about come first, then the others, which are known by their titles alone.
        order = sorted(articles, key=lambda article_id: (-asked[article_id], article_id))[:_MOST_ARTICLES]
        articles = {article_id: articles[article_id] for article_id in sorted(order)}
        self._rows = [row for row in rows if row.article_id in articles]
        self._articles = articles
        places = [place for place, a in enumerate(taught.article_ids) if a in articles] if taught else []
        self._taught = taught.take(places) if taught and places else None
        self._embedder = embedder
        self._kept = kept

    @property
    def enough(self) -> bool:
        """Whether there are enough questions to tell articles apart by them."""
        taught = self._taught.article_ids if self._taught else ()
        answered = [*(row.article_id for row in self._rows), *taught]
        return len(answered) >= MIN_QUESTIONS and len(set(answered)) >= MIN_ARTICLES

    @property
    def key(self) -> str:
        """Names what is on the shelf and how it is read."""
        digest = hashlib.sha256(f"{FORMAT}\x1f{self._embedder.name}".encode())
        for row in self._rows:
            digest.update(f"\x1e{row.article_id}\x1f{row.text}".encode(errors="replace"))
        for article_id, article in sorted(self._articles.items()):
            digest.update(f"\x1e{article_id}\x1f{article.title}".encode(errors="replace"))
        if self._taught:
            digest.update("\x1f".join(self._taught.article_ids).encode())
            digest.update(self._taught.vectors.tobytes())
        return digest.hexdigest()[:16]

    async def open(self, vectors: VectorStore, name: str) -> KnownQuestions | None:
        """Open what was prepared before, or return None when that is missing or damaged."""
        stored = await asyncio.to_thread(read_arrays, self._path, ARRAYS)
        collection = await asyncio.to_thread(vectors.open, name)
        entries = self._entries()
        if stored is None or collection is None or await asyncio.to_thread(collection.count) != len(entries):
            return None
        try:
            matcher = QuestionMatcher.from_arrays(stored)
        except (ValueError, IndexError):
            logger.warning("the matcher of known questions is damaged, making it again path=%s", self._path)
            return None
        try:
            await asyncio.to_thread(collection.hold)
            # Its models are opened by their first text: here, and not while the first customer waits.
            asked = await self._embedder.embed(["ready"])
        except ConnectorError:
            logger.exception("the embedder or the index of known questions failed: they are not searched")
            return None
        if asked.shape[1] != collection.dimensions:
            # Of another model that has the same name.
            return None
        return KnownQuestions(matcher, collection, entries, Wording())

    async def prepare(self, vectors: VectorStore, name: str, on_progress: Progress) -> KnownQuestions | None:
        """Embed, index and learn; None when the questions turn out to be too alike to tell articles apart.

        Raises:
            ConnectorError: the embedder failed.
            KnowledgeError: the index can't be written.
        """
        wording = Wording()
        texts = [*(row.text for row in self._rows), *(article.title for article in self._articles.values())]
        article_ids = [*(row.article_id for row in self._rows), *self._articles]
        embedded = await self._embed(texts, on_progress)
        languages = [self._articles[article_id].language for article_id in article_ids]
        known = await asyncio.to_thread(wording.questions, texts, languages, article_ids, embedded)
        if self._taught:
            known = known.plus(self._taught)
        entries = self._entries()
        await asyncio.to_thread(vectors.drop, name)
        collection = await asyncio.to_thread(vectors.create, name)
        await asyncio.to_thread(collection.add, list(entries), known.vectors)
        on_progress("learning", 0, 1)
        chatter = elsewhere_texts()
        apart = wording.questions(chatter, ["en"] * len(chatter), [""] * len(chatter), await self._embed(chatter, None))
        matcher = await asyncio.to_thread(fit, known, apart)
        on_progress("learning", 1, 1)
        if matcher is None:
            return None
        await asyncio.to_thread(write_arrays, self._path, matcher.to_arrays())
        await asyncio.to_thread(self._forget)
        await asyncio.to_thread(collection.hold)
        return KnownQuestions(matcher, collection, entries, wording)

    def _entries(self) -> dict[str, str]:
        """The index's entries, in the order of `prepare`, with their articles."""
        taught = self._taught.article_ids if self._taught else ()
        return {
            **{f"q-{row.question_id}": row.article_id for row in self._rows},
            **{f"t-{place}": article_id for place, article_id in enumerate(self._articles)},
            **{f"s-{place}": article_id for place, article_id in enumerate(taught)},
        }

    async def _embed(self, texts: Sequence[str], on_progress: Progress | None) -> NDArray[np.float32]:
        parts = []
        for start in range(0, len(texts), _EMBED_BATCH):
            parts.append(await self._embedder.embed(texts[start : start + _EMBED_BATCH]))
            if on_progress is not None:
                on_progress("questions", min(start + _EMBED_BATCH, len(texts)), len(texts))
        return np.concatenate(parts).astype(np.float32)

    @property
    def _path(self) -> Path:
        return self._kept.with_name(f"{self._kept.name}-{self.key}.npz")

    def _forget(self) -> None:
        """Remove what was learnt long ago, from other questions: each ingest that changes one leaves a file."""
        # Another process may do the same just now.
        with suppress(OSError):
            others = [path for path in self._kept.parent.glob(f"{self._kept.name}-*.npz") if path != self._path]
            others.sort(key=lambda path: path.stat().st_mtime, reverse=True)
            for old in others[_FILES_KEPT - 1 :]:
                old.unlink(missing_ok=True)
