"""What a stream that follows a conversation asks of the database."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio

from agent.types import Identity
from server.context import Doors
from server.sse import tail
from tools.storage.database import Database
from tools.storage.log import ConversationLog, LogEvent, NewEvent
from tools.storage.scope import Scope
from tools.storage.wakeups import Wakeups

ADA = Scope("example", "visitor-1", "customer")


class CountingLog(ConversationLog):
    """Counts how often it is read."""

    reads = 0

    async def read(self, *args: Any, **kw: Any) -> list[LogEvent]:
        self.reads += 1
        return await super().read(*args, **kw)


class WatchedWakeups(Wakeups):
    """Says when somebody begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = asyncio.Event()

    async def wait(self, key: str, after_seq: int | None = None, *, timeout_s: float) -> bool:
        self.waits.set()
        return await super().wait(key, after_seq, timeout_s=timeout_s)


async def test_a_stream_reads_once_for_each_wakeup(tmp_path: Path) -> None:
    db = await Database.open(None, data_dir=tmp_path)
    wakeups = WatchedWakeups()
    log = CountingLog(db, wakeups)
    made = await log.create_conversation(
        ADA, thread_id="", identity=Identity(), channel="widget", language="en", now=datetime.now(UTC)
    )
    metrics = SimpleNamespace(stream_lag_s=SimpleNamespace(observe=lambda seconds: None))
    runtime = SimpleNamespace(log=log, wakeups=wakeups)
    doors = cast(Doors, SimpleNamespace(runtime=runtime, metrics=metrics, stopping=anyio.Event()))
    seen: list[int] = []

    async def follow() -> None:
        async for event in tail(doors, ADA, made.conversation_id, after_seq=0):
            seen.append(event.seq)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(30):
        for number in range(5):
            await wakeups.waits.wait()
            wakeups.waits.clear()
            await log.record(ADA, made.conversation_id, [NewEvent({"type": "CUSTOM", "name": "x", "value": number})])
        await wakeups.waits.wait()
    following.cancel()
    await asyncio.wait([following])
    await db.close()

    assert seen == [1, 2, 3, 4, 5]
    assert log.reads == 1 + 5, "one before the first wait, which found nothing, and one for each wake-up"
