"""One ingest: read, compare, build a generation beside the live one, check it, swap."""

import asyncio
import hashlib
import random
import re
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
from numpy.typing import NDArray

from agent.errors import BadTurn, KnowledgeError
from agent.ports import Embedder
from tools.embedding.by_language import ByLanguage, by_language
from tools.knowledge.articles import Article, Refusal
from tools.knowledge.sources import Reading, read_source
from tools.knowledge.split import Piece
from tools.knowledge.vectors import VectorCollection, VectorStore
from tools.storage.knowledge import ArticleRow, Generation, KnowledgeRows, PassageRow, QuestionRow

Progress = Callable[[str, int, int], None]
Vectors = dict[str, NDArray[np.float32]]

_EMBED_BATCH = 128
_SELF_QUERIES = 30
_ROUNDING = 1e-3
_MAX_REFUSED_SHARE = 0.5
# A base of fewer articles is still being tried out.
_MANY = 10


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did. Counts are of articles unless they say otherwise."""

    added: int
    changed: int
    removed: int
    unchanged: int
    refused: tuple[Refusal, ...]
    passages: int
    seconds: float
    generation_id: str
    dense: bool

    def to_json(self) -> dict[str, Any]:
        """The report as JSON, for the command line and the wire."""
        return {**asdict(self), "refused": [asdict(refusal) for refusal in self.refused]}


def passages_name(workspace_id: str, generation_id: str) -> str:
    """The name of a generation's collection of passages."""
    return f"{workspace_prefix(workspace_id)}-p-{generation_id}"


def titles_name(workspace_id: str, generation_id: str) -> str:
    """The name of a generation's collection of titles."""
    return f"{workspace_prefix(workspace_id)}-t-{generation_id}"


def articles_name(workspace_id: str, generation_id: str) -> str:
    """The name of a generation's collection of articles as wholes."""
    return f"{workspace_prefix(workspace_id)}-a-{generation_id}"


def questions_name(workspace_id: str, generation_id: str, key: str) -> str:
    """The name of a generation's collection of known questions; `key` says which they are."""
    return f"{workspace_prefix(workspace_id)}-q-{generation_id}-{key}"


def workspace_prefix(workspace_id: str) -> str:
    """What names of a workspace's own begin with."""
    # A digest beside the readable part: two workspaces never share a collection, whatever characters they use.
    readable = re.sub(r"[^A-Za-z0-9]+", "", workspace_id)[:24]
    return f"kb-{readable}{hashlib.sha256(workspace_id.encode()).hexdigest()[:12]}"


