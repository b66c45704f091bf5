"""How requests arrive: heads of a moderate size, and whole requests in a moderate time."""

import asyncio
from asyncio.events import TimerHandle
from http import HTTPStatus
from typing import Any

import orjson
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_HEAD_BYTES = 64 * 1024
# What a part of a chunked body costs beside its bytes: a length, two line ends.
_FRAME_BYTES = 16


class BoundedHttp(HttpToolsProtocol):
    """uvicorn's protocol, which keeps whatever a head, or the lines after a chunked body, goes on with, for ever.

    What isn't a body's is counted while it arrives, since the parser tells of a line when it has all of it. A
    connection whose request isn't there in time is closed: one that begins none, too.
    """

    ARRIVAL_S = 60.0

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._beside_bytes = 0
        self._deadline: TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # As uvicorn's own.
        """Wait for a request."""
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing more comes."""
        self._arrived()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Take a part of a request, unless it is one too many."""
        self._beside_bytes += len(data)
        if self.cycle is None or self.cycle.response_complete:
            self._wait()
        super().data_received(data)
        if self._beside_bytes > MAX_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._wait()

    def on_body(self, body: bytes) -> None:
        """A part of a body, which others count."""
        self._beside_bytes = max(0, self._beside_bytes - len(body) - _FRAME_BYTES)
        super().on_body(body)

    def on_message_complete(self) -> None:
        """A request is there."""
        self._beside_bytes = 0
        self._arrived()
        super().on_message_complete()

    def _wait(self) -> None:
        if self._deadline is None:
            self._deadline = self.loop.call_later(self.ARRIVAL_S, self.transport.close)

    def _arrived(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _refuse(self) -> None:
        status = HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE
        if self.cycle is None or self.cycle.response_complete or not self.cycle.response_started:
            detail = f"at most {MAX_HEAD_BYTES // 1024} KB of headers are taken"
            body = orjson.dumps(
                {"type": "about:blank", "title": status.phrase, "status": status.value, "detail": detail}
            )
            head = (
                f"HTTP/1.1 {status.value} {status.phrase}\r\ncontent-type: application/problem+json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()
