"""LangSmith and an OpenTelemetry collector on loopback: real HTTP servers that keep what comes."""

import email
import gzip
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.loopback import serving


@dataclass(frozen=True, slots=True)
class Came:
    """One request."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server that takes everything; `hangs` keeps every request waiting, another `status` refuses it."""

    url: str = ""
    hangs: bool = False
    status: int = 202
    came: list[Came] = field(default_factory=list)
    arrived: threading.Condition = field(default_factory=threading.Condition)
    ended: threading.Event = field(default_factory=threading.Event)

    def wait_for(self, condition: Callable[[list[Came]], object]) -> None:
        """Return when what came fulfils the condition."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: condition(self.came), timeout=20), [c.path for c in self.came]

    @property
    def everything(self) -> str:
        """All that came, as it came, and LangSmith's runs once more without JSON's escapes."""
        raw = (f"{came.method} {came.path} {came.headers} {came.body.decode('utf-8', 'replace')}" for came in self.came)
        return "\n".join([*raw, *_strings(langsmith_runs(self))])


def _strings(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield str(key)
            yield from _strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item)
    else:
        yield str(value)


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver that is open until the block ends."""
    receiver = Receiver()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            self._take()

        def do_GET(self) -> None:
            self._take()

        def do_PATCH(self) -> None:
            self._take()

        def _take(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            headers = {name.lower(): value for name, value in self.headers.items()}
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            with receiver.arrived:
                receiver.came.append(Came(self.command, self.path, headers, body))
                receiver.arrived.notify_all()
            if receiver.hangs:
                receiver.ended.wait(60)
                self.close_connection = True
                return
            self.send_response(receiver.status)
            self.send_header("content-length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a test's output is its own."""

    with serving(Handler, before_the_end=receiver.ended.set) as url:
        receiver.url = url
        yield receiver


def langsmith_runs(receiver: Receiver) -> dict[str, dict[str, Any]]:
    """The runs that LangSmith got, by id, put together from their parts."""
    runs: dict[str, dict[str, Any]] = {}
    for came in receiver.came:
        if came.path != "/runs/multipart":
            continue
        head = f"content-type: {came.headers['content-type']}\r\n\r\n".encode()
        for part in email.message_from_bytes(head + came.body).walk():
            name = part.get_param("name", header="content-disposition")
            payload = part.get_payload(decode=True)
            if not isinstance(name, str) or not isinstance(payload, bytes):
                continue
            _, run_id, *which = name.split(".")
            value = json.loads(payload)
            runs.setdefault(run_id, {}).update({which[0]: value} if which else value)
    return runs


def langsmith_tree(receiver: Receiver) -> list[str]:
    """The paths of the runs by name, in order, such as `turn/answer/answer`."""
    runs = langsmith_runs(receiver)

    def path(run: dict[str, Any]) -> str:
        parent = runs.get(run.get("parent_run_id") or "")
        return f"{path(parent)}/{run['name']}" if parent else str(run["name"])

    return [path(run) for run in sorted(runs.values(), key=lambda run: str(run["dotted_order"]))]


def collected_spans(receiver: Receiver) -> list[Span]:
    """The spans that the collector got, in order of their start."""
    found: list[Span] = []
    for came in receiver.came:
        for resource in ExportTraceServiceRequest.FromString(came.body).resource_spans:
            for scope in resource.scope_spans:
                found += scope.spans
    return sorted(found, key=lambda span: span.start_time_unix_nano)


def span_tree(receiver: Receiver) -> list[str]:
    """The paths of the spans by name, in order."""
    spans = {span.span_id: span for span in collected_spans(receiver)}

    def path(span: Span) -> str:
        parent = spans.get(span.parent_span_id)
        return f"{path(parent)}/{span.name}" if parent is not None else span.name

    return [path(span) for span in spans.values()]


def attributes(span: Span) -> dict[str, Any]:
    """A span's attributes as plain values."""
    return {pair.key: _plain(pair.value) for pair in span.attributes}


def _plain(value: Any) -> Any:
    kind = value.WhichOneof("value")
    if kind == "array_value":
        return [_plain(item) for item in value.array_value.values]
    return getattr(value, kind)
