"""Customers of a server over HTTP: a conversation each, timed from the request on."""

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import httpx
import orjson


@dataclass(frozen=True, slots=True)
class Timed:
    """One chat, in seconds from the request.

    Its first event, which says that the message is kept; the first of the graph at work; the first word (None: nothing
    was said); the end. The relay's first event is its first step.
    """

    first_event_s: float
    first_step_s: float
    first_word_s: float | None
    end_s: float
    outcome: str | None = None


@asynccontextmanager
async def clients(url: str) -> AsyncIterator[httpx.AsyncClient]:
    """A client with as many connections as it takes."""
    limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
    # Reading the certificates of the world takes 20 ms for each client, and all of this is plain HTTP.
    plain = httpx.AsyncHTTPTransport(verify=False, limits=limits)
    async with httpx.AsyncClient(base_url=url, timeout=400, transport=plain) as client:
        yield client


@dataclass(frozen=True, slots=True)
class Customer:
    """A widget's session and its conversation."""

    client: httpx.AsyncClient
    conversation_id: str
    headers: Mapping[str, str]

    @classmethod
    async def come(cls, client: httpx.AsyncClient) -> "Customer":
        """Open the widget."""
        begun = (await client.post("/v1/sessions", json={})).raise_for_status().json()
        return cls(client, begun["conversation_id"], {"Authorization": f"Bearer {begun['session_token']}"})

    async def say(self, text: str) -> Timed:
        """Ask, and read the run to its end.

        Raises:
            RuntimeError: the stream ended before the run.
        """
        body = {
            "threadId": self.conversation_id,
            "runId": uuid4().hex,
            "messages": [{"id": uuid4().hex, "role": "user", "content": text}],
        }
        began = time.perf_counter()
        first = step = word = end = None
        outcome = None
        async with self.client.stream("POST", "/v1/agui", json=body, headers=self.headers) as answer:
            answer.raise_for_status()
            async for event in events(answer):
                now = time.perf_counter() - began
                first = now if first is None else first
                if event["type"] == "STEP_STARTED" and step is None:
                    step = now
                elif event["type"] == "TEXT_MESSAGE_CONTENT" and word is None:
                    word = now
                elif event.get("name") == "helpgraph.outcome.v1":
                    outcome = str(event["value"]["outcome"])
                elif event["type"] == "RUN_FINISHED":
                    end = now
        if first is None or end is None:
            raise RuntimeError("a run didn't come to its end")
        return Timed(first, step or end, word, end, outcome)

    async def resume(self, *, after: int) -> float:
        """Seconds until a stream that goes on after an event has its first one.

        Raises:
            RuntimeError: there was none.
        """
        began = time.perf_counter()
        path, headers = f"/v1/conversations/{self.conversation_id}/events", {"Last-Event-ID": str(after)}
        async with self.client.stream("GET", path, headers={**self.headers, **headers}) as answer:
            answer.raise_for_status()
            async for _ in events(answer):
                return time.perf_counter() - began
        raise RuntimeError("a resumed stream had nothing to say")

    async def ended(self) -> int:
        """The conversation's last event once nothing of it runs."""
        while True:
            path = f"/v1/conversations/{self.conversation_id}/messages"
            found = (await self.client.get(path, headers=dict(self.headers))).raise_for_status().json()
            if found["active_run"] is None:
                return int(found["last_event_id"])
            await asyncio.sleep(0.02)


async def ask_relay(client: httpx.AsyncClient) -> Timed:
    """The same question to the bare relay. The first event is the endpoint's first chunk, the first word its token."""
    body = {"model": "paced", "stream": True, "messages": [{"role": "user", "content": "How do I change my plan?"}]}
    began = time.perf_counter()
    first = word = None
    async with client.stream("POST", "/v1/chat/completions", json=body) as answer:
        answer.raise_for_status()
        async for event in events(answer):
            now = time.perf_counter() - began
            first = now if first is None else first
            if word is None and event["choices"][0]["delta"].get("content"):
                word = now
    if first is None:
        raise RuntimeError("the relay said nothing")
    return Timed(first, first, word, time.perf_counter() - began)


async def events(answer: httpx.Response) -> AsyncIterator[dict[str, Any]]:
    """The JSON of each event of a stream."""
    async for line in answer.aiter_lines():
        if line.startswith("data: ") and line != "data: [DONE]":
            yield orjson.loads(line[6:])
