"""How long anybody waits: beyond all reason, counted from the last time that something was broken or mended."""

import asyncio
import time
from collections.abc import Coroutine
from typing import Any

PATIENCE_S = 90.0


class Patience:
    """Shared by all who wait in a round."""

    def __init__(self) -> None:
        self._since = time.monotonic()

    def renew(self) -> None:
        """Something was broken or mended just now: whoever waits begins to wait anew."""
        self._since = time.monotonic()

    async def wait(self, work: Coroutine[Any, Any, object]) -> None:
        """Do the work.

        Raises:
            TimeoutError: it wasn't done while patience lasted.
        """
        task = asyncio.create_task(work)
        began = time.monotonic()
        try:
            while not task.done():
                left_s = max(began, self._since) + PATIENCE_S - time.monotonic()
                if left_s <= 0:
                    raise TimeoutError
                await asyncio.wait([task], timeout=left_s)
            task.result()
        finally:
            task.cancel()
            await asyncio.wait([task])
