"""How late the event loop is."""

import asyncio
from collections.abc import Callable

_EVERY_S = 0.25


async def watch_loop(observe: Callable[[float], object]) -> None:
    """Ask to be woken at an even pace, for ever, and tell by how many seconds the loop was late each time."""
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + _EVERY_S
        await asyncio.sleep(_EVERY_S)
        observe(max(0.0, loop.time() - due))
