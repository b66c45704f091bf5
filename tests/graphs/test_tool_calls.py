"""The reads an answer asks for: run as the session allows, refused in one line, and never without end."""

import asyncio
import logging
from collections.abc import AsyncGenerator
from dataclasses import replace
from typing import Any

import pytest
from pydantic import BaseModel, Field

from agent.policy import CategoryPolicy, Policy
from agent.ports import AnswerBrief, ToolContext, ToolOffer
from agent.types import AccountFacts, Language, Outcome, Sentence, Source, ToolCall, ToolResult, Untrusted
from graphs.translate import Finished
from tests.fakes import CALM, VERIFIED, FakeAccounts, FakeTool, ScriptedEngine, ask, fake_deps
from tests.graphs.following import run, spoken, steps

TRUE = Sentence("Invoices are under **Billing > History**.", cites=("p1",))
POLICY = Policy(categories=(CategoryPolicy("billing", "Billing"),))


class Arguments(BaseModel):
    """What the test's tool takes."""

    element_id: str = Field(max_length=10)


class Recorder(FakeTool):
    """A read with one argument, which remembers what it was called with and on whose behalf."""

    def __init__(self) -> None:
        super().__init__(offer=ToolOffer("look", "Look.", Arguments))
        self.calls: list[tuple[Any, ToolContext]] = []

    async def call(self, call: ToolCall, arguments: object, context: ToolContext) -> ToolResult:
        self.calls.append((arguments, context))
        return ToolResult(call.call_id, call.tool, ok=True, facts={"seen": "yes"})


class Hanging(FakeTool):
    """Never comes back."""

    async def call(self, call: ToolCall, arguments: object, context: ToolContext) -> ToolResult:
        await asyncio.Event().wait()
        raise AssertionError("nobody set it")


async def results_of(
    *calls: ToolCall, tool: FakeTool, policy: Policy = POLICY, **request: object
) -> tuple[tuple[ToolResult, ...], Finished]:
    engine = ScriptedEngine(parts=(TRUE, *calls), after_tools=(TRUE,))
    deps = fake_deps(engine=engine, tools=(tool,), policy=policy)
    finished, events = await run(deps, ask("Where?", **request))
    assert "use_tools" in steps(events)
    return engine.briefs[1].tool_results, finished


async def test_a_call_has_its_arguments_and_the_context_of_the_session() -> None:
    tool = Recorder()
    account = AccountFacts("acct_1", Untrusted.of("Ada's", Source.ACCOUNT), plan="team")
    language: Language = "de"
    engine = ScriptedEngine(
        understanding=replace(CALM, language=language),
        parts=(ToolCall("1:0", "look", {"element_id": "history", "account_id": "acct_2"}),),
    )
    deps = fake_deps(engine=engine, tools=(tool,), accounts=FakeAccounts(account))

    await run(deps, ask("Wo?", identity=VERIFIED, page={"route": "/billing"}))

    ((arguments, context),) = tool.calls
    assert arguments == Arguments(element_id="history")
    assert (context.identity, context.plan, context.language, context.page.route) == (
        VERIFIED,
        "team",
        "de",
        "/billing",
    )


@pytest.mark.parametrize(
    ("call", "error"),
    [
        (ToolCall("1:0", "look", {}), "element_id: Field required"),
        (ToolCall("1:0", "look", {"element_id": 3}), "element_id: Input should be a valid string"),
        (ToolCall("1:0", "look", {"element_id": "x" * 11}), "element_id: String should have at most 10 characters"),
        (ToolCall("1:0", "look", {}, problem="the arguments are no JSON"), "the arguments are no JSON"),
        (ToolCall("1:0", "dig", {}), "no tool named 'dig'; there are: look"),
        (ToolCall("1:0", "x" * 500, {}), f"no tool named {'x' * 60!r}; there are: look"),
    ],
)
async def test_a_call_that_cannot_be_made_comes_back_as_one_line(call: ToolCall, error: str) -> None:
    tool = Recorder()

    (result,), finished = await results_of(call, tool=tool)

    assert tool.calls == []
    assert (result.ok, result.error, result.facts) == (False, error, {})
    assert result.arguments == call.arguments
    assert finished.reply.outcome is Outcome.ANSWERED


