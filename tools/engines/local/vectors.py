"""Embeddings, each made once: of the examples kept on disk between starts, of messages kept for a while in memory."""

import hashlib
import logging
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from agent.errors import ConnectorError
from agent.ports import Embedder
from tools.arrays import read_arrays, write_arrays
from tools.embedding.remembered import apart, remembering
from tools.engines.local.ears.features import Vectors

logger = logging.getLogger(__name__)

# Sentences and titles: 13 MB of the default embedding.
_ARTICLE_TEXTS = 8192


class VectorMemory:
    """An embedder that remembers, and that may be away. Without an embedder it knows nothing."""

    def __init__(self, embedder: Embedder | None) -> None:
        self._embedder = remembering(embedder) if embedder is not None else None

    @classmethod
    def of_articles(cls, embedder: Embedder | None) -> "VectorMemory":
        """Return one for what articles say: asked for again and again, while each message comes once."""
        return cls(apart(embedder, kept=_ARTICLE_TEXTS) if embedder is not None else None)

    @property
    def can_embed(self) -> bool:
        """Whether there is an embedder at all."""
        return self._embedder is not None

    async def embed(self, texts: Sequence[str]) -> Vectors | None:
        """One row per text, or None: there is no embedder, or it failed and words must do."""
        if self._embedder is None or not texts:
            return None
        try:
            return await self._embedder.embed(texts)
        except ConnectorError as exc:
            logger.warning("embedder failed, going by words error=%s", type(exc).__name__)
            return None


async def embed_examples(embedder: Embedder, texts: Sequence[str], cache_dir: Path) -> dict[str, Vectors]:
    """Embed distinct texts once; the vectors are kept in `cache_dir`, named by the texts and the model.

    Those of an endpoint whose vectors' size isn't known (`dimensions` is 0) are taken as they are.

    Raises:
        ConnectorError: they aren't kept yet and the embedder failed.
    """
    if not texts:
        return {}
    key = hashlib.sha256("\x1f".join([embedder.name, *texts]).encode()).hexdigest()[:24]
    path = cache_dir / f"examples-{key}.npz"
    stored = read_arrays(path, ("vectors",))
    if stored is not None and _fits(stored["vectors"].shape, len(texts), embedder.dimensions):
        matrix = stored["vectors"].astype(np.float32)
    else:
        matrix = await embedder.embed(texts)
        write_arrays(path, {"vectors": matrix})
    return dict(zip(texts, matrix, strict=True))


def _fits(shape: tuple[int, ...], texts: int, dimensions: int) -> bool:
    return len(shape) == 2 and shape[0] == texts and dimensions in (0, shape[1])
