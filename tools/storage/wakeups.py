"""Hints that something changed, so that readers needn't poll often. A lost hint costs a reader one poll."""

import asyncio
import logging
from collections import OrderedDict
from contextlib import suppress
from typing import Protocol

from agent.errors import ConnectorError

logger = logging.getLogger(__name__)

_REMEMBERED_KEYS = 4096
_RETRY_S = 1.0


class Channel(Protocol):
    """Carries hints between processes; a single-process database has none."""

    async def send(self, payloads: list[str]) -> None:
        """Send hints to every process that listens, this one included."""
        ...

    async def receive(self) -> str:
        """Return the next hint."""
        ...

    async def close(self) -> None:
        """Let go of the connections."""
        ...


def inbox_key(workspace_id: str) -> str:
    """The key that is notified when the inbox of a workspace has something to show."""
    return f"inbox:{workspace_id}"


def knowledge_key(workspace_id: str) -> str:
    """The key that is notified when a workspace's knowledge base has a new generation."""
    return f"knowledge:{workspace_id}"


class Wakeups:
    """Wakes whoever waits for a conversation. Call `start` and `stop` to share hints with other processes."""

    def __init__(self, channel: Channel | None = None) -> None:
        self._channel = channel
        # Dictionaries without values: whoever has waited longest is woken first.
        self._waiters: dict[str, dict[asyncio.Event, None]] = {}
        self._newest: OrderedDict[str, int] = OrderedDict()
        self._outgoing: dict[str, int] = {}
        self._has_outgoing = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    @property
    def shared(self) -> bool:
        """Whether there may be other processes."""
        return self._channel is not None

    async def start(self) -> None:
        """Begin sharing hints over the channel; without a channel this does nothing."""
        if self._channel is not None and not self._tasks:
            self._tasks = [
                asyncio.create_task(self._send(self._channel)),
                asyncio.create_task(self._listen(self._channel)),
            ]

    async def stop(self) -> None:
        """Stop sharing and wake everybody who waits."""
        for task in self._tasks:
            task.cancel()
        for task in self._tasks:
            with suppress(asyncio.CancelledError):
                await task
        self._tasks = []
        if self._channel is not None:
            await self._channel.close()
        self.rouse()

    def rouse(self) -> None:
        """Wake everybody who waits, though nothing changed: for who has to look whether to go on waiting."""
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.set()

    def notify(self, key: str, seq: int = 0) -> None:
        """Say that `key` (a conversation id or `inbox_key`) changed, up to `seq`. For after the commit."""
        self._deliver(key, seq)
        if self._tasks:
            self._outgoing[key] = max(seq, self._outgoing.get(key, 0))
            self._has_outgoing.set()

    def newest(self, key: str) -> int:
        """The highest `seq` that `key` is known to have reached; 0 when nothing is known of it."""
        return self._newest.get(key, 0)

    def hear(self, key: str, seq: int) -> None:
        """Wake who waits for `key` in this process, if it is further than was known. For what was read, not written."""
        if seq > self.newest(key):
            self._deliver(key, seq)

    async def wait(self, key: str, after_seq: int | None = None, *, timeout_s: float) -> bool:
        """Wait until `key` changes, or is known to be past `after_seq`; False when the time ran out."""
        if after_seq is not None and self._newest.get(key, 0) > after_seq:
            return True
        waiter = asyncio.Event()
        waiters = self._waiters.setdefault(key, {})
        waiters[waiter] = None
        try:
            async with asyncio.timeout(timeout_s):
                await waiter.wait()
        except TimeoutError:
            return False
        finally:
            waiters.pop(waiter, None)
            if not waiters and self._waiters.get(key) is waiters:
                del self._waiters[key]
        return True

    def _deliver(self, key: str, seq: int) -> None:
        self._newest[key] = max(seq, self._newest.get(key, 0))
        self._newest.move_to_end(key)
        if len(self._newest) > _REMEMBERED_KEYS:
            self._newest.popitem(last=False)
        for waiter in self._waiters.get(key, ()):
            waiter.set()

    async def _send(self, channel: Channel) -> None:
        while True:
            await self._has_outgoing.wait()
            self._has_outgoing.clear()
            batch, self._outgoing = self._outgoing, {}
            try:
                await channel.send([f"{seq} {key}" for key, seq in batch.items()])
            except Exception as exc:
                # The hints of this batch are lost; readers find the rows when they poll.
                logger.warning("wakeups not sent count=%d", len(batch), exc_info=not isinstance(exc, ConnectorError))
                await asyncio.sleep(_RETRY_S)

    async def _listen(self, channel: Channel) -> None:
        while True:
            try:
                payload = await channel.receive()
            except Exception as exc:
                logger.warning("wakeups not received", exc_info=not isinstance(exc, ConnectorError))
                await asyncio.sleep(_RETRY_S)
                continue
            seq, _, key = payload.partition(" ")
            if seq.isdigit() and key:
                self._deliver(key, int(seq))
