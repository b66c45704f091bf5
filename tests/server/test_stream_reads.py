"""What a stream that follows a conversation asks of the database."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import Any, cast

import anyio
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.types import Identity
from server.context import Doors
from server.sse import tail
from tests.migrated import put_migrated
from tools.storage import rows
from tools.storage.database import Database
from tools.storage.following import Follower
from tools.storage.log import ConversationLog, LogEvent, NewEvent
from tools.storage.scope import Scope
from tools.storage.wakeups import Wakeups

ADA = Scope("example", "visitor-1", "customer")
TEAM = Scope("example", None, "staff")


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


@dataclass
class Installation:
    """A log with one conversation, as a server process has it open."""

    log: CountingLog
    wakeups: WatchedWakeups
    doors: Doors
    conversation_id: str

    async def record(self, number: int, *, audience: str = "all", log: ConversationLog | None = None) -> int:
        """Append an event of this log, or of another process's."""
        event = NewEvent({"type": "CUSTOM", "name": "x", "value": number}, audience)
        return await (log or self.log).record(ADA, self.conversation_id, [event])

    async def waiting(self) -> None:
        """Until a stream waits."""
        await self.wakeups.waits.wait()
        self.wakeups.waits.clear()


@asynccontextmanager
async def installation(folder: Path) -> AsyncIterator[Installation]:
    """Open one."""
    await put_migrated(folder)
    db = await Database.open(None, data_dir=folder)
    wakeups = WatchedWakeups()
    log = CountingLog(db, wakeups)
    made = await log.create_conversation(
        ADA, thread_id="", identity=Identity(), channel="widget", language="en", now=datetime.now(UTC)
    )
    metrics = SimpleNamespace(stream_lag_s=SimpleNamespace(observe=lambda seconds: None))
    runtime = SimpleNamespace(log=log, wakeups=wakeups)
    doors = cast(Doors, SimpleNamespace(runtime=runtime, metrics=metrics, stopping=anyio.Event()))
    yield Installation(log, wakeups, doors, made.conversation_id)
    await db.close()


@asynccontextmanager
async def streaming(doors: Doors, scope: Scope, conversation_id: str, **how: Any) -> AsyncIterator[list[LogEvent]]:
    """Follow a conversation; what was seen of it grows meanwhile."""
    seen: list[LogEvent] = []

    async def follow() -> None:
        async for event in tail(doors, scope, conversation_id, **how):
            seen.append(event)

    following = asyncio.create_task(follow())
    async with asyncio.timeout(30):
        yield seen
    following.cancel()
    await asyncio.wait([following])


async def test_a_stream_reads_nothing_back_that_this_process_wrote(tmp_path: Path) -> None:
    async with installation(tmp_path) as here, streaming(here.doors, ADA, here.conversation_id, after_seq=0) as seen:
        for number in range(5):
            await here.waiting()
            await here.record(number)
        await here.waiting()
        read = await ConversationLog.read(here.log, ADA, here.conversation_id, after_seq=0, staff=False)

        assert [event.seq for event in seen] == [1, 2, 3, 4, 5]
        assert seen == read, "what is at hand is what the log says"
        assert here.log.reads == 1, "before the first wait, which found nothing"


async def test_a_stream_of_what_was_just_written_waits_without_reading(tmp_path: Path) -> None:
    async with installation(tmp_path) as here:
        written = await here.record(0)
        how = {"after_seq": written, "just_written": True}
        async with streaming(here.doors, ADA, here.conversation_id, **how) as seen:
            await here.waiting()
            assert here.log.reads == 0
            await here.record(1)
            await here.waiting()
            assert [event.seq for event in seen] == [written + 1]

        # Something has happened since: that has to be read.
        async with streaming(here.doors, ADA, here.conversation_id, **how) as seen:
            await here.waiting()
            assert [event.seq for event in seen] == [written + 1]
        assert here.log.reads == 1


async def test_a_stream_reads_what_another_process_wrote(tmp_path: Path) -> None:
    async with installation(tmp_path) as here:
        other_db = await Database.open(None, data_dir=tmp_path)
        other = ConversationLog(other_db, Wakeups())
        async with streaming(here.doors, ADA, here.conversation_id, after_seq=0) as seen:
            await here.waiting()
            await here.record(1, log=other)
            await here.record(2)
            await here.waiting()
            # Known of before the stream has looked, and not at hand as the other is.
            here.wakeups.hear(here.conversation_id, await here.record(3, log=other))
            await here.waiting()
            await here.record(4)
            await here.waiting()
            assert [event.event["value"] for event in seen] == [1, 2, 3, 4]
        await other_db.close()


