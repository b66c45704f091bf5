"""The server itself: raw HTTP/1.1 over asyncio streams, so that a reply can go wrong at any byte."""

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from typing import Any, Self

from tests.model_server.replies import Reply
from tests.model_server.wire import At, End, Move, Request, error, json_bytes, whole

HOST = "127.0.0.1"
READ_BYTES = 65_536
POLL_S = 0.002

Script = Reply | Sequence[Reply] | Callable[[dict[str, Any]], Reply]


class ModelServer:
    """An OpenAI-compatible endpoint on a loopback port, open within `async with`.

    It answers `POST /v1/chat/completions` from its script (one reply for all, a list of which the last repeats, or a
    function of the request's body), `GET /v1/models`, and `GET /state` with what it has seen. What a script raised is
    raised again at the end of the `async with`, and so is what became of a request that is no HTTP.

    Attributes:
        requests: all that came, in order, but for those to `/state`.
        open_streams: chat replies that are being sent now, streamed or whole.
        closed_early: chat replies whose client went away before their end.
        worst_late_s: how late, at worst, a timed part of a reply was sent; near 0 unless this server was overloaded
            or its client did not read.
    """

    def __init__(self, script: Script, *, port: int = 0) -> None:
        self.script = script
        self.port = port
        self.requests: list[Request] = []
        self.open_streams = 0
        self.closed_early = 0
        self.worst_late_s = 0.0
        self._failures: list[Exception] = []
        self._connections: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    @property
    def url(self) -> str:
        """What a client takes as its base URL."""
        return f"http://{HOST}:{self.port}/v1"

    @property
    def script(self) -> Script:
        """What is answered; setting it starts a list from its beginning."""
        return self._script

    @script.setter
    def script(self, script: Script) -> None:
        self._script = script
        self._taken = 0

    async def __aenter__(self) -> Self:
        await self._listen(_bound(self.port))
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stop()
        if self._failures:
            raise ExceptionGroup("the model server failed", self._failures)

    async def wait_for(self, condition: Callable[[Self], object], *, timeout_s: float = 5.0) -> None:
        """Return when the condition holds for this server; works in any event loop, this server's or another.

        Raises:
            TimeoutError: it did not hold in time.
        """
        async with asyncio.timeout(timeout_s):
            while not condition(self):
                await asyncio.sleep(POLL_S)

    @contextlib.asynccontextmanager
    async def refusing(self) -> AsyncIterator[None]:
        """Refuse connections on this port meanwhile; what was open is closed. For the server's own event loop."""
        await self._stop()
        # Bound without listening, so that nobody else gets the port.
        held = _bound(self.port)
        try:
            yield
        finally:
            await self._listen(held)

    async def _listen(self, bound: socket.socket) -> None:
        self.port = bound.getsockname()[1]
        self._listener = await asyncio.start_server(self._connected, sock=bound, backlog=1024)

    async def _stop(self) -> None:
        if self._listener is None:
            return
        self._listener.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)
        await self._listener.wait_closed()
        self._listener = None

    def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.create_task(self._serve(_Connection(reader, writer)))
        self._connections.add(task)
        task.add_done_callback(self._connections.discard)

    async def _serve(self, connection: "_Connection") -> None:
        try:
            while (came := await connection.request()) is not None:
                end = await self._exchange(connection, *came)
                if end is End.RESET:
                    connection.reset()
                if end is End.HALF_CLOSE:
                    connection.writer.write_eof()
                    await connection.gone()
                if end is not None or came[2].get("connection", "").lower() == "close":
                    return
        except ConnectionError:
            return
        except asyncio.CancelledError:
            # A client that doesn't read would keep an orderly close waiting.
            connection.writer.transport.abort()
            raise
        except Exception as exc:
            self._failures.append(exc)
        finally:
            await connection.close()

    async def _exchange(
        self, connection: "_Connection", method: str, path: str, headers: dict[str, str], raw: bytes
    ) -> End | None:
        """Answer one request; the way in which the connection must end now, or None to keep it."""
        if path == "/state":
            return await self._send(connection, iter([whole(self._state())]))
        body: dict[str, Any] | None = None
        with contextlib.suppress(ValueError):
            parsed = json.loads(raw) if raw else {}
            body = parsed if isinstance(parsed, dict) else None
        request = Request(len(self.requests) + 1, method, path, headers, body or {}, time.monotonic())
        self.requests.append(request)
        if (method, path) != ("POST", "/v1/chat/completions") or body is None:
            return await self._send(connection, iter([_other(request, readable=body is not None)]))
        return await self._chat(connection, request)

    async def _chat(self, connection: "_Connection", request: Request) -> End | None:
        try:
            moves = self._next(request).moves(request)
        except Exception as exc:
            self._failures.append(exc)
            moves = iter([_error("the script failed", "server_error", status=500)])
        self.open_streams += 1
        sending = asyncio.create_task(self._send(connection, moves))
        leaving = asyncio.create_task(connection.gone())
        try:
            await asyncio.wait({sending, leaving}, return_when=asyncio.FIRST_COMPLETED)
            if sending.done():
                return sending.result()
            self.closed_early += 1
            connection.writer.transport.abort()
            return End.CLOSE
        except ConnectionError:
            self.closed_early += 1
            raise
        finally:
            sending.cancel()
            leaving.cancel()
            await asyncio.gather(sending, leaving, return_exceptions=True)
            self.open_streams -= 1

    def _next(self, request: Request) -> Reply:
        if callable(self._script):
            return self._script(request.body)
        if not isinstance(self._script, Sequence):
            return self._script
        reply = self._script[min(self._taken, len(self._script) - 1)]
        self._taken += 1
        return reply

    async def _send(self, connection: "_Connection", moves: Iterator[Move]) -> End | None:
        # Not the loop's clock: uvloop's stands still within a round.
        began_s = time.monotonic()
        yielded = True
        for move in moves:
            if isinstance(move, bytes):
                # A reply without pauses must not keep the loop from its client, which may be in the same one.
                if not yielded:
                    await asyncio.sleep(0)
                connection.writer.write(move)
                await connection.writer.drain()
                yielded = False
            elif isinstance(move, At):
                due_s = began_s + move.seconds
                if (ahead_s := due_s - time.monotonic()) > 0:
                    await asyncio.sleep(ahead_s)
                    yielded = True
                self.worst_late_s = max(self.worst_late_s, time.monotonic() - due_s)
            elif move is End.SILENCE:
                await asyncio.Event().wait()
            else:
                return move
        return None

    def _state(self) -> bytes:
        return json_bytes(
            {
                "requests": [{"path": each.path, "body": each.body, "at_s": each.at_s} for each in self.requests],
                "open_streams": self.open_streams,
                "closed_early": self.closed_early,
                "worst_late_s": self.worst_late_s,
            }
        )


