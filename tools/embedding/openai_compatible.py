"""Embeddings from an endpoint that speaks OpenAI's API."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import httpx
import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, SecretStr, ValidationError

from agent.errors import ConnectorError
from agent.ports import Embedder

_BATCH = 64
_ATTEMPTS = 3
_PAUSE_S = 0.3
_RETRYABLE = frozenset({408, 409, 425, 429, 500, 502, 503, 504})


class _Item(BaseModel):
    index: int
    embedding: list[float]


class _Answer(BaseModel):
    data: list[_Item]


class OpenAiEmbedder:
    """Implements `agent.ports.Embedder`. `dimensions` is 0 until the endpoint has answered once."""

    def __init__(
        self,
        url: str,
        *,
        model: str,
        key: SecretStr | None = None,
        timeout_s: float = 20.0,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.name = f"openai:{model}"
        self.dimensions = 0
        self._url = url.rstrip("/") + "/embeddings"
        self._model = model
        self._key = key
        self._timeout_s = timeout_s
        self._transport = transport
        self._client: httpx.AsyncClient | None = None

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row per text, in order.

        Raises:
            ConnectorError: the endpoint refused, failed or was too slow; nothing of what was sent is in the message.
        """
        parts = [await self._embed_batch(texts[start : start + _BATCH]) for start in range(0, len(texts), _BATCH)]
        return np.concatenate(parts) if parts else np.zeros((0, self.dimensions), dtype=np.float32)

    async def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            await self._client.aclose()
            self._client = None

    async def _embed_batch(self, texts: Sequence[str]) -> NDArray[np.float32]:
        # Some endpoints refuse an empty text.
        body = {"model": self._model, "input": [text.strip() or "-" for text in texts], "encoding_format": "float"}
        try:
            async with asyncio.timeout(self._timeout_s):
                response = await self._post(body)
            answer = _Answer.model_validate_json(response.content)
            rows = np.array([item.embedding for item in sorted(answer.data, key=_by_index)], dtype=np.float32)
        except TimeoutError as exc:
            raise ConnectorError("the embedding endpoint was too slow", retryable=True) from exc
        except httpx.HTTPError as exc:
            raise ConnectorError(f"the embedding endpoint failed ({type(exc).__name__})", retryable=True) from exc
        except (ValidationError, ValueError) as exc:
            # The cause would quote the answer.
            raise ConnectorError(f"the embedding endpoint's answer can't be read ({type(exc).__name__})") from None
        return self._checked(rows, len(texts))

    def _checked(self, rows: NDArray[np.float32], expected: int) -> NDArray[np.float32]:
        if rows.ndim != 2 or len(rows) != expected or self.dimensions not in (0, rows.shape[1]):
            raise ConnectorError("the embedding endpoint answered with vectors of the wrong number or size")
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        if not np.all(np.isfinite(lengths)) or not np.all(lengths > 0):
            raise ConnectorError("the embedding endpoint answered with vectors that are no direction")
        self.dimensions = rows.shape[1]
        return np.asarray(rows / lengths, dtype=np.float32)

    async def _post(self, body: dict[str, Any]) -> httpx.Response:
        """Post until it works or can't. Embedding is a read: asking again changes nothing."""
        if self._client is None:
            self._client = httpx.AsyncClient(timeout=self._timeout_s, transport=self._transport)
        headers = {"authorization": f"Bearer {self._key.get_secret_value()}"} if self._key else {}
        for attempt in range(1, _ATTEMPTS + 1):
            last = attempt == _ATTEMPTS
            try:
                response = await self._client.post(self._url, json=body, headers=headers)
            except httpx.TransportError:
                if last:
                    raise
            else:
                if not response.is_error:
                    return response
                status = response.status_code
                if last or status not in _RETRYABLE:
                    retryable = status in _RETRYABLE
                    raise ConnectorError(f"the embedding endpoint answered {status}", retryable=retryable)
            await asyncio.sleep(_PAUSE_S * attempt)
        raise AssertionError("the last attempt returns or raises")


async def ask_for_size(embedder: Embedder) -> None:
    """Have an endpoint say, by one text, how many values its vectors have. One that is away says nothing."""
    if embedder.dimensions == 0:
        with suppress(ConnectorError):
            await embedder.embed(["size"])


def _by_index(item: _Item) -> int:
    return item.index
