"""A request that never ends costs little: its head is bounded, and the time that it takes to arrive."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from server.arriving import MAX_HEAD_BYTES, BoundedHttp
from tests.loopback import NO_TLS
from tests.server.harness import on_a_port

HEAD = b"POST / HTTP/1.1\r\nHost: 127.0.0.1\r\n"
MUCH = b"x" * 65536
# Far more than anybody keeps of a head.
ENDLESS = 64 * 1024 * 1024


class HastyHttp(BoundedHttp):
    ARRIVAL_S = 0.5


async def length(request: Request) -> PlainTextResponse:
    return PlainTextResponse(str(len(await request.body())))


APP = Starlette(routes=[Route("/", length, methods=["GET", "POST"])])


async def opened(url: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    host, port = url.removeprefix("http://").split(":")
    return await asyncio.open_connection(host, int(port))


async def taken(url: str, beginning: bytes) -> tuple[int, bytes]:
    """How much more than `beginning` a connection takes before it ends, and what it says."""
    reader, writer = await opened(url)
    sent = 0
    try:
        writer.write(beginning)
        while sent < ENDLESS and not reader.at_eof():
            writer.write(MUCH)
            sent += len(MUCH)
            await writer.drain()
        return sent, await reader.read()
    except ConnectionError:
        return sent, b""
    finally:
        writer.close()


@pytest.mark.parametrize(
    "beginning",
    [
        HEAD + b"X-Long: ",
        b"GET /",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nX-Trailer: ",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n2;extension=",
    ],
    ids=["header", "address", "trailer", "chunk's extension"],
)
async def test_a_line_without_an_end_is_not_kept(beginning: bytes) -> None:
    async with on_a_port(APP) as url:
        sent, answer = await taken(url, beginning)

    assert sent < ENDLESS
    # Who is still sending when the connection ends doesn't always read why.
    assert answer == b"" or answer.startswith(b"HTTP/1.1 431 ")


async def test_headers_without_an_end_are_not_kept() -> None:
    async with on_a_port(APP) as url:
        reader, writer = await opened(url)
        header = b"X-Short: y\r\n"
        writer.write(HEAD + header * (MAX_HEAD_BYTES // len(header) + 1))
        answer = await reader.read()
        writer.close()

    assert answer.startswith(b"HTTP/1.1 431 ")
    assert b"application/problem+json" in answer


async def test_what_anybody_sends_is_taken() -> None:
    async def in_pieces() -> AsyncIterator[bytes]:
        for _ in range(5_000):
            yield b"x"

    async with on_a_port(APP) as url, httpx.AsyncClient(base_url=url, trust_env=False, verify=NO_TLS) as client:
        for _ in range(3):
            assert (await client.get("/", headers={"X-Long": "y" * 30_000})).status_code == 200
            assert (await client.post("/", content=MUCH * 20)).text == str(len(MUCH) * 20)
            assert (await client.post("/", content=in_pieces())).text == "5000"


@pytest.mark.parametrize(
    "beginning",
    [b"", b"GET / HT", HEAD + b"X-Half: ", HEAD + b"Content-Length: 10\r\n\r\n{"],
    ids=["nothing", "address", "header", "body"],
)
async def test_what_does_not_arrive_is_not_waited_for(beginning: bytes) -> None:
    async with on_a_port(APP, HastyHttp) as url, asyncio.timeout(30):
        reader, writer = await opened(url)
        writer.write(beginning)
        while await reader.read(1000):
            pass
        writer.close()


async def test_line_ends_after_an_answer_do_not_keep_a_connection() -> None:
    async with on_a_port(APP, HastyHttp) as url, asyncio.timeout(30):
        reader, writer = await opened(url)
        writer.write(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        await reader.readuntil(b"\r\n\r\n")
        await reader.readexactly(1)
        try:
            while not reader.at_eof():
                writer.write(b"\r\n")
                await asyncio.sleep(0.05)
        except ConnectionError:
            pass
        writer.close()
