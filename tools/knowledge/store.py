"""The knowledge base of one workspace, open in the one process that owns it."""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from chromadb.errors import ChromaError

from agent.errors import ConnectorError, KnowledgeError
from agent.ports import Embedder, SearchQuery
from agent.types import Passage, Source, Untrusted
from tools.knowledge.ingest import Ingest, IngestReport, Progress, passages_name, questions_name, titles_name
from tools.knowledge.known import KnownQuestions, QuestionShelf
from tools.knowledge.lexical import LexicalIndex
from tools.knowledge.matching import Match, Questions
from tools.knowledge.owner import Ownership
from tools.knowledge.ranking import Hits, Ranked, Shelf, rank
from tools.knowledge.vectors import VectorCollection, VectorHit, VectorStore
from tools.storage.database import Database
from tools.storage.knowledge import ArticleRow, Generation, KnowledgeRows

logger = logging.getLogger(__name__)

STALE_AFTER = timedelta(days=730)
_CANDIDATES = 40
# A question that waits longer for its vector is searched by words alone.
_DENSE_DEADLINE_S = 2.0


@dataclass(frozen=True, slots=True)
class KnowledgeStatus:
    """What is in the base. `dense` is false when search is by words alone."""

    articles: int
    passages: int
    generation_id: str | None
    dense: bool


@dataclass(frozen=True, slots=True)
class _Live:
    """The generation that answers, in memory. Replaced whole."""

    generation: Generation
    shelf: Shelf
    lexical: LexicalIndex
    passages: VectorCollection | None
    titles: VectorCollection | None
    known: KnownQuestions | None = None


@dataclass(frozen=True, slots=True)
class _Dense:
    """What was found by meaning."""

    passages: Sequence[VectorHit]
    titles: Sequence[VectorHit]
    known: tuple[Match, ...]


