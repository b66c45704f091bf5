"""How alike two short texts are by their letters, for when there is no embedder."""

import re
from dataclasses import dataclass

_WORD = re.compile(r"\w+")


def word_overlap(one: str, other: str) -> float:
    """Return the mean of two Jaccard indices in [0, 1]: of the words, and of the words' runs of three letters.

    The words say that it is about the same thing, the runs forgive endings and typing errors. Words of one or two
    letters say nothing and are left out. Empty texts are alike to nothing.
    """
    return Worded.of(one).overlap(other)


@dataclass(frozen=True, slots=True)
class Worded:
    """A text that many are compared with."""

    words: frozenset[str]
    runs: frozenset[str]

    @classmethod
    def of(cls, text: str) -> "Worded":
        """Take a text apart."""
        words = _words(text)
        return cls(frozenset(words), frozenset(_runs(words)))

    def overlap(self, text: str) -> float:
        """As `word_overlap`."""
        words = _words(text)
        return (_jaccard(self.words, words) + _jaccard(self.runs, _runs(words))) / 2


def _words(text: str) -> set[str]:
    return {word for word in _WORD.findall(text.casefold()) if len(word) > 2}


def _runs(words: set[str]) -> set[str]:
    return {f" {word} "[start : start + 3] for word in words for start in range(len(word))}


def _jaccard(one: frozenset[str], other: set[str]) -> float:
    return len(one & other) / len(one | other) if one and other else 0.0
