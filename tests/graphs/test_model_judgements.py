"""What a model judges, how it is asked by servers that differ, and what happens when it can't."""

from dataclasses import replace
from typing import Any

import pytest

from agent.types import Author, Kind, Message, Outcome, PageContext, Sentence, Source, Understanding, Untrusted
from tests.fakes import CALM, MONDAY_NOON, ask
from tests.llm import INVOICES, Desk, desk
from tests.model_server.faults import FAULTS
from tests.model_server.replies import Reply, says, structured
from tools.engines.llm.engine import LlmEngine
from tools.engines.llm.options import Endpoint
from tools.engines.local.engine import LocalEngine

HEARD = {
    "kind": "bug",
    "sentiment": -0.8,
    "wants_person": 0.1,
    "risk": 0.0,
    "question": "Why is the exported file empty?",
}
VAGUE = "hm it's about the report"
BUG = {
    "title": "Exported file is empty",
    "doing": "exporting a report",
    "expected": "",
    "actual": "an empty file",
    "steps": ["open Reports", "press Export"],
    "environment": "Firefox",
    "severity": "high",
}


async def heard(here: Desk, text: str = VAGUE, history: tuple[Message, ...] = ()) -> tuple[Understanding, LlmEngine]:
    engine = here.deps.engine
    assert isinstance(engine, LlmEngine)
    return await engine.understand(ask(text).texts, history, PageContext()), engine


async def test_a_doubtful_message_is_judged_by_the_model(engine: LocalEngine) -> None:
    alone = await engine.understand(ask(VAGUE).texts, (), PageContext())
    async with desk(engine, structured(HEARD), judges="doubtful") as here:
        understanding, asked = await heard(here)

    assert alone.kind_confidence < 0.7
    assert understanding.kind is Kind.BUG
    assert understanding.sentiment < alone.sentiment
    assert asked.report().prompts.keys() == {"understand"}


async def test_a_clear_message_costs_no_call(engine: LocalEngine) -> None:
    async with desk(engine, structured(HEARD), judges="doubtful") as here:
        await heard(here, "Thank you so much!")

    assert here.server.requests == []


async def test_always_and_never(engine: LocalEngine) -> None:
    async with desk(engine, structured(HEARD), judges="always") as here:
        await heard(here, "Thank you so much!")
        assert len(here.server.requests) == 1
    async with desk(engine, structured(HEARD), judges="never") as here:
        await heard(here)
        assert here.server.requests == []


async def test_the_model_can_only_add_to_what_speaks_for_a_person(engine: LocalEngine) -> None:
    text = "I want to talk to a human being right now, this is illegal"
    alone = await engine.understand(ask(text).texts, (), PageContext())
    calm: dict[str, Any] = {**HEARD, "kind": "small_talk", "sentiment": 1, "wants_person": 0, "risk": 0}
    async with desk(engine, structured(calm), judges="always") as here:
        understanding, _ = await heard(here, text)

    assert understanding.wish_for_person >= alone.wish_for_person > 0.5
    assert understanding.risk >= alone.risk


async def test_a_cheerful_model_makes_no_complaint_smaller(engine: LocalEngine) -> None:
    text = "this is the third time, i am really fed up with it all"
    alone = await engine.understand(ask(text).texts, (), PageContext())
    cheerful: dict[str, Any] = {**HEARD, "kind": "small_talk", "sentiment": 1, "wants_person": 0, "risk": 0}
    async with desk(engine, structured(cheerful), judges="always") as here:
        understanding, _ = await heard(here, text)

    assert alone.kind is Kind.COMPLAINT
    assert understanding.kind is Kind.COMPLAINT
    assert understanding.sentiment <= alone.sentiment < 0


async def test_a_follow_up_gets_its_question_from_the_model(engine: LocalEngine) -> None:
    before = Message("m1", Author.CUSTOMER, Untrusted.of("My export is empty", Source.CUSTOMER), MONDAY_NOON)
    async with desk(engine, structured(HEARD), judges="always") as here:
        understanding, _ = await heard(here, "and on a phone?", (before,))
        told = here.server.requests[0].body["messages"][1]["content"]

    assert understanding.question.render_plain() == "Why is the exported file empty?"
    assert "customer| My export is empty" in told


