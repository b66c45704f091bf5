"""The vectors of the engine's examples are kept between starts, those of an endpoint too."""

import json
from pathlib import Path

import httpx
import numpy as np
import pytest

from agent.errors import ConnectorError
from tools.embedding.openai_compatible import OpenAiEmbedder, ask_for_size
from tools.engines.local.ears.features import Vectors
from tools.engines.local.vectors import embed_examples

TEXTS = ["cancel my plan", "add a seat", "download an invoice"]


class Endpoint:
    """An embedding endpoint that counts the texts it is sent."""

    def __init__(self, *, size: int = 2, away: bool = False) -> None:
        self.texts = 0
        self._size = size
        self._away = away

    def embedder(self) -> OpenAiEmbedder:
        """As a process that starts makes one: it hasn't asked yet."""
        return OpenAiEmbedder("http://embeddings.example/v1", model="small", transport=httpx.MockTransport(self._said))

    def _said(self, request: httpx.Request) -> httpx.Response:
        if self._away:
            return httpx.Response(401)
        texts = json.loads(request.content)["input"]
        self.texts += len(texts)
        data = [
            {"index": place, "embedding": [float(len(text)), *[1.0] * (self._size - 1)]}
            for place, text in enumerate(texts)
        ]
        return httpx.Response(200, json={"data": data})


async def at_a_start(endpoint: Endpoint, texts: list[str], cache_dir: Path) -> dict[str, Vectors]:
    embedder = endpoint.embedder()
    await ask_for_size(embedder)
    return await embed_examples(embedder, texts, cache_dir)


async def test_an_endpoint_is_sent_the_examples_once(tmp_path: Path) -> None:
    first, again = Endpoint(), Endpoint()

    made = await at_a_start(first, TEXTS, tmp_path)
    kept = await at_a_start(again, TEXTS, tmp_path)

    assert first.texts == len(TEXTS) + 1
    # For the size of its vectors.
    assert again.texts == 1
    assert made.keys() == kept.keys()
    assert all(np.array_equal(made[text], kept[text]) for text in TEXTS)


async def test_kept_examples_need_no_endpoint(tmp_path: Path) -> None:
    made = await at_a_start(Endpoint(), TEXTS, tmp_path)

    kept = await at_a_start(Endpoint(away=True), TEXTS, tmp_path)

    assert all(np.array_equal(made[text], kept[text]) for text in TEXTS)
    with pytest.raises(ConnectorError):
        await at_a_start(Endpoint(away=True), [*TEXTS, "change my address"], tmp_path)


async def test_an_endpoint_whose_vectors_have_another_size_is_asked_anew(tmp_path: Path) -> None:
    await at_a_start(Endpoint(), TEXTS, tmp_path)
    wider = Endpoint(size=3)

    rows = await at_a_start(wider, TEXTS, tmp_path)

    assert {row.shape for row in rows.values()} == {(3,)}
    assert wider.texts == len(TEXTS) + 1
