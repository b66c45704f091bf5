"""An embedder that remembers: one question is embedded once a turn, however many parts of it ask."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from agent.ports import Embedder

_KEPT = 2048
_BULK = 64


class RememberedEmbedder:
    """Implements `agent.ports.Embedder` over another one (`beneath`), keyed by a hash so that no text is held.

    `kept` is how many vectors are remembered.
    """

    def __init__(self, embedder: Embedder, *, kept: int = _KEPT) -> None:
        self.name = embedder.name
        self.beneath = embedder
        self._most = kept
        self._kept: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()

    @property
    def dimensions(self) -> int:
        """Values of a row, as the embedder beneath knows them by now."""
        return self.beneath.dimensions

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """As the embedder beneath; bulk loads pass through, they'd only push questions out.

        Raises:
            ConnectorError: the embedder failed.
        """
        if len(texts) > _BULK or not texts:
            return await self.beneath.embed(texts)
        keys = [hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest() for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept}
        fresh: dict[bytes, NDArray[np.float32]] = {}
        if missing:
            fresh = dict(zip(missing, await self.beneath.embed(list(missing.values())), strict=True))
        rows = [fresh[key] if key in fresh else self._kept[key] for key in keys]
        for key, row in zip(keys, rows, strict=True):
            self._kept[key] = row
            self._kept.move_to_end(key)
        while len(self._kept) > self._most:
            self._kept.popitem(last=False)
        return np.stack(rows)


def remembering(embedder: Embedder) -> RememberedEmbedder:
    """Return `embedder` with a memory; one that has it already keeps it."""
    return embedder if isinstance(embedder, RememberedEmbedder) else RememberedEmbedder(embedder)


def apart(embedder: Embedder, *, kept: int = _KEPT) -> RememberedEmbedder:
    """Return `embedder` with a memory of its own, which other texts don't push anything out of."""
    beneath = embedder.beneath if isinstance(embedder, RememberedEmbedder) else embedder
    return RememberedEmbedder(beneath, kept=kept)
