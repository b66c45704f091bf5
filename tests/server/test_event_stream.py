"""Streams over real sockets: pinged while nothing happens, ended when the client leaves or stalls, or by a cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import pytest
from sse_starlette import ServerSentEvent
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.routing import Route

from server import event_stream
from server.event_stream import EventStream, LiveStreams
from tests.server.harness import on_a_port

_PATIENCE_S = 20.0


@dataclass
class Served:
    """A server whose streams say a word and then nothing, or so much that no socket takes it."""

    url: str = ""
    live: LiveStreams = field(default_factory=LiveStreams)
    ended: int = 0

    async def events(self, *, many: bool) -> AsyncIterator[ServerSentEvent]:
        try:
            yield ServerSentEvent(data="word", sep="\n")
            while many:
                yield ServerSentEvent(data="x" * 100_000, sep="\n")
            await asyncio.Event().wait()
        finally:
            self.ended += 1

    async def stream(self, request: Request) -> EventStream:
        return EventStream(self.events(many="many" in request.query_params), self.live)

    async def until_ended(self, number: int) -> None:
        async with asyncio.timeout(_PATIENCE_S):
            while self.ended < number:
                await asyncio.sleep(0.01)


@asynccontextmanager
async def served() -> AsyncIterator[Served]:
    here = Served()
    pings = asyncio.create_task(here.live.keep_alive())
    async with on_a_port(Starlette(routes=[Route("/stream", here.stream)])) as here.url:
        yield here
        here.live.cut()
    pings.cancel()
    with suppress(asyncio.CancelledError):
        await pings


@asynccontextmanager
async def connected(here: Served, path: str = "/stream") -> AsyncIterator[asyncio.StreamReader]:
    """A client of plain sockets, which reads what it wants to."""
    address = urlsplit(here.url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: here\r\n\r\n".encode())
        async with asyncio.timeout(_PATIENCE_S):
            await reader.readuntil(b"data: word\n\n")
        yield reader
    finally:
        writer.transport.abort()


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for 15 s here."""
    monkeypatch.setattr(event_stream, "PING_S", 0.2)
    monkeypatch.setattr(event_stream, "_LOOK_S", 0.05)


async def test_a_stream_with_nothing_to_say_is_pinged_again_and_again() -> None:
    async with served() as here, connected(here) as one, connected(here) as other, asyncio.timeout(_PATIENCE_S):
        for _ in range(3):
            for reader in (one, other):
                assert (await reader.readuntil(b"\n\n")).endswith(b": ping\n\n")


async def test_a_stream_ends_when_its_client_leaves() -> None:
    async with served() as here, connected(here) as stays:
        async with connected(here):
            pass
        await here.until_ended(1)
        async with asyncio.timeout(_PATIENCE_S):
            await stays.readuntil(b": ping\n\n")
        assert here.ended == 1


async def test_one_that_does_not_read_is_ended_and_keeps_nobody_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_stream, "_SEND_TIMEOUT_S", 1.0)
    async with served() as here, connected(here, "/stream?many") as stalled, connected(here) as other:
        async with asyncio.timeout(_PATIENCE_S):
            for _ in range(3):
                await other.readuntil(b": ping\n\n")
        await here.until_ended(1)
        # Cut, and not ended as a whole answer is.
        async with asyncio.timeout(_PATIENCE_S):
            with suppress(ConnectionError):
                while came := await stalled.read(4096):
                    last = came
        assert not last.endswith(b"0\r\n\r\n")


async def test_all_that_are_open_are_cut_together() -> None:
    async with served() as here, connected(here) as one, connected(here) as other:
        here.live.cut()
        await here.until_ended(2)
        async with asyncio.timeout(_PATIENCE_S):
            for reader in (one, other):
                with suppress(ConnectionError):
                    await reader.read(-1)
