"""Hints: they wake at once, cross processes on PostgreSQL, and may be lost without harm."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.tools.storage.arrange import ADA, IDENTITY, converse, open_log, say
from tools.storage import catching_up as catching_up_module
from tools.storage import wakeups as wakeups_module
from tools.storage.catching_up import catch_up, changed_since
from tools.storage.database import Database
from tools.storage.log import NewEvent
from tools.storage.postgres_channel import PostgresChannel
from tools.storage.wakeups import Wakeups, inbox_key


async def test_waiter_wakes_for_its_own_key_only() -> None:
    wakeups = Wakeups()
    mine = asyncio.create_task(wakeups.wait("a", timeout_s=5))
    other = asyncio.create_task(wakeups.wait("b", timeout_s=0.05))
    await asyncio.sleep(0)
    wakeups.notify("a", 1)
    assert await mine
    assert not await other


async def test_change_before_the_wait_is_not_missed() -> None:
    wakeups = Wakeups()
    wakeups.notify("a", 7)
    assert await wakeups.wait("a", 6, timeout_s=0.01)
    assert not await wakeups.wait("a", 7, timeout_s=0.01)


async def test_log_notifies_conversation_and_inbox_after_the_commit(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    inbox = asyncio.create_task(log.wakeups.wait(inbox_key("orrery"), timeout_s=5))
    await asyncio.sleep(0)
    accepted = await say(log, conversation, "m1")
    assert await log.wakeups.wait(conversation.conversation_id, accepted.seq - 1, timeout_s=0.01)
    assert await inbox


async def test_sqlite_has_no_channel_and_stop_wakes_everyone() -> None:
    wakeups = Wakeups(None)
    await wakeups.start()
    waiting = asyncio.create_task(wakeups.wait("a", timeout_s=5))
    await asyncio.sleep(0)
    await wakeups.stop()
    assert await waiting


class Faltering:
    """A channel whose first sending and first receiving fail as nothing foresaw."""

    def __init__(self) -> None:
        self.sent: list[str] = []
        self.tried: set[str] = set()
        self.heard: asyncio.Queue[str] = asyncio.Queue()

    def _falter(self, what: str) -> None:
        if what not in self.tried:
            self.tried.add(what)
            raise RuntimeError("unforeseen")

    async def send(self, payloads: list[str]) -> None:
        self._falter("sending")
        self.sent += payloads

    async def receive(self) -> str:
        self._falter("receiving")
        return await self.heard.get()

    async def close(self) -> None:
        """Nothing is open."""


async def test_hints_outlive_an_error_that_nothing_foresaw(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wakeups_module, "_RETRY_S", 0.01)
    channel = Faltering()
    wakeups = Wakeups(channel)
    await wakeups.start()
    wakeups.notify("lost", 1)
    async with asyncio.timeout(15):
        while channel.tried != {"sending", "receiving"}:
            await asyncio.sleep(0.01)
        wakeups.notify("sent", 2)
        channel.heard.put_nowait("3 heard")
        assert await wakeups.wait("heard", 2, timeout_s=10)
        while not channel.sent:
            await asyncio.sleep(0.01)
    await wakeups.stop()

    assert channel.sent == ["2 sent"]


async def eventually(hint: Callable[[], None], waiting: Callable[[], bool]) -> None:
    async with asyncio.timeout(15):
        while not waiting():
            hint()
            await asyncio.sleep(0.05)


@pytest.mark.postgres
async def test_hints_cross_processes_and_survive_a_cut_connection(postgres_url: str) -> None:
    here = Wakeups(PostgresChannel(postgres_url))
    there = Wakeups(PostgresChannel(postgres_url))
    await here.start()
    await there.start()
    try:
        for n in (1, 2):
            heard = asyncio.create_task(there.wait(f"c{n}", 3, timeout_s=15))
            await eventually(partial(here.notify, f"c{n}", 4), heard.done)
            assert await heard
            with psycopg.connect(postgres_url, autocommit=True) as admin:
                admin.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
    finally:
        await here.stop()
        await there.stop()


async def test_what_no_hint_told_of_is_caught_up_with(
    postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed: list[str] = []

    async def fail_once(*args: Any) -> list[tuple[str, int]]:
        if not failed:
            failed.append("an error of any kind")
            raise RuntimeError(failed[0])
        return await changed_since(*args)

    monkeypatch.setattr(catching_up_module, "changed_since", fail_once)
    deaf, database = Wakeups(), await Database.open(postgres_url, data_dir=tmp_path)
    try:
        log = open_log(database)
        conversation = await log.create_conversation(
            ADA, thread_id="", identity=IDENTITY, channel="widget", language="en", now=datetime.now(UTC)
        )
        catching_up = asyncio.create_task(catch_up(log, deaf, [ADA.workspace_id]))
        before = deaf.newest(conversation.conversation_id)
        seq = await log.record(ADA, conversation.conversation_id, [NewEvent({"type": "CUSTOM", "name": "x"})])

        assert await deaf.wait(conversation.conversation_id, after_seq=before, timeout_s=20)
        assert deaf.newest(conversation.conversation_id) == seq
        assert failed
        assert await changed_since(database, ["elsewhere"], datetime(2026, 1, 1, tzinfo=UTC)) == []
        catching_up.cancel()
    finally:
        await database.close()