class KnowledgeStore:
    """Implements `KnowledgeBase`. Open it with `open`, close it with `close`."""

    def __init__(
        self,
        rows: KnowledgeRows,
        vectors: VectorStore,
        embedder: Embedder | None,
        owner: Ownership,
        workspace_id: str,
        *,
        cache_dir: Path,
        taught: Questions | None,
    ) -> None:
        self._rows = rows
        self._vectors = vectors
        self._embedder = embedder
        self._owner = owner
        self._workspace_id = workspace_id
        self._cache_dir = cache_dir
        self._taught = taught
        self._live: _Live | None = None
        self._ingesting = asyncio.Lock()
        self._rebuilding: asyncio.Task[None] | None = None

    @classmethod
    async def open(
        cls,
        db: Database,
        data_dir: Path,
        embedder: Embedder | None,
        workspace_id: str,
        *,
        taught: Questions | None = None,
    ) -> "KnowledgeStore":
        """Take the data folder, clean up after an interrupted ingest, load the live generation.

        `taught` are questions of solved tickets, searched beside those that the articles name themselves.

        Raises:
            Misconfigured: another process owns the folder.
        """
        owner = Ownership(data_dir)
        try:
            vectors = await asyncio.to_thread(VectorStore, data_dir / "vectors")
            store = cls(
                KnowledgeRows(db, workspace_id),
                vectors,
                embedder,
                owner,
                workspace_id,
                cache_dir=data_dir / "models",
                taught=taught,
            )
            await store._load()
            await store._clean_up()
            if store._lacks_vectors() or await store._lacks_questions():
                store._rebuilding = asyncio.create_task(store._rebuild_in_background())
        except BaseException:
            owner.close()
            raise
        return store

    async def close(self) -> None:
        """Let go of the folder. Vectors that were being rebuilt are begun again at the next opening."""
        if self._rebuilding is not None:
            self._rebuilding.cancel()
            await asyncio.wait([self._rebuilding])
        self._owner.close()

    async def status(self) -> KnowledgeStatus:
        """Say what is in the base now."""
        live = self._live
        if live is None:
            return KnowledgeStatus(0, 0, None, dense=self._embedder is not None)
        generation = live.generation
        return KnowledgeStatus(
            generation.articles, generation.passages, generation.generation_id, dense=live.passages is not None
        )

    def catalogue(self) -> list[ArticleRow]:
        """Every article of the live generation, by id."""
        return list(self._live.shelf.articles.values()) if self._live is not None else []

    async def search(self, query: SearchQuery) -> list[Passage]:
        """Return the best passages; by words alone when the dense side is off or fails.

        Raises:
            KnowledgeError: the lexical side failed as well.
        """
        live = self._live
        text = query.text.render_plain().strip()
        if live is None or not text:
            return []
        vector_hits = await self._dense(live, query, text)
        try:
            return await asyncio.to_thread(_rank, live, query, text, vector_hits)
        except (ValueError, RuntimeError) as exc:
            raise KnowledgeError("the word index failed") from exc

    async def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the named passages that the live generation has, in the order asked."""
        live = self._live
        if live is None:
            return []
        shelf = live.shelf
        known = [shelf.passages[passage_id] for passage_id in passage_ids if passage_id in shelf.passages]
        return [
            _passage(Ranked(p, shelf.articles[p.article_id], 0.0, None, None, None), i) for i, p in enumerate(known)
        ]

    async def ingest(self, path: Path, on_progress: Progress | None = None, *, force: bool = False) -> IngestReport:
        """Bring the base to exactly what `path` holds; the old one answers until the new one is whole.

        Raises:
            BadTurn: `path` holds no article, or more than half was refused and `force` wasn't given.
            KnowledgeError: the new generation failed its own check; the old one still answers.
        """
        async with self._ingesting:
            work = Ingest(self._rows, self._vectors, self._embedder, self._workspace_id)
            report = await work.run(path, on_progress or (lambda stage, done, total: None), force=force)
            await self._load()
            await self._complete(on_progress or (lambda stage, done, total: None))
            await self._clean_up()
        return replace(report, dense=self._live is not None and self._live.passages is not None)

    async def teach(self, taught: Questions | None, on_progress: Progress | None = None) -> None:
        """Search these questions of solved tickets from now on, in place of those before.

        Raises:
            ConnectorError: the embedder or the index failed; the old ones stay.
        """
        async with self._ingesting:
            before, self._taught = self._taught, taught
            try:
                await self._load()
                await self._complete(on_progress or (lambda stage, done, total: None))
            except ConnectorError:
                self._taught = before
                raise
            await self._clean_up()

    async def _dense(self, live: _Live, query: SearchQuery, text: str) -> _Dense | None:
        """The nearest passages, titles and known questions, or None when search must do without."""
        if self._embedder is None or live.passages is None or live.titles is None:
            return None
        try:
            async with asyncio.timeout(_DENSE_DEADLINE_S):
                vector = (await self._embedder.embed([text]))[0]
                return await asyncio.to_thread(_nearest, live, query, text, vector)
        except (ConnectorError, TimeoutError):
            logger.exception("dense search failed, going on by words alone")
            return None

    def _lacks_vectors(self) -> bool:
        return self._embedder is not None and self._live is not None and self._live.passages is None

    async def _lacks_questions(self) -> bool:
        live = self._live
        if live is None or live.known is not None:
            return False
        shelf = await self._questions(live)
        return shelf is not None and shelf.enough

    async def _rebuild_in_background(self) -> None:
        async with self._ingesting:
            try:
                await self._complete(lambda stage, done, total: None)
                await self._clean_up()
            except ConnectorError:
                logger.exception(
                    "the vectors can't be rebuilt: search is by words alone until the next ingest or start"
                )

    async def _complete(self, on_progress: Progress) -> None:
        """Make what the live generation lacks: its vectors, and what is learnt from its known questions."""
        live = self._live
        if live is None or self._embedder is None:
            return
        if self._lacks_vectors():
            logger.info("rebuilding vectors passages=%d", live.generation.passages)
            work = Ingest(self._rows, self._vectors, self._embedder, self._workspace_id)
            await work.rebuild_vectors(live.generation, on_progress)
            await self._load()
        if await self._lacks_questions() and (live := self._live) is not None:
            shelf = await self._questions(live)
            if shelf is not None:
                name = questions_name(self._workspace_id, live.generation.generation_id, shelf.key)
                known = await shelf.prepare(self._vectors, name, on_progress)
                self._live = replace(live, known=known)

    async def _questions(self, live: _Live) -> QuestionShelf | None:
        if self._embedder is None:
            return None
        rows = await self._rows.questions(live.generation.generation_id)
        return QuestionShelf(rows, live.shelf.articles, self._taught, self._embedder, self._cache_dir)

    async def _load(self) -> None:
        generation = await self._rows.live()
        if generation is None:
            self._live = None
            return
        articles = {row.article_id: row for row in await self._rows.articles(generation.generation_id)}
        passages = await self._rows.passages(generation.generation_id)
        titles_of: VectorCollection | None = None
        passages_of: VectorCollection | None = None
        if self._embedder is not None and generation.embedder == self._embedder.name:
            passages_of = await asyncio.to_thread(
                self._vectors.open, passages_name(self._workspace_id, generation.generation_id)
            )
            titles_of = await asyncio.to_thread(
                self._vectors.open, titles_name(self._workspace_id, generation.generation_id)
            )
        if (
            passages_of is None
            or titles_of is None
            or not await asyncio.to_thread(_whole, passages_of, titles_of, len(passages), len(articles))
        ):
            passages_of = titles_of = None
            if self._embedder is not None:
                logger.warning("the base has no whole vectors of this model: search is by words alone until rebuilt")
        shelf = Shelf(
            passages={row.passage_id: row for row in passages},
            articles=articles,
            first_passages={row.article_id: row.passage_id for row in reversed(passages)},
            stale_before=(datetime.now(UTC) - STALE_AFTER).date(),
            today=datetime.now(UTC).date(),
        )
        lexical = await asyncio.to_thread(LexicalIndex, passages, articles)
        live = _Live(generation, shelf, lexical, passages_of, titles_of)
        questions = await self._questions(live) if passages_of is not None else None
        if questions is not None and questions.enough:
            name = questions_name(self._workspace_id, generation.generation_id, questions.key)
            live = replace(live, known=await questions.open(self._vectors, name))
        self._live = live

    async def _clean_up(self) -> None:
        """Drop retired generations and what an interruption left; the live one is never among them."""
        for generation_id in await self._rows.leftovers():
            await self._rows.drop(generation_id)
        live = await self._rows.live()
        keep = {f(self._workspace_id, live.generation_id) for f in (passages_name, titles_name)} if live else set()
        if self._live is not None and (questions := await self._questions(self._live)) is not None:
            keep.add(questions_name(self._workspace_id, self._live.generation.generation_id, questions.key))
        ours = (
            passages_name(self._workspace_id, ""),
            titles_name(self._workspace_id, ""),
            questions_name(self._workspace_id, "", "").rstrip("-"),
        )
        for name in await asyncio.to_thread(self._vectors.names):
            if name.startswith(ours) and name not in keep:
                await asyncio.to_thread(self._vectors.drop, name)


def _whole(of_passages: VectorCollection, of_titles: VectorCollection, passages: int, titles: int) -> bool:
    try:
        return of_passages.count() == passages and of_titles.count() == titles
    except (ChromaError, RuntimeError):
        return False


def _nearest(live: _Live, query: SearchQuery, text: str, vector: Any) -> _Dense:
    vector = np.asarray(vector, dtype=np.float32)
    if live.passages is None or live.titles is None:
        return _Dense([], [], ())
    return _Dense(
        live.passages.search(vector, limit=_CANDIDATES),
        live.titles.search(vector, limit=_CANDIDATES),
        tuple(live.known.match(text, query.language, vector)) if live.known is not None else (),
    )


def _rank(live: _Live, query: SearchQuery, text: str, dense: _Dense | None) -> list[Passage]:
    words = live.lexical.search(text, query.language, limit=_CANDIDATES)
    hits = Hits(dense.passages if dense else None, dense.titles if dense else None, words, dense.known if dense else ())
    coverage: Callable[[str], float] = partial(live.lexical.coverage, text, query.language)
    title_fit: Callable[[str], float] = partial(live.lexical.title_fit, text, query.language)
    ranked = rank(hits, query, live.shelf, coverage, title_fit)
    return [_passage(entry, place) for place, entry in enumerate(ranked)]


def _passage(entry: Ranked, place: int) -> Passage:
    return Passage(
        passage_id=entry.passage.passage_id,
        article_id=entry.article.article_id,
        title=entry.article.title,
        section=entry.passage.section,
        text=Untrusted.of(entry.passage.text, Source.ARTICLE, limit=20_000),
        url=entry.article.url,
        language=entry.article.language,
        score=round(entry.score, 6),
        dense_score=entry.cosine,
        lexical_score=entry.bm25,
        rank=place,
        area=entry.article.area,
        plans=entry.article.plans,
        last_reviewed=entry.article.last_reviewed,
        owner=entry.article.owner,
        position=entry.passage.position,
        known=entry.known,
    )
