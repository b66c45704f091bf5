"""The HTTP client to give to ChatOpenAI: streamed answers cost little, take no longer and grow no larger than allowed.

    client = open_client()
    model = ChatOpenAI(..., http_async_client=client, max_retries=0, stream_chunk_timeout=None)
    DEADLINES.set(Deadlines(first_token_s=8))
    async for chunk in model.astream(messages): ...

The openai client repeats a request whose deadline passed before the answer began unless `max_retries` is 0, and
ChatOpenAI's own `stream_chunk_timeout` starts a task for every chunk. Chat completions only: the events of the
Responses API pass, but none of them counts as a token.

aiohttp is beneath, not httpx's own transport: a token that is a read of its own costs it a fifth of the time.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import httpx
import orjson
from aiohttp.http_exceptions import HttpProcessingError

from tools.engines.llm.deadlines import DEADLINES, Deadlines, StreamTooLarge, Watch
from tools.engines.llm.merging import Merger


@dataclass(frozen=True, slots=True)
class ClientLimits:
    """How much the client takes and holds."""

    max_connections: int = 200
    keep_alive_s: float = 30.0
    max_answer_bytes: int = 4_000_000
    max_event_bytes: int = 1_000_000
    max_held_chars: int = 2_000
    """A text this long is given to the client, whether a sentence ends there or not."""


def open_client(
    *,
    hold_s: float = 0.25,
    limits: ClientLimits | None = None,
    deadlines: Deadlines | None = None,
    trust_env: bool = False,
    tls: ssl.SSLContext | None = None,
) -> httpx.AsyncClient:
    """Return a client for one event loop: one per process, since its open connections are what makes it fast.

    Reading the authorities' certificates takes this call some tens of milliseconds.

    It repeats nothing and follows no redirect. Errors are httpx's, `StreamTooSlow` and `StreamTooLarge` among them;
    behind what the openai client makes of them, `which_deadline` and `which_limit` find those two.

    Args:
        hold_s: how long text may wait for the end of its sentence; looked at when a token comes.
        limits: of connections and sizes.
        deadlines: of requests that set none in `DEADLINES`.
        trust_env: use the proxies of the environment (`HTTPS_PROXY`, `NO_PROXY`) and its certificates
            (`SSL_CERT_FILE`).
        tls: how to check the endpoint's certificate; the usual authorities when absent.
    """
    transport = MergingTransport(
        hold_s=hold_s,
        limits=limits or ClientLimits(),
        deadlines=deadlines or Deadlines(),
        trust_env=trust_env,
        tls=tls or httpx.create_ssl_context(trust_env=trust_env),
    )
    return httpx.AsyncClient(transport=transport, timeout=None, trust_env=False)  # noqa: S113  # Deadlines bound it.


class MergingTransport(httpx.AsyncBaseTransport):
    """Sends requests under deadlines and merges what streams back; `open_client` makes one."""

    def __init__(
        self, *, hold_s: float, limits: ClientLimits, deadlines: Deadlines, trust_env: bool, tls: ssl.SSLContext
    ) -> None:
        self._hold_s = hold_s
        self._limits = limits
        self._deadlines = deadlines
        self._trust_env = trust_env
        self._tls = tls
        self._session: aiohttp.ClientSession | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Send the request and return its answer, whose body comes as it is read.

        Raises:
            httpx.TransportError: it didn't work; `StreamTooSlow` when a deadline passed.
        """
        watch = Watch(DEADLINES.get(self._deadlines))
        body = await request.aread()
        # A compressed stream would arrive in lumps, and a small one may unpack to a huge one.
        request.headers["accept-encoding"] = "identity"
        sent = self._open().request(
            request.method,
            str(request.url),
            headers=request.headers.multi_items(),
            data=body or None,
            allow_redirects=False,
            timeout=_connecting(request),
        )
        try:
            answer = await watch.headers(sent, tokens=_asks_for_stream(body))
        except (aiohttp.ClientError, HttpProcessingError, OSError) as exc:
            raise _translated(exc) from exc
        if answer.headers.get("content-encoding", "identity") != "identity":
            answer.close()
            raise httpx.DecodingError("the endpoint compressed its answer, which it was asked not to")
        streams = answer.content_type == "text/event-stream"
        limits = self._limits
        merger = None
        if streams:
            merger = Merger(
                hold_s=self._hold_s, max_chars=limits.max_held_chars, max_event_bytes=limits.max_event_bytes
            )
        return httpx.Response(
            answer.status,
            # The length of what came isn't that of what is given out.
            headers=[
                header for header in answer.raw_headers if not (streams and header[0].lower() == b"content-length")
            ],
            stream=_Body(answer, watch, merger, limits.max_answer_bytes),
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": (answer.reason or "").encode()},
        )

    async def aclose(self) -> None:
        """Close the connections."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    def _open(self) -> aiohttp.ClientSession:
        # Not before the first request: a session belongs to the loop that it is made in.
        if self._session is None:
            connector = aiohttp.TCPConnector(
                limit=self._limits.max_connections, keepalive_timeout=self._limits.keep_alive_s, ssl=self._tls
            )
            self._session = aiohttp.ClientSession(
                connector=connector,
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
                trust_env=self._trust_env,
            )
        return self._session


class _Body(httpx.AsyncByteStream):
    """The body of an answer. Iterating again goes on where it stopped, as the openai client does after `[DONE]`."""

    def __init__(self, answer: aiohttp.ClientResponse, watch: Watch, merger: Merger | None, max_bytes: int) -> None:
        self._answer = answer
        self._watch = watch
        self._merger = merger
        self._max_bytes = max_bytes
        self._left = max_bytes
        self._over = False
        self._loop = asyncio.get_running_loop()
        watch.start(answer.close, tokens=merger is not None)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        while not self._over:
            failed = None
            try:
                given = await self._next()
            except httpx.TransportError as exc:
                await self.aclose()
                # Nothing that came in time is lost.
                given = self._merger.cut() if self._merger is not None else b""
                failed = exc
            if given:
                self._watch.hand_out()
                yield given
            if failed is not None:
                raise failed

    async def aclose(self) -> None:
        """End it; a connection whose answer wasn't read to its end is closed."""
        self._over = True
        self._watch.stop()
        self._answer.close()

    async def _next(self) -> bytes:
        self._watch.wait()
        try:
            data = await self._answer.content.readany()
        except (aiohttp.ClientError, HttpProcessingError, OSError) as exc:
            # Chunks of HTTP that are none raise nothing: aiohttp 3.14 tells nobody. The deadlines end that.
            raise self._watch.late or _translated(exc) from exc
        now = self._loop.time()
        if not data:
            await self.aclose()
            return data if self._merger is None else self._merger.end(now)
        self._left -= len(data)
        if self._left < 0:
            raise StreamTooLarge("total", self._max_bytes)
        if self._merger is None:
            return data
        tokens = self._merger.tokens
        given = self._merger.feed(data, now)
        if self._merger.tokens > tokens:
            self._watch.token(now)
        return given