async def test_a_customer_is_told_nothing_at_hand_that_is_for_the_team(tmp_path: Path) -> None:
    async with (
        installation(tmp_path) as here,
        streaming(here.doors, ADA, here.conversation_id, after_seq=0, staff=True) as customers,
        streaming(here.doors, TEAM, here.conversation_id, after_seq=0, staff=True) as staff,
    ):
        await here.waiting()
        for number, audience in enumerate(("all", "staff", "all", "staff"), start=1):
            await here.record(number, audience=audience)
            await asyncio.sleep(0.05)
        while len(staff) < 4 or len(customers) < 2:
            await asyncio.sleep(0.01)

        assert [event.seq for event in staff] == [1, 2, 3, 4]
        assert [event.seq for event in customers] == [1, 3]


async def test_what_is_rolled_back_is_told_to_nobody(tmp_path: Path) -> None:
    async with installation(tmp_path) as here:

        async def append_and_fail() -> None:
            async with here.log.database.transaction() as conn:
                conversation = await rows.load(conn, ADA, here.conversation_id, lock=True)
                lost = NewEvent({"type": "CUSTOM", "name": "x", "value": "lost"})
                await rows.append(conn, conversation, [lost], at=datetime.now(UTC))
                raise ZeroDivisionError

        with here.log.following.follow(here.conversation_id) as follower:
            with pytest.raises(ZeroDivisionError):
                await append_and_fail()
            assert await here.record(7) == 1
            assert [event.event["value"] for event in follower.take(0, known_seq=1, staff=True)] == [7]


@given(
    log=st.lists(st.tuples(st.booleans(), st.booleans(), st.booleans()), max_size=40),
    order=st.randoms(use_true_random=False),
    begins=st.integers(0, 5),
)
def test_at_hand_and_read_together_give_each_event_once(
    log: list[tuple[bool, bool, bool]], order: Random, begins: int
) -> None:
    """Some events are told late, out of order, or never, and some are the team's; who takes and reads misses none."""
    at = datetime.now(UTC)
    events = [LogEvent(n, at, None, "all" if log[n - 1][0] else "staff", {}) for n in range(1, len(log) + 1)]
    follower, late = Follower(), list[LogEvent]()
    seen, got = begins, list[int]()
    for event, (_, told, looks) in zip(events, log, strict=True):
        late += [event] if told else []
        if order.random() < 0.8:
            order.shuffle(late)
            for each in late:
                follower.tell(each)
            late.clear()
        if looks or event is events[-1]:
            found = follower.take(seen, known_seq=event.seq, staff=False)
            # As the stream does: what isn't at hand is read.
            found = found or [e for e in events[: event.seq] if e.seq > seen and e.audience == "all"]
            got += [e.seq for e in found]
            seen = max(seen, *(e.seq for e in found)) if found else seen

    assert got == [e.seq for e in events if e.seq > begins and e.audience == "all"]


def test_who_is_far_behind_reads_the_log() -> None:
    follower, at = Follower(), datetime.now(UTC)
    for seq in range(1, 1000):
        follower.tell(LogEvent(seq, at, None, "all", {}))
    assert follower.take(0, known_seq=0, staff=True) == []
    follower.tell(LogEvent(1000, at, None, "all", {}))
    assert [event.seq for event in follower.take(999, known_seq=1000, staff=True)] == [1000]


async def test_what_is_at_hand_is_told_though_the_hint_was_forgotten(tmp_path: Path) -> None:
    async with installation(tmp_path) as here:
        await here.record(0)
        seen: list[int] = []
        async with asyncio.timeout(30):
            async for event in tail(here.doors, ADA, here.conversation_id, after_seq=0):
                seen.append(event.seq)
                if event.seq == 2:
                    break
                # A reader that takes nothing for a while, on a busy server.
                await here.record(1)
                for number in range(5000):
                    here.wakeups.notify(f"another-{number}", 1)

    assert seen == [1, 2]
