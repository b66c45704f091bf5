"""How long an answer of a model may take and how large it may be: what a caller sets, what is raised, what watches."""

import asyncio
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal, TypeVar

import httpx

Deadline = Literal["first_token", "token_gap", "total"]
Limit = Literal["event", "total"]

# When the event loop was busy, what arrived meanwhile is read before anything is called late.
_SECOND_LOOK_S = 0.01

_Error = TypeVar("_Error", bound=BaseException)
_Answer = TypeVar("_Answer")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How long one request may take, in seconds; two count from its start, the waiting for a connection included.

    A token is text, a thought that comes apart from it, a piece of a tool call or a refusal. Comments, roles and empty
    pieces are none. An answer that isn't streamed has `total_s` alone.
    """

    first_token_s: float = 20.0
    token_gap_s: float = 15.0
    total_s: float = 120.0


# httpx has request extensions for this, but the openai client hands none through. Set it in the task that calls the
# model, before each call; `astream` sends its request when its first chunk is asked for.
DEADLINES: ContextVar[Deadlines] = ContextVar("helpgraph_llm_deadlines")


class StreamTooSlow(httpx.ReadTimeout):
    """A deadline passed, and the connection is closed. `what` says which."""

    def __init__(self, what: Deadline, allowed_s: float) -> None:
        super().__init__(f"the model needed more than the {allowed_s:g} s allowed ({what})")
        self.what: Deadline = what


class StreamTooLarge(httpx.ReadError):
    """One event of an answer, or the answer, was larger than allowed, and the connection is closed."""

    def __init__(self, what: Limit, allowed_bytes: int) -> None:
        super().__init__(f"the model sent more than the {allowed_bytes} bytes allowed ({what})")
        self.what: Limit = what


def which_deadline(exc: BaseException) -> Deadline | None:
    """Say which deadline is behind an exception from ChatOpenAI or the openai client, if one is."""
    found = _behind(exc, StreamTooSlow)
    return None if found is None else found.what


def which_limit(exc: BaseException) -> Limit | None:
    """Say which limit of size is behind an exception from ChatOpenAI or the openai client, if one is."""
    found = _behind(exc, StreamTooLarge)
    return None if found is None else found.what


def _behind(exc: BaseException, kind: type[_Error]) -> _Error | None:
    seen: set[int] = set()
    cause: BaseException | None = exc
    while cause is not None and id(cause) not in seen:
        if isinstance(cause, kind):
            return cause
        seen.add(id(cause))
        cause = cause.__cause__ or cause.__context__
    return None


@dataclass(frozen=True, slots=True)
class _Due:
    what: Deadline
    at: float
    allowed_s: float

    def missed(self) -> StreamTooSlow:
        return StreamTooSlow(self.what, self.allowed_s)


class Watch:
    """The clocks of one request, from its making on.

    There is one timer. It isn't moved when a token comes: it looks at the last token's time when it goes off.
    """

    def __init__(self, deadlines: Deadlines) -> None:
        self.late: StreamTooSlow | None = None
        self._loop = asyncio.get_running_loop()
        began = self._loop.time()
        self._total = _Due("total", began + deadlines.total_s, deadlines.total_s)
        self._first = _Due("first_token", began + deadlines.first_token_s, deadlines.first_token_s)
        self._gap_s = deadlines.token_gap_s
        self._tokens = False
        self._last_token: float | None = None
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._close: Callable[[], None] | None = None
        self._second_look = False

    async def headers(self, answer: Awaitable[_Answer], *, tokens: bool) -> _Answer:
        """Wait for the answer to begin; `tokens` says whether it shall come token by token.

        Raises:
            StreamTooSlow: it didn't.
        """
        self._tokens = tokens
        due = self._due()
        scope = asyncio.timeout_at(due.at)
        try:
            async with scope:
                return await answer
        except TimeoutError as exc:
            # The connection's own timeouts are TimeoutErrors too.
            if scope.expired():
                raise due.missed() from exc
            raise

    def start(self, close: Callable[[], None], *, tokens: bool) -> None:
        """Call `close` when a deadline passes, after which `late` says which; without `tokens`, the total's alone."""
        self._tokens = tokens
        self._close = close
        self._arm(self._due().at)

    def token(self, now: float) -> None:
        """Note that a token arrived."""
        first = self._last_token is None
        self._last_token = now
        if first and self._timer is not None:
            # The gap may end before the moment that the timer is set to.
            self._arm(self._due().at)

    def hand_out(self) -> None:
        """Note that the reader is busy with what it is given: the gap between tokens doesn't end meanwhile."""
        self._busy = True

    def wait(self) -> None:
        """Note that the reader waits for more."""
        self._busy = False

    def stop(self) -> None:
        """From now on no deadline passes."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _due(self) -> _Due:
        if not self._tokens:
            return self._total
        if self._last_token is None:
            return min(self._first, self._total, key=lambda due: due.at)
        gap_ends = self._last_token + self._gap_s
        return self._total if self._total.at <= gap_ends else _Due("token_gap", gap_ends, self._gap_s)

    def _arm(self, at: float) -> None:
        self.stop()
        self._timer = self._loop.call_at(at, self._look)

    def _look(self) -> None:
        due = self._due()
        now = self._loop.time()
        # What came while the reader is busy isn't read yet: the silence may be the reader's own.
        unread = self._busy and due.what == "token_gap"
        if due.at > now or unread:
            self._second_look = False
            self._arm(now + self._gap_s if unread else due.at)
        elif not self._second_look:
            self._second_look = True
            self._arm(now + _SECOND_LOOK_S)
        elif self._close is not None:
            self._timer = None
            self.late = due.missed()
            self._close()
