"""Dense and lexical hits to one ranking, with scores that mean the same for every question."""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from agent.ports import SearchQuery
from tools.embedding.by_language import ReadBy
from tools.knowledge.duplicates import Said
from tools.knowledge.held import VectorHit
from tools.knowledge.lexical import WordHit
from tools.knowledge.matching import Match
from tools.storage.knowledge import ArticleRow, PassageRow

_RECIPROCAL = 60
_PER_ARTICLE = 3
_LIFT_PREFERRED, _LIFT_AREA = 0.04, 0.02
_TITLE_FIT, _AGREEMENT = 0.05, 0.03
_OTHER_PLAN, _OTHER_LANGUAGE, _FOREIGN_LANGUAGE, _STALE = 0.15, 0.12, 0.3, 0.08
# A question is worded like a title. A message of several sentences tells a story, which resembles the whole of an
# article more than any part or title of it.
_WHOLE_SHARE, _WHOLE_WORDS = 0.8, 1.5
# In cosine: an article about something that the question names, or about something else than it names.
_NAMED, _NOT_NAMED = 0.02, -0.03
# Between two articles that say different things in like words, the one that was reviewed later wins.
_LIFT_FRESH = 0.03
# All that is very near squashes to about 1, where words would decide: in order, a cosine beyond this counts in full.
_VERY_NEAR, _BEYOND = 0.5, 2.0
# What a title is worth that says what was asked in almost the same words, and from and to which cosine that is.
_SAME_TITLE, _SAME_FROM, _SAME_TO = 0.97, 0.6, 0.8


@dataclass(frozen=True, slots=True)
class _Scale:
    """What a model's cosines mean: `middle` and `width` of the step from far to near, in cosine.

    `title` is what the cosine of a title is worth beside that of a passage, `share` what meaning is worth beside words.
    """

    middle: float
    width: float
    title: float
    share: float


_SCALES = {
    # all-MiniLM-L6-v2: unrelated texts lie near 0.1, a question and its answer between 0.45 and 0.8.
    ReadBy.PLAIN: _Scale(0.42, 0.09, 0.97, 0.7),
    # Taught for search, it leaves a question and its answer where they were, and what only looks like it lies farther
    # off. Chosen with three help centres (docs/quality.md), on which little depends on any of them but the titles'.
    ReadBy.TAUGHT: _Scale(0.36, 0.08, 0.8, 0.7),
    # Of other languages the models know less, and words tell more.
    ReadBy.BOTH: _Scale(0.42, 0.09, 0.97, 0.5),
}


@dataclass(frozen=True, slots=True)
class Ranked:
    """A passage with its scores; `score` lies in [0, 1]."""

    passage: PassageRow
    article: ArticleRow
    score: float
    cosine: float | None
    bm25: float | None
    known: float | None


@dataclass(frozen=True, slots=True)
class Hits:
    """What was found. `meaning` is None when the dense side is off or down.

    `words` are passages and `article_words` articles, by BM25. `known` are articles that are known to answer questions
    like this one, with their probabilities.
    """

    meaning: "Meant | None"
    words: Sequence[WordHit]
    article_words: Sequence[WordHit]
    known: Sequence[Match] = ()


@dataclass(frozen=True, slots=True)
class Meant:
    """The nearest by meaning: passages, titles (by article), and articles as wholes.

    Their cosines are those of the model that they were `read_by`.
    """

    passages: Sequence[VectorHit]
    titles: Sequence[VectorHit]
    articles: Sequence[VectorHit]
    read_by: ReadBy = ReadBy.PLAIN


@dataclass(frozen=True, slots=True)
class Reading:
    """What ranking asks about the question and an entry, each by the entry's id.

    `coverage` and `title_fit` as in `lexical.Asked`, of a passage; `subject` as in `Subjects.fit` and `names` as in
    `Subjects.of`, of an article. `story` tells whether the question is a message of several sentences.
    """

    story: bool
    coverage: Callable[[str], float]
    title_fit: Callable[[str], float]
    subject: Callable[[str], int]
    names: Callable[[str], frozenset[str]]


@dataclass(frozen=True, slots=True)
class Shelf:
    """One generation, as ranking needs it. `first_passages` maps an article to its first passage's id."""

    passages: dict[str, PassageRow]
    articles: dict[str, ArticleRow]
    first_passages: dict[str, str]
    stale_before: date
    today: date


