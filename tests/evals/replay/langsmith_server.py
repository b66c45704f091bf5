"""LangSmith on loopback, as far as datasets and experiments go: a real HTTP server that keeps what comes."""

import email
import gzip
import json
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

from tests.loopback import serving

_INFO = {
    "version": "0.10.100",
    "batch_ingest_config": {
        "use_multipart_endpoint": True,
        "scale_up_qsize_trigger": 1000,
        "scale_up_nthreads_limit": 16,
        "scale_down_nempty_trigger": 4,
        "size_limit": 100,
        "size_limit_bytes": 20_971_520,
    },
    "instance_flags": {"dataset_examples_multipart_enabled": True},
}


@dataclass
class LangSmith:
    """What it was given. What goes to a path that ends with a key of `refuses` is answered with that status.

    Never, where that is 0.
    """

    url: str = ""
    refuses: dict[str, int] = field(default_factory=dict)
    datasets: list[dict[str, Any]] = field(default_factory=list)
    examples: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: list[dict[str, Any]] = field(default_factory=list)
    runs: dict[str, dict[str, Any]] = field(default_factory=dict)
    feedback: list[dict[str, Any]] = field(default_factory=list)
    raw: list[bytes] = field(default_factory=list)
    asked: Counter[str] = field(default_factory=Counter)
    over: threading.Event = field(default_factory=threading.Event)

    def status(self, method: str, path: str) -> int:
        """The status that it answers with."""
        where = urlsplit(path).path
        self.asked[f"{method} {where.rpartition('/')[2]}"] += 1
        return next((status for end, status in self.refuses.items() if where.endswith(end)), 200)

    def answer(self, method: str, path: str, kind: str, body: bytes) -> Any:
        """Take a request in, and say what LangSmith would."""
        self.raw.append(body)
        where = urlsplit(path)
        if where.path == "/info":
            return _INFO
        if where.path == "/datasets":
            return self._dataset(method, parse_qs(where.query), body)
        if where.path == "/sessions" and method == "POST":
            self.sessions.append(json.loads(body) | {"id": str(uuid4()), "tenant_id": str(uuid4())})
            return self.sessions[-1]
        if where.path.startswith("/sessions/"):
            (session,) = (known for known in self.sessions if known["id"] == where.path.rpartition("/")[2])
            return session
        if where.path == "/examples":
            skipped = int(parse_qs(where.query).get("offset", ["0"])[0])
            return list(self.examples.values())[skipped : skipped + 100]
        if where.path.endswith("/examples"):
            self._take_examples(kind, body, where.path.split("/")[-2])
            return {"count": len(self.examples), "example_ids": list(self.examples)}
        if where.path == "/runs/multipart":
            self._take_runs(kind, body)
        if where.path == "/feedback":
            self.feedback.append(json.loads(body))
        return {}

    def _dataset(self, method: str, query: dict[str, list[str]], body: bytes) -> Any:
        if method == "GET":
            return [known for known in self.datasets if known["name"] == query["name"][0]]
        now = datetime.now(UTC).isoformat()
        self.datasets.append(json.loads(body) | {"id": str(uuid4()), "tenant_id": str(uuid4()), "created_at": now})
        return self.datasets[-1]

    def _take_examples(self, kind: str, body: bytes, dataset_id: str) -> None:
        for name, content in _parts(kind, body):
            example_id, _, part = name.partition(".")
            known = self.examples.setdefault(example_id, {"id": example_id, "dataset_id": dataset_id})
            known |= {part: content} if part else content

    def _take_runs(self, kind: str, body: bytes) -> None:
        for name, content in _parts(kind, body):
            _, _, rest = name.partition(".")
            run_id, _, part = rest.partition(".")
            self.runs.setdefault(run_id, {}).update({part: content} if part else content)


def _parts(kind: str, body: bytes) -> Iterator[tuple[str, Any]]:
    for part in email.message_from_bytes(f"content-type: {kind}\r\n\r\n".encode() + body).walk():
        name = part.get_param("name", header="content-disposition")
        if isinstance(name, str):
            payload = part.get_payload(decode=True)
            assert isinstance(payload, bytes)
            yield name, json.loads(payload)


@contextmanager
def langsmith() -> Iterator[LangSmith]:
    """A LangSmith that is there until the block ends."""
    known = LangSmith()
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _take(self) -> None:
            body = self._body()
            if self.headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            with lock:
                status, answer = known.status(self.command, self.path), {"detail": "no"}
                if status == 200:
                    answer = known.answer(self.command, self.path, self.headers.get("content-type", ""), body)
            if status == 0:
                self.close_connection = known.over.wait()
                return
            sent = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(sent)))
            self.end_headers()
            self.wfile.write(sent)

        def _body(self) -> bytes:
            if self.headers.get("transfer-encoding") != "chunked":
                return self.rfile.read(int(self.headers.get("content-length", 0)))
            chunks = []
            while size := int(self.rfile.readline().strip(), 16):
                chunks.append(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
            return b"".join(chunks)

        do_GET = do_POST = do_PATCH = do_PUT = _take

        def log_message(self, format: str, *args: object) -> None:
            """Nothing: a test's output is its own."""

    with serving(Handler, before_the_end=known.over.set) as url:
        known.url = url
        yield known
