"""What a conversation's turns cost, as its log has it."""

from typing import Any

import pytest

from agent.errors import NotFound
from agent.events import Custom
from agent.types import Spent
from tests.tools.storage.arrange import (
    ADA,
    BEN,
    OTHER_STAFF,
    OTHER_WORKSPACE,
    STAFF,
    begin,
    bot_message,
    converse,
    open_log,
    say,
)
from tools.storage.database import Database
from tools.storage.log import Conversation, ConversationLog, NewEvent
from tools.storage.scope import Scope


def report(input_tokens: int, output_tokens: int, cost: float) -> NewEvent:
    value: dict[str, Any] = {
        "turn_id": "t", "engine": "llm", "model": "tiny", "calls": 1, "input_tokens": input_tokens,
        "output_tokens": output_tokens, "cost": cost, "fallbacks": [], "prompts": {},
    }  # fmt: skip
    return NewEvent({"type": "CUSTOM", "name": Custom.ENGINE.value, "value": value}, audience="staff")


async def cost_of(log: ConversationLog, conversation: Conversation, *reports: NewEvent) -> None:
    await say(log, conversation, f"message-{id(reports)}")
    lease, work = await begin(log, conversation)
    await log.append(lease, work.turn_id, [*reports, bot_message("An answer")])
    await log.release(lease)


async def test_a_conversation_without_turns_has_cost_nothing(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)

    assert await log.spent(ADA, conversation.conversation_id) == Spent(0, 0.0)


async def test_the_costs_of_all_turns_are_added_up(database: Database) -> None:
    log = open_log(database)
    conversation, another = await converse(log), await converse(log)
    await cost_of(log, conversation, report(100, 20, 0.5), report(0, 0, 0.0), report(7, 3, 0.25))
    await cost_of(log, another, report(1_000_000, 0, 99.0))

    assert await log.spent(STAFF, conversation.conversation_id) == Spent(tokens=130, cost=0.75)
    assert await log.spent(Scope("orrery", None, "system"), another.conversation_id) == Spent(1_000_000, 99.0)


@pytest.mark.parametrize("scope", [BEN, OTHER_WORKSPACE, OTHER_STAFF])
async def test_nobody_elses_costs_are_told(database: Database, scope: Scope) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await cost_of(log, conversation, report(100, 20, 0.5))

    assert await log.spent(scope, conversation.conversation_id) == Spent()
    with pytest.raises(NotFound):
        await log.conversation(scope, conversation.conversation_id)
