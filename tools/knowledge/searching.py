"""One generation, open in memory, and how a question is searched in it. Synchronous; callers use a thread."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import KnowledgeError
from agent.ports import SearchQuery
from agent.types import Passage, Source, Untrusted
from tools.embedding.by_language import ByLanguage, ReadBy
from tools.knowledge.held import VectorHit
from tools.knowledge.known import KnownQuestions
from tools.knowledge.lexical import LexicalIndex
from tools.knowledge.matching import Match
from tools.knowledge.ranking import Hits, Meant, Ranked, Reading, Shelf, rank
from tools.knowledge.spelling import KnownWords, Spelling
from tools.knowledge.subjects import Subjects
from tools.knowledge.vectors import VectorCollection
from tools.storage.knowledge import ArticleRow, Generation, PassageRow

_STALE_AFTER = timedelta(days=730)

_CANDIDATES = 40
_WHOLE_CANDIDATES = 20
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
# Fewer words greet, sign or sigh.
_SENTENCE_WORDS = 3


@dataclass(frozen=True, slots=True)
class Collections:
    """The vectors of one generation: of passages, of titles, and of articles as wholes."""

    passages: VectorCollection
    titles: VectorCollection
    articles: VectorCollection

    def whole(self, passages: int, titles: int, articles: int) -> bool:
        """Whether they hold as many entries as they should."""
        try:
            counted = (self.passages.count(), self.titles.count(), self.articles.count())
        except KnowledgeError:
            return False
        return counted == (passages, titles, articles)

    def hold(self) -> None:
        """Keep those in memory that fit.

        Raises:
            KnowledgeError: the vector index failed.
        """
        for collection in (self.passages, self.titles, self.articles):
            collection.hold()


@dataclass(frozen=True, slots=True)
class Live:
    """The generation that answers. Replaced whole.

    `reading` embeds what is asked, None without a model; `vectors` is None when it has none of that model.
    """

    generation: Generation
    shelf: Shelf
    lexical: LexicalIndex
    subjects: Subjects
    spelling: Spelling
    reading: ByLanguage | None
    vectors: Collections | None
    known: KnownQuestions | None = None

    @classmethod
    def arranged(
        cls,
        generation: Generation,
        articles: dict[str, ArticleRow],
        passages: Sequence[PassageRow],
        reading: ByLanguage | None,
        vectors: Collections | None,
        *,
        cache_dir: Path,
    ) -> "Live":
        """Index what the database holds of a generation: seconds for tens of thousands of passages."""
        now = datetime.now(UTC)
        shelf = Shelf(
            passages={row.passage_id: row for row in passages},
            articles=articles,
            first_passages={row.article_id: row.passage_id for row in reversed(passages)},
            stale_before=(now - _STALE_AFTER).date(),
            today=now.date(),
        )
        spelling = Spelling(
            (article.title for article in articles.values()),
            (f"{passage.section} {passage.text}" for passage in passages),
            KnownWords.open(cache_dir),
        )
        lexical, subjects = LexicalIndex(passages, articles), Subjects(articles, passages)
        return cls(generation, shelf, lexical, subjects, spelling, reading, vectors)


@dataclass(frozen=True, slots=True)
class Dense:
    """What was found by meaning, and articles that are known to answer."""

    meant: Meant
    known: tuple[Match, ...]


@dataclass(frozen=True, slots=True)
class Embedded:
    """A question by its meaning: for passages, and for known questions (None when there are none).

    Cosines with `vector` are those of the model that it is `read_by`, stretched to mean what they do in English.
    """

    vector: NDArray[np.float32]
    as_question: NDArray[np.float32] | None
    stretch: float = 1.0
    read_by: ReadBy = ReadBy.PLAIN


def nearest(live: Live, vectors: Collections, query: SearchQuery, text: str, embedded: Embedded) -> Dense:
    """Search by the question's embedding.

    Raises:
        KnowledgeError: the vector index failed.
    """

    def near(collection: VectorCollection, limit: int) -> list[VectorHit]:
        hits = collection.search(embedded.vector, limit=limit)
        if embedded.stretch == 1.0:
            return hits
        return [replace(hit, cosine=min(1.0, embedded.stretch * hit.cosine)) for hit in hits]

    meant = Meant(
        near(vectors.passages, _CANDIDATES),
        near(vectors.titles, _CANDIDATES),
        near(vectors.articles, _WHOLE_CANDIDATES) if _is_story(text) else (),
        read_by=embedded.read_by,
    )
    if live.known is None or embedded.as_question is None:
        return Dense(meant, ())
    return Dense(meant, tuple(live.known.match(text, query.language, embedded.as_question)))


def search(live: Live, query: SearchQuery, text: str, dense: Dense | None) -> list[Passage]:
    """Search by words as well, and rank everything; `dense` is None when search must do without."""
    story = _is_story(text)
    hits = Hits(
        meaning=dense.meant if dense else None,
        words=live.lexical.search(text, query.language, limit=_CANDIDATES),
        article_words=(live.lexical.search_articles(text, query.language, limit=_WHOLE_CANDIDATES) if story else ()),
        known=dense.known if dense else (),
    )
    asked = live.lexical.asked(text, query.language)
    reading = Reading(
        story=story,
        coverage=asked.coverage,
        title_fit=asked.title_fit,
        subject=live.subjects.fit(text),
        names=live.subjects.of,
    )
    return [_passage(entry, place) for place, entry in enumerate(rank(hits, query, live.shelf, reading))]


def named(live: Live, passage_ids: Sequence[str]) -> list[Passage]:
    """Return the passages of these ids, as far as they are there, in the order asked."""
    shelf = live.shelf
    known = [shelf.passages[passage_id] for passage_id in passage_ids if passage_id in shelf.passages]
    return [
        _passage(Ranked(row, shelf.articles[row.article_id], 0.0, None, None, None), place)
        for place, row in enumerate(known)
    ]


def _is_story(text: str) -> bool:
    return sum(len(part.split()) >= _SENTENCE_WORDS for part in _SENTENCE_END.split(text)) > 1


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
