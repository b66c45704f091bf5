"""Ctrl-C in `helpgraph learn`, in a process of its own: nothing is replaced, and the next run goes on."""

import json
import os
import pty
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np
import pytest

from tests.forking import fork
from tests.installed import EXAMPLE, use_models
from tools.learned.shelf import SHIPPED, ModelShelf

ENOUGH_S = 90
STOPPED = "stopped: nothing was replaced. What was embedded is kept, the same command goes on from there"


class Endpoint:
    """An embeddings endpoint that may hang on the texts of tickets after having answered so many of them."""

    def __init__(self, answers: int | None) -> None:
        self.hangs = threading.Event()
        self._left = answers
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                texts = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
                if any(text.startswith("ticket ") for text in texts) and outer._is_to_hang():
                    outer.hangs.set()
                    return
                items = [{"index": n, "embedding": _vector(text)} for n, text in enumerate(texts)]
                body = json.dumps({"data": items}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def _is_to_hang(self) -> bool:
        if self._left is None:
            return False
        self._left -= 1
        return self._left < 0

    def __enter__(self) -> "Endpoint":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()


def _vector(text: str) -> list[float]:
    return [float(x) for x in np.random.default_rng(int(sha256(text.encode()).hexdigest()[:8], 16)).normal(size=16)]


@pytest.fixture
def settings(model_cache: Path, tmp_path: Path) -> dict[str, str]:
    use_models(tmp_path / "data", model_cache)
    return {
        **os.environ,
        "HELPGRAPH_DATA_DIR": str(tmp_path / "data"),
        "HELPGRAPH_WORKSPACE": str(EXAMPLE),
        "HELPGRAPH_EMBEDDING": "off",
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }


@pytest.mark.parametrize("stage", ["learning kinds and categories", "measuring what was learnt"])
def test_ctrl_c_while_it_learns_or_measures_leaves_everything_as_it_was(
    settings: dict[str, str], tmp_path: Path, stage: str
) -> None:
    tickets = (EXAMPLE / "tickets.jsonl").read_text(encoding="utf-8").splitlines(keepends=True)
    # Measuring and learning again take seconds with these, too.
    path = tmp_path / "tickets.jsonl"
    path.write_text("".join(tickets[::3]), encoding="utf-8")
    with _on_a_terminal(["learn", str(path)], settings) as terminal:
        terminal.read_until(stage)
        began = time.monotonic()
        _interrupt(terminal.process)
        said = terminal.read_to_end()
        took_s = time.monotonic() - began
        code = _end(terminal.process)

    assert code == 130
    assert said.count(STOPPED) == 1
    assert "Traceback" not in said
    assert took_s < 30
    shelf = ModelShelf(tmp_path / "data", "orrery")
    assert (shelf.history(), shelf.kept()) == ([SHIPPED], [])


def test_after_ctrl_c_while_embedding_the_next_run_goes_on(settings: dict[str, str], tmp_path: Path) -> None:
    path = tmp_path / "tickets.jsonl"
    path.write_text("\n".join(_ticket(n) for n in range(280)), encoding="utf-8")
    settings = {**settings, "HELPGRAPH_EMBEDDING": "openai"}

    # A ticket has two texts, a batch of 256 is four requests: two batches at a time, so after eight one is kept.
    with Endpoint(answers=8) as endpoint:
        first = tmp_path / "said-first"
        run = fork(["learn", str(path)], {**settings, "HELPGRAPH_EMBEDDING_URL": endpoint.url}, first)
        assert endpoint.hangs.wait(ENOUGH_S)
        _interrupt(run)
        code, said = _end(run), first.read_text(encoding="utf-8")
    assert code == 130
    assert (said.count(STOPPED), "Traceback" in said) == (1, False)

    with Endpoint(answers=None) as endpoint:
        second = tmp_path / "said-second"
        run = fork(["learn", str(path)], {**settings, "HELPGRAPH_EMBEDDING_URL": endpoint.url}, second)
        code, said = _end(run), second.read_text(encoding="utf-8")

    assert code in (0, 1), said
    assert "texts had been embedded by a run that was interrupted" in said
    assert not (tmp_path / "data" / "learning").exists()


def _ticket(number: int) -> str:
    word = "".join(chr(97 + int(digit)) for digit in str(number))
    return json.dumps(
        {
            "ticket_id": f"t{number}",
            "created_at": f"2026-01-{1 + number // 40:02d}T{number % 24:02d}:00:00Z",
            "messages": [
                {"author": "customer", "text": f"ticket {word}\n" + ("It crashes" if number % 2 else "Please add it")}
            ],
            # The newer ones contradict the older ones: nothing learnt is better, and nothing is learnt once more.
            "gold": {"kind": ("bug", "feature_request")[(number + number // 196) % 2]},
        }
    )


def _interrupt(process: BaseProcess) -> None:
    assert process.pid is not None
    os.kill(process.pid, signal.SIGINT)


def _end(process: BaseProcess) -> int | None:
    process.join(ENOUGH_S * 2)
    return process.exitcode


class Terminal:
    """A process that thinks it talks to a person, and what it said."""

    def __init__(self, process: BaseProcess, handle: int) -> None:
        self.process = process
        self._handle = handle
        self._said = b""

    def read_until(self, expected: str) -> None:
        until = time.monotonic() + ENOUGH_S
        while expected.encode() not in self._said:
            assert time.monotonic() < until, self._said[-2000:]
            assert self._read(1.0) or self.process.is_alive(), self._said[-2000:]

    def read_to_end(self) -> str:
        until = time.monotonic() + ENOUGH_S
        # A process whose terminal nobody reads waits for it for ever.
        while (self._read(0.2) or self.process.is_alive()) and time.monotonic() < until:
            pass
        return self._said.decode(errors="replace")

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self._handle], [], [], timeout_s)[0]:
            return False
        try:
            found = os.read(self._handle, 65536)
        except OSError:
            return False
        self._said += found
        return bool(found)


@contextmanager
def _on_a_terminal(arguments: list[str], settings: dict[str, str]) -> Iterator[Terminal]:
    ours, theirs = pty.openpty()
    process = fork(arguments, settings, Path(os.ttyname(theirs)))
    try:
        yield Terminal(process, ours)
    finally:
        process.kill()
        process.join()
        os.close(theirs)
        os.close(ours)
