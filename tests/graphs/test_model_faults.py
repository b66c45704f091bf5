"""Whatever an endpoint does, the customer gets an answer, a question or a person: never silence or a stack trace."""

import asyncio
from dataclasses import replace

import pytest

from agent.types import Outcome
from tests.fakes import FakeTool, ask
from tests.llm import ANSWER, QUESTION, desk, options
from tests.loopback import NO_TLS
from tests.model_server.faults import FAULTS, Effect
from tests.model_server.hosting import nobody_there
from tests.model_server.replies import says
from tests.model_server.server import ModelServer
from tools.engines.llm.engine import LlmEngine
from tools.engines.llm.transport import open_client
from tools.engines.local.engine import LocalEngine

# What the first sentence of the answer is, before which a broken stream counts as none.
FIRST = "Open **Settings > Billing** and select **History**."
# Why the local engine takes over, where it does.
WHY = {
    "late_head": "slow_first_token",
    "comments_only": "slow_first_token",
    "silence_from_the_start": "slow_first_token",
    "closed_at_once": "unreachable",
    "reset_at_once": "unreachable",
    "status_400": "bad_request",
    "status_401": "key_refused",
    "status_403": "key_refused",
    "status_404": "no_such_model",
    "status_429": "rate_limited",
    "status_429_retry_seconds": "rate_limited",
    "status_429_retry_date": "rate_limited",
    "status_500": "server_error",
    "status_502_html": "server_error",
    "status_503": "server_error",
    "status_529": "server_error",
    # ChatOpenAI 1.7 drops the text of a streamed refusal: what is left is an empty reply.
    "refusal": "empty",
    "no_text": "empty",
    "endless_tokens": "too_large",
    "wrong_role": "unreadable",
    "never_streams": "unreadable",
}
# Faults that leave the whole answer standing, and those whose reply is no answer but an honest one.
DECORATED = {"fenced", "prose_around", "extra_keys", "rejects_schemas", "rejects_schemas_and_tools"}
SAME = sorted(name for name, fault in FAULTS.items() if fault.effect is Effect.SAME and name not in {*DECORATED, *WHY})
BROKEN = sorted(set(FAULTS) - set(SAME))
MOST_S = 9.0


@pytest.mark.parametrize("name", SAME)
async def test_a_strange_but_whole_reply_is_the_answer(engine: LocalEngine, name: str) -> None:
    async with desk(engine, FAULTS[name].on(says(ANSWER), tick_s=0.02)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.spoken.startswith(FIRST)
    assert turn.fallbacks == []


@pytest.mark.parametrize("name", BROKEN)
async def test_a_broken_reply_still_ends_in_an_answer_a_question_or_a_person(engine: LocalEngine, name: str) -> None:
    began = asyncio.get_running_loop().time()
    async with desk(engine, FAULTS[name].on(says(ANSWER), slow_s=20, tick_s=0.02)) as here:
        turn = await here.ask(ask(QUESTION))
        took = asyncio.get_running_loop().time() - began
        assert here.server.open_streams == 0 or await _closed(here.server)

    assert turn.outcome in (Outcome.ANSWERED, Outcome.ASKED, Outcome.HANDED_OFF)
    assert turn.spoken.strip()
    assert turn.reply.text == turn.spoken
    assert "Traceback" not in turn.spoken
    assert "Error" not in turn.spoken
    assert took < MOST_S
    if name in WHY:
        assert turn.fallbacks[0] == WHY[name]


async def test_an_endpoint_that_is_not_there(engine: LocalEngine) -> None:
    with nobody_there() as url:
        async with desk(engine, says(ANSWER)) as here, open_client(tls=NO_TLS) as client:
            away = LlmEngine.open(engine, options(url), client, product="Example")
            here.deps = replace(here.deps, engine=away)
            turn = await here.ask(ask(QUESTION))

    assert turn.fallbacks == ["unreachable"]
    assert turn.outcome is Outcome.ANSWERED


@pytest.mark.parametrize("name", ["silence_after_a_token", "reset_after_a_token", "cut_unnoticed"])
async def test_an_answer_cut_in_the_middle_ends_honestly(engine: LocalEngine, name: str) -> None:
    tokens = [f"{FIRST} [1] ", "Select **Download PDF** ", "next to the month you need. [1]"]
    reply = FAULTS[name].on(says("".join(tokens), tokens=tokens), slow_s=20)
    async with desk(engine, reply) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.spoken.strip()
    assert turn.reply.text == turn.spoken
    assert turn.outcome in (Outcome.ANSWERED, Outcome.ASKED)


async def test_calls_without_end_are_ended(engine: LocalEngine) -> None:
    tool = FakeTool()
    async with desk(engine, FAULTS["endless_calls"].on(says(ANSWER)), deps={"tools": (tool,)}) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome in (Outcome.ANSWERED, Outcome.ASKED)
    assert turn.steps.count("answer") <= here.deps.policy.tool_rounds + 1


async def test_broken_arguments_are_told_to_the_model_in_one_line(engine: LocalEngine) -> None:
    broken = FAULTS["broken_arguments"].on(says(ANSWER))
    async with desk(engine, [broken, says(ANSWER)]) as here:
        turn = await here.ask(ask(QUESTION))
        second = here.server.requests[1].body["messages"]

    assert turn.outcome is Outcome.ANSWERED
    assert any(message["role"] == "tool" and "failed:" in message["content"] for message in second)


async def test_after_three_failures_the_endpoint_is_left_alone(engine: LocalEngine) -> None:
    async with desk(engine, FAULTS["status_400"].on(says(ANSWER))) as here:
        here.server.script = FAULTS["reset_at_once"].on(says(ANSWER))
        first = await here.ask(ask(QUESTION))
        asked = len(here.server.requests)
        second = await here.ask(ask(QUESTION))

    assert first.fallbacks == ["unreachable"]
    assert second.fallbacks == ["circuit_open"]
    assert len(here.server.requests) == asked
    assert second.outcome is Outcome.ANSWERED


async def _closed(server: ModelServer) -> bool:
    for _ in range(100):
        if server.open_streams == 0:
            return True
        await asyncio.sleep(0.02)
    return False