class Ingest:
    """Runs once. What it leaves behind when it is interrupted is dropped at the next opening."""

    def __init__(self, rows: KnowledgeRows, vectors: VectorStore, embedder: Embedder | None, workspace_id: str) -> None:
        self._rows = rows
        self._vectors = vectors
        self._embedder = embedder
        self._workspace_id = workspace_id

    async def run(self, path: Path, on_progress: Progress, *, force: bool) -> IngestReport:
        """Read `path` and make it the live generation.

        Raises:
            BadTurn: nothing to read, too much refused, or too much of what is there gone.
            KnowledgeError: the new generation didn't find its own passages.
        """
        began = time.monotonic()
        reading = await asyncio.to_thread(read_source, path)
        _require_most(reading, force=force)
        on_progress("read", len(reading.articles), len(reading.articles))
        live = await self._rows.live()
        before = {a.article_id: a.content_hash for a in await self._rows.articles(live.generation_id)} if live else {}
        now = {article.article_id: article.content_hash for article in reading.articles}
        _require_meant(before.keys() - now.keys(), before, force=force)
        unchanged = sum(before.get(article_id) == digest for article_id, digest in now.items())
        embedder = self._for({article.language for article in reading.articles})
        dense = embedder is not None
        generation_id, passages = live.generation_id if live else "", live.passages if live else 0
        if live is None or before != now or live.embedder != (embedder.name if embedder else None):
            generation_id, passages = uuid4().hex[:16], len(reading.pieces)
            await self._build(generation_id, reading, live, embedder, on_progress)
            await self._rows.swap(generation_id)
        return IngestReport(
            added=len(now.keys() - before.keys()),
            changed=len(now.keys() & before.keys()) - unchanged,
            removed=len(before.keys() - now.keys()),
            unchanged=unchanged,
            refused=reading.refused,
            passages=passages,
            seconds=time.monotonic() - began,
            generation_id=generation_id,
            dense=dense,
        )

    async def rebuild_vectors(self, live: Generation, on_progress: Progress) -> None:
        """Make the live generation's vectors again from its stored texts: they are lost, or of another model.

        Raises:
            ConnectorError: the embedder or the index failed; search goes on by words alone.
        """
        if self._embedder is None:
            return
        # An index that can't be reached now keeps what it has.
        await asyncio.to_thread(self._vectors.names)
        # Until all is there, nothing may take these collections for whole.
        await self._rows.set_embedder(live.generation_id, None)
        articles = await self._rows.articles(live.generation_id)
        embedder = by_language(self._embedder, {row.language for row in articles})
        passages = await self._rows.passages(live.generation_id)
        for named in (passages_name, titles_name, articles_name):
            await asyncio.to_thread(self._vectors.drop, named(self._workspace_id, live.generation_id))
        await self._make_vectors(live.generation_id, articles, passages, {}, {}, embedder, on_progress)
        await self._rows.set_embedder(live.generation_id, embedder.name)

    def _for(self, languages: Collection[str]) -> ByLanguage | None:
        return by_language(self._embedder, languages) if self._embedder is not None else None

    async def _build(
        self,
        generation_id: str,
        reading: Reading,
        live: Generation | None,
        embedder: ByLanguage | None,
        on_progress: Progress,
    ) -> None:
        pieces = reading.pieces
        await self._rows.build(
            generation_id,
            [_article_row(article) for article in reading.articles],
            [PassageRow(p.passage_id, p.article_id, p.section, p.position, p.text, p.content_hash) for p in pieces],
            [
                QuestionRow(_question_id(article.article_id, text), article.article_id, text)
                for article in reading.articles
                for text in article.questions
            ],
            [(refusal.source, refusal.reason) for refusal in reading.refused],
            embedder=embedder.name if embedder else None,
        )
        if embedder is None:
            return
        # An id of a passage covers title, section and text; a whole article is known when it reads as it did.
        known = await self._known_vectors(live, embedder, passages_name, [piece.passage_id for piece in pieces])
        before = {a.article_id: a.content_hash for a in await self._rows.articles(live.generation_id)} if live else {}
        same = [a.article_id for a in reading.articles if before.get(a.article_id) == a.content_hash]
        wholes = await self._known_vectors(live, embedder, articles_name, same)
        await self._make_vectors(generation_id, reading.articles, pieces, known, wholes, embedder, on_progress)

    async def _known_vectors(
        self, live: Generation | None, embedder: ByLanguage, named: Callable[[str, str], str], ids: Sequence[str]
    ) -> Vectors:
        """Those vectors that the live generation has already."""
        if live is None or live.embedder != embedder.name:
            return {}
        old = await asyncio.to_thread(self._vectors.open, named(self._workspace_id, live.generation_id))
        if old is None:
            return {}
        # An endpoint may have another model under the name it had before.
        size = (await embedder.embed(["size"], "en")).shape[1]
        found = await asyncio.to_thread(old.get, ids)
        return {entry_id: vector for entry_id, vector in found.items() if len(vector) == size}

    async def _make_vectors(
        self,
        generation_id: str,
        articles: Sequence[Article] | Sequence[ArticleRow],
        passages: Sequence[Piece] | Sequence[PassageRow],
        known: Vectors,
        wholes: Vectors,
        embedder: ByLanguage,
        on_progress: Progress,
    ) -> None:
        """Write the three collections: passages below their titles, titles, and articles as wholes without them.

        A title repeats what sister articles share (the product's name, most often): the mean of the passages alone
        says what this one is about.
        """
        titles = {article.article_id: article.title for article in articles}
        # Of articles and of passages, by their ids.
        languages = {article.article_id: article.language for article in articles}
        languages |= {p.passage_id: languages[p.article_id] for p in passages}
        making = _Making(embedder, languages, on_progress)
        texts = {p.passage_id: embedded_text(titles[p.article_id], p.section, p.text) for p in passages}
        await self._fill(passages_name(self._workspace_id, generation_id), texts, known, making, "passages")
        await self._fill(titles_name(self._workspace_id, generation_id), titles, {}, making, "titles")
        bodies = {p.passage_id: p.text for p in passages if p.article_id not in wholes}
        vectors = await making.embed(bodies, {}, "articles")
        sums: Vectors = {}
        for passage in passages:
            if passage.passage_id in vectors:
                own = vectors[passage.passage_id]
                sums[passage.article_id] = sums[passage.article_id] + own if passage.article_id in sums else own
        means = {i: total / max(float(np.linalg.norm(total)), 1e-9) for i, total in sums.items()}
        await self._fill(
            articles_name(self._workspace_id, generation_id),
            dict.fromkeys([*wholes, *means], ""),
            {**wholes, **means},
            making,
            "articles",
        )

    async def _fill(self, name: str, texts: dict[str, str], known: Vectors, making: "_Making", stage: str) -> None:
        vectors = await making.embed(texts, known, stage)
        ids = list(texts)
        matrix = np.stack([vectors[entry_id] for entry_id in ids]).astype(np.float32)
        await asyncio.to_thread(self._store, name, ids, matrix)

    def _store(self, name: str, ids: list[str], matrix: NDArray[np.float32]) -> None:
        collection = self._vectors.create(name)
        collection.add(ids, matrix)
        _check(collection, ids, matrix)


