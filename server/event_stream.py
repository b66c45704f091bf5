"""Event streams that weigh little.

The library has four tasks for each stream: one sends, one pings, one waits for the server's end, one for the client's.
Most streams are idle, and thousands of them are tasks that wait. Here the request itself sends, one task waits for the
client's end, and what the others do is done for all streams of a workspace together.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator
from contextlib import suppress

import anyio
from sse_starlette import EventSourceResponse, ServerSentEvent
from sse_starlette.sse import AppStatus, SendTimeoutError
from starlette.types import Receive, Scope, Send

logger = logging.getLogger(__name__)

PING_S = 15.0
_SEND_TIMEOUT_S = 30.0
_LOOK_S = 0.5
# So many pings take a millisecond or two; then others have their turn.
_PINGS_AT_ONCE = 25
_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
_PING = ServerSentEvent(comment="ping", sep="\n").encode()


class LiveStreams:
    """A workspace's streams that are open in this process, to be kept alive and, in the end, cut."""

    def __init__(self) -> None:
        # When each is to be pinged, the next one first.
        self._due: dict[EventStream, float] = {}
        self._pings: set[asyncio.Task[None]] = set()

    def add(self, stream: "EventStream") -> None:
        """Look after a stream from now on."""
        self._due[stream] = time.monotonic() + PING_S

    def discard(self, stream: "EventStream") -> None:
        """It ended."""
        self._due.pop(stream, None)

    async def keep_alive(self) -> None:
        """Ping each stream every 15 s, so that nothing on the way takes it for dead; never ends."""
        while True:
            for number, stream in enumerate(self._due_at(time.monotonic()), start=1):
                if stream in self._due:
                    del self._due[stream]
                    self.add(stream)
                    # Not waited for: one whose reader has stalled mustn't keep the others waiting.
                    ping = asyncio.create_task(stream.ping())
                    self._pings.add(ping)
                    ping.add_done_callback(self._pings.discard)
                if number % _PINGS_AT_ONCE == 0:
                    await asyncio.sleep(0)
            await asyncio.sleep(_LOOK_S)

    def _due_at(self, now: float) -> "list[EventStream]":
        due = []
        for stream, at in self._due.items():
            if at > now:
                break
            due.append(stream)
        return due

    def cut(self) -> None:
        """End every stream where it is."""
        for stream in list(self._due):
            stream.cut()


class EventStream(EventSourceResponse):
    """Server-sent events until they end, the client leaves, a send takes longer than 30 s, or it is cut."""

    def __init__(self, events: AsyncIterator[ServerSentEvent], live: LiveStreams) -> None:
        super().__init__(events, sep="\n", ping=0, headers=_HEADERS, send_timeout=_SEND_TIMEOUT_S)
        self._live = live
        self._within = anyio.CancelScope()
        self._to_client: Send | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Stream."""
        with self._within:
            gone = asyncio.create_task(self._listen_for_disconnect(receive))
            gone.add_done_callback(lambda _: self.cut())
            self._to_client = send
            self._live.add(self)
            try:
                await self._stream_response(send)
            except SendTimeoutError:
                logger.info("stream ended, its reader takes nothing")
            finally:
                self.active = False
                self._live.discard(self)
                gone.cancel()

    def cut(self) -> None:
        """End it where it is."""
        self._within.cancel()

    async def ping(self) -> None:
        """Send a comment; a client that doesn't take it in time is cut."""
        if self._to_client is None:
            return
        with suppress(SendTimeoutError):
            async with self._send_lock:
                if self.active:
                    message = {"type": "http.response.body", "body": _PING, "more_body": True}
                    await self._send_with_timeout(self._to_client, message)
            return
        self.cut()


async def until_told_to_stop() -> None:
    """Wait until uvicorn, in this process, is told to stop."""
    while not AppStatus.should_exit:  # noqa: ASYNC110  # Set in a signal's handler.
        await asyncio.sleep(_LOOK_S)
