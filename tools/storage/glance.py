"""Where there is something to do, asked once for all workspaces of a process instead of once by each."""

import asyncio
from collections.abc import Awaitable, Callable
from time import monotonic

Look = Callable[[], Awaitable[bool]]
"""Whether there may be something to do; what it says is old by half a second at most."""

FRESH_S = 0.5


async def always() -> bool:
    """Say yes: whoever asks has to look for themselves."""
    return True


class Glance:
    """The workspaces that have something to do, as `read` finds them: at most every half second, however many ask."""

    def __init__(self, read: Callable[[], Awaitable[frozenset[str]]]) -> None:
        self._read = read
        self._seen: frozenset[str] = frozenset()
        self._until = 0.0
        self._reading = asyncio.Lock()

    def of(self, workspace_id: str) -> Look:
        """What one workspace asks.

        The look raises what `read` raises.
        """

        async def look() -> bool:
            return workspace_id in await self._fresh()

        return look

    async def _fresh(self) -> frozenset[str]:
        async with self._reading:
            if monotonic() >= self._until:
                # From before the reading: what is written during it may not be in it.
                until = monotonic() + FRESH_S
                self._seen = await self._read()
                self._until = until
            return self._seen
