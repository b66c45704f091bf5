"""A model's endpoint on a real socket that answers as a test says, byte by byte."""

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from typing import Any

from langchain_openai import ChatOpenAI

from tools.engines.llm.transport import open_client

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
DONE = b"data: [DONE]\n\n"


class Endpoint:
    """What came in, and the way out."""

    def __init__(self) -> None:
        self.url = ""
        self.heads: list[bytes] = []
        self.bodies: list[Any] = []
        self.connections = 0
        self.left = asyncio.Event()
        """Set when the client closed a connection before its answer was over."""
        self._writer: asyncio.StreamWriter | None = None

    @property
    def writer(self) -> asyncio.StreamWriter:
        """The connection of the latest request."""
        assert self._writer is not None
        return self._writer

    async def write(self, data: bytes) -> None:
        """Send bytes as they are; the client's side gets the chance to read them."""
        self.writer.write(data)
        await self.writer.drain()
        await asyncio.sleep(0)

    async def stream(self, pieces: Iterable[bytes]) -> None:
        """Begin an event stream, send each piece as a chunk of HTTP, and end it."""
        await self.write(HEAD)
        for piece in pieces:
            await self.send(piece)
        await self.write(b"0\r\n\r\n")

    async def send(self, piece: bytes) -> None:
        """Send one chunk of HTTP."""
        if piece:
            await self.write(http_chunk(piece))

    async def drip(self, piece: bytes) -> None:
        """Send the same until the client leaves."""
        while True:
            await self.send(piece)
            await asyncio.sleep(0.02)


Answer = Callable[[Endpoint], Awaitable[None]]


@asynccontextmanager
async def serving(answer: Answer) -> AsyncIterator[Endpoint]:
    """Run an endpoint that gives every request this answer."""
    endpoint = Endpoint()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        endpoint.connections += 1
        begun = b""
        try:
            while True:
                head = begun + await reader.readuntil(b"\r\n\r\n")
                fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:-2])
                endpoint.heads.append(head)
                endpoint.bodies.append(json.loads(await reader.readexactly(int(fields[b"content-length"]))))
                endpoint._writer = writer
                answering = asyncio.ensure_future(answer(endpoint))
                next_request = asyncio.ensure_future(reader.read(1))
                await asyncio.wait({answering, next_request}, return_when=asyncio.FIRST_COMPLETED)
                whole = answering.done() and answering.exception() is None
                answering.cancel()
                await asyncio.gather(answering, return_exceptions=True)
                if not whole:
                    endpoint.left.set()
                begun = await next_request
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    host, port = server.sockets[0].getsockname()
    endpoint.url = f"http://{host}:{port}/v1"
    try:
        yield endpoint
    finally:
        server.close()


@asynccontextmanager
async def chatting(endpoint: Endpoint, **options: Any) -> AsyncIterator[ChatOpenAI]:
    """A ChatOpenAI as the transport's documentation says; the options are the client's."""
    # Reading the authorities' certificates takes longer than an answer here.
    async with open_client(tls=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT), **options) as client:
        yield ChatOpenAI(
            base_url=endpoint.url,
            api_key="none",  # type: ignore[arg-type]  # Pydantic makes a secret of it.
            model="small",
            http_async_client=client,
            max_retries=0,
            stream_chunk_timeout=None,
        )


def http_chunk(piece: bytes) -> bytes:
    """One chunk of HTTP."""
    return b"%x\r\n%b\r\n" % (len(piece), piece)


def event(delta: dict[str, Any], *, finish: str | None = None, **more: Any) -> bytes:
    """One event of a stream, as the API writes it."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    return written({"choices": [choice], **more})


def written(fields: dict[str, Any]) -> bytes:
    """An event with other fields than a delta, or none of the usual ones."""
    head = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1_700_000_000, "model": "small"}
    return b"data: " + json.dumps({**head, **fields}, ensure_ascii=False).encode() + b"\n\n"


def texts(*said: str) -> list[bytes]:
    """One event for each text, between the events that begin and end an answer."""
    return [event({"role": "assistant", "content": ""}), *(event({"content": text}) for text in said), *ending()]


def ending() -> list[bytes]:
    """What ends an answer."""
    return [event({}, finish="stop"), DONE]
