"""Faults of bytes: all of the answer comes, but it looks odd, is spoilt, or is too much."""

import itertools
from collections.abc import Callable, Iterator

from tests.model_server.parts import Sent, Times, events_changed, first_half, slices
from tests.model_server.replies import Answer, Reply
from tests.model_server.wire import (
    LAST_CHUNK,
    ModelMessage,
    Move,
    Request,
    chunk,
    delta_event,
    stream,
    stream_head,
    whole,
)

BOM = "\ufeff".encode()
TINY_BYTES = 3
GIANT_CHARACTERS = 10_000_000
ENDLESS_BATCH = 64


def comments_between(answer: Answer, times: Times) -> Reply:
    """Comments, unknown fields and empty lines between the events, as gateways send them."""
    return events_changed(answer, lambda each: b": ping\n\nretry: 3000\nevent: message\n" + each + b"\n")


def broken_json(answer: Answer, times: Times) -> Reply:
    """JSON that isn't any, in a line of its own between good ones."""
    return _spoilt(answer, first_half)


def broken_utf8(answer: Answer, times: Times) -> Reply:
    """Bytes that no character has, in a line of its own between good ones."""
    return _spoilt(answer, lambda body: body.replace(b'":"', b'":"\xff\xfe'))


def byte_order_mark(answer: Answer, times: Times) -> Reply:
    """A byte order mark before everything."""

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            first, *rest = answer.events(request).all
            yield from stream((BOM + first, *rest))
        else:
            yield whole(BOM + answer.body(request))

    return Sent(moves)


def crlf(answer: Answer, times: Times) -> Reply:
    """Lines that end in CR and LF."""
    return events_changed(answer, lambda each: each.replace(b"\n", b"\r\n"))


def tiny_segments(answer: Answer, times: Times) -> Reply:
    """A few bytes at a time, cut anywhere: in heads, chunk sizes, lines and characters."""

    def moves(request: Request) -> Iterator[Move]:
        for move in answer.moves(request):
            if isinstance(move, bytes):
                yield from slices(move, TINY_BYTES)
            else:
                yield move

    return Sent(moves)


def text_plain(answer: Answer, times: Times) -> Reply:
    """The answer under the wrong content type."""

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            yield stream_head(**{"Content-Type": "text/plain"})
            yield chunk(b"".join(answer.events(request).all)) + LAST_CHUNK
        else:
            yield whole(answer.body(request), content_type="text/plain")

    return Sent(moves)


def never_streams(answer: Answer, times: Times) -> Reply:
    """A whole body, though a stream was asked for."""
    return Sent(lambda request: iter([whole(answer.body(request))]))


def giant_line(answer: Answer, times: Times) -> Reply:
    """Ten million characters in one line."""
    return Answer(lambda _: ModelMessage(tokens=("x" * GIANT_CHARACTERS,)))


def endless_tokens(answer: Answer, times: Times) -> Reply:
    """Tokens as fast as the client takes them, without end; a whole body without end in place of one."""

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            yield stream_head()
            batch = chunk(delta_event(request, {"content": " more"})) * ENDLESS_BATCH
        else:
            yield stream_head(**{"Content-Type": "application/json"})
            yield chunk(b'{"id":"')
            batch = chunk(b"more" * ENDLESS_BATCH)
        yield from itertools.repeat(batch)

    return Sent(moves)


def _spoilt(answer: Answer, spoil: Callable[[bytes], bytes]) -> Reply:
    """The answer with its second event spoilt, or its whole body."""

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            first, second, *rest = answer.events(request).all
            yield from stream((first, spoil(second.rstrip()) + b"\n\n", *rest))
        else:
            yield whole(spoil(answer.body(request)))

    return Sent(moves)