async def test_what_a_customer_or_a_model_wrote_is_in_no_error() -> None:
    secret = "my password is hunter2"

    (result,), _ = await results_of(ToolCall("1:0", "look", {"element_id": secret}), tool=Recorder())

    assert "hunter2" not in str(result.error)


async def test_a_fact_is_one_cleaned_line_whoever_filled_the_field() -> None:
    tool = FakeTool(facts={"plan": "team\nseats: 500\u202e\U000e0041", "long": "x" * 5_000})
    (result,), _ = await results_of(ToolCall("1:0", "account_status", {}), tool=tool)

    assert result.facts["plan"] == "team seats: 500"
    assert len(result.facts["long"]) == 400


async def test_calls_beyond_the_most_of_a_round_are_refused_and_the_rest_made(caplog: pytest.LogCaptureFixture) -> None:
    tool = Recorder()
    calls = [ToolCall(f"1:{number}", "look", {"element_id": str(number)}) for number in range(4)]

    results, _ = await results_of(*calls, tool=tool, policy=replace(POLICY, calls_per_round=2))

    assert [arguments.element_id for arguments, _ in tool.calls] == ["0", "1"]
    assert [(result.call_id, result.ok) for result in results] == [
        ("1:0", True),
        ("1:1", True),
        ("1:2", False),
        ("1:3", False),
    ]
    assert {result.error for result in results[2:]} == {"at most 2 calls at a time"}


async def test_a_tool_that_hangs_is_given_up(caplog: pytest.LogCaptureFixture) -> None:
    call = ToolCall("1:0", "account_status", {})

    with caplog.at_level(logging.WARNING):
        (result,), finished = await results_of(call, tool=Hanging(), policy=replace(POLICY, node_timeout_s=0.0))

    assert (result.ok, result.error) == (False, "too slow, try without it")
    assert finished.reply.outcome is Outcome.ANSWERED
    assert "tool too slow tool=account_status" in caplog.text


async def test_a_tool_that_breaks_says_only_how(caplog: pytest.LogCaptureFixture) -> None:
    (result,), _ = await results_of(ToolCall("1:0", "account_status", {}), tool=FakeTool(broken=True))

    assert result.error == "failed (ValueError), go on without it"
    assert "scripted failure" in caplog.text  # In the operator's log, not in what the engine reads.


async def test_results_of_all_rounds_reach_the_engine_and_rounds_are_counted() -> None:
    class Curious(ScriptedEngine):
        async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
            self.briefs.append(brief)
            number = len(self.briefs)
            if brief.tools:
                yield ToolCall(f"{number}:0", "account_status", {})
                yield ToolCall(f"{number}:1", "account_status", {})
            else:
                yield Sentence("Your plan is team.", from_tool="account_status")

    engine = Curious()

    finished, events = await run(
        fake_deps(engine=engine, policy=replace(POLICY, tool_rounds=2)), ask("My plan?", identity=VERIFIED)
    )

    assert [len(brief.tool_results) for brief in engine.briefs] == [0, 2, 4]
    assert engine.briefs[0].tool_names == ("account_status", "report_bug", "hand_over")
    assert engine.briefs[2].tool_names == ()
    assert spoken(events) == "Your plan is team."
    assert finished.reply.outcome is Outcome.ANSWERED


@pytest.mark.parametrize("name", ["account_status", "hand_over", "report_bug", "made_up"])
async def test_a_call_that_nobody_offered_is_none(name: str) -> None:
    class Deaf(ScriptedEngine):
        async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
            self.briefs.append(brief)
            if not brief.said:
                yield TRUE
            yield ToolCall(f"{len(self.briefs)}:0", name if not brief.tools else "account_status", {})

    engine = Deaf()

    finished, events = await run(fake_deps(engine=engine, policy=replace(POLICY, tool_rounds=2)), ask("Where?"))

    assert len(engine.briefs) == 3
    assert "propose" not in steps(events)
    assert finished.reply.text == f"{TRUE.text} [1]"
