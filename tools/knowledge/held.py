"""Vectors of one collection held in memory: below some ten thousand entries a plain product beats any index."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

MOST_BYTES = 64_000_000
"""What a collection may take in memory: 41,000 entries of the default embedding. Larger ones are searched on disk."""

_TINY = 1e-30


@dataclass(frozen=True, slots=True)
class VectorHit:
    """An entry found by its vector. `cosine` lies in [-1, 1]."""

    entry_id: str
    cosine: float


class HeldVectors:
    """Entries and their vectors (n, d), searched exactly, by cosine."""

    def __init__(self, ids: Sequence[str], vectors: NDArray[np.float32]) -> None:
        self._ids = tuple(ids)
        self._unit = _normalised(vectors)

    def search(self, vector: NDArray[np.float32], *, limit: int) -> list[VectorHit]:
        """Return the nearest entries, best first; of equally near ones the earlier comes first."""
        cosines = self._unit @ _normalised(vector.reshape(1, -1))[0]
        if len(cosines) > limit:
            border = np.partition(cosines, len(cosines) - limit)[len(cosines) - limit]
            places = np.flatnonzero(cosines >= border)
        else:
            places = np.arange(len(cosines))
        order = places[np.argsort(-cosines[places], kind="stable")][:limit]
        return [VectorHit(self._ids[place], float(cosines[place])) for place in order]


def fits(entries: int, dimensions: int) -> bool:
    """Whether so many vectors may be held."""
    return entries * dimensions * np.dtype(np.float32).itemsize <= MOST_BYTES


def _normalised(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, _TINY), dtype=np.float32)
