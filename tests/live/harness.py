"""A real model's server in a process of its own, which ends when the tests do, whatever becomes of them."""

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import httpx

ROOT = Path(__file__).parents[2]
HERE = Path(__file__).parent
PYTHON = ROOT / ".venv-llm" / "bin" / "python"
TEMPLATE = HERE / "tools.jinja"
MODEL = "smollm2-135m-instruct"
ANSWERS_S = 30
STOP_S = 20
LOG_LINES = 30


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a model answers; `url` ends in /v1."""

    model: str
    url: str
    key: str
    start_s: float

    @property
    def address(self) -> str:
        """The server's own address, for what it has beside OpenAI's paths."""
        return self.url.removesuffix("/v1")


class ModelServer:
    """A process that serves the model, or tries to."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.key = uuid4().hex
        self._log = folder / f"model-{uuid4().hex[:6]}.log"
        with self._log.open("w", encoding="utf-8") as log:
            self.process = subprocess.Popen(
                [PYTHON, HERE / "serve_model.py", "--name", MODEL, *options],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, "HELPGRAPH_MODEL_KEY": self.key},
            )

    def wait(self) -> str:
        """Return the address as soon as models are listed there.

        Raises:
            RuntimeError: it doesn't get that far; the message has the end of the server's log.
        """
        assert self.process.stdout is not None
        # The line comes when the weights are loaded; there is none when the server dies before.
        address = self.process.stdout.readline().strip()
        if not address or not lists_models(address, self.key):
            lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
            raise RuntimeError("\n".join(["the model's server does not answer; its log ends:", *lines]))
        return address

    def stop(self) -> int:
        """End it as its owner's end would, by force when that doesn't do; return its exit code."""
        try:
            self.process.communicate(timeout=STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()
        return self.process.returncode


def lists_models(address: str, key: str) -> bool:
    """Wait until the server lists its models; False when it doesn't get that far."""
    last = time.monotonic() + ANSWERS_S
    with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {key}"}, trust_env=False) as client:
        while time.monotonic() < last:
            try:
                return client.get("/v1/models").is_success
            except httpx.TransportError:
                time.sleep(0.05)
    return False


@contextmanager
def model_served(folder: Path, *options: str) -> Iterator[Endpoint]:
    """Serve the model for the length of the block; `options` are those of `serve_model.py`."""
    began = time.perf_counter()
    server = ModelServer(folder, *options)
    try:
        address = server.wait()
        yield Endpoint(MODEL, f"{address}/v1", server.key, time.perf_counter() - began)
    finally:
        server.stop()