@pytest.mark.parametrize(
    "name", ["fenced", "prose_around", "extra_keys", "rejects_schemas", "rejects_schemas_and_tools"]
)
async def test_servers_differ_and_all_are_understood(engine: LocalEngine, name: str) -> None:
    async with desk(engine, FAULTS[name].on(structured(HEARD)), judges="always") as here:
        understanding, asked = await heard(here)
        before = len(here.server.requests)
        await heard(here)

        assert len(here.server.requests) == before + 1, "what the server takes is remembered"

    assert understanding.kind is Kind.BUG
    assert asked.report().fallbacks == ()


async def test_a_judgement_that_does_not_fit_is_sent_back_once(engine: LocalEngine) -> None:
    wrong = structured({**HEARD, "kind": "banana"})
    async with desk(engine, [wrong, structured(HEARD)], judges="always") as here:
        understanding, asked = await heard(here)
        again = here.server.requests[1].body["messages"][-1]["content"]

    assert understanding.kind is Kind.BUG
    assert "kind: Input should be" in again
    assert asked.report().calls == 2


@pytest.mark.parametrize(
    ("script", "reason"),
    [
        (says("I'd rather not say."), "misfit"),
        (structured({"kind": "bug"}), "misfit"),
        (FAULTS["status_503"].on(structured(HEARD)), "server_error"),
        (FAULTS["late_head"].on(structured(HEARD), slow_s=20), "slow_total"),
        (FAULTS["refusal"].on(structured(HEARD)), "refusal"),
    ],
)
async def test_a_judgement_that_never_comes_is_the_local_engines(
    engine: LocalEngine, script: Reply, reason: str
) -> None:
    alone = await engine.understand(ask(VAGUE).texts, (), PageContext())
    async with desk(engine, script, judges="always") as here:
        understanding, asked = await heard(here)

    assert understanding == alone
    assert [(entry.ability, entry.reason) for entry in asked.report().fallbacks] == [("understand", reason)]


async def test_a_bug_is_written_from_the_customers_words(engine: LocalEngine) -> None:
    understanding = replace(CALM, kind=Kind.BUG)
    async with desk(engine, structured(BUG), judges="always") as here:
        draft = await here.deps.engine.draft_bug(ask("the file is empty").texts, (), PageContext(), understanding)

    assert draft.title == "Exported file is empty"
    assert draft.severity == "high"
    assert draft.steps == ("open Reports", "press Export")
    assert "steps" not in draft.missing


async def test_a_summary_for_the_person_who_takes_over(engine: LocalEngine) -> None:
    script = structured({"summary": "Wants the invoice of May corrected."})
    async with desk(engine, script, judges="always") as here:
        turn = await here.ask(ask("I want a person", wish_for_person=True))

    assert turn.outcome is Outcome.HANDED_OFF
    assert turn.reply.handoff is not None
    assert turn.reply.handoff.wanted == "Wants the invoice of May corrected."


async def test_an_opinion_on_the_border_can_only_bring_a_person(engine: LocalEngine) -> None:
    async with desk(engine, structured({"person_needed": 0.9}), judges="always") as here:
        high = await here.deps.engine.second_opinion(ask(VAGUE).texts, (), CALM)
        here.server.script = says("no idea")
        none = await here.deps.engine.second_opinion(ask(VAGUE).texts, (), CALM)

    assert high == 0.9
    assert none is None


async def test_a_doubtful_sentence_gets_a_second_opinion_from_a_small_model(engine: LocalEngine) -> None:
    doubtful = Sentence("The documents remain available for the lifetime of the workspace.", cites=("invoices",))
    async with desk(engine, structured({"supported": True}), judging=Endpoint("small")) as here:
        assert isinstance(here.deps.engine, LlmEngine)
        score = await here.deps.engine.support(doubtful, (INVOICES,))
        asked = len(here.server.requests)

    alone = await engine.support(doubtful, (INVOICES,))
    assert (score, asked) == ((0.8, 1) if 0.3 <= alone <= 0.7 else (alone, 0))
