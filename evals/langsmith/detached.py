"""Calls of blocking clients that can be given up: a thread that hangs never keeps the process from ending."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import ParamSpec, TypeVar

P = ParamSpec("P")
T = TypeVar("T")


async def detached(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Call it in a daemon thread of its own, and return or raise what it does.

    Cancelled or timed out, it is left to itself: `asyncio.to_thread` would have the process wait for it at its end.
    """
    loop = asyncio.get_running_loop()
    answer: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if answer.done():
            return
        if error is not None:
            answer.set_exception(error)
        else:
            answer.set_result(result)  # type: ignore[arg-type]  # T may be None itself.

    def work() -> None:
        result, error = None, None
        try:
            result = call(*args, **kwargs)
        except BaseException as exc:  # Raised where it is awaited.
            error = exc
        # The loop is closed when nobody waits any more.
        with suppress(RuntimeError):
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=work, name="detached", daemon=True).start()
    return await answer
