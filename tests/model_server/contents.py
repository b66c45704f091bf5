"""Faults of what the model says; the wire is in order."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.model_server.parts import Sent, Times
from tests.model_server.replies import Answer, Reply, calls, refuses
from tests.model_server.wire import (
    DONE,
    Call,
    ModelMessage,
    Move,
    Request,
    completion,
    event,
    json_bytes,
    split_tokens,
    stream,
    whole,
)

FAKE_TOOL = "no_such_tool"


def no_choices(answer: Answer, _: Times) -> Reply:
    """A completion without choices, streamed or whole."""

    def moves(request: Request) -> Iterator[Move]:
        empty = completion(answer.message(request), request) | {"choices": []}
        if request.wants_stream:
            yield from stream((event(empty | {"object": "chat.completion.chunk"}), DONE))
        else:
            yield whole(json_bytes(empty))

    return Sent(moves)


def no_text(answer: Answer, _: Times) -> Reply:
    """An answer that says nothing."""
    return _said(answer, lambda message: replace(message, tokens=(), calls=()))


def cut_by_length(answer: Answer, _: Times) -> Reply:
    """Half of the text or of the last call's arguments, at the token limit."""
    return _said(answer, lambda message: _half(message, finish="length"))


def content_filter(answer: Answer, _: Times) -> Reply:
    """Half of the text or of the last call's arguments, then the provider's filter."""
    return _said(answer, lambda message: _half(message, finish="content_filter"))


def refusal(_: Answer, __: Times) -> Reply:
    """The model refuses."""
    return refuses()


def wrong_role(answer: Answer, _: Times) -> Reply:
    """The answer in the name of the user."""
    return _said(answer, lambda message: replace(message, role="user"))


def lone_surrogate(answer: Answer, _: Times) -> Reply:
    """Half of a character that takes two code units: JSON can say it, UTF-8 can't."""
    return _said(answer, lambda message: replace(message, tokens=(*message.tokens, " \ud83d")))


def null_character(answer: Answer, _: Times) -> Reply:
    """U+0000, which PostgreSQL does not store."""
    return _said(answer, lambda message: replace(message, tokens=(*message.tokens, " \0")))


def calls_end_with_stop(answer: Answer, _: Times) -> Reply:
    """Tool calls whose finish reason is that of a text."""
    return _said(answer, lambda message: replace(message, finish="stop"))


def broken_arguments(answer: Answer, _: Times) -> Reply:
    """A tool call whose arguments are not JSON; an answer without calls becomes one."""

    def message(request: Request) -> ModelMessage:
        said = answer.message(request)
        asked = said.calls or (Call(request.tool or FAKE_TOOL, '{"key": "value"}'),)
        return replace(said, calls=tuple(replace(call, arguments=call.arguments[:-1] + ",") for call in asked))

    return Answer(message)


def unknown_tool(_: Answer, __: Times) -> Reply:
    """A call of a tool that nobody offered."""
    return calls((FAKE_TOOL, {"key": "value"}))


def endless_calls(_: Answer, __: Times) -> Reply:
    """A tool call, and after its result another one, for ever."""
    return Answer(lambda request: ModelMessage(calls=(Call(request.tool or FAKE_TOOL, "{}"),)))


def off_schema(answer: Answer, _: Times) -> Reply:
    """JSON that has nothing to do with the schema."""
    return _decorated(answer, lambda _: '{"mood": "sunny", "steps": [1, 2, 3]}')


def fenced(answer: Answer, _: Times) -> Reply:
    """The text in a Markdown code fence."""
    return _decorated(answer, lambda text: f"```json\n{text}\n```")


def prose_around(answer: Answer, _: Times) -> Reply:
    """The text with a model's politeness round it, braces and all."""
    return _decorated(answer, lambda text: f"Sure! Here is the {{JSON}} you asked for:\n\n{text}\n\nAnything else?")


def extra_keys(answer: Answer, _: Times) -> Reply:
    """JSON with a key too many; other text stays as it is."""

    def change(text: str) -> str:
        try:
            value = json.loads(text)
        except ValueError:
            return text
        return json.dumps(value | {"surplus": {"reason": None}}) if isinstance(value, dict) else text

    return _decorated(answer, change)


def _said(answer: Answer, change: Callable[[ModelMessage], ModelMessage]) -> Answer:
    return replace(answer, message=lambda request: change(answer.message(request)))


def _decorated(answer: Answer, change: Callable[[str], str]) -> Answer:
    """The answer with its text changed, or the arguments of its calls."""

    def changed(message: ModelMessage) -> ModelMessage:
        asked = tuple(replace(call, arguments=change(call.arguments)) for call in message.calls)
        if asked and not message.tokens:
            return replace(message, calls=asked)
        return replace(message, tokens=split_tokens(change(message.text)), calls=asked)

    return _said(answer, changed)


def _half(message: ModelMessage, *, finish: str) -> ModelMessage:
    if not message.calls:
        return replace(message, tokens=message.tokens[: len(message.tokens) // 2], finish=finish)
    *others, last = message.calls
    cut = replace(last, arguments=last.arguments[: len(last.arguments) // 2])
    return replace(message, calls=(*others, cut), finish=finish)
