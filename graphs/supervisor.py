"""The one place that owns background tasks: none is lost, none fails unseen, all end at shutdown."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

logger = logging.getLogger(__name__)


class Closing(RuntimeError):
    """Nothing is started any more: the process is stopping."""


class Supervisor:
    """Starts tasks, keeps them referenced, logs what escapes them, and ends them together."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()
        self._closing = False

    @property
    def running(self) -> int:
        """How many tasks are alive."""
        return len(self._tasks)

    def spawn(self, work: Coroutine[Any, Any, Any], *, name: str) -> asyncio.Task[Any]:
        """Run `work` in the background.

        Raises:
            Closing: the supervisor is closing; `work` is closed unrun.
        """
        if self._closing:
            work.close()
            raise Closing(f"shutting down, can't start {name!r}")
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and task.exception() is not None:
            logger.error("task failed name=%s", task.get_name(), exc_info=task.exception())

    async def close(self, *, grace_s: float) -> None:
        """Let what runs finish for `grace_s` seconds, then cancel the rest and wait for it."""
        self._closing = True
        if self._tasks:
            await asyncio.wait(set(self._tasks), timeout=grace_s)
        for task in set(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
