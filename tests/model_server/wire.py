"""What goes over the wire: requests as they came, and a model's messages as OpenAI's API writes them."""

import json
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from http import HTTPStatus
from typing import Any

ARGUMENTS_PIECE_CHARACTERS = 8
LAST_CHUNK = b"0\r\n\r\n"
DONE = b"data: [DONE]\n\n"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as the server got it; `at_s` is `time.monotonic()`, header names are lower-case."""

    number: int
    method: str
    path: str
    headers: Mapping[str, str]
    body: dict[str, Any]
    at_s: float

    @property
    def wants_stream(self) -> bool:
        return bool(self.body.get("stream"))

    @property
    def wants_usage(self) -> bool:
        return bool((self.body.get("stream_options") or {}).get("include_usage"))

    @property
    def response_format(self) -> str:
        """`json_schema`, `json_object`, or `text` where nothing is asked for."""
        return str((self.body.get("response_format") or {}).get("type", "text"))

    @property
    def tool(self) -> str | None:
        """The tool that the request forces, or else the first one it offers."""
        choice = self.body.get("tool_choice")
        if isinstance(choice, dict):
            return str(choice["function"]["name"])
        tools = self.body.get("tools") or []
        return str(tools[0]["function"]["name"]) if tools else None


@dataclass(frozen=True, slots=True)
class At:
    """Nothing is sent until so many seconds after the reply began."""

    seconds: float


class End(Enum):
    """How a connection ends; a reply that names none of these leaves it open for the next request."""

    CLOSE = auto()
    HALF_CLOSE = auto()
    RESET = auto()
    SILENCE = auto()


Move = bytes | At | End


@dataclass(frozen=True, slots=True)
class Call:
    """A tool call; its arguments are sent as they are, JSON or not."""

    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class ModelMessage:
    """What a model says. `finish` follows from the rest unless it is given."""

    tokens: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    finish: str = ""
    role: str = "assistant"
    usage: bool = True

    @property
    def text(self) -> str:
        return "".join(self.tokens)

    @property
    def finish_reason(self) -> str:
        return self.finish or ("tool_calls" if self.calls else "stop")


def split_tokens(text: str) -> tuple[str, ...]:
    """Words with the space before them; joined they are the text again."""
    return tuple(re.findall(r"\s*\S+|\s+\Z", text))


def json_bytes(value: object) -> bytes:
    """JSON as OpenAI writes it, in raw UTF-8; only lone surrogates force it to escape."""
    try:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
    except UnicodeEncodeError:
        return json.dumps(value, separators=(",", ":")).encode()


def error(message: str, kind: str, *, param: str | None = None, code: str | None = None) -> dict[str, object]:
    """An error as OpenAI writes it."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def event(value: object) -> bytes:
    """One server-sent event."""
    return b"data: " + json_bytes(value) + b"\n\n"


def chunk(data: bytes) -> bytes:
    """One chunk of a chunked body."""
    return b"%x\r\n%b\r\n" % (len(data), data)


