"""A text as numbers: what it means, how it is worded, how it is spelt, how it looks."""

import math
import re
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from tools.hashing import Bag, Hasher, Part, SpellingTerms, WordTerms, side_by_side

Vectors = NDArray[np.float32]

_WORD_BUCKETS = 2**12
_NGRAM_BUCKETS = 2**13
# The embedding knows what is meant; words carry "don't" and "my", which an embedding nearly ignores; characters carry
# spelling mistakes and the languages that the embedding wasn't trained on. Weights chosen on the
# messages in the tests that were looked at, not on the held-out ones.
_WORD_WEIGHT = 1.0
_NGRAM_WEIGHT = 0.8
_EMBEDDING_WEIGHT = 1.4
_SURFACE_WEIGHT = 0.4
_SURFACES = 11
_LONG_WORDS = 60
_REFUSED_PERSON_WEIGHT = 4.0
_WORD = r"(?u)[^\W_]+(?:['’][^\W_]+)?|\?"

_HAPPY = frozenset("😀😃😄😁😊🙂😍🥰😎👍👏🙏🎉💪✅💯🤩😅")
_UNHAPPY = frozenset("😠😡🤬😤😞😢😭😩😫🙁👎💩🤦😒🙄😖💔")
_NEGATION = re.compile(
    r"\b(no|not|don'?t|doesn'?t|didn'?t|never|without|rather not|nicht|kein\w*|ohne|niemand\w*|nie|sin|nunca|nadie)\b"
)
# "I don't want a human", but not "I don't want a bot": which word the refusal is about is what bags of words lose.
_REFUSED_PERSON = re.compile(
    r"\b(?:no|not|don'?t|doesn'?t|without|needn'?t|rather not|never mind)\b"
    r"(?:\s+(?!(?:ro)?bots?\b|machine|article|help)[\w']+){0,7}?"
    r"\s+(?:humans?|persons?|people|agents?|someone|somebody|anybody|anyone|employees?|colleagues?|staff|operator)\b"
)
_FIRST_PERSON = re.compile(r"\b(i|my|me|we|our|us|ich|mein\w*|mir|mich|wir|unser\w*|uns|mi|mis|me|nos|nuestr\w+|yo)\b")


def mood_of_emoji(text: str) -> float:
    """Happy minus unhappy emoji, within [-1, 1]."""
    balance = sum(char in _HAPPY for char in text) - sum(char in _UNHAPPY for char in text)
    return max(-1.0, min(1.0, float(balance)))


class Featurizer:
    """Texts with their embeddings (or None) to one sparse row each. Keeps nothing: same text, same row."""

    def __init__(self) -> None:
        self._words = Hasher(WordTerms(3, word=_WORD), _WORD_BUCKETS)
        self._ngrams = Hasher(SpellingTerms(2, 4), _NGRAM_BUCKETS)

    def __call__(self, texts: Sequence[str], vectors: Vectors | None) -> csr_matrix:
        """Return one row per text; rows with embeddings are wider than rows without."""
        plain = [text.replace("’", "'") for text in texts]
        parts = [
            Part([self._words(text) for text in plain], _WORD_BUCKETS, _WORD_WEIGHT),
            Part([self._ngrams(text) for text in plain], _NGRAM_BUCKETS, _NGRAM_WEIGHT),
            Part([Bag.of(_surface(text)) for text in plain], _SURFACES, _SURFACE_WEIGHT),
        ]
        if vectors is not None:
            parts.append(Part([Bag.of(vector) for vector in vectors], vectors.shape[1], _EMBEDDING_WEIGHT))
        return side_by_side(parts)


def _surface(text: str) -> list[float]:
    """What lower case and n-grams lose: shouting, questions, length, negation, who is spoken of.

    They see the English gist, so their words are English; `_NEGATION` keeps ours for when a language was mistaken.
    """
    letters = [char for char in text if char.isalpha()]
    capitals = sum(char.isupper() for char in letters) / len(letters) if len(letters) >= 8 else 0.0
    lower = text.lower()
    emoji = mood_of_emoji(text)
    return [
        min(text.count("!") / 3, 1.0),
        float("?" in text),
        max(0.0, (capitals - 0.3) / 0.7),
        float(any(char.isdigit() for char in text)),
        min(math.log1p(len(text.split())) / math.log(_LONG_WORDS), 1.0),
        float("http" in lower or "www." in lower),
        float(bool(_NEGATION.search(lower))),
        float(bool(_FIRST_PERSON.search(lower))),
        _REFUSED_PERSON_WEIGHT * bool(_REFUSED_PERSON.search(lower)),
        max(0.0, emoji),
        max(0.0, -emoji),
    ]
