"""Streams that are open and say nothing: sockets of ours, because a client library would weigh more than the server."""

import asyncio
import resource
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import urlsplit

import httpx

from evals.bench.arena import Progress
from evals.bench.serve_clients import Customer

_EACH = 10
_AT_ONCE = 100
_SPARE_FILES = 500


@asynccontextmanager
async def hold_idle(client: httpx.AsyncClient, url: str, wanted: int, on_progress: Progress) -> AsyncIterator[int]:
    """Hold so many streams open, ten of each of many conversations, and yield how many; fewer where files run out.

    Raises:
        RuntimeError: the server refused one.
    """
    streams = min(wanted, allow_files() - _SPARE_FILES)
    address = urlsplit(url)
    customers = [await Customer.come(client) for _ in range(-(-streams // _EACH))]
    places = [customers[number // _EACH] for number in range(streams)]
    writers: list[asyncio.StreamWriter] = []

    async def hold(customer: Customer) -> None:
        reader, writer = await asyncio.open_connection(address.hostname, address.port)
        writers.append(writer)
        head = "".join(f"{name}: {value}\r\n" for name, value in customer.headers.items())
        path = f"/v1/conversations/{customer.conversation_id}/events?follow=true"
        writer.write(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n{head}\r\n".encode())
        status = await reader.readline()
        if b" 200 " not in status:
            raise RuntimeError(f"a stream was refused: {status.decode(errors='replace').strip()}")
        await reader.readuntil(b"\n\n")

    try:
        for begin in range(0, streams, _AT_ONCE):
            await asyncio.gather(*(hold(customer) for customer in places[begin : begin + _AT_ONCE]))
            on_progress("streams", min(begin + _AT_ONCE, streams), streams)
        yield streams
    finally:
        for writer in writers:
            writer.transport.abort()


def allow_files() -> int:
    """Raise this process's limit of open files, which its children inherit, as far as it goes; the limit."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard
