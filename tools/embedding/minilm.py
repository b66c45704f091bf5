"""all-MiniLM-L6-v2 (or another model of its kind) on the processor, through onnxruntime."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from agent.errors import ConnectorError, Misconfigured
from tools.embedding.model_cache import RUNTIME_ERRORS, cached_model, open_cached
from tools.embedding.remembered import RememberedEmbedder
from tools.embedding.search_encoder import cached_search_encoder, search_encoder_name
from tools.embedding.weights import Weights, open_tokenizer
from tools.onnx_runtime import onnxruntime

_MAX_TOKENS = 256
_BATCH = 32
# A text of more characters has more than 256 tokens in any script that the model knows.
_MAX_CHARS = 8_000


class MiniLmEmbedder:
    """Implements `agent.ports.Embedder`. Reads at most 256 tokens of a text; a text always has the same vector.

    `for_search` is the shipped encoder for questions and the passages that answer them, None with other weights.
    """

    def __init__(
        self,
        name: str,
        tokenizer: Tokenizer,
        session: onnxruntime.InferenceSession,
        pool: ThreadPoolExecutor,
        *,
        for_search: RememberedEmbedder | None = None,
    ) -> None:
        self.name = name
        self.for_search = for_search
        self.dimensions = int(session.get_outputs()[0].shape[1])
        self._tokenizer = tokenizer
        self._session = session
        self._pool = pool

    @classmethod
    def open(cls, weights: Weights, cache_dir: Path, *, threads: int = 2) -> "MiniLmEmbedder":
        """Load the model, and the one for search, building and caching both on first use (some ten seconds).

        Raises:
            Misconfigured: the weights aren't the published ones, or aren't a model that can be run.
        """
        tokenizer = open_tokenizer(weights, _MAX_TOKENS)

        def opened(model: Callable[[bool], Path]) -> onnxruntime.InferenceSession:
            try:
                return open_cached(model, threads)
            except RUNTIME_ERRORS as exc:
                raise Misconfigured(f"the embedding model in {weights.folder} can't be run ({exc})") from exc

        # Their own small pool: a bulk load hands in one batch at a time, so a question waits for a batch at most.
        pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="embed")
        searching, for_search = search_encoder_name(weights), None
        if searching is not None:
            session = opened(lambda anew: cached_search_encoder(searching, weights, cache_dir, rebuild=anew))
            for_search = RememberedEmbedder(cls(searching, tokenizer, session, pool))
        session = opened(lambda anew: cached_model(weights, cache_dir, rebuild=anew))
        return cls(f"{weights.name}-int8", tokenizer, session, pool, for_search=for_search)

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, in order.

        Raises:
            ConnectorError: the runtime failed.
        """
        rows = np.zeros((len(texts), self.dimensions), dtype=np.float32)
        loop = asyncio.get_running_loop()
        for start in range(0, len(texts), _BATCH):
            batch = slice(start, start + _BATCH)
            rows[batch] = await loop.run_in_executor(self._pool, self._run, texts[batch])
        return rows

    async def close(self) -> None:
        """Let go of the threads."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _run(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rows = np.empty((len(texts), self.dimensions), dtype=np.float32)
        for row, text in zip(rows, texts, strict=True):
            # One at a time: int8 activations share one scale per run, so in a batch a text's vector depends on its
            # company (cosine down to 0.96). It costs nothing at 100 tokens and a quarter of the speed at 12.
            ids = np.array([self._tokenizer.encode(text[:_MAX_CHARS]).ids], dtype=np.int64)
            try:
                row[:] = self._session.run(None, {"input_ids": ids, "attention_mask": np.ones_like(ids)})[0][0]
            except RUNTIME_ERRORS as exc:
                raise ConnectorError("the embedding model failed") from exc
        return rows
