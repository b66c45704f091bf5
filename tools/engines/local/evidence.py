"""How sure we are that the passages found answer the question."""

import math
import re
from collections.abc import Sequence

from agent.types import Evidence, Passage, Understanding

# Set by hand on questions that the example's articles answer and questions that they don't.
_BIAS = -4.6
_WEIGHTS = {
    "top_score": 5.2,
    "dense": 2.4,
    "overlap": 2.2,
    "agreement": 0.5,
    "short": -0.9,
    "other_language": -0.4,
}
_STOP = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "could",
        "do",
        "does",
        "for",
        "from",
        "have",
        "how",
        "i",
        "if",
        "in",
        "is",
        "it",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "or",
        "our",
        "please",
        "so",
        "that",
        "the",
        "their",
        "there",
        "this",
        "to",
        "us",
        "was",
        "we",
        "what",
        "when",
        "where",
        "which",
        "who",
        "why",
        "will",
        "with",
        "would",
        "you",
        "your",
        "hi",
        "hello",
        "thanks",
        "ich",
        "wie",
        "kann",
        "man",
        "wir",
        "der",
        "die",
        "das",
        "ein",
        "eine",
        "mein",
        "meine",
        "und",
        "ist",
        "es",
        "in",
        "im",
        "auf",
        "zu",
        "den",
        "dem",
        "nicht",
        "mit",
        "für",
        "bitte",
        "wo",
        "was",
        "como",
        "cómo",
        "el",
        "la",
        "los",
        "las",
        "un",
        "una",
        "mi",
        "mis",
        "y",
        "es",
        "en",
        "de",
        "del",
        "que",
        "qué",
        "se",
        "por",
        "para",
        "con",
        "dónde",
        "puedo",
        "quiero",
    ]
)


def assess(understanding: Understanding, passages: Sequence[Passage]) -> Evidence:
    """Estimate the probability that the passages answer, as a logistic function of a few features in [0, 1]."""
    if not passages:
        return Evidence(0.0)
    question = understanding.question.render_plain()
    best = passages[0]
    words = content_words(question)
    top_article = [p for p in passages if p.article_id == best.article_id]
    told = " ".join(f"{p.title} {p.section} {p.text.render_plain()}" for p in top_article)
    features = {
        "top_score": best.score,
        "dense": max(0.0, best.dense_score) if best.dense_score is not None else best.score,
        "overlap": overlap(words, told),
        "agreement": float(best.dense_score is not None and best.lexical_score is not None),
        "short": float(len(words) <= 1),
        "other_language": float(best.language != understanding.language),
    }
    total = _BIAS + sum(_WEIGHTS[name] * value for name, value in features.items())
    return Evidence(
        probability=round(1 / (1 + math.exp(-total)), 4),
        features={name: round(value, 4) for name, value in features.items()},
        passage_ids=tuple(p.passage_id for p in top_article),
    )


def content_words(text: str) -> set[str]:
    """The words of `text` that carry meaning, lower case, cut to their first six letters as a rough stem."""
    return {word[:6] for word in re.findall(r"\w+", text.lower()) if len(word) > 1 and word not in _STOP}


def overlap(words: set[str], text: str) -> float:
    """Which share of `words` stands in `text`, in [0, 1]."""
    return len(words & content_words(text)) / len(words) if words else 0.0
