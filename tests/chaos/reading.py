"""Reading what a server answers: the events of a stream, and refusals."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable

import httpx

from tests.chaos.transcript import Received, Refusal, Talk

PAUSE_S = 0.1
GONE = (httpx.TransportError, httpx.StreamError)

Address = Callable[[], str]


async def read(answer: httpx.Response) -> AsyncIterator[Received]:
    """The events of a stream; what a cut leaves of one is thrown away."""
    rest = ""
    async for text in answer.aiter_text():
        rest += text
        *parts, rest = rest.split("\n\n")
        for part in parts:
            fields = [line.partition(": ") for line in part.split("\n") if not line.startswith(":")]
            data = "\n".join(value for name, _, value in fields if name == "data")
            numbers = [value for name, _, value in fields if name == "id"]
            if data:
                yield Received(json.loads(data), int(numbers[0]) if numbers else None)


async def refused(talk: Talk, answer: httpx.Response) -> None:
    """Write a refusal down and wait a moment; the checker knows which are allowed."""
    await answer.aread()
    request = f"{answer.request.method} {answer.request.url.path}"
    talk.refusals.append(Refusal(request, answer.status_code, answer.headers.get("retry-after")))
    await asyncio.sleep(PAUSE_S)
