"""Where there is something to do: one question for all who ask."""

import asyncio

import pytest

from agent.errors import DatabaseAway
from tests.tools.storage.arrange import ADA, begin, converse, end_turn, open_log, say
from tools.storage.database import Database
from tools.storage.glance import Glance
from tools.storage.outbox import workspaces_with_deliveries


async def test_who_asks_at_the_same_time_gets_one_answer() -> None:
    asked = 0

    async def read() -> frozenset[str]:
        nonlocal asked
        asked += 1
        await asyncio.sleep(0)
        return frozenset({"w7"})

    glance = Glance(read)
    answers = await asyncio.gather(*(glance.of(f"w{n}")() for n in range(50)))

    assert asked == 1
    assert [n for n, answer in enumerate(answers) if answer] == [7]


async def test_a_failure_is_told_and_asked_again_after() -> None:
    found: list[frozenset[str] | Exception] = [DatabaseAway("away"), frozenset({"w"})]

    async def read() -> frozenset[str]:
        answer = found.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    look = Glance(read).of("w")
    with pytest.raises(DatabaseAway):
        await look()

    assert await look()


async def test_a_workspace_has_work_while_a_turn_is_not_over(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    assert await log.workspaces_with_work() == frozenset()
    await say(log, conversation, "m1")
    assert await log.workspaces_with_work() == {ADA.workspace_id}
    lease, work = await begin(log, conversation)
    # Whoever holds it may be dead.
    assert await log.workspaces_with_work() == {ADA.workspace_id}
    await end_turn(log, lease, work)

    assert await log.workspaces_with_work() == frozenset()
    assert await workspaces_with_deliveries(database) == frozenset()
