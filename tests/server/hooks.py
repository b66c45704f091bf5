"""A receiver of webhooks on loopback: it checks every signature with the official library and keeps a journal."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Any

from standardwebhooks import Webhook, WebhookVerificationError

from tests.loopback import serving


@dataclass(frozen=True)
class Told:
    """One request that was taken or refused: under which id, with what in it."""

    event_id: str
    body: dict[str, Any]
    status: int

    @property
    def kind(self) -> str:
        return str(self.body["type"])


@dataclass
class Hooks:
    """What the receiver was told. `answer` decides the status, and the headers with it."""

    url: str = ""
    secret: str = ""
    answer: Callable[[dict[str, Any]], tuple[int, dict[str, str]]] = lambda body: (204, {})
    told: list[Told] = field(default_factory=list)
    forged: int = 0
    arrived: threading.Condition = field(default_factory=threading.Condition)

    def wait_for(self, condition: Callable[[list[Told]], object]) -> list[Told]:
        """Return what was taken, when that fulfils the condition."""
        with self.arrived:
            assert self.arrived.wait_for(lambda: condition(self.taken), timeout=40), self.told
            return self.taken

    @property
    def taken(self) -> list[Told]:
        return [told for told in self.told if told.status < 300]


@contextmanager
def listening() -> Iterator[Hooks]:
    """A receiver that is there until the block ends; set its `secret` before anything comes."""
    hooks = Hooks()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            body = json.loads(content)
            headers: dict[str, str] = {}
            with hooks.arrived:
                try:
                    Webhook(hooks.secret).verify(content, dict(self.headers))
                except WebhookVerificationError:
                    hooks.forged += 1
                    status = 401
                else:
                    status, headers = hooks.answer(body)
                    hooks.told.append(Told(str(self.headers["webhook-id"]), body, status))
                hooks.arrived.notify_all()
            self.send_response(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *args: object) -> None:
            """Nothing is printed."""

    with serving(Handler, before_the_end=lambda: None) as url:
        hooks.url = f"{url}/hooks"
        yield hooks