def head(status: int, headers: Mapping[str, str]) -> bytes:
    """A response up to its body."""
    known = {int(each): each.phrase for each in HTTPStatus} | {529: "Overloaded"}
    lines = [f"HTTP/1.1 {status} {known[status]}", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode("latin-1")


def stream_head(**headers: str) -> bytes:
    """The head of a stream of events."""
    return head(200, {"Content-Type": "text/event-stream", "Transfer-Encoding": "chunked"} | headers)


def whole(body: bytes, *, status: int = 200, content_type: str = "application/json", **headers: str) -> bytes:
    """A whole response; write a header's `-` as `_`."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return head(status, {"Content-Type": content_type, "Content-Length": str(len(body))} | more) + body


def stream(pieces: Sequence[bytes], *, interval_s: float = 0.0) -> Iterator[Move]:
    """A whole stream of these pieces, one each `interval_s`."""
    yield stream_head()
    for number, piece in enumerate(pieces[:-1]):
        if interval_s:
            yield At(number * interval_s)
        yield chunk(piece)
    # In one write: a client that hangs up at [DONE] has then left after the end, not before it.
    yield chunk(pieces[-1]) + LAST_CHUNK


def usage(message: ModelMessage, request: Request) -> dict[str, int]:
    """Counts of words and tokens, near enough to be compared with one another."""
    texts = [each.get("content") for each in request.body.get("messages", [])]
    prompt = sum(len(text.split()) for text in texts if isinstance(text, str))
    said = len(message.tokens) + sum(len(call.arguments) // 4 + 1 for call in message.calls)
    return {"prompt_tokens": prompt, "completion_tokens": said, "total_tokens": prompt + said}


def _envelope(kind: str, request: Request) -> dict[str, object]:
    return {
        "id": f"chatcmpl-{request.number}",
        "object": kind,
        "created": int(time.time()),
        "model": request.body.get("model", "scripted"),
    }


def _call_id(request: Request, index: int) -> str:
    return f"call_{request.number}_{index}"


def completion(message: ModelMessage, request: Request) -> dict[str, object]:
    """The message as a whole `chat.completion`."""
    said: dict[str, object] = {
        "role": message.role,
        "content": message.text if message.tokens or not (message.calls or message.refusal) else None,
        "refusal": message.refusal or None,
    }
    if message.calls:
        said["tool_calls"] = [
            {
                "id": _call_id(request, index),
                "type": "function",
                "function": {"name": call.name, "arguments": call.arguments},
            }
            for index, call in enumerate(message.calls)
        ]
    choice = {"index": 0, "message": said, "logprobs": None, "finish_reason": message.finish_reason}
    counted = {"usage": usage(message, request)} if message.usage else {}
    return {**_envelope("chat.completion", request), "choices": [choice], **counted}


@dataclass(frozen=True, slots=True)
class Events:
    """A message as server-sent events: what it says (the first one says the role), and how it ends."""

    said: tuple[bytes, ...]
    ending: tuple[bytes, ...]

    @property
    def all(self) -> tuple[bytes, ...]:
        return self.said + self.ending


def delta_event(request: Request, delta: Mapping[str, object], *, finish: str | None = None) -> bytes:
    """One `chat.completion.chunk` as an event."""
    choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish}
    counted = {"usage": None} if request.wants_usage else {}
    return event({**_envelope("chat.completion.chunk", request), "choices": [choice], **counted})


def _call_deltas(call: Call, request: Request, index: int) -> Iterator[dict[str, object]]:
    first = {"id": _call_id(request, index), "type": "function", "function": {"name": call.name, "arguments": ""}}
    yield {"tool_calls": [{"index": index, **first}]}
    for start in range(0, len(call.arguments), ARGUMENTS_PIECE_CHARACTERS):
        piece = call.arguments[start : start + ARGUMENTS_PIECE_CHARACTERS]
        yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def ending_events(message: ModelMessage, request: Request) -> tuple[bytes, ...]:
    """How OpenAI ends a stream: the finish reason, the usage if it is wanted, `[DONE]`."""
    ending = [delta_event(request, {}, finish=message.finish_reason)]
    if request.wants_usage and message.usage:
        counted = {"choices": [], "usage": usage(message, request)}
        ending.append(event({**_envelope("chat.completion.chunk", request), **counted}))
    return (*ending, DONE)


def events(message: ModelMessage, request: Request) -> Events:
    """The message as OpenAI streams it."""
    opening = None if (message.calls or message.refusal) and not message.tokens else ""
    deltas: list[Mapping[str, object]] = [{"role": message.role, "content": opening, "refusal": None}]
    deltas += [{"content": token} for token in message.tokens]
    deltas += [{"refusal": token} for token in split_tokens(message.refusal)]
    for index, call in enumerate(message.calls):
        deltas += _call_deltas(call, request, index)
    return Events(tuple(delta_event(request, delta) for delta in deltas), ending_events(message, request))
