"""What is over and old goes; what is awaited stays, however old."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from langgraph.checkpoint.base import empty_checkpoint
from sqlalchemy import update

from agent.errors import NotFound
from agent.types import Mode
from graphs.checkpoints import open_checkpointer, stored_threads, thread_of
from graphs.retention import keep_for, prune_checkpoints, retire, retire_before
from graphs.settings import Settings
from graphs.stores import Stores
from tests.tools.storage.arrange import ADA, IDENTITY, NOW, begin, converse, end_turn, open_log, say
from tools.storage.database import Database
from tools.storage.schema import client_messages, conversations, events, turns
from tools.storage.scope import Scope
from tools.storage.sessions import Sessions

BEFORE = NOW + timedelta(days=1)


@pytest.fixture
async def stores(database: Database, tmp_path: Path) -> AsyncIterator[Stores]:
    async with open_checkpointer(database.url, data_dir=tmp_path) as saver:
        yield Stores(Settings(data_dir=tmp_path), "orrery", open_log(database), saver)


async def over(stores: Stores, *, at_s: float = 0, mode: Mode = Mode.BOT) -> str:
    """A conversation whose only turn is over, and in which nothing happened since NOW."""
    conversation = await converse(stores.log)
    await say(stores.log, conversation, "m1")
    lease, work = await begin(stores.log, conversation)
    await end_turn(stores.log, lease, work)
    await stores.log.release(lease)
    async with stores.db.transaction() as conn:
        await conn.execute(
            update(conversations)
            .where(conversations.c.conversation_id == conversation.conversation_id)
            .values(updated_at=NOW + timedelta(seconds=at_s), mode=mode.value)
        )
    return conversation.conversation_id


async def there(stores: Stores, conversation_id: str) -> bool:
    try:
        await stores.log.conversation(ADA, conversation_id)
    except NotFound:
        return False
    return True


async def test_what_is_over_and_old_goes(stores: Stores) -> None:
    old = [await over(stores, mode=mode) for mode in (Mode.BOT, Mode.HANDED_BACK, Mode.CLOSED)]
    awaited = [await over(stores, mode=mode) for mode in (Mode.WAITING, Mode.WITH_PERSON)]
    fresh = await over(stores, at_s=2 * 86_400)
    unanswered = await converse(stores.log)
    await say(stores.log, unanswered, "m1")
    session = await Sessions(stores.db).create(ADA, identity=IDENTITY, conversation_id=old[0], ttl_s=9, now=NOW)

    gone = await retire_before(stores, BEFORE)

    assert gone["conversations"] == 3
    assert [await there(stores, each) for each in old] == [False] * 3
    assert [await there(stores, each) for each in (*awaited, fresh, unanswered.conversation_id)] == [True] * 4
    # A widget that comes back with the session of a conversation that is gone begins anew.
    assert await Sessions(stores.db).lookup("orrery", session.token, now=NOW) is None
    assert not any((await retire_before(stores, BEFORE)).values())


async def test_more_than_a_batch_goes(stores: Stores) -> None:
    async with stores.db.transaction() as conn:
        row = {
            "workspace_id": "orrery",
            "owner_id": "ada",
            "identity": {},
            "channel": "",
            "language": "en",
            "mode": "bot",
        }
        for n in range(120):
            await conn.execute(
                stores.db.insert(conversations).values(
                    conversation_id=f"c{n}", thread_id=f"t{n}", created_at=NOW, updated_at=NOW, **row
                )
            )

    counted = await retire(stores, {"older_than_days": 1})
    proof = await retire(stores, {"older_than_days": 1, "yes": True})

    assert counted["found"]["conversations"] == proof["gone"]["conversations"]["rows"] == 120
    assert not any(proof["looked_again"]["rows"].values())


async def test_checkpoints_of_turns_that_are_over_are_pruned(stores: Stores) -> None:
    waiting = await converse(stores.log)
    accepted = await say(stores.log, waiting, "m1")
    needed = thread_of(accepted.turn_id, 1, 1)
    saver = stores.checkpointer
    assert saver is not None
    for thread_id in (needed, thread_of("f" * 32, 1, 1)):
        await saver.aput({"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}, empty_checkpoint(), {}, {})

    assert await prune_checkpoints(stores) == 1
    assert await stored_threads(saver) == [needed]
    assert await prune_checkpoints(stores) == 0


async def test_the_server_does_it_at_its_start(stores: Stores) -> None:
    old = await over(stores)
    working = asyncio.create_task(keep_for([(stores, 1)]))
    async with asyncio.timeout(30):
        while await there(stores, old):
            await asyncio.sleep(0.01)
    working.cancel()


async def test_each_workspace_of_a_process_keeps_for_as_long_as_it_says(stores: Stores) -> None:
    elsewhere = replace(stores, workspace_id="elsewhere")
    lasting = replace(stores, workspace_id="lasting")
    every = (stores, elsewhere, lasting)
    old = {each.workspace_id: await over(stores) for each in every}
    async with stores.db.transaction() as conn:
        for name, conversation_id in old.items():
            for table in (conversations, turns, events, client_messages):
                of = table.c.conversation_id == conversation_id
                await conn.execute(update(table).where(of).values(workspace_id=name))

    async def left() -> set[str]:
        found: set[str] = set()
        for each in every:
            found |= {stamp.conversation_id for stamp in await stores.log.recent(Scope.system(each.workspace_id))}
        return found

    assert await left() == set(old.values())
    working = asyncio.create_task(keep_for([(stores, 1), (lasting, None), (elsewhere, 1)]))
    async with asyncio.timeout(30):
        while await left() != {old["lasting"]}:
            await asyncio.sleep(0.01)
    working.cancel()


async def test_without_the_setting_everything_is_kept(stores: Stores) -> None:
    old = await over(stores)
    working = asyncio.create_task(keep_for([(stores, None)]))
    saver = stores.checkpointer
    assert saver is not None
    await saver.aput(
        {"configurable": {"thread_id": thread_of("f" * 32, 1, 1), "checkpoint_ns": ""}}, empty_checkpoint(), {}, {}
    )
    await prune_checkpoints(stores)
    working.cancel()

    assert await there(stores, old)
    assert await stored_threads(saver) == []


async def test_whatever_breaks_the_others_are_seen_to(stores: Stores, tmp_path: Path) -> None:
    async with open_checkpointer(stores.db.url, data_dir=tmp_path) as closed:
        broken = replace(stores, workspace_id="broken", checkpointer=closed)
    old = await over(stores)
    working = asyncio.create_task(keep_for([(broken, 1), (stores, 1)]))
    async with asyncio.timeout(30):
        while await there(stores, old):
            await asyncio.sleep(0.01)
    assert not working.done()
    working.cancel()
