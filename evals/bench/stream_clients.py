"""Ways to read a model's streamed answer, from the barest to the one that ships."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass

import httpx
import openai
import orjson
from langchain_openai import ChatOpenAI
from pydantic import SecretStr

from tools.engines.llm.transport import open_client

Chat = Callable[[], AsyncIterator[str]]
"""Asks once and yields the answer in the pieces in which the reader gets it."""

_MODEL = "paced"
_QUESTION = "How do I change my plan?"
_KEY = "none"


@dataclass(frozen=True, slots=True)
class Contender:
    """One of what is compared: opened with the endpoint's base URL, it gives what asks."""

    open: Callable[[str], AbstractAsyncContextManager[Chat]]
    verbatim: bool = True
    """Whether it yields the endpoint's answer word for word, which is checked then."""


@asynccontextmanager
async def _httpx(url: str) -> AsyncIterator[Chat]:
    limits = httpx.Limits(max_connections=200, max_keepalive_connections=200)
    body = {"model": _MODEL, "stream": True, "messages": [{"role": "user", "content": _QUESTION}]}
    async with httpx.AsyncClient(limits=limits, trust_env=False) as client:

        async def ask() -> AsyncIterator[str]:
            rest = b""
            async with client.stream("POST", f"{url}/chat/completions", json=body) as response:
                async for data in response.aiter_raw():
                    *lines, rest = (rest + data).split(b"\n")
                    for line in lines:
                        if line.startswith(b"data: {"):
                            yield orjson.loads(line[6:])["choices"][0]["delta"].get("content", "")

        yield ask


@asynccontextmanager
async def _openai(url: str) -> AsyncIterator[Chat]:
    async with openai.AsyncOpenAI(base_url=url, api_key=_KEY) as client:

        async def ask() -> AsyncIterator[str]:
            stream = await client.chat.completions.create(
                model=_MODEL, messages=[{"role": "user", "content": _QUESTION}], stream=True
            )
            async for chunk in stream:
                yield chunk.choices[0].delta.content or ""

        yield ask


@asynccontextmanager
async def _chat_openai(url: str) -> AsyncIterator[Chat]:
    async with openai.DefaultAsyncHttpxClient() as client:
        yield _asking(ChatOpenAI(base_url=url, api_key=SecretStr(_KEY), model=_MODEL, http_async_client=client))


@asynccontextmanager
async def _merged(url: str) -> AsyncIterator[Chat]:
    async with open_client() as client:
        model = ChatOpenAI(
            base_url=url,
            api_key=SecretStr(_KEY),
            model=_MODEL,
            http_async_client=client,
            max_retries=0,
            stream_chunk_timeout=None,
        )
        yield _asking(model)


def _asking(model: ChatOpenAI) -> Chat:
    async def ask() -> AsyncIterator[str]:
        async for chunk in model.astream(_QUESTION):
            yield str(chunk.content)

    return ask


BASELINE = "httpx"
CONTENDERS = {
    BASELINE: Contender(_httpx),
    "openai": Contender(_openai),
    "chat_openai": Contender(_chat_openai),
    "merged": Contender(_merged),
}