@dataclass(frozen=True, slots=True)
class _Making:
    """Vectors in the making; `languages` are those of the texts, by their ids."""

    embedder: ByLanguage
    languages: Mapping[str, str]
    on_progress: Progress

    async def embed(self, texts: Mapping[str, str], known: Vectors, stage: str) -> Vectors:
        """The vectors of all texts, of which some may be known."""
        vectors = dict(known)
        missing: dict[str, list[str]] = {}
        for entry_id in texts:
            if entry_id not in vectors:
                missing.setdefault(self.languages[entry_id], []).append(entry_id)
        for language, ids in missing.items():
            for start in range(0, len(ids), _EMBED_BATCH):
                batch = ids[start : start + _EMBED_BATCH]
                embedded = await self.embedder.embed([texts[entry_id] for entry_id in batch], language)
                vectors.update(zip(batch, embedded, strict=True))
                self.on_progress(stage, len(vectors), len(texts))
        return vectors


def _check(collection: VectorCollection, ids: list[str], matrix: NDArray[np.float32]) -> None:
    """Look for a sample of entries: a count alone has been seen to lie.

    Each has to be there as it was written. By its own vector most have to be found: the index is an approximate one,
    which misses some, the more the more entries are alike.

    Raises:
        KnowledgeError: an entry isn't there, or many, and others with the same vector, aren't found.
    """
    if collection.count() != len(ids):
        raise KnowledgeError(f"the new index has {collection.count()} of {len(ids)} entries; the old one is kept")
    sample = random.Random(len(ids)).sample(range(len(ids)), min(_SELF_QUERIES, len(ids)))  # noqa: S311  # No secret.
    kept = collection.get([ids[index] for index in sample])
    whole = all(ids[index] in kept and np.allclose(kept[ids[index]], matrix[index], atol=_ROUNDING) for index in sample)
    found = [collection.search(matrix[index], limit=1) for index in sample]
    missed = sum(not hits or hits[0].cosine < 1 - _ROUNDING for hits in found)
    if not whole or missed > len(sample) // 3:
        raise KnowledgeError("the new index doesn't find its own passages; the old one is kept", retryable=True)


def _question_id(article_id: str, text: str) -> str:
    return hashlib.sha256(f"{article_id}\x1f{text}".encode()).hexdigest()[:24]


def embedded_text(title: str, section: str, text: str) -> str:
    """A passage as it is embedded: below its article's title."""
    return f"{title}. {section}\n{text}"


def _require_most(reading: Reading, *, force: bool) -> None:
    total = len(reading.articles) + len(reading.refused)
    if len(reading.refused) > _MAX_REFUSED_SHARE * total and not force:
        first = reading.refused[0]
        raise BadTurn(
            f"{len(reading.refused)} of {total} were refused, so nothing was changed; the first: "
            f"{first.source}: {first.reason}. Use --force to go on with the rest"
        )


def _require_meant(gone: Collection[str], before: Collection[str], *, force: bool) -> None:
    """Another folder than the one meant would empty the base."""
    if len(before) >= _MANY and 2 * len(gone) > len(before) and not force:
        raise BadTurn(
            f"{len(gone)} of the {len(before)} articles that are there now would be removed, so nothing was changed. "
            "Use --force if this is to take their place"
        )


def _article_row(article: Article) -> ArticleRow:
    return ArticleRow(
        article_id=article.article_id,
        title=article.title,
        url=article.url,
        area=article.area,
        plans=article.plans,
        language=article.language,
        owner=article.owner,
        last_reviewed=article.last_reviewed,
        content_hash=article.content_hash,
        body=article.body,
        source_path=article.source,
        published_on=article.published_on,
        from_tickets=article.from_tickets,
    )
