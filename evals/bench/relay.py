"""What a server costs that does nothing: every request is passed on to the endpoint, and its stream passed back.

Starlette and httpx, nothing else: the baseline of `serve`. It runs in a process of its own, and ends with the one that
started it.
"""

import argparse
import asyncio
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import StreamingResponse
from starlette.routing import Route


def relay(endpoint: str) -> Starlette:
    """The application."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        async with httpx.AsyncClient(timeout=60, limits=limits, trust_env=False) as client:
            app.state.client = client
            yield

    async def chat(request: Request) -> StreamingResponse:
        body = await request.body()

        async def passed_on() -> AsyncIterator[bytes]:
            url = f"{endpoint}/chat/completions"
            async with request.app.state.client.stream("POST", url, content=body) as answer:
                async for part in answer.aiter_raw():
                    yield part

        return StreamingResponse(passed_on(), media_type="text/event-stream")

    return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])], lifespan=lifespan)


def main() -> None:
    """Serve until standard input ends; the port is the first line of the output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--endpoint", required=True)
    asyncio.run(_serve(parser.parse_args().endpoint))


async def _serve(endpoint: str) -> None:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    server = uvicorn.Server(uvicorn.Config(relay(endpoint), log_config=None, access_log=False))
    # It listens already: who connects before the server is up waits for it.
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    sys.stdout.write(f"{listener.getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)
    server.should_exit = True
    await serving


if __name__ == "__main__":
    main()
