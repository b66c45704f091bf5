"""An endpoint that speaks OpenAI's API and gives every request the same answer, token by token at an even pace.

It runs in a process of its own, so that its work isn't counted as the client's, and ends with the one that started it.
Every token is one event, one chunk of HTTP and one write, as from a real model.
"""

import argparse
import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

_SENTENCES = (
    "You can change your plan at any time on the billing page of your workspace.",
    "Open the settings, choose Billing, and press the button that is called Change plan.",
    "The new price counts from the next invoice on, and nothing is charged twice.",
    "Members whose seats the smaller plan doesn't have keep reading, but they can't edit any more.",
    "Only an owner of the workspace sees this page.",
    "If yours is paid by invoice, please write to us first, since your contract may say something else.",
    "Everything that you made stays where it is, and exports go on working for thirty days.",
)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ntransfer-encoding: chunked\r\n\r\n"
# Where in the gap between tokens the answers begin, one after the other: spread evenly, however many there are.
_GOLDEN = 0.618034


@dataclass(frozen=True, slots=True)
class Pace:
    """How many tokens an answer has, and how long after one comes the next."""

    tokens: int
    gap_s: float

    @property
    def ideal_s(self) -> float:
        """How long an answer takes when the client costs nothing."""
        return self.tokens * self.gap_s


def answer(tokens: int) -> list[str]:
    """The answer's tokens: a word and the space before it each, as a tokenizer would cut most of them."""
    text = " ".join(_SENTENCES)
    words = re.findall(r"\s?\S+", f"{text} " * (tokens // len(text.split()) + 1))
    return words[:tokens]


@asynccontextmanager
async def endpoint(pace: Pace) -> AsyncIterator[str]:
    """Run the endpoint in a process of its own and yield its base URL."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "evals.bench.endpoint",
        f"--tokens={pace.tokens}",
        f"--gap-s={pace.gap_s}",
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        # Ctrl-C is for the one that started it.
        start_new_session=True,
    )
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("a process started with pipes has them")
    try:
        port = (await process.stdout.readline()).decode().strip()
        if not port:
            raise RuntimeError("the endpoint didn't start")
        yield f"http://127.0.0.1:{port}/v1"
    finally:
        process.stdin.close()
        await process.wait()


def main() -> None:
    """Serve until standard input ends; the port is the first line of the output."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--tokens", type=int, required=True)
    parser.add_argument("--gap-s", type=float, required=True)
    asked = parser.parse_args()
    asyncio.run(_serve(Pace(asked.tokens, asked.gap_s)))


async def _serve(pace: Pace) -> None:
    loop = asyncio.get_running_loop()
    begin, *tokens, end = _written(pace.tokens)
    served = 0

    def connected() -> _Connection:
        nonlocal served
        served += 1
        return _Connection(begin, tokens, end, pace.gap_s, phase=served * _GOLDEN % 1)

    server = await loop.create_server(connected, "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.read)


class _Connection(asyncio.Protocol):
    """One connection of a client: requests come in, and each is answered at the pace."""

    def __init__(self, begin: bytes, tokens: list[bytes], end: bytes, gap_s: float, *, phase: float) -> None:
        self._begin, self._tokens, self._end = begin, tokens, end
        self._gap_s = gap_s
        self._phase = phase
        self._loop = asyncio.get_running_loop()
        self._asked = b""
        self._transport: asyncio.WriteTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if not isinstance(transport, asyncio.WriteTransport):
            raise TypeError("a socket's transport can be written to")
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None

    def data_received(self, data: bytes) -> None:
        self._asked += data
        head, found, body = self._asked.partition(b"\r\n\r\n")
        length = re.search(rb"(?i)^content-length: *(\d+)", head, re.MULTILINE)
        if not found or (length is not None and len(body) < int(length[1])):
            return
        self._asked = b""
        if self._transport is not None:
            self._transport.write(self._begin)
            self._speak(0, self._loop.time() + self._phase * self._gap_s)

    def _speak(self, place: int, began: float) -> None:
        if self._transport is None:
            return
        if place == len(self._tokens):
            self._transport.write(self._end)
            return
        self._transport.write(self._tokens[place])
        self._loop.call_at(began + (place + 1) * self._gap_s, self._speak, place + 1, began)


def _written(tokens: int) -> list[bytes]:
    """The bytes of every write: the head and the role, each token, the end."""
    begin = _HEAD + _chunk(_event({"role": "assistant", "content": ""}))
    end = _chunk(_event({}, finish="stop")) + _chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n"
    return [begin, *(_chunk(_event({"content": token})) for token in answer(tokens)), end]


def _event(delta: dict[str, str], *, finish: str | None = None) -> bytes:
    fields = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1_700_000_000,
        "model": "paced",
        "system_fingerprint": "fp_1",
        "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}],
    }
    return b"data: " + json.dumps(fields, separators=(",", ":")).encode() + b"\n\n"


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


if __name__ == "__main__":
    main()