def _asks_for_stream(body: bytes) -> bool:
    try:
        asked = orjson.loads(body)
    except orjson.JSONDecodeError:
        return False
    return isinstance(asked, dict) and asked.get("stream") is True


def _connecting(request: httpx.Request) -> aiohttp.ClientTimeout:
    """What the request's own timeouts say about connecting. Reading is the deadlines' business."""
    asked = request.extensions.get("timeout", {})
    return aiohttp.ClientTimeout(total=None, connect=asked.get("pool"), sock_connect=asked.get("connect"))


def _translated(exc: Exception) -> httpx.TransportError:
    """The error as httpx's; its text stays behind, since it may quote the endpoint."""
    match exc:
        case aiohttp.ClientProxyConnectionError() | aiohttp.ClientHttpProxyError():
            kind: type[httpx.TransportError] = httpx.ProxyError
        case aiohttp.ConnectionTimeoutError():
            kind = httpx.ConnectTimeout
        case aiohttp.ServerTimeoutError():
            kind = httpx.ReadTimeout
        case aiohttp.ClientConnectorError():
            kind = httpx.ConnectError
        case aiohttp.InvalidURL():
            kind = httpx.UnsupportedProtocol
        case aiohttp.ClientOSError():
            kind = httpx.ReadError
        case _:
            kind = httpx.RemoteProtocolError
    return kind(f"the endpoint failed ({type(exc).__name__})")
