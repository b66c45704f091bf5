"""What the server answers when nothing is wrong."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from tests.model_server.wire import (
    LAST_CHUNK,
    At,
    Call,
    Events,
    ModelMessage,
    Move,
    Request,
    chunk,
    completion,
    delta_event,
    ending_events,
    events,
    json_bytes,
    split_tokens,
    stream,
    stream_head,
    whole,
)

Arguments = Mapping[str, Any] | str


class Reply(Protocol):
    """Anything that can be sent for a request, byte by byte."""

    def moves(self, request: Request) -> Iterator[Move]: ...


@dataclass(frozen=True, slots=True)
class Answer:
    """A well-formed answer: `message` makes it for the request, streamed or whole as the request asks."""

    message: Callable[[Request], ModelMessage]
    delay_s: float = 0.0
    interval_s: float = 0.0

    def events(self, request: Request) -> Events:
        return events(self.message(request), request)

    def body(self, request: Request) -> bytes:
        return json_bytes(completion(self.message(request), request))

    def moves(self, request: Request) -> Iterator[Move]:
        if self.delay_s:
            yield At(self.delay_s)
        if request.wants_stream:
            for move in stream(self.events(request).all, interval_s=self.interval_s):
                yield At(self.delay_s + move.seconds) if isinstance(move, At) else move
        else:
            yield whole(self.body(request))


def says(
    text: str,
    *,
    tokens: list[str] | None = None,
    delay_s: float = 0.0,
    interval_s: float = 0.0,
    usage: bool = True,
) -> Answer:
    """Answer with text, streamed word by word unless `tokens` say where it is cut; without `usage`, never count them.

    Raises:
        ValueError: the tokens are not the text.
    """
    if tokens is not None and "".join(tokens) != text:
        raise ValueError("the tokens are not the text")
    said = split_tokens(text) if tokens is None else tuple(tokens)
    return _answer(ModelMessage(tokens=said, usage=usage), delay_s=delay_s, interval_s=interval_s)


def calls(*asked: tuple[str, Arguments]) -> Answer:
    """Call these tools, all in one message; arguments that are a string are sent as they are."""
    return says_and_calls("", *asked)


def says_and_calls(text: str, *asked: tuple[str, Arguments]) -> Answer:
    """Say something, then call these tools, in one message."""
    made = tuple(Call(name, _as_text(arguments)) for name, arguments in asked)
    return _answer(ModelMessage(tokens=split_tokens(text), calls=made))


def structured(value: dict[str, Any]) -> Answer:
    """Answer with this value in the way that was asked for: as content where a response format or nothing was asked
    for, else as a call of the forced or first tool.
    """

    def message(request: Request) -> ModelMessage:
        text = json.dumps(value, ensure_ascii=False)
        if request.response_format == "text" and request.tool:
            return ModelMessage(calls=(Call(request.tool, text),))
        return ModelMessage(tokens=split_tokens(text))

    return Answer(message)


def text_call(name: str, arguments: Arguments, *, fenced: bool = True) -> Answer:
    """Call a tool as small models do: as JSON in the text."""
    text = f'{{"name": {json.dumps(name)}, "arguments": {_as_text(arguments)}}}'
    return says(f"```json\n{text}\n```" if fenced else text)


def refuses(text: str = "I can't help with that.") -> Answer:
    """Refuse, as a model does that was asked for structured output."""
    return _answer(ModelMessage(refusal=text))


@dataclass(frozen=True, slots=True)
class Paced:
    """A stream against a clock: token n is due `first_s + n * interval_s` after the request. See `paced`."""

    message: ModelMessage
    opening: bytes
    tokens: tuple[bytes, ...]
    interval_s: float
    first_s: float

    def moves(self, request: Request) -> Iterator[Move]:
        if not request.wants_stream:
            yield At(self.first_s + len(self.tokens) * self.interval_s)
            yield whole(json_bytes(completion(self.message, request)))
            return
        yield self.opening
        for number, token in enumerate(self.tokens):
            yield At(self.first_s + number * self.interval_s)
            yield token
        yield chunk(b"".join(ending_events(self.message, request))) + LAST_CHUNK


def paced(n_tokens: int, interval_s: float, *, first_s: float = 0.0) -> Paced:
    """Stream numbered tokens at a steady pace, for measuring: the bytes are made here, once, for all its streams."""
    nobody = Request(0, "POST", "/v1/chat/completions", {}, {"stream": True}, 0.0)
    words = tuple(f" {number}" for number in range(n_tokens))
    return Paced(
        message=ModelMessage(tokens=words),
        opening=stream_head() + chunk(delta_event(nobody, {"role": "assistant", "content": ""})),
        tokens=tuple(chunk(delta_event(nobody, {"content": word})) for word in words),
        interval_s=interval_s,
        first_s=first_s,
    )


def _answer(message: ModelMessage, *, delay_s: float = 0.0, interval_s: float = 0.0) -> Answer:
    return Answer(lambda _: message, delay_s, interval_s)


def _as_text(arguments: Arguments) -> str:
    return arguments if isinstance(arguments, str) else json.dumps(arguments, ensure_ascii=False)
