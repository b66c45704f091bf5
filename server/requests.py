"""Every request gets an id, a span and a time, and whoever looks into the log finds it by them."""

import re
import secrets
import time

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind, Status, StatusCode
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.metrics import Metrics
from server.problems import route_of
from tools.observing.context import working_on
from tools.tracing.opening import Tracing

HEADER = "X-Request-Id"
# What proxies and tracers send; anything else could break a log line, so it is replaced and not mended.
_USABLE = re.compile(r"[A-Za-z0-9._-]{1,64}")
_METHODS = {"GET", "POST", "HEAD", "OPTIONS"}


class Observed:
    """The outermost layer: binds the request's id, times it to the head of its answer, and traces it to its end."""

    def __init__(self, app: ASGIApp, *, metrics: Metrics, tracing: Tracing, workspace_id: str = "") -> None:
        self._app = app
        self._metrics = metrics
        self._tracer = tracing.tracer
        self._workspace_id = workspace_id

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let the request through."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = request_id_of(Headers(scope=scope).get(HEADER))
        method = scope["method"] if scope["method"] in _METHODS else "other"
        began = time.perf_counter()
        status = 0
        # An empty context: a trace begins here, whatever a stranger's headers say.
        span = self._tracer.start_span(method, Context(), SpanKind.SERVER) if self._tracer is not None else None

        async def with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
                status = message["status"]
                seconds = time.perf_counter() - began
                self._metrics.request_s.labels(method, route_of(scope), str(status)).observe(seconds)
            await send(message)

        with working_on(request_id=request_id, workspace_id=self._workspace_id) as work:
            try:
                await self._app(scope, receive, with_id)
            finally:
                if span is not None:
                    route = route_of(scope)
                    span.update_name(f"{method} {route}")
                    span.set_attributes(
                        {
                            "http.request.method": method,
                            "http.route": route,
                            "http.response.status_code": status,
                            "helpgraph.request_id": request_id,
                            "helpgraph.database.statements": work.database.statements,
                            "helpgraph.database.seconds": round(work.database.seconds, 6),
                        }
                    )
                    if status >= 500:
                        span.set_status(Status(StatusCode.ERROR))
                    span.end()


def request_id_of(given: str | None) -> str:
    """The client's id of the request when it can be written as it is, else one of our own."""
    return given if given is not None and _USABLE.fullmatch(given) else secrets.token_hex(16)
