"""Passages that say the same as one before them."""

import re
from functools import lru_cache

_WORD = re.compile(r"\w+")
_SHINGLE = 3
_ALIKE = 0.8


class Said:
    """What was said so far.

    Two passages are near-duplicates when they share four of five of their runs of three words and all of their
    numbers, and speak of the same names: "up to 500 a day" and "up to 1,000 a day" are not the same, nor are two
    products whose articles read alike.

    Source of the measure: Broder, "On the resemblance and containment of documents", SEQUENCES 1997, 21-29.
    """

    def __init__(self) -> None:
        self._kept: list[tuple[frozenset[str], frozenset[str], frozenset[str]]] = []

    def again(self, text: str, names: frozenset[str]) -> bool:
        """Whether it was said before; when not, remember it."""
        shingles, numbers = _read(text)
        for theirs, their_numbers, their_names in self._kept:
            if names == their_names and numbers == their_numbers and _resemblance(shingles, theirs) >= _ALIKE:
                return True
        self._kept.append((shingles, numbers, names))
        return False


def _resemblance(one: frozenset[str], other: frozenset[str]) -> float:
    return len(one & other) / len(one | other)


@lru_cache(maxsize=4096)
def _read(text: str) -> tuple[frozenset[str], frozenset[str]]:
    """Runs of words, and numbers."""
    words = [word.lower() for word in _WORD.findall(text)]
    runs = {" ".join(words[place : place + _SHINGLE]) for place in range(max(1, len(words) - _SHINGLE + 1))}
    return frozenset(runs), frozenset(word for word in words if any(char.isdigit() for char in word))
