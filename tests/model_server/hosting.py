"""The server elsewhere than in a test's event loop: in a thread, as a process, or not there at all."""

import asyncio
import contextlib
import json
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, validate_call

from tests.model_server.faults import FAULTS
from tests.model_server.replies import Answer, Reply, calls, paced, refuses, says, says_and_calls, structured, text_call
from tests.model_server.server import HOST, ModelServer, Script

ROOT = Path(__file__).parents[2]
REPLIES: dict[str, Callable[..., Reply]] = {
    each.__name__: each for each in (says, calls, says_and_calls, structured, text_call, refuses, paced)
}


@contextlib.contextmanager
def in_thread(script: Script) -> Iterator[ModelServer]:
    """A server that runs in a thread of its own; all its attributes may be read, and `script` set, from outside."""
    server = ModelServer(script)
    ready: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def live() -> None:
        stop = asyncio.Event()
        async with server:
            ready.set_result((asyncio.get_running_loop(), stop))
            await stop.wait()

    with ThreadPoolExecutor(1, thread_name_prefix="model-server") as pool:
        ended = pool.submit(asyncio.run, live())
        # Where it can't start, nobody sets `ready`.
        ended.add_done_callback(lambda _: ready.cancel())
        try:
            loop, stop = ready.result()
        except CancelledError:
            ended.result()
            raise
        try:
            yield server
        finally:
            loop.call_soon_threadsafe(stop.set)
            ended.result()


@contextlib.contextmanager
def in_process(script: list[dict[str, Any]], folder: Path) -> Iterator[str]:
    """The base URL of a server that runs as a process; the script is written into the folder (see `read_script`)."""
    path = folder / "model_script.json"
    path.write_text(json.dumps(script), encoding="utf-8")
    command = [sys.executable, "-m", "tests.model_server", "--script", str(path)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = process.stdout.readline().strip()
            assert url, "the model server did not start"
            yield url
        finally:
            process.terminate()
    assert process.returncode == 0, process.returncode


@contextlib.contextmanager
def nobody_there() -> Iterator[str]:
    """A base URL whose port refuses connections, and that nobody else gets meanwhile."""
    with socket.socket() as sock:
        sock.bind((HOST, 0))
        yield f"http://{HOST}:{sock.getsockname()[1]}/v1"


def read_script(text: str) -> list[Reply]:
    """The replies that a JSON script names, in order.

    Each is an object with the name of a function of `replies` and its arguments (by name in an object, in order in a
    list, or one alone), and perhaps a fault with its times:

        [{"says": "Hello there"},
         {"calls": [["account_status", {"user_id": "u1"}]]},
         {"says": {"text": "Hello there", "delay_s": 2}, "fault": "drip", "tick_s": 0.5},
         {"paced": {"n_tokens": 100, "interval_s": 0.01}}]

    Raises:
        ValueError: it is not such a script.
    """
    return [_read_reply(**line) for line in json.loads(text)]


def _read_reply(*, fault: str | None = None, slow_s: float = 30.0, tick_s: float = 0.05, **named: Any) -> Reply:
    [(name, arguments)] = named.items()
    if name not in REPLIES:
        raise ValueError(f"unknown reply {name!r}; there are {', '.join(REPLIES)}")
    make = validate_call(config=ConfigDict(arbitrary_types_allowed=True))(REPLIES[name])
    if isinstance(arguments, dict):
        reply = make(**arguments)
    else:
        reply = make(*arguments) if isinstance(arguments, list) else make(arguments)
    if fault is None:
        return reply
    if not isinstance(reply, Answer):
        raise ValueError(f"{name!r} takes no fault")
    if fault not in FAULTS:
        raise ValueError(f"unknown fault {fault!r}; there are {', '.join(FAULTS)}")
    return FAULTS[fault].on(reply, slow_s=slow_s, tick_s=tick_s)
