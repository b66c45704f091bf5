"""Questions in other languages find English articles by their gist in English, word by word."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from agent.types import Passage

# As much as an English article that is found by the question itself: where both fit, the customer's own language wins.
_LOST = 0.12
_PER_ARTICLE = 3


def merged(own: Sequence[Passage], by_gist: Sequence[Passage], limit: int) -> list[Passage]:
    """Return the best of both, each passage once; of those found by gist only the English ones count."""
    english = [replace(p, score=max(0.0, round(p.score - _LOST, 6))) for p in by_gist if p.language == "en"]
    # Of a passage found twice the better finding stays; ties keep the order of the own language first.
    ranked = sorted([*own, *english], key=lambda passage: -passage.score)
    kept: dict[str, Passage] = {}
    per_article: Counter[str] = Counter()
    for passage in ranked:
        if passage.passage_id not in kept and per_article[passage.article_id] < _PER_ARTICLE:
            per_article[passage.article_id] += 1
            kept[passage.passage_id] = passage
    # All that was found of the best article stays, however much was found of others.
    chosen = sorted(kept.values(), key=lambda passage: passage.article_id != ranked[0].article_id)[:limit]
    return [replace(p, rank=place) for place, p in enumerate(sorted(chosen, key=lambda passage: -passage.score))]