def rank(hits: Hits, query: SearchQuery, shelf: Shelf, reading: Reading) -> list[Ranked]:
    """Fuse, adjust by page, plan, language and age, drop near-duplicates, and return the best first."""
    scale = _SCALES[hits.meaning.read_by if hits.meaning is not None else ReadBy.PLAIN]
    cosines = _cosines(hits.meaning, shelf, scale)
    bm25 = {hit.entry_id: hit.score for hit in hits.words}
    agreement = _reciprocal_ranks(cosines, hits.words)
    known = {match.article_id: match.probability for match in hits.known}
    # What is left for the passages to decide after the known questions were heard.
    undecided = 1 - max(known.values(), default=0.0)
    whole = _Whole(hits)
    wholes = [*known, *whole.articles]
    first = [shelf.first_passages[article_id] for article_id in wholes if article_id in shelf.first_passages]
    found = [i for i in dict.fromkeys([*(cosines or {}), *bm25]) if i in shelf.passages]
    # An article that was found as a whole is shown by its best passage, or else by its first.
    there = {shelf.passages[passage_id].article_id for passage_id in found}
    found += [i for i in dict.fromkeys(first) if shelf.passages[i].article_id not in there]
    covered = {passage_id: reading.coverage(passage_id) for passage_id in found}
    most = max(covered.values(), default=0.0)
    # A passage found by words alone is at most as near as the farthest that was found by meaning.
    farthest = min(cosines.values(), default=0.0) - 0.02 if cosines is not None else 0.0
    fits: dict[str, _Fit] = {}
    ranked: list[tuple[float, Ranked]] = []
    for passage_id in found:
        passage = shelf.passages[passage_id]
        article = shelf.articles[passage.article_id]
        fit = fits.get(article.article_id)
        if fit is None:
            fit = fits[article.article_id] = _Fit.of(article, query, shelf, reading, passage_id)
        cosine = cosines.get(passage_id) if cosines is not None else None
        beyond = 0.0
        by_words = covered[passage_id]
        if reading.story:
            by_words = _WHOLE_WORDS * most * whole.words(article.article_id)
        if cosines is None:
            relevance = by_words
        else:
            near = cosine if cosine is not None else farthest
            if reading.story:
                near += _WHOLE_SHARE * (whole.cosine(article.article_id) - near)
            near += fit.named
            relevance = scale.share * _squash(near, scale) + (1 - scale.share) * by_words
            # Being near lifts nothing that holds on another plan over what holds on the customer's.
            beyond = 0.0 if fit.other_plan else _BEYOND * max(0.0, near - _VERY_NEAR)
        score = relevance + fit.adjustment
        if not reading.story:
            score += _AGREEMENT * agreement.get(passage_id, 0.0)
        score += fit.titled
        likely = known.get(article.article_id, 0.0) if known else None
        score = score * undecided + (likely or 0.0)
        order = score + beyond * undecided
        ranked.append((order, Ranked(passage, article, _unit(score), cosine, bm25.get(passage_id), likely)))
    # By the score before it is cut to [0, 1]: several very good passages aren't equally good.
    ranked.sort(key=lambda entry: (-entry[0], entry[1].article.article_id, entry[1].passage.position))
    return _distinct(_falling([entry for _, entry in ranked]), query.limit, reading.names)


@dataclass(frozen=True, slots=True)
class _Fit:
    """What all passages of an article gain or lose alike: by its subject (in cosine), its title, and the rest."""

    named: float
    titled: float
    adjustment: float
    other_plan: bool

    @classmethod
    def of(cls, article: ArticleRow, query: SearchQuery, shelf: Shelf, reading: Reading, passage_id: str) -> "_Fit":
        """`passage_id` is any passage of the article: its title is theirs."""
        return cls(
            named=(0.0, _NAMED, _NOT_NAMED)[reading.subject(article.article_id)],
            titled=_TITLE_FIT * reading.title_fit(passage_id),
            adjustment=_adjustment(article, query, shelf),
            other_plan=_is_of_another_plan(article, query),
        )


