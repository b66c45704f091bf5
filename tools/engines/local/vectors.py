"""Embeddings, each made once: of the examples kept on disk between starts, of messages kept for a while in memory."""

import hashlib
import logging
from collections import OrderedDict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.errors import ConnectorError
from agent.ports import Embedder
from tools.arrays import read_arrays, write_arrays
from tools.engines.local.features import Vectors

logger = logging.getLogger(__name__)

_KEPT = 4096


class VectorMemory:
    """An embedder with a memory, keyed by a hash so that no message is held. Without an embedder it knows nothing."""

    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = embedder
        self._kept: OrderedDict[bytes, Vectors] = OrderedDict()

    async def embed(self, texts: Sequence[str]) -> Vectors | None:
        """One row per text, or None: there is no embedder, or it failed and words must do."""
        if self._embedder is None or not texts:
            return None
        keys = [hashlib.blake2b(text.encode(errors="replace"), digest_size=16).digest() for text in texts]
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in self._kept}
        fresh: dict[bytes, Vectors] = {}
        if missing:
            try:
                rows = await self._embedder.embed(list(missing.values()))
            except ConnectorError as exc:
                logger.warning("embedder failed, going by words error=%s", type(exc).__name__)
                return None
            fresh = dict(zip(missing, rows, strict=True))
        found = [fresh[key] if key in fresh else self._kept[key] for key in keys]
        for key, row in zip(keys, found, strict=True):
            self._kept[key] = row
            self._kept.move_to_end(key)
        while len(self._kept) > _KEPT:
            self._kept.popitem(last=False)
        return np.stack(found)


async def embed_examples(embedder: Embedder, texts: Sequence[str], cache_dir: Path) -> dict[str, Vectors]:
    """Embed each distinct text once; the vectors are kept in `cache_dir`, named by the texts and the model.

    Raises:
        ConnectorError: they aren't kept yet and the embedder failed.
    """
    distinct = sorted(set(texts))
    key = hashlib.sha256("\x1f".join([embedder.name, *distinct]).encode()).hexdigest()[:24]
    path = cache_dir / f"examples-{key}.npz"
    stored = read_arrays(path, ("vectors",))
    if stored is not None and stored["vectors"].shape == (len(distinct), embedder.dimensions):
        matrix = stored["vectors"].astype(np.float32)
    else:
        matrix = await embedder.embed(distinct)
        write_arrays(path, {"vectors": matrix})
    return dict(zip(distinct, matrix, strict=True))
