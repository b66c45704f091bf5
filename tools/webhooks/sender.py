"""Sending one delivery: one attempt, which says what came of it. Only the outbox tries again."""

import asyncio
import ssl
import time
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from functools import cache
from typing import Literal, Self

import httpx
import orjson

from agent.wire import JsonObject
from tools.webhooks.signing import secret_of, signed_headers

DEADLINE_S = 10.0
_LATER = frozenset({408, 425, 429})
_GONE = 410

Result = Literal["delivered", "refused", "gone", "away"]


@dataclass(frozen=True, slots=True)
class Sent:
    """What came of an attempt. `error` names a status or a class, nothing that the receiver wrote."""

    result: Result
    error: str | None = None
    retry_after_s: float | None = None


class WebhookSender:
    """Posts bodies to webhooks. Redirects aren't followed: nobody decides for the operator who is told."""

    def __init__(self, master: str, workspace_id: str) -> None:
        self._master = master
        self._workspace_id = workspace_id
        self._client = httpx.AsyncClient(
            verify=_authorities(),
            timeout=httpx.Timeout(DEADLINE_S),
            # The outbox has its own limit: whoever waited for a connection here would count as not reached.
            limits=httpx.Limits(max_connections=None, max_keepalive_connections=16),
            follow_redirects=False,
            headers={"user-agent": "Helpgraph-Webhooks/1", "content-type": "application/json"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._client.aclose()

    async def send(self, name: str, url: str, event_id: str, body: JsonObject) -> Sent:
        """Post a body under its id, once, in at most ten seconds; what the receiver answers isn't read."""
        content = orjson.dumps(body)
        headers = signed_headers(
            secret_of(self._master, self._workspace_id, name), event_id, content, at_s=int(time.time())
        )
        try:
            async with (
                # The client's own limits are for each read and write: a body that drips would pass them.
                asyncio.timeout(DEADLINE_S),
                self._client.stream("POST", url, content=content, headers=dict(headers)) as response,
            ):
                status = response.status_code
                retry_after = response.headers.get("retry-after")
        except TimeoutError:
            return Sent("away", "timeout")
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as exc:
            return Sent("away", type(exc).__name__)
        if 200 <= status < 300:
            return Sent("delivered")
        error = f"status {status}"
        if status >= 500 or status in _LATER:
            return Sent("away", error, _seconds(retry_after))
        return Sent("gone" if status == _GONE else "refused", error)


@cache
def _authorities() -> ssl.SSLContext:
    """The certificates of the usual authorities: reading them takes 40 ms, and each of several workspaces sends."""
    return httpx.create_ssl_context()


def _seconds(retry_after: str | None) -> float | None:
    """`Retry-After` in seconds from now: a number, or a date."""
    if not retry_after:
        return None
    if retry_after.isdecimal():
        return float(retry_after[:9])
    try:
        return max(0.0, parsedate_to_datetime(retry_after).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
