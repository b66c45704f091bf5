"""How sure we are that the passages found answer the question."""

import math
import re
from collections.abc import Sequence
from functools import lru_cache

from agent.types import Evidence, Passage, Understanding
from tools.engines.local.codes import are_explained, codes_in
from tools.engines.local.words import content_words, stem, words

# A logistic formula with hand-set weights. Every feature lies in [0, 1], so that a weight is what
# the best value of a feature is worth in log-odds. Tried on questions that a help centre answers and on neighbours of
# them that it doesn't: what tells the two apart is less how near the nearest passage is than whether the question's
# rarest words stand in it.
_BIAS = -5.2
_WEIGHTS = {
    "top_score": 4.2,  # the ranking's own fused relevance
    "dense": 2.6,  # cosine with the nearest passage of the best article
    "coverage": 2.6,  # share of the question's words in that article, the rare ones counting more
    "margin": 1.2,  # how far the next article is behind, full at 0.2
    "agreement": 0.3,  # found by meaning and by words
    "named": -2.2,  # a name (product, format, company) that no passage knows: most likely not supported
    "one_word": -0.7,  # too short to tell what is asked
    "several": -2.5,  # one word, and more than one article is about it
    "long": -0.4,  # many words: more than one thing may be asked
    "other_language": -0.3,
    "no_dense": 0.9,  # without embeddings `dense` is missing, not low
    # What an article in another language than English has of the question is less: its words are joined and bent.
    "beyond_english": 1.0,
    "code": 2.5,  # the article has the code that the question names: it is about nothing else
}
# With the encoder taught for search, in English: found by logistic regression on 538 questions to three help centres,
# held near the weights above (docs/quality.md), but for `named`: -1.9 was too little for another product's name.
_TAUGHT_BIAS = -3.7
_TAUGHT_WEIGHTS = _WEIGHTS | {
    "top_score": 3.2,
    "dense": 2.5,
    "coverage": 1.9,
    "margin": 1.6,
    "agreement": 0.1,
    "named": -2.5,
    "one_word": -1.0,
}
# An answer of one line, "open Schedules and press Delete", has two that its title lacks.
_THIN_WORDS = 2
_FULL_MARGIN = 0.2
_LONG_WORDS = 25
_NAME = re.compile(r"(?<![.!?¿¡:\n]\s)(?<!^)\b(?:[A-Z][a-z]+[A-Z]\w*|[A-Z]{2,}\w*|[A-Z][\w]{2,})\b")


def assess(
    understanding: Understanding,
    passages: Sequence[Passage],
    *,
    in_english: str,
    beyond_english: bool = False,
    taught: bool = False,
) -> Evidence:
    """Estimate the probability that the passages answer.

    `in_english` is the question's gist in English; its words count too, for articles in another language.
    `beyond_english` tells that a model of English has another one beside it for other languages, `taught` that English
    is searched with an encoder taught for that.
    """
    if not passages:
        return Evidence(0.0)
    question = understanding.question.render_plain()
    best = max(passages, key=lambda passage: passage.score)
    article = [passage for passage in passages if passage.article_id == best.article_id]
    others = [passage.score for passage in passages if passage.article_id != best.article_id]
    own = content_words(question)
    english = content_words(in_english)
    cosines = [passage.dense_score for passage in article if passage.dense_score is not None]
    features = {
        "top_score": _unit(best.score),
        "dense": _unit(max(cosines)) if cosines else 0.0,
        "coverage": max(coverage(own, article, passages), coverage(english, article, passages)),
        "margin": _unit((best.score - max(others, default=0.0)) / _FULL_MARGIN),
        "agreement": float(any(p.dense_score is not None and p.lexical_score is not None for p in article)),
        "named": float(bool(_unknown_names(question, understanding, passages))),
        "one_word": float(len(own) <= 1),
        "several": float(len(words(question)) == len(own) == 1 and _titled(own[0], passages) > 1),
        "long": float(len(own) > _LONG_WORDS),
        "other_language": float(best.language != understanding.language),
        "no_dense": float(not cosines),
        "beyond_english": float(beyond_english and bool(cosines) and best.language == understanding.language != "en"),
        "thin": float(_is_thin(article)),
        "code": float(are_explained(codes_in(question), [passage.text.render_plain() for passage in article])),
    }
    searched = taught and bool(cosines) and best.language == understanding.language == "en"
    bias, weights = (_TAUGHT_BIAS, _TAUGHT_WEIGHTS) if searched else (_BIAS, _WEIGHTS)
    total = bias + sum(weight * features[name] for name, weight in weights.items())
    if not own:
        # Nothing was asked that could be looked up.
        total = min(total, -3.0)
    # Hardly more than a title: there is nothing in it to answer with.
    by_passages = 0.0 if features["thin"] else 1 / (1 + math.exp(-total))
    features["by_passages"] = by_passages
    if best.known is not None:
        features["known"] = best.known
    return Evidence(
        # Two ways to be sure: the text says it, or the team's own history does.
        probability=round(max(by_passages, best.known or 0.0), 4),
        features={name: round(value, 4) for name, value in features.items()},
        passage_ids=tuple(passage.passage_id for passage in article),
    )


def coverage(wanted: Sequence[str], article: Sequence[Passage], found: Sequence[Passage]) -> float:
    """Which share of the words the article has, each weighed by how rare it is among all passages found.

    A word that none of them has is the rarest of all: it is what the question is about and the articles are not.
    """
    if not wanted:
        return 0.0
    texts = [_stems(passage) for passage in found]
    own = frozenset[str]().union(*(_stems(passage) for passage in article))
    # A word that all of them have still counts: smoothed, with one added.
    weights = {word: 1 + math.log((len(texts) + 1) / (sum(word in text for text in texts) + 1)) for word in wanted}
    return sum(weight for word, weight in weights.items() if word in own) / sum(weights.values())


def _is_thin(article: Sequence[Passage]) -> bool:
    titled = set(content_words(article[0].title))
    said = frozenset[str]().union(*(_read(passage.text.render_plain()) for passage in article))
    return len(said - titled) < _THIN_WORDS


def _titled(word: str, passages: Sequence[Passage]) -> int:
    """How many articles have the word in their title."""
    return len({each.article_id for each in passages if word in content_words(each.title)})


def _stems(passage: Passage) -> frozenset[str]:
    return _read(f"{passage.title} {passage.section} {passage.text.render_plain()}")


@lru_cache(maxsize=8192)
def _read(text: str) -> frozenset[str]:
    """The stems of an article's text, which is read again and again."""
    return frozenset(content_words(text))


def _unknown_names(question: str, understanding: Understanding, passages: Sequence[Passage]) -> list[str]:
    if understanding.language == "de":
        # German writes every noun with a capital: only words in capitals are names there.
        names = re.findall(r"\b(?:[A-ZÄÖÜ]{2,}\w*|\w+[a-z][A-Z]\w*)\b", question)
    else:
        names = _NAME.findall(question)
    letters = [char for char in question if char.isalpha()]
    if letters and sum(char.isupper() for char in letters) > len(letters) / 2:
        return []  # All in capitals: shouting, not names.
    known = frozenset[str]().union(*(_stems(passage) for passage in passages))
    return [name for name in names if content_words(name) and stem(name) not in known]


def _unit(value: float) -> float:
    return min(max(value, 0.0), 1.0)
