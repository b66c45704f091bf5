"""Turns in which a model speaks."""

import pytest

from agent.types import Outcome
from tests.fakes import VERIFIED, FakeTool, ask
from tests.llm import ANSWER, QUESTION, desk
from tests.model_server.replies import calls, says, says_and_calls, text_call
from tools.engines.local.engine import LocalEngine


async def test_a_model_answers_with_its_source(engine: LocalEngine) -> None:
    async with desk(engine, says(ANSWER)) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.spoken.startswith("Open **Settings > Billing** and select **History**. [1]")
    assert turn.reply.citations[0].article_id == "download-invoices"
    assert turn.engine["engine"] == "llm"
    assert turn.engine["calls"] == 1
    assert turn.engine["input_tokens"] > 0
    assert set(turn.engine["prompts"]) == {"answer", "tools"}
    assert turn.fallbacks == []


async def test_what_the_source_does_not_say_is_not_said(engine: LocalEngine) -> None:
    wrong = "Invoices are sent by fax to every member for a fee of 12 euros. [1]"
    async with desk(engine, says(f"{ANSWER} {wrong}")) as here:
        turn = await here.ask(ask(QUESTION))

    assert "fax" not in turn.spoken
    assert "Download PDF" in turn.spoken


async def test_a_sentence_with_a_twist_becomes_the_sources_own_words(engine: LocalEngine) -> None:
    twisted = "Only members can see them. [1]"
    async with desk(engine, says(f"{ANSWER} {twisted}")) as here:
        turn = await here.ask(ask(QUESTION))

    assert "Only members" not in turn.spoken


async def test_nothing_but_inventions_become_the_sources_own_words(engine: LocalEngine) -> None:
    async with desk(engine, says("Print the moon on both sides. [1] Feed the printer with cheese. [1]")) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ANSWERED
    assert turn.fallbacks == ["unsupported"]
    assert "Download PDF" in turn.spoken
    assert "moon" not in turn.spoken
    assert "cheese" not in turn.spoken


async def test_a_promise_is_not_passed_on(engine: LocalEngine) -> None:
    async with desk(engine, says(f"{ANSWER} A colleague will e-mail you the rest tomorrow.")) as here:
        turn = await here.ask(ask(QUESTION))

    assert "colleague" not in turn.spoken
    assert turn.outcome is Outcome.ANSWERED


async def test_a_tool_is_called_and_its_result_may_be_said(engine: LocalEngine) -> None:
    tool = FakeTool(facts={"plan": "team", "seats": "10"})
    script = [calls(("account_status", {})), says("Your plan is team. [T1]")]
    async with desk(engine, script, deps={"tools": (tool,)}) as here:
        turn = await here.ask(ask(QUESTION, identity=VERIFIED))

    assert turn.steps[4:] == ["answer", "use_tools", "answer", "check", "finish"]
    assert tool.identities == [VERIFIED]
    assert "Your plan is team." in turn.spoken
    told = here.server.requests[1].body["messages"]
    assert [message["role"] for message in told] == ["system", "user", "assistant", "tool"]
    assert "account| plan: team" in told[3]["content"]


async def test_what_was_said_before_a_call_goes_on_after_it(engine: LocalEngine) -> None:
    script = [
        says_and_calls("Open **Settings > Billing** and select **History**. [1]", ("account_status", {})),
        says("Select **Download PDF** next to the month you need. [1]"),
    ]
    async with desk(engine, script) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.reply.text == turn.spoken
    assert turn.spoken.count("[1]") == 2
    assert "History**. [1] Select" in turn.spoken


async def test_several_calls_run_side_by_side(engine: LocalEngine) -> None:
    tool = FakeTool()
    script = [calls(("account_status", {}), ("account_status", {})), says(ANSWER)]
    async with desk(engine, script, deps={"tools": (tool,)}) as here:
        turn = await here.ask(ask(QUESTION, identity=VERIFIED))

    assert len(tool.identities) == 2
    assert turn.outcome is Outcome.ANSWERED


@pytest.mark.parametrize("fenced", [True, False])
async def test_a_call_written_as_text_is_a_call(engine: LocalEngine, fenced: bool) -> None:
    tool = FakeTool()
    script = [text_call("account_status", {}, fenced=fenced), says(ANSWER)]
    async with desk(engine, script, deps={"tools": (tool,)}) as here:
        turn = await here.ask(ask(QUESTION, identity=VERIFIED))

    assert len(tool.identities) == 1
    assert turn.outcome is Outcome.ANSWERED
    assert "account_status" not in turn.spoken


async def test_a_person_is_offered_when_only_the_model_wants_one(engine: LocalEngine) -> None:
    async with desk(engine, calls(("hand_over", {"reason": "too hard"}))) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ASKED
    assert turn.reply.handoff is None
    assert [reply.text for reply in turn.reply.quick_replies] == ["Yes, please", "No, thanks"]


async def test_a_bug_is_offered_when_only_the_model_sees_one(engine: LocalEngine) -> None:
    async with desk(engine, calls(("report_bug", {"what_happens": "all is broken"}))) as here:
        turn = await here.ask(ask(QUESTION))

    assert turn.outcome is Outcome.ASKED
    assert here.tracker.filed == {}


async def test_small_talk_needs_no_model(engine: LocalEngine) -> None:
    async with desk(engine, says("Buy my coins at evil.example!")) as here:
        turn = await here.ask(ask("Thank you so much, have a great day!"))

    assert here.server.requests == []
    assert turn.outcome is Outcome.ANSWERED