class _Whole:
    """Articles as wholes: how near by meaning, and how good by words compared with the best, in [0, 1]."""

    def __init__(self, hits: Hits) -> None:
        nearest = hits.meaning.articles if hits.meaning is not None else ()
        self._cosines = {hit.entry_id: hit.cosine for hit in nearest}
        self._farthest = min(self._cosines.values(), default=0.0) - 0.02
        best = max((hit.score for hit in hits.article_words), default=1.0)
        self._words = {hit.entry_id: hit.score / best for hit in hits.article_words}
        self.articles = [*self._cosines, *self._words]

    def cosine(self, article_id: str) -> float:
        return self._cosines.get(article_id, self._farthest)

    def words(self, article_id: str) -> float:
        return self._words.get(article_id, 0.0)


def _cosines(meaning: Meant | None, shelf: Shelf, scale: _Scale) -> dict[str, float] | None:
    """Each passage's own nearness, or its article's title's when that is nearer."""
    if meaning is None:
        return None
    cosines = {hit.entry_id: hit.cosine for hit in meaning.passages if hit.entry_id in shelf.passages}
    nearest: dict[str, str] = {}
    for passage_id in sorted(cosines, key=lambda p: cosines[p]):
        nearest[shelf.passages[passage_id].article_id] = passage_id
    for hit in meaning.titles:
        best = nearest.get(hit.entry_id, shelf.first_passages.get(hit.entry_id))
        if best is not None:
            cosines[best] = max(hit.cosine * _title_worth(hit.cosine, scale), cosines.get(best, 0.0))
    return cosines


def _title_worth(cosine: float, scale: _Scale) -> float:
    same = _unit((cosine - _SAME_FROM) / (_SAME_TO - _SAME_FROM))
    return scale.title + (_SAME_TITLE - scale.title) * same


def _falling(ranked: list[Ranked]) -> list[Ranked]:
    """None scores less than one that is ranked behind it."""
    best, falling = 0.0, []
    for entry in reversed(ranked):
        best = max(best, entry.score)
        falling.append(replace(entry, score=best))
    return falling[::-1]


def _unit(score: float) -> float:
    return min(max(score, 0.0), 1.0)


def _squash(cosine: float, scale: _Scale) -> float:
    return 1 / (1 + math.exp(-(cosine - scale.middle) / scale.width))


def _reciprocal_ranks(cosines: dict[str, float] | None, words: Sequence[WordHit]) -> dict[str, float]:
    """Reciprocal rank fusion, scaled to [0, 1].

    Source: Cormack, Clarke, Buettcher, "Reciprocal Rank Fusion", SIGIR 2009, 758-759.
    """
    totals: dict[str, float] = {}
    dense = sorted(cosines or {}, key=lambda passage_id: -(cosines or {})[passage_id])
    for order in (dense, [hit.entry_id for hit in words]):
        for place, passage_id in enumerate(order):
            totals[passage_id] = totals.get(passage_id, 0.0) + 1 / (_RECIPROCAL + place)
    return {passage_id: total * _RECIPROCAL / 2 for passage_id, total in totals.items()}


def _adjustment(article: ArticleRow, query: SearchQuery, shelf: Shelf) -> float:
    change = 0.0
    if article.article_id in query.preferred_article_ids:
        change += _LIFT_PREFERRED
    if query.area is not None and article.area == query.area:
        change += _LIFT_AREA
    if _is_of_another_plan(article, query):
        change -= _OTHER_PLAN
    if article.language != query.language:
        # English is the language that most people can read besides their own.
        change -= _OTHER_LANGUAGE if article.language == "en" else _FOREIGN_LANGUAGE
    if article.last_reviewed is not None:
        reviewed = date.fromisoformat(article.last_reviewed)
        span = max((shelf.today - shelf.stale_before).days, 1)
        freshness = (min(reviewed, shelf.today) - shelf.stale_before).days / span
        change += _LIFT_FRESH * freshness if freshness >= 0 else -_STALE
    return change


def _is_of_another_plan(article: ArticleRow, query: SearchQuery) -> bool:
    return query.plan is not None and bool(article.plans) and query.plan not in article.plans


def _distinct(ranked: Sequence[Ranked], limit: int, names: Callable[[str], frozenset[str]]) -> list[Ranked]:
    """Leave out what was said before and the fourth passage of an article."""
    kept: list[Ranked] = []
    said = Said()
    per_article: Counter[str] = Counter()
    for entry in ranked:
        article_id = entry.article.article_id
        if per_article[article_id] >= _PER_ARTICLE or said.again(entry.passage.text, names(article_id)):
            continue
        per_article[article_id] += 1
        kept.append(entry)
        if len(kept) == limit:
            break
    return kept
