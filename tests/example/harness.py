"""A real server on a free port, in a thread of the test process."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import uvicorn

from graphs.assembly import open_runtime
from graphs.settings import load_settings
from server.app import create_app
from server.context import Doors
from server.metrics import Metrics
from server.opening import make_doors
from server.settings import load_server_settings
from tests.installed import EXAMPLE
from tests.loopback import NO_TLS

SECRET = "a-secret-of-the-product-that-is-long-enough"


@dataclass
class Running:
    """A server that runs."""

    url: str
    doors: Doors

    def client(self, token: str | None = None, **headers: str) -> httpx.Client:
        """An HTTP client, with a bearer token if given."""
        if token is not None:
            headers["authorization"] = f"Bearer {token}"
        return httpx.Client(base_url=self.url, headers=headers, timeout=30, trust_env=False, verify=NO_TLS)

    def session(self, **body: Any) -> dict[str, Any]:
        """Begin a widget's session."""
        with self.client() as client:
            response = client.post("/v1/sessions", json=body)
            assert response.status_code == 200, response.text
            found: dict[str, Any] = response.json()
            return found


@contextmanager
def running(data_dir: Path) -> Iterator[Running]:
    """Run the example workspace, which is installed in `data_dir`, until the block ends."""
    ready, stop = threading.Event(), threading.Event()
    found: list[Running] = []
    failed: list[BaseException] = []

    async def serve() -> None:
        plain = load_settings(workspace=EXAMPLE, data_dir=data_dir)
        metrics = Metrics()
        async with open_runtime(plain, metrics=metrics) as runtime:
            given = {"demo": True, "identity_secret": SECRET, "messages_per_minute": 600, "sessions_per_minute": 600}
            doors = make_doors(runtime, load_server_settings(**given), metrics)
            config = uvicorn.Config(
                create_app(doors),
                host="127.0.0.1",
                port=0,
                log_config=None,
                access_log=False,
                timeout_graceful_shutdown=5,
            )
            server = uvicorn.Server(config)
            task = asyncio.create_task(server.serve())
            while not server.started:
                await asyncio.sleep(0.01)
            port = server.servers[0].sockets[0].getsockname()[1]
            found.append(Running(f"http://127.0.0.1:{port}", doors))
            ready.set()
            while not stop.is_set():
                await asyncio.sleep(0.02)
            server.should_exit = True
            await task

    def run() -> None:
        try:
            asyncio.run(serve())
        except BaseException as exc:
            failed.append(exc)
            ready.set()

    thread = threading.Thread(target=run, name="test-server")
    thread.start()
    ready.wait(60)
    try:
        if failed:
            raise failed[0]
        yield found[0]
    finally:
        stop.set()
        thread.join(30)


def user_message(text: str, message_id: str = "m1") -> dict[str, object]:
    """A message of the customer as AG-UI has it."""
    return {"id": message_id, "role": "user", "content": text}


def run_input(thread_id: str, text: str, message_id: str = "m1", **more: Any) -> dict[str, Any]:
    """A RunAgentInput with one message."""
    body = {
        "threadId": thread_id,
        "runId": f"run-{message_id}",
        "messages": [user_message(text, message_id)],
        "state": {},
        "tools": [],
        "context": [],
        "forwardedProps": {},
    }
    return {**body, **more}


def read_events(response: httpx.Response) -> list[tuple[str | None, dict[str, Any]]]:
    """Every event of a finished stream with its id. The framing must be plain newlines."""
    assert b"\r" not in response.content
    events: list[tuple[str | None, dict[str, Any]]] = []
    for block in response.text.split("\n\n"):
        lines = [line for line in block.split("\n") if line and not line.startswith(":")]
        data = [line.removeprefix("data:").strip() for line in lines if line.startswith("data:")]
        ids = [line.removeprefix("id:").strip() for line in lines if line.startswith("id:")]
        if data:
            events.append((ids[0] if ids else None, json.loads("\n".join(data))))
    return events


def well_formed(events: list[dict[str, Any]]) -> None:
    """Check a run as a strict AG-UI client would."""
    steps: list[str] = []
    message: str | None = None
    assert events[0]["type"] == "RUN_STARTED"
    assert events[-1]["type"] in ("RUN_FINISHED", "RUN_ERROR")
    for event in events[1:]:
        kind = event["type"]
        assert kind != "RUN_STARTED"
        if kind == "STEP_STARTED":
            assert event["stepName"] not in steps
            steps.append(event["stepName"])
        elif kind == "STEP_FINISHED":
            steps.remove(event["stepName"])
        elif kind == "TEXT_MESSAGE_START":
            assert message is None
            message = event["messageId"]
        elif kind == "TEXT_MESSAGE_CONTENT":
            assert event["messageId"] == message
            assert event["delta"]
        elif kind == "TEXT_MESSAGE_END":
            assert event["messageId"] == message
            message = None
        elif kind == "RUN_FINISHED":
            assert message is None
            assert steps == []
