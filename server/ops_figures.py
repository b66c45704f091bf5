"""The figures of operations, read at most now and then however many ask."""

import asyncio
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass, field
from datetime import UTC, datetime
from time import monotonic
from typing import Any, Generic, Literal, TypeVar

from tools.storage.operations import Operations, Period, QueueState
from tools.storage.scope import Scope

QUEUE_S = 1.0
_REST = 10
Last = Literal["1h", "6h", "24h", "7d"]


@dataclass(frozen=True, slots=True)
class _Cut:
    hours: int
    step_s: int
    fresh_s: float


CUTS: dict[Last, _Cut] = {
    "1h": _Cut(1, 120, 2.0),
    "6h": _Cut(6, 600, 5.0),
    "24h": _Cut(24, 1_800, 10.0),
    "7d": _Cut(168, 14_400, 60.0),
}

T = TypeVar("T")


@dataclass(slots=True)
class Kept(Generic[T]):
    """A value for a while, and for ten times as long as its reading took: being watched never takes more than a tenth
    of one connection. Those who ask while it is read wait for the same reading."""

    lasts_s: float
    value: T | None = None
    until: float = 0.0
    reading: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def get(self, read: Callable[[], Awaitable[T]]) -> T:
        async with self.reading:
            if self.value is None or monotonic() >= self.until:
                began = monotonic()
                self.value = await read()
                now = monotonic()
                self.until = now + max(self.lasts_s, _REST * (now - began))
            return self.value


class OpsFigures:
    """What `/metrics` and the operations page read of the log."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._queue: Kept[QueueState] = Kept(QUEUE_S)
        self._queues: Kept[dict[str, QueueState]] = Kept(QUEUE_S)
        self._overviews: dict[tuple[str, Last], Kept[dict[str, Any]]] = {}

    async def queue(self) -> QueueState:
        """What waits in the whole installation."""
        return await self._queue.get(lambda: self._operations.queue(datetime.now(UTC)))

    async def queues(self, workspace_ids: Collection[str]) -> dict[str, QueueState]:
        """What waits in each of these workspaces, the same ones each time."""
        return await self._queues.get(lambda: self._operations.queues(datetime.now(UTC), workspace_ids))

    async def overview(self, scope: Scope, last: Last) -> dict[str, Any]:
        """The last hours of the scope's workspace.

        Raises:
            NotFound: the scope is a customer's or a bot's.
        """
        scope.require_staff()
        kept = self._overviews.setdefault((scope.workspace_id, last), Kept(CUTS[last].fresh_s))

        async def read() -> dict[str, Any]:
            now = datetime.now(UTC)
            period = Period.before(now, hours=CUTS[last].hours, step_s=CUTS[last].step_s)
            return {"last": last, **await self._operations.overview(scope, period, now)}

        return await kept.get(read)
