"""Vectors from an endpoint, and what is made of an endpoint's failures."""

import asyncio
import json
from collections.abc import Callable

import httpx
import numpy as np
import pytest
from pydantic import SecretStr

from agent.errors import ConnectorError
from tools.embedding.openai_compatible import OpenAiEmbedder

Handler = Callable[[httpx.Request], httpx.Response]


def embedder(handler: Handler, *, timeout_s: float = 5.0) -> OpenAiEmbedder:
    return OpenAiEmbedder(
        "http://embeddings.example/v1/",
        model="small",
        key=SecretStr("sk-secret"),
        timeout_s=timeout_s,
        transport=httpx.MockTransport(handler),
    )


def answer(request: httpx.Request) -> httpx.Response:
    """Vectors that tell the texts apart by their length, in reverse order, not normalised."""
    texts = json.loads(request.content)["input"]
    data = [{"index": i, "embedding": [float(len(text)), 3.0]} for i, text in enumerate(texts)]
    return httpx.Response(200, json={"data": data[::-1]})


async def test_rows_are_normalised_and_in_the_order_of_the_texts() -> None:
    requests: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    rows = await embedder(handle).embed(["four", *["x"] * 99])

    assert rows.shape == (100, 2)
    np.testing.assert_allclose(rows[0], [0.8, 0.6], atol=1e-6)
    np.testing.assert_allclose(rows[99], np.array([1.0, 3.0]) / np.sqrt(10), atol=1e-6)
    assert [str(request.url) for request in requests] == ["http://embeddings.example/v1/embeddings"] * 2
    assert requests[0].headers["authorization"] == "Bearer sk-secret"
    assert json.loads(requests[0].content)["model"] == "small"


async def test_a_passing_failure_is_tried_again() -> None:
    replies = iter([httpx.Response(503), httpx.Response(429)])

    rows = await embedder(lambda request: next(replies, None) or answer(request)).embed(["four"])

    assert rows.shape == (1, 2)


async def test_a_refusal_is_not_tried_again_and_keeps_the_key_to_itself() -> None:
    calls: list[httpx.Request] = []

    def refuse(request: httpx.Request) -> httpx.Response:
        calls.append(request)
        return httpx.Response(401, json={"error": "bad key sk-secret"})

    with pytest.raises(ConnectorError, match="answered 401") as caught:
        await embedder(refuse).embed(["text of a customer"])

    assert len(calls) == 1
    assert not caught.value.retryable
    assert "sk-secret" not in str(caught.value)


async def test_an_endpoint_that_stays_down_is_a_connector_error() -> None:
    def down(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused")

    with pytest.raises(ConnectorError) as caught:
        await embedder(down).embed(["text"])

    assert caught.value.retryable


async def test_a_slow_endpoint_runs_into_the_deadline() -> None:
    async def slow(request: httpx.Request) -> httpx.Response:
        await asyncio.sleep(30)
        return answer(request)

    opened = OpenAiEmbedder(
        "http://embeddings.example", model="small", timeout_s=0.2, transport=httpx.MockTransport(slow)
    )

    with pytest.raises(ConnectorError, match="too slow"):
        await opened.embed(["text"])


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b'{"data": []}',
        b'{"data": [{"index": 0, "embedding": []}]}',
        b'{"data": [{"index": 0, "embedding": [0.0, 0.0]}]}',
        b'{"data": [{"index": 0, "embedding": [1.0]}, {"index": 1, "embedding": [1.0, 2.0]}]}',
    ],
)
async def test_an_answer_that_is_no_vectors_is_a_connector_error(body: bytes) -> None:
    with pytest.raises(ConnectorError):
        await embedder(lambda request: httpx.Response(200, content=body)).embed(["text"])


async def test_vectors_that_change_their_size_are_refused() -> None:
    sizes = iter([2, 3])

    def handle(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": [{"index": 0, "embedding": [1.0] * next(sizes)}]})

    opened = embedder(handle)
    await opened.embed(["text"])

    with pytest.raises(ConnectorError, match="wrong number or size"):
        await opened.embed(["text"])
    await opened.close()
