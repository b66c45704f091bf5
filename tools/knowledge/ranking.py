"""Dense and lexical hits to one ranking, with scores that mean the same for every question."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from agent.ports import SearchQuery
from tools.knowledge.lexical import WordHit
from tools.knowledge.matching import Match
from tools.knowledge.vectors import VectorHit
from tools.storage.knowledge import ArticleRow, PassageRow

# all-MiniLM-L6-v2: unrelated texts lie near 0.1, a question and its answer between 0.45 and 0.8.
_COSINE_MIDDLE, _COSINE_WIDTH = 0.42, 0.09
_DENSE_SHARE = 0.7
_TITLE_DISCOUNT = 0.97
_RECIPROCAL = 60
_PER_ARTICLE = 3
_LIFT_PREFERRED, _LIFT_AREA = 0.04, 0.02
_TITLE_FIT = 0.05
_OTHER_PLAN, _OTHER_LANGUAGE, _FOREIGN_LANGUAGE, _STALE = 0.15, 0.12, 0.3, 0.08
# Between two articles that say different things in like words, the one that was reviewed later wins.
_LIFT_FRESH = 0.03


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
    """What was found. `passages` and `titles` are None when the dense side is off or down.

    `known` are articles that are known to answer questions like this one, with their probabilities.
    """

    passages: Sequence[VectorHit] | None
    titles: Sequence[VectorHit] | None
    words: Sequence[WordHit]
    known: Sequence[Match] = ()


@dataclass(frozen=True, slots=True)
class Shelf:
    """One generation, as ranking needs it. `first_passages` maps an article to its first passage's id."""

    passages: dict[str, PassageRow]
    articles: dict[str, ArticleRow]
    first_passages: dict[str, str]
    stale_before: date
    today: date


def rank(
    hits: Hits,
    query: SearchQuery,
    shelf: Shelf,
    coverage: Callable[[str], float],
    title_fit: Callable[[str], float],
) -> list[Ranked]:
    """Fuse, adjust by page, plan, language and age, drop near-duplicates, and return the best first."""
    cosines = _cosines(hits, shelf)
    bm25 = {hit.passage_id: hit.score for hit in hits.words}
    agreement = _reciprocal_ranks(cosines, hits.words)
    ranked: list[tuple[float, Ranked]] = []
    known = {match.article_id: match.probability for match in hits.known}
    # What is left for the passages to decide after the known questions were heard.
    undecided = 1 - max(known.values(), default=0.0)
    of_known = [shelf.first_passages[article_id] for article_id in known if article_id in shelf.first_passages]
    for passage_id in dict.fromkeys([*(cosines or {}), *bm25, *of_known]):
        passage = shelf.passages.get(passage_id)
        if passage is None:
            continue
        article = shelf.articles[passage.article_id]
        covered = coverage(passage_id)
        cosine = cosines.get(passage_id) if cosines is not None else None
        if cosines is None:
            relevance = covered
        else:
            # A passage found by words alone is at most as near as the farthest that was found by meaning.
            near = cosine if cosine is not None else min(cosines.values(), default=0.0) - 0.02
            relevance = _DENSE_SHARE * _squash(near) + (1 - _DENSE_SHARE) * covered
        score = relevance + 0.03 * agreement.get(passage_id, 0.0) + _adjustment(article, query, shelf)
        score += _TITLE_FIT * title_fit(passage_id)
        likely = known.get(article.article_id, 0.0) if known else None
        score = score * undecided + (likely or 0.0)
        ranked.append((score, Ranked(passage, article, _unit(score), cosine, bm25.get(passage_id), likely)))
    # By the score before it is cut to [0, 1]: several very good passages aren't equally good.
    ranked.sort(key=lambda entry: (-entry[0], entry[1].article.article_id, entry[1].passage.position))
    return _distinct([entry for _, entry in ranked], query.limit)


def _cosines(hits: Hits, shelf: Shelf) -> dict[str, float] | None:
    """Each passage's own nearness, or its article's title's when that is nearer."""
    if hits.passages is None or hits.titles is None:
        return None
    cosines = {hit.entry_id: hit.cosine for hit in hits.passages}
    for hit in hits.titles:
        first = shelf.first_passages.get(hit.entry_id)
        if first is None:
            continue
        by_title = hit.cosine * _TITLE_DISCOUNT
        own = [p for p in cosines if p in shelf.passages and shelf.passages[p].article_id == hit.entry_id]
        best = max(own, key=lambda p: cosines[p], default=first)
        cosines[best] = max(by_title, cosines.get(best, 0.0))
    return cosines


def _unit(score: float) -> float:
    return min(max(score, 0.0), 1.0)


def _squash(cosine: float) -> float:
    return 1 / (1 + math.exp(-(cosine - _COSINE_MIDDLE) / _COSINE_WIDTH))


def _reciprocal_ranks(cosines: dict[str, float] | None, words: Sequence[WordHit]) -> dict[str, float]:
    """Reciprocal rank fusion, scaled to [0, 1].

    Source: Cormack, Clarke, Buettcher, "Reciprocal Rank Fusion", SIGIR 2009, 758-759.
    """
    totals: dict[str, float] = {}
    dense = sorted(cosines or {}, key=lambda passage_id: -(cosines or {})[passage_id])
    for order in (dense, [hit.passage_id for hit in words]):
        for place, passage_id in enumerate(order):
            totals[passage_id] = totals.get(passage_id, 0.0) + 1 / (_RECIPROCAL + place)
    return {passage_id: total * _RECIPROCAL / 2 for passage_id, total in totals.items()}


def _adjustment(article: ArticleRow, query: SearchQuery, shelf: Shelf) -> float:
    change = 0.0
    if article.article_id in query.preferred_article_ids:
        change += _LIFT_PREFERRED
    if query.area is not None and article.area == query.area:
        change += _LIFT_AREA
    if query.plan is not None and article.plans and query.plan not in article.plans:
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


def _distinct(ranked: Sequence[Ranked], limit: int) -> list[Ranked]:
    """Leave out a text that stands twice and the fourth passage of an article."""
    kept: list[Ranked] = []
    texts: set[str] = set()
    per_article: dict[str, int] = {}
    for entry in ranked:
        text = " ".join(entry.passage.text.split()).lower()
        taken = per_article.get(entry.article.article_id, 0)
        if text in texts or taken >= _PER_ARTICLE:
            continue
        texts.add(text)
        per_article[entry.article.article_id] = taken + 1
        kept.append(entry)
        if len(kept) == limit:
            break
    return kept
