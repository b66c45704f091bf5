"""The log as server-sent events."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime

import orjson
from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from agent.errors import NotFound
from agent.wire import JsonObject
from server.context import Doors, client_address
from server.problems import Problem
from tools.storage.log import LogEvent
from tools.storage.scope import Scope

PING_S = 15
# What every hint missed: a clock far off, a channel that was down for long. Ten thousand streams ask this often.
POLL_S = 60.0
MAX_AGE_S = 3600
_HEADERS = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}


def encode(event: JsonObject, seq: int | None = None, *, first: bool = False) -> ServerSentEvent:
    """One event as one SSE message. The first one carries the time after which to reconnect, spread by chance."""
    return ServerSentEvent(
        data=orjson.dumps(event).decode(),
        id=str(seq) if seq is not None else None,
        retry=1000 + secrets.randbelow(3000) if first else None,
        sep="\n",
    )


def respond(doors: Doors, request: Request, owner: str, events: AsyncIterator[ServerSentEvent]) -> EventSourceResponse:
    """Stream `events`, counted against the owner's and the address's share.

    Raises:
        Problem: 429, too many streams are open.
    """
    address = client_address(request)
    if not doors.streams.enter(owner, address):
        doors.metrics.refused.labels("429").inc()
        raise Problem(429, "too many open streams; close one first", headers={"Retry-After": "5"})
    return EventSourceResponse(
        _counted(doors, owner, address, events), sep="\n", ping=PING_S, headers=_HEADERS, send_timeout=30
    )


async def _counted(
    doors: Doors, owner: str, address: str, events: AsyncIterator[ServerSentEvent]
) -> AsyncIterator[ServerSentEvent]:
    doors.metrics.open_streams.inc()
    try:
        async for event in events:
            yield event
    finally:
        doors.metrics.open_streams.dec()
        doors.streams.leave(owner, address)


async def tail(
    doors: Doors, scope: Scope, conversation_id: str, *, after_seq: int, staff: bool = False
) -> AsyncIterator[LogEvent]:
    """Yield the conversation's events after `after_seq` as they are committed, until the stream is old enough.

    Wake-ups are hints: one that is missed is made up for by `catch_up`, or at last by asking again. No connection is
    held while waiting.
    """
    log, wakeups = doors.runtime.log, doors.runtime.wakeups
    began, opened = time.monotonic(), datetime.now(UTC)
    seen = after_seq
    while time.monotonic() - began < MAX_AGE_S:
        # From before the reading: what is committed during it doesn't have to be waited for.
        known = wakeups.newest(conversation_id)
        try:
            found = await log.read(scope, conversation_id, after_seq=seen, staff=staff)
        except NotFound:
            return
        for event in found:
            seen = event.seq
            # What was there before the stream was is history, not late.
            if event.at >= opened:
                doors.metrics.stream_lag_s.observe(max(0.0, (datetime.now(UTC) - event.at).total_seconds()))
            yield event
        if not found:
            await wakeups.wait(conversation_id, after_seq=known, timeout_s=POLL_S * random.uniform(0.5, 1))  # noqa: S311  # Spread, not secret.
        await asyncio.sleep(0)
