"""The log as server-sent events."""

import asyncio
import random
import secrets
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime
from typing import TypeVar

import anyio
import orjson
from fastapi import Request
from sse_starlette import EventSourceResponse, ServerSentEvent

from agent.errors import DatabaseAway, NotFound
from agent.wire import JsonObject
from server.context import Doors, client_address
from server.event_stream import EventStream
from server.problems import Problem
from tools.storage.log import LogEvent
from tools.storage.scope import Scope

# What every hint missed: a clock far off, a channel that was down for long. Ten thousand streams ask this often.
POLL_S = 60.0
MAX_AGE_S = 3600
# Many times what a read of the log takes, waiting for a connection included.
_READ_S = 30.0
_AT_ONCE = 500
# How long whoever began a stream is taken to be known still.
_KNOWN_S = 5.0


def encode(event: JsonObject, seq: int | None = None, *, first: bool = False) -> ServerSentEvent:
    """One event as one SSE message. The first one carries the time after which to reconnect, spread by chance."""
    return ServerSentEvent(
        data=orjson.dumps(event).decode(),
        id=str(seq) if seq is not None else None,
        retry=_come_back_ms() if first else None,
        sep="\n",
    )


def _come_back_ms() -> int:
    return 1000 + secrets.randbelow(3000)


def respond(
    doors: Doors,
    request: Request,
    owner: str,
    events: AsyncIterator[ServerSentEvent],
    *,
    known: Callable[[], Awaitable[bool]] | None = None,
    resumable: bool = True,
) -> EventSourceResponse:
    """Stream `events`, counted against the owner's and the address's share.

    `known` says whether the caller may still read; it is asked before an event, every five seconds at most, and ends
    the stream. Without it `events` see to that themselves.
    When the server stops, `events` have to end by themselves, as `tail` does. A client that can resume is then told to
    come back; the response is whole.

    Raises:
        Problem: 429, too many streams are open.
    """
    address = client_address(request)
    if not doors.streams.enter(owner, address):
        doors.metrics.request_refused(429)
        raise Problem(429, "too many open streams; close one first", headers={"Retry-After": "5"})
    return EventStream(_counted(doors, owner, address, events, known, resumable=resumable), doors.live)


async def _counted(
    doors: Doors,
    owner: str,
    address: str,
    events: AsyncIterator[ServerSentEvent],
    known: Callable[[], Awaitable[bool]] | None,
    *,
    resumable: bool,
) -> AsyncIterator[ServerSentEvent]:
    doors.metrics.stream_opened()
    asked = time.monotonic()
    try:
        async for event in events:
            if known is not None and time.monotonic() - asked > _KNOWN_S:
                if not await unbroken(known()):
                    return
                asked = time.monotonic()
            yield event
        if resumable and doors.stopping.is_set():
            yield ServerSentEvent(comment="the server is stopping", retry=_come_back_ms(), sep="\n")
    finally:
        doors.metrics.stream_closed()
        doors.streams.leave(owner, address)


_T = TypeVar("_T")


async def unbroken(read: Awaitable[_T]) -> _T:
    """Return what a read of the database finds; a stream that ends meanwhile ends after it.

    A query that is broken off costs its connection.

    Raises:
        DatabaseAway: it takes longer than any read may.
    """
    try:
        with anyio.fail_after(_READ_S, shield=True):
            return await read
    except TimeoutError as exc:
        raise DatabaseAway(f"a read took longer than {_READ_S:.0f} s") from exc


async def tail(
    doors: Doors,
    scope: Scope,
    conversation_id: str,
    *,
    after_seq: int,
    staff: bool = False,
    patience_s: float = 0.0,
    just_written: bool = False,
) -> AsyncIterator[LogEvent]:
    """Yield the conversation's events after `after_seq` as they are committed, until the stream is old enough.

    When the server stops it goes on for `patience_s` at most: for a reader that can't come back for the rest. With
    `just_written` the event `after_seq` was committed a moment ago, by this process and in this scope.

    Wake-ups are hints: one that is missed is made up for by `catch_up`, or at last by asking again. No connection is
    held while waiting.
    """
    log, wakeups = doors.runtime.log, doors.runtime.wakeups
    opened = datetime.now(UTC)
    ends = time.monotonic() + MAX_AGE_S
    stopping = False
    seen = after_seq
    with log.following.follow(conversation_id) as follower:
        while (left_s := ends - time.monotonic()) > 0:
            # From before the reading: what is committed during it doesn't have to be waited for.
            known = wakeups.newest(conversation_id)
            found = follower.take(seen, known_seq=known, staff=staff and scope.sees_everything)
            if not found and not (just_written and known == after_seq):
                try:
                    read = log.read(scope, conversation_id, after_seq=seen, staff=staff, limit=_AT_ONCE)
                    found = await unbroken(read)
                except NotFound:
                    return
            just_written = False
            for event in found:
                seen = event.seq
                # What was there before the stream was is history, not late.
                if event.at >= opened:
                    doors.metrics.stream_lag_s.observe(max(0.0, (datetime.now(UTC) - event.at).total_seconds()))
                yield event
            # Fewer than fit in: that was all. What came since is known by now, and isn't waited for.
            all_taken = len(found) < _AT_ONCE and not follower.is_past(seen)
            if all_taken and (stopping or not doors.stopping.is_set()):
                wait_s = min(left_s, POLL_S * random.uniform(0.5, 1))  # noqa: S311  # Spread, not secret.
                await wakeups.wait(conversation_id, after_seq=known, timeout_s=wait_s)
            if doors.stopping.is_set() and not stopping:
                stopping = True
                ends = min(ends, time.monotonic() + patience_s)
            await asyncio.sleep(0)
