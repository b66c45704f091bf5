"""Conversations with a model under the turn service: budgets, restarts, and answers that nobody waits for."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.fakes import FakeTool
from tests.graphs.installation import SCOPE, STAFF, bot_messages, ended, installation, kinds
from tests.llm import ANSWER, QUESTION, desk
from tests.model_server.faults import FAULTS
from tests.model_server.replies import calls, says
from tools.engines.llm.options import Budget
from tools.engines.local.engine import LocalEngine
from tools.storage.log import LogEvent


def engines(events: list[LogEvent]) -> list[dict[str, Any]]:
    values = [event.event["value"] for event in events if event.event.get("name") == "helpgraph.engine.v1"]
    return [value for value in values if isinstance(value, dict)]


async def eventually(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.02)


async def test_what_a_turn_cost_is_in_the_log_for_the_team_alone(engine: LocalEngine, tmp_path: Path) -> None:
    async with desk(engine, says(ANSWER)) as product, installation(tmp_path, product.deps) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, QUESTION)
        events = await here.until(conversation_id, ended())
        seen = await here.log.read(SCOPE, conversation_id, after_seq=0, staff=False)
        spent = await here.log.spent(STAFF, conversation_id)

    (told,) = engines(events)
    assert told["engine"] == "llm"
    assert spent.tokens == told["input_tokens"] + told["output_tokens"] > 0
    assert "helpgraph.engine.v1" not in kinds(seen)


async def test_a_conversation_that_has_spent_its_budget_goes_on_locally(engine: LocalEngine, tmp_path: Path) -> None:
    budget = Budget(conversation_tokens=10)
    async with desk(engine, says(ANSWER), budget=budget) as product, installation(tmp_path, product.deps) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, QUESTION, "m1")
        await here.until(conversation_id, ended())
        asked = len(product.server.requests)
        await here.say(conversation_id, QUESTION, "m2")
        events = await here.until(conversation_id, ended(2))

    assert asked == 1
    assert len(product.server.requests) == 1
    assert engines(events)[1]["fallbacks"] == [{"ability": "answer", "reason": "conversation_budget"}]
    assert "History" in str(bot_messages(events)[1]["text"])


async def test_a_turn_that_has_spent_its_budget_goes_on_locally(engine: LocalEngine, tmp_path: Path) -> None:
    script = [calls(("account_status", {})), says("Never asked for.")]
    budget = Budget(turn_tokens=10)
    async with desk(engine, script, budget=budget) as product, installation(tmp_path, product.deps) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, QUESTION)
        events = await here.until(conversation_id, ended())

    assert len(product.server.requests) == 1
    assert engines(events)[0]["fallbacks"] == [{"ability": "answer", "reason": "turn_budget"}]


async def test_a_message_that_joins_before_the_first_word_ends_the_call(engine: LocalEngine, tmp_path: Path) -> None:
    late = FAULTS["late_head"].on(says(ANSWER), slow_s=20)
    async with desk(engine, [late, says(ANSWER)]) as product, installation(tmp_path, product.deps) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, QUESTION, "m1")
        await eventually(lambda: product.server.open_streams == 1)
        await here.say(conversation_id, "In PDF please", "m2")
        events = await here.until(conversation_id, ended())
        await eventually(lambda: product.server.open_streams == 0)

    assert len(bot_messages(events)) == 1
    assert product.server.closed_early >= 1


async def test_stopping_the_process_ends_the_call(engine: LocalEngine, tmp_path: Path) -> None:
    slow = says(ANSWER, delay_s=10)
    async with desk(engine, slow) as product:
        async with installation(tmp_path, product.deps, grace_s=0) as here:
            conversation_id = await here.begin()
            await here.say(conversation_id, QUESTION)
            await eventually(lambda: product.server.open_streams == 1)
        await eventually(lambda: product.server.open_streams == 0)

    assert product.server.closed_early == 1


async def test_the_loop_of_tools_survives_a_restart(engine: LocalEngine, tmp_path: Path) -> None:
    tool = FakeTool(facts={"plan": "team"})
    slow = says("Your plan is team. [T1]", delay_s=1.5)
    script = [calls(("account_status", {})), slow, says("Your plan is team. [T1]")]
    async with desk(engine, script, deps={"tools": (tool,)}) as product:
        async with installation(tmp_path, product.deps, grace_s=0) as here:
            conversation_id = await here.begin()
            await here.say(conversation_id, QUESTION)
            await eventually(lambda: len(product.server.requests) == 2)
        async with installation(tmp_path, product.deps) as here:
            events = await here.until(conversation_id, ended())

    assert len(tool.identities) == 1, "the lookup was not made again"
    assert [m["role"] for m in product.server.requests[2].body["messages"]] == ["system", "user", "assistant", "tool"]
    assert bot_messages(events)[0]["text"] == "Your plan is team."


async def test_a_person_who_takes_over_silences_the_model(engine: LocalEngine, tmp_path: Path) -> None:
    tokens = [
        "Open **Settings > Billing** and select **History**. [1] ",
        "Select ",
        "**Download PDF** ",
        "next to it. [1]",
    ]
    slow = says("".join(tokens), tokens=tokens, interval_s=0.3)
    async with desk(engine, slow) as product, installation(tmp_path, product.deps) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, QUESTION)
        await here.until(conversation_id, lambda events: "TEXT_MESSAGE_CONTENT" in kinds(events))
        await here.desk.take(STAFF, conversation_id, "Kim", datetime.now(UTC))
        await eventually(lambda: product.server.open_streams == 0)
        events = await here.events(conversation_id)

    said = [str(e.event["delta"]) for e in events if e.event["type"] == "TEXT_MESSAGE_CONTENT"]
    assert "PDF" not in "".join(said)
    assert kinds(events).count("RUN_FINISHED") == 1