class _Connection:
    """One client's connection: requests are read from it, and it is watched while a reply is sent."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.writer = writer
        # drain() then waits until the kernel has everything.
        writer.transport.set_write_buffer_limits(0)
        self._reader = reader
        self._read = bytearray()

    async def request(self) -> tuple[str, str, dict[str, str], bytes] | None:
        """Method, path, headers and body of the next request; None when the client has gone."""
        while b"\r\n\r\n" not in self._read:
            if not await self._more():
                return None
        top, _, rest = bytes(self._read).partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        method, path, _ = first.split(" ", 2)
        pairs = (line.partition(":") for line in lines)
        headers = {name.strip().lower(): value.strip() for name, _, value in pairs}
        self._read = bytearray(rest)
        length = int(headers.get("content-length", 0))
        while len(self._read) < length:
            if not await self._more():
                return None
        body = bytes(self._read[:length])
        del self._read[:length]
        return method, path, headers, body

    async def gone(self) -> None:
        """Return when the client has closed its side; what else it sends is kept."""
        with contextlib.suppress(ConnectionError):
            while await self._more():
                pass

    async def _more(self) -> bool:
        data = await self._reader.read(READ_BYTES)
        self._read += data
        return bool(data)

    def reset(self) -> None:
        """Close with RST: the client's next read fails."""
        if self.writer.is_closing():
            return
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError):
            await self.writer.wait_closed()


def _bound(port: int) -> socket.socket:
    # asyncio turns Nagle's algorithm off only where the protocol is named; with it, each stream waits 40 ms for an ACK.
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind((HOST, port))
    except OSError:
        sock.close()
        raise
    return sock


def _other(request: Request, *, readable: bool) -> bytes:
    """The response to what is not a readable chat request."""
    if not readable:
        return _error("The body is not a JSON object.", "invalid_request_error", status=400)
    if (request.method, request.path) == ("GET", "/v1/models"):
        model = {"id": "scripted", "object": "model", "created": 0, "owned_by": "tests"}
        return whole(json_bytes({"object": "list", "data": [model]}))
    wrong = f"Unknown request URL: {request.method} {request.path}"
    return _error(wrong, "invalid_request_error", code="unknown_url", status=404)


def _error(message: str, kind: str, *, status: int, code: str | None = None) -> bytes:
    return whole(json_bytes(error(message, kind, code=code)), status=status)
