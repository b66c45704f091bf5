"""A circuit breaker: an endpoint that keeps failing is left alone for a while."""

import time
from collections.abc import Callable

from agent.errors import ModelFailed

_FAILURES_TO_OPEN = 3
_OPEN_S = 30.0
_AT_ONCE = frozenset({"key_refused", "no_such_model"})
# What says nothing about the endpoint's health: the budget is ours, a refusal is the model's answer.
_NOT_ITS_FAULT = frozenset(
    {"turn_budget", "conversation_budget", "turn_time", "refusal", "content_filter", "length", "bad_request", "empty"}
)


class Breaker:
    """Closed, it lets calls through; open, it fails them at once; after a pause one call may try."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic, open_s: float = _OPEN_S) -> None:
        self._clock = clock
        self._open_s = open_s
        self._failures = 0
        self._opened_at: float | None = None
        self._trying = False

    @property
    def is_open(self) -> bool:
        """Whether calls are failed without being made."""
        return self._opened_at is not None

    def enter(self) -> None:
        """Ask to make a call; each is followed by `succeeded`, `failed` or `left`.

        Raises:
            ModelFailed: the circuit is open.
        """
        if self._opened_at is None:
            return
        if self._trying or self._clock() - self._opened_at < self._open_s:
            raise ModelFailed("circuit_open")
        self._trying = True

    def succeeded(self) -> None:
        """The endpoint answered."""
        self._failures, self._opened_at, self._trying = 0, None, False

    def failed(self, reason: str) -> None:
        """The endpoint failed."""
        if reason in _NOT_ITS_FAULT:
            self.left()
            return
        self._failures += 1
        if self._trying or self._failures >= _FAILURES_TO_OPEN or reason in _AT_ONCE:
            self._opened_at = self._clock()
        self._trying = False

    def left(self) -> None:
        """The call was given up by us: it says nothing."""
        self._trying = False
