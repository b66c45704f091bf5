"""What faults are made of."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from tests.model_server.replies import Answer, Reply
from tests.model_server.wire import Events, Move, Request, head, stream, whole


@dataclass(frozen=True, slots=True)
class Times:
    """`slow_s` is beyond a client's patience, `tick_s` within it."""

    slow_s: float
    tick_s: float


@dataclass(frozen=True, slots=True)
class Sent:
    """A reply whose every byte is its own affair."""

    moves: Callable[[Request], Iterator[Move]]


def slices(data: bytes, size: int) -> Iterator[bytes]:
    """The data in pieces of so many bytes."""
    return (data[start : start + size] for start in range(0, len(data), size))


def whole_in_slices(body: bytes, size: int) -> Iterator[bytes]:
    """A whole response: its head, then its body in pieces."""
    yield head(200, {"Content-Type": "application/json", "Content-Length": str(len(body))})
    yield from slices(body, size)


def first_half(body: bytes) -> bytes:
    """Half of the characters; whatever JSON object that was, it is none now."""
    text = body.decode()
    return text[: len(text) // 2].encode()


def with_events(answer: Answer, pieces: Callable[[Events], tuple[bytes, ...]]) -> Reply:
    """The answer's events, changed; a whole body stays as it is."""

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            yield from stream(pieces(answer.events(request)))
        else:
            yield whole(answer.body(request))

    return Sent(moves)


def events_changed(answer: Answer, change: Callable[[bytes], bytes]) -> Reply:
    """The answer with each of its events changed; a whole body stays as it is."""
    return with_events(answer, lambda each: tuple(change(piece) for piece in each.all))
