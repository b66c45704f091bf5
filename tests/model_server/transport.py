"""Faults of time and connection: the answer comes late, or breaks off."""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace

from tests.model_server.parts import Sent, Times, first_half, whole_in_slices, with_events
from tests.model_server.replies import Answer, Reply
from tests.model_server.wire import (
    At,
    End,
    Move,
    Request,
    chunk,
    completion,
    head,
    json_bytes,
    stream,
    stream_head,
    whole,
)

SLICE_BYTES = 64


def late_head(answer: Answer, times: Times) -> Reply:
    """Not a byte for a while, then the answer."""
    return replace(answer, delay_s=times.slow_s)


def late_body(answer: Answer, times: Times) -> Reply:
    """The head at once, the body after a while."""

    def moves(request: Request) -> Iterator[Move]:
        body = answer.body(request)
        sent = stream(answer.events(request).all) if request.wants_stream else whole_in_slices(body, len(body))
        yield next(sent)
        yield At(times.slow_s)
        yield from sent

    return Sent(moves)


def drip(answer: Answer, times: Times) -> Reply:
    """One token each tick; a whole body comes in slices."""

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            yield from stream(answer.events(request).all, interval_s=times.tick_s)
            return
        for number, move in enumerate(whole_in_slices(answer.body(request), SLICE_BYTES)):
            yield At(number * times.tick_s)
            yield move

    return Sent(moves)


def comments_only(answer: Answer, times: Times) -> Reply:
    """The connection is kept alive for ever, and nothing is said; spaces do for a whole body."""

    def moves(request: Request) -> Iterator[Move]:
        yield stream_head() if request.wants_stream else stream_head(**{"Content-Type": "application/json"})
        for number in itertools.count():
            yield chunk(b": ping\n\n" if request.wants_stream else b" ")
            yield At((number + 1) * times.tick_s)

    return Sent(moves)


def silence_from_the_start(answer: Answer, times: Times) -> Reply:
    """The head, the role, and nothing more."""
    return _broken(answer, End.SILENCE, tokens=0)


def silence_after_a_token(answer: Answer, times: Times) -> Reply:
    """A beginning, and nothing more."""
    return _broken(answer, End.SILENCE)


def closed_at_once(answer: Answer, times: Times) -> Reply:
    """The connection is closed in place of a response."""
    return Sent(lambda _: iter([End.CLOSE]))


def reset_at_once(answer: Answer, times: Times) -> Reply:
    """The connection is reset in place of a response."""
    return Sent(lambda _: iter([End.RESET]))


def reset_after_a_token(answer: Answer, times: Times) -> Reply:
    """A beginning, then a reset."""
    return _broken(answer, End.RESET)


def cut_in_a_line(answer: Answer, times: Times) -> Reply:
    """The connection is closed in the middle of a data line."""
    return _broken(answer, b'data: {"id":"chatcmpl-0","choices":[{"delta":{"content":" cu', End.CLOSE)


def cut_in_a_character(answer: Answer, times: Times) -> Reply:
    """The connection is closed between the bytes of one character."""
    half = "ï".encode()[:1]
    line = b'data: {"id":"chatcmpl-0","choices":[{"delta":{"content":" na' + half
    return _broken(answer, line, End.CLOSE, cut=lambda body: body[: len(body) // 2] + half)


def cut_unnoticed(answer: Answer, times: Times) -> Reply:
    """The connection is closed after a token, and HTTP can't tell: the body has no length and no chunks."""

    def moves(request: Request) -> Iterator[Move]:
        kind = "text/event-stream" if request.wants_stream else "application/json"
        yield head(200, {"Content-Type": kind, "Connection": "close"})
        if request.wants_stream:
            yield b"".join(answer.events(request).said[:2])
        else:
            yield first_half(answer.body(request))
        yield End.CLOSE

    return Sent(moves)


def half_closed(answer: Answer, times: Times) -> Reply:
    """Only the server's side is closed, after a token; the client could go on sending."""
    return _broken(answer, End.HALF_CLOSE)


def no_done(answer: Answer, times: Times) -> Reply:
    """All is said, with a finish reason, but `[DONE]` is missing."""
    return with_events(answer, lambda each: (*each.said, *each.ending[:-1]))


def nothing_after_the_text(answer: Answer, times: Times) -> Reply:
    """The stream ends in good order after its text, with neither a finish reason nor `[DONE]`; a whole body lacks its
    finish reason.
    """

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            yield from stream(answer.events(request).said)
            return
        body = completion(answer.message(request), request)
        yield whole(json_bytes(body).replace(b'"finish_reason":"', b'"unfinished":"'))

    return Sent(moves)


def bad_chunk_size(answer: Answer, times: Times) -> Reply:
    """HTTP's own framing is broken after a token."""

    def moves(request: Request) -> Iterator[Move]:
        body = stream_head() if request.wants_stream else stream_head(**{"Content-Type": "application/json"})
        said = answer.events(request).said[0] if request.wants_stream else answer.body(request)[:20]
        yield from (body, chunk(said), b"no size\r\n", End.CLOSE)

    return Sent(moves)


def closed_afterwards(answer: Answer, times: Times) -> Reply:
    """The answer, then the connection is closed without a word: a client that keeps it finds it dead."""
    return Sent(lambda request: itertools.chain(answer.moves(request), [End.CLOSE]))


def _broken(answer: Answer, *then: Move, tokens: int = 1, cut: Callable[[bytes], bytes] = first_half) -> Reply:
    """The beginning of the answer, then these moves; bytes among them belong to the stream. `cut` makes the beginning
    of a whole body.
    """

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            yield stream_head()
            for piece in (*answer.events(request).said[: tokens + 1], *then):
                yield chunk(piece) if isinstance(piece, bytes) else piece
        else:
            body = answer.body(request)
            yield head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
            if tokens:
                yield cut(body)
            yield from (each for each in then if not isinstance(each, bytes))

    return Sent(moves)
