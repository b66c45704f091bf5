"""Texts to hashed bags of terms: the numbers of scikit-learn's `HashingVectorizer`, without scikit-learn.

To import it takes most of a second, of every start of every process, and the vectorizer checks its parameters, its
input and its result at every call, which for one short message takes several times longer than the hashing.
"""

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import mmh3
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Analyze = Callable[[str], Sequence[str]]

_WORD = r"(?u)\b\w\w+\b"


@dataclass(frozen=True, slots=True)
class WordTerms:
    """The words of a text, in lower case, and `shortest` to `longest` neighbours of them."""

    longest: int
    shortest: int = 1
    word: str = _WORD
    strip_accents: bool = True

    def __call__(self, text: str) -> list[str]:
        """Return the terms."""
        words = re.findall(self.word, _plain(text, strip_accents=self.strip_accents))
        lengths = range(self.shortest, self.longest + 1)
        return [" ".join(words[at : at + length]) for length in lengths for at in range(len(words) - length + 1)]


@dataclass(frozen=True, slots=True)
class SpellingTerms:
    """The runs of `shortest` to `longest` characters of each word, in lower case, its edges counted as blanks."""

    shortest: int
    longest: int
    strip_accents: bool = True

    def __call__(self, text: str) -> list[str]:
        """Return the terms."""
        words = _plain(text, strip_accents=self.strip_accents).split()
        return [run for word in words for run in self._runs(f" {word} ")]

    def _runs(self, word: str) -> Iterator[str]:
        for length in range(self.shortest, self.longest + 1):
            # One that is shorter counts once.
            for at in range(max(1, len(word) - length + 1)):
                yield word[at : at + length]
            if length >= len(word):
                return


def _plain(text: str, *, strip_accents: bool) -> str:
    lower = text.lower()
    if not strip_accents or lower.isascii():
        return lower
    return "".join(char for char in unicodedata.normalize("NFKD", lower) if not unicodedata.combining(char))


@dataclass(frozen=True, slots=True)
class Bag:
    """A sparse row: `places` ascending, with the value at each."""

    places: NDArray[np.int32]
    values: NDArray[np.float32]

    @classmethod
    def of(cls, row: Sequence[float] | NDArray[np.float32]) -> "Bag":
        """Return what isn't zero of a dense row."""
        dense = np.asarray(row, dtype=np.float32)
        places = np.flatnonzero(dense)
        return cls(places.astype(np.int32), dense[places])


class Hasher:
    """A bag of a text's terms: how often each bucket was hit. Keeps nothing of the text.

    `analyze` says which terms there are, `buckets` is a power of two. When `signed`, terms count up or down.
    """

    def __init__(self, analyze: Analyze, buckets: int, *, signed: bool = False) -> None:
        self._analyze = analyze
        self._signed = signed
        self.buckets = buckets

    def __call__(self, text: str) -> Bag:
        """Return the bag, L2-normalised; a text without terms has an empty one."""
        counted = self.count(text)
        values = counted.values.astype(np.float64)
        length = np.sqrt(values @ values)
        return Bag(counted.places, (values / length if length else values).astype(np.float32))

    def count(self, text: str) -> Bag:
        """Return the bag as it was counted."""
        hashes = np.array([mmh3.hash(term) for term in self._analyze(text)], dtype=np.int64)
        places, at = np.unique(np.abs(hashes) & (self.buckets - 1), return_inverse=True)
        signs = np.where(hashes >= 0, 1.0, -1.0) if self._signed else None
        counts = np.bincount(at, weights=signs, minlength=len(places))
        hit = np.flatnonzero(counts)
        return Bag(places[hit].astype(np.int32), counts[hit].astype(np.float32))


@dataclass(frozen=True, slots=True)
class Part:
    """Bags, one per text, that stand side by side with others in a matrix, `width` columns wide."""

    bags: Sequence[Bag]
    width: int
    weight: float = 1.0


def side_by_side(parts: Sequence[Part]) -> csr_matrix:
    """Return one sparse row per text: its bag of each part, weighed, beside each other."""
    starts = np.cumsum([0, *(part.width for part in parts)])
    rows = list(zip(*(part.bags for part in parts), strict=True))
    places = [bag.places + start for row in rows for bag, start in zip(row, starts, strict=False)]
    values = [bag.values * np.float32(part.weight) for row in rows for bag, part in zip(row, parts, strict=True)]
    ends = np.cumsum([0, *(sum(len(bag.places) for bag in row) for row in rows)])
    if not rows:
        return csr_matrix((0, int(starts[-1])), dtype=np.float32)
    return csr_matrix((np.concatenate(values), np.concatenate(places), ends), shape=(len(rows), int(starts[-1])))
