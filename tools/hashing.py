"""Texts to hashed bags of terms: what scikit-learn's `HashingVectorizer` gives, for one message at a time.

The vectorizer checks its parameters, its input and its result at every call, which for one short message takes
several times longer than the hashing. Its analyzer and its hash are used here, so the numbers are the same.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.utils import murmurhash3_32


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
    """A bag of a text's terms: how often each bucket was hit, L2-normalised. Keeps nothing of the text.

    `vectorizer` says which terms and how many buckets, a power of two; with its `alternate_sign` terms count up or
    down.
    """

    def __init__(self, vectorizer: HashingVectorizer) -> None:
        self._analyze = vectorizer.build_analyzer()
        self._signed = bool(vectorizer.alternate_sign)
        self.buckets = int(vectorizer.n_features)

    def __call__(self, text: str) -> Bag:
        """Return the bag; a text without terms has an empty one."""
        hashes = np.array([murmurhash3_32(term) for term in self._analyze(text)], dtype=np.int64)
        signs = np.where(hashes >= 0, 1.0, -1.0) if self._signed else None
        counts = np.bincount(np.abs(hashes) & (self.buckets - 1), weights=signs, minlength=self.buckets)
        places = np.flatnonzero(counts)
        values = counts[places].astype(np.float64)
        length = np.sqrt(values @ values)
        return Bag(places.astype(np.int32), (values / length if length else values).astype(np.float32))


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
