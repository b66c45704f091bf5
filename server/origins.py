"""A page of an origin that isn't allowed gets no answer that it may read; whoever runs the server is told why."""

import logging
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

logger = logging.getLogger(__name__)

# Any page may ask as often as it likes.
_QUIET_S = 60.0


class TellsOfOrigins:
    """Logs, once a minute at most, that a page of another origin has asked; not which: no line has a page's words."""

    def __init__(self, app: ASGIApp, *, allowed: Collection[str], public_url: str | None) -> None:
        self._app = app
        self._allowed = allowed
        self._own = urlsplit(public_url).netloc if public_url else None
        self._told: float | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through."""
        if scope["type"] == "http" and self._is_a_strangers(Headers(scope=scope)):
            now = time.monotonic()
            if self._told is None or now - self._told > _QUIET_S:
                self._told = now
                logger.warning("a page asks whose origin isn't in HELPGRAPH_ALLOWED_ORIGINS")
        await self._app(scope, receive, send)

    def _is_a_strangers(self, headers: Headers) -> bool:
        origin = headers.get("origin")
        if origin is None or origin in self._allowed:
            return False
        return origin.partition("://")[2] not in (headers.get("host"), self._own)
