"""What a request may cost: checked before anything is parsed."""

import time
from collections import OrderedDict
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics
from server.problems import problem

MAX_BODY_BYTES = 256 * 1024
MAX_DEPTH = 32
_DISCARDED_BYTES = 8 * 1024 * 1024
_TRACKED = 20_000


class BodyLimit:
    """Refuses bodies that are too large (counted while they arrive) or too deeply nested, before they are parsed."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body within the limit and hand it on."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD", "OPTIONS", "DELETE"):
            await self._app(scope, receive, send)
            return
        body = bytearray()
        arrived = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return
            part = message.get("body", b"")
            arrived += len(part)
            if arrived <= MAX_BODY_BYTES:
                body += part
            # A client that is still sending when we hang up never reads why, so a moderate rest is thrown away first.
            if not message.get("more_body") or arrived > _DISCARDED_BYTES:
                break
        if arrived > MAX_BODY_BYTES:
            await self._refuse(scope, receive, send, 413, f"at most {MAX_BODY_BYTES // 1024} KB are taken")
            return
        if depth(bytes(body)) > MAX_DEPTH:
            await self._refuse(scope, receive, send, 422, f"JSON nested deeper than {MAX_DEPTH} levels is not read")
            return
        await self._app(scope, _Replay(bytes(body), receive), send)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, status: int, detail: str) -> None:
        self._metrics.request_refused(status)
        # What is left of the body isn't read: the connection ends with the answer.
        await problem(status, detail, headers={"Connection": "close"})(scope, receive, send)


class _Replay:
    """Gives the application the body that was read, then what really comes."""

    def __init__(self, body: bytes, receive: Receive) -> None:
        self._body: bytes | None = body
        self._receive = receive

    async def __call__(self) -> Message:
        if self._body is not None:
            body, self._body = self._body, None
            return {"type": "http.request", "body": body, "more_body": False}
        return await self._receive()


def depth(body: bytes) -> int:
    """How deeply brackets nest outside of strings, without parsing."""
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return 0
    level = deepest = 0
    in_string = escaped = False
    for byte in body:
        if in_string:
            if escaped:
                escaped = False
            elif byte == 0x5C:
                escaped = True
            elif byte == 0x22:
                in_string = False
        elif byte == 0x22:
            in_string = True
        elif byte in (0x5B, 0x7B):
            level += 1
            deepest = max(deepest, level)
        elif byte in (0x5D, 0x7D):
            level -= 1
    return deepest


@dataclass(slots=True)
class _Bucket:
    tokens: float
    filled_at: float


class RateLimit:
    """A token bucket per key: `per_minute` at once, refilled evenly. Holds the newest 20,000 keys."""

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def take(self, key: str) -> float:
        """Take one; return 0 when it was there, else the seconds until it will be."""
        now = time.monotonic()
        bucket = self._buckets.get(key)
        if bucket is None:
            bucket = self._buckets[key] = _Bucket(float(self._per_minute), now)
            if len(self._buckets) > _TRACKED:
                self._buckets.popitem(last=False)
        self._buckets.move_to_end(key)
        rate = self._per_minute / 60
        bucket.tokens = min(self._per_minute, bucket.tokens + (now - bucket.filled_at) * rate)
        bucket.filled_at = now
        if bucket.tokens >= 1:
            bucket.tokens -= 1
            return 0.0
        return (1 - bucket.tokens) / rate


class OpenStreams:
    """How many streams each owner and each address holds."""

    def __init__(self, per_owner: int, per_address: int) -> None:
        self._limits = {"owner": per_owner, "address": per_address}
        self._counts: dict[tuple[str, str], int] = {}

    def enter(self, owner: str, address: str) -> bool:
        """Count a stream; false when either has its share already."""
        keys = [("owner", owner), ("address", address)]
        if any(self._counts.get(key, 0) >= self._limits[key[0]] for key in keys):
            return False
        for key in keys:
            self._counts[key] = self._counts.get(key, 0) + 1
        return True

    def leave(self, owner: str, address: str) -> None:
        """Give the place back."""
        for key in (("owner", owner), ("address", address)):
            left = self._counts.get(key, 1) - 1
            if left > 0:
                self._counts[key] = left
            else:
                self._counts.pop(key, None)
