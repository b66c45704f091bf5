"""The words of a text that carry its meaning."""

import re
import unicodedata
from functools import lru_cache

from tools.engines.local.shipped import read_data

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_LONGEST_STEM = 7
_SHORTEST_STEM = 3


@lru_cache(maxsize=1)
def _empty() -> frozenset[str]:
    """Words that say nothing about the subject, in the three languages."""
    return frozenset(word for group in read_data("empty_words").values() for word in str(group).split())


def content_words(text: str) -> list[str]:
    """The content words of `text` as rough stems, in order, each once."""
    empty = _empty()
    return list(dict.fromkeys(stem(word) for word in words(text) if word not in empty and len(word) > 1))


def is_empty(word: str) -> bool:
    """Whether a word, lower case, says nothing about the subject."""
    return word in _empty()


def words(text: str) -> list[str]:
    """Every word of `text`, lower case."""
    return [match.group().replace("’", "'") for match in _WORD.finditer(text.lower())]


@lru_cache(maxsize=50_000)
def stem(word: str) -> str:
    """A word without its ending, crudely and alike for three languages: good enough to count shared words."""
    plain = "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
    if plain.isdigit():
        return plain
    plain = plain.removesuffix("'s")
    for ending in ("ing", "ungen", "ung", "iones", "ion", "ed", "es", "en", "er", "s", "e", "n", "a", "o"):
        if plain.endswith(ending) and len(plain) - len(ending) >= _SHORTEST_STEM:
            plain = plain.removesuffix(ending)
            break
    # "cancelled" and "cancel", "planned" and "plan".
    if len(plain) > _SHORTEST_STEM and plain[-1] == plain[-2] and plain[-1] not in "s":
        plain = plain[:-1]
    return plain[:_LONGEST_STEM]
