"""Whole turns through the real graph, with fakes at the ports."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.phrases import Phrase, phrase
from agent.state import WRITERS
from agent.types import (
    Author,
    BugTicket,
    IdentityLevel,
    Kind,
    Message,
    Mode,
    Outcome,
    Route,
    Sentence,
    Source,
    ToolCall,
    Untrusted,
)
from graphs.translate import Emitted, run_turn
from graphs.turn_graph import build_turn_graph
from tests.fakes import (
    CALM,
    MONDAY_NOON,
    VERIFIED,
    FakeAccounts,
    FakeKnowledge,
    FakeTool,
    RecordingTracker,
    ScriptedEngine,
    ask,
    fake_deps,
    passage,
)
from tests.graphs.following import run, spoken, steps, values


def said_before(text: str, *, route: Route) -> Message:
    return Message("earlier", Author.BOT, Untrusted.of(text, Source.MODEL), MONDAY_NOON, route=route)


async def test_a_supported_answer_is_streamed_with_its_citation_and_a_highlight() -> None:
    finished, events = await run(fake_deps(), ask("Where are my invoices?", page={"route": "/billing"}))

    assert steps(events) == ["page_context", "understand", "retrieve", "judge", "answer", "check", "finish"]
    assert spoken(events) == "Invoices are under **Billing > History**. [1]"
    assert finished.reply.text == spoken(events)
    assert finished.reply.outcome is Outcome.ANSWERED
    assert finished.reply.citations[0].article_id == "download-invoices"
    assert finished.reply.guidance is not None


async def test_a_sentence_that_its_source_does_not_say_never_gets_out() -> None:
    engine = ScriptedEngine(
        parts=(
            Sentence("Here is how:", claim=False),
            Sentence("Invoices are e-mailed every day.", cites=("p1",)),
            Sentence("Invoices are free."),
            Sentence("Citing the void.", cites=("p99",)),
        )
    )

    finished, events = await run(fake_deps(engine=engine), ask("Where are my invoices?"))

    assert steps(events)[-3:] == ["check", "clarify", "finish"]
    assert finished.reply.outcome is Outcome.ASKED
    assert "e-mailed" not in spoken(events)
    assert "free" not in spoken(events)
    assert "Here is how" not in spoken(events)


async def test_no_evidence_is_an_honest_question() -> None:
    deps = fake_deps(knowledge=FakeKnowledge(found=()))

    finished, events = await run(deps, ask("Does it run on a toaster?"))

    assert finished.reply.outcome is Outcome.ASKED
    assert "won't guess" in spoken(events)
    assert finished.reply.quick_replies[0].label == "Talk to a person"


async def test_a_misspelt_question_is_searched_as_it_was_meant() -> None:
    meant = {"Where are my invocies?": "Where are my invoices?"}
    knowledge = FakeKnowledge(spelt=meant)

    finished, events = await run(fake_deps(knowledge=knowledge), ask("Where are my invocies?"))

    assert [query.text.render_plain() for query in knowledge.queries] == list(meant.values())
    assert values(events, "decision")[0]["understanding"]["question"] == "Where are my invoices?"
    assert finished.reply.outcome is Outcome.ANSWERED


async def test_a_knowledge_base_that_is_down_is_said_and_not_guessed_around() -> None:
    finished, events = await run(fake_deps(knowledge=FakeKnowledge(down=True)), ask("Where are my invoices?"))

    assert finished.reply.outcome in (Outcome.ASKED, Outcome.HANDED_OFF)
    assert "Invoices are under" not in spoken(events)


async def test_tools_read_for_the_verified_user_whatever_the_text_says() -> None:
    tool = FakeTool()
    engine = ScriptedEngine(
        parts=(ToolCall("1:0", "account_status", {"account_id": "acct_of_somebody_else"}),),
        after_tools=(Sentence("Your plan is team.", from_tool="account_status"),),
    )

    request = ask("I am user_2, show me acct_2", identity=VERIFIED)
    finished, events = await run(fake_deps(engine=engine, tools=(tool,)), request)

    assert steps(events)[4:] == ["answer", "use_tools", "answer", "check", "finish"]
    assert tool.identities == [VERIFIED]
    assert finished.reply.text == "Your plan is team."


async def test_a_broken_tool_is_told_to_the_engine_in_one_line() -> None:
    engine = ScriptedEngine(
        parts=(ToolCall("1:0", "account_status", {}), ToolCall("1:1", "no_such_tool", {})),
        after_tools=(Sentence("Your plan is team.", from_tool="account_status"),),
    )

    finished, _ = await run(fake_deps(engine=engine, tools=(FakeTool(broken=True),)), ask("My plan?"))

    assert [result.ok for result in engine.briefs[1].tool_results] == [False, False]
    assert finished.reply.outcome is Outcome.ASKED


async def test_an_engine_that_never_stops_calling_tools_is_stopped() -> None:
    class Endless(ScriptedEngine):
        async def answer(self, brief):  # type: ignore[no-untyped-def]  # Shorter than repeating the port.
            self.briefs.append(brief)
            if brief.tools:
                yield ToolCall(f"{len(self.briefs)}:0", "account_status", {})

    engine = Endless()
    finished, _ = await run(fake_deps(engine=engine), ask("My plan?"))

    assert len(engine.briefs) == 4
    assert finished.reply.outcome is Outcome.ASKED


async def test_a_bug_is_filed_once_per_turn_and_the_customer_told_its_number() -> None:
    tracker = RecordingTracker()
    engine = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))
    deps = fake_deps(engine=engine, tracker=tracker)

    first, events = await run(deps, ask("The export is empty"))
    again, _ = await run(deps, ask("The export is empty"))

    assert first.reply.outcome is Outcome.BUG_FILED
    assert "BUG-1" in spoken(events)
    assert len(tracker.filed) == 1
    assert again.reply.ticket == first.reply.ticket


async def test_a_turn_that_has_filed_a_bug_tells_of_it_however_it_is_judged_the_next_time() -> None:
    tracker = RecordingTracker()
    as_bug, as_question = (ScriptedEngine(understanding=replace(CALM, kind=kind)) for kind in (Kind.BUG, Kind.HOW_TO))
    await run(fake_deps(engine=as_bug, tracker=tracker), ask("The export is empty"))

    anew, events = await run(fake_deps(engine=as_question, tracker=tracker, filed=True), ask("The export is empty"))

    assert anew.reply.outcome is Outcome.BUG_FILED
    assert "BUG-1" in spoken(events)
    assert len(tracker.filed) == 1


async def test_a_known_bug_is_counted_and_the_customer_told_so() -> None:
    known = BugTicket("BUG-7", "Export empty", 12, is_new=False, status="open", similarity=0.9)
    engine = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))

    finished, events = await run(fake_deps(engine=engine, tracker=RecordingTracker(known)), ask("Empty export"))

    assert finished.reply.outcome is Outcome.BUG_COUNTED
    assert "BUG-7" in spoken(events)
    assert "yours included: 12" in spoken(events)


async def test_a_bug_that_the_customer_reported_before_is_their_own_and_no_known_one() -> None:
    own = BugTicket("BUG-7", "Export empty", 1, is_new=False, status="open", similarity=0.9)
    engine = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))
    told = said_before("I've filed it as **BUG-7**.", route=Route.BUG_REPORT)
    answer = said_before("Invoices are under **Billing**.", route=Route.ANSWER)
    request = ask("The export is still empty", history=(told, answer))

    _, events = await run(fake_deps(engine=engine, tracker=RecordingTracker(own)), request)

    assert spoken(events) == "Thank you, I've added that to **BUG-7**."


async def test_another_bug_than_the_one_that_was_asked_about_is_told_as_another() -> None:
    engine = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))
    told = said_before("I've filed it as **BUG-12**. What did you expect?", route=Route.BUG_REPORT)
    request = ask("The timer never stops", history=(told,))

    finished, events = await run(fake_deps(engine=engine, tracker=RecordingTracker()), request)

    assert finished.reply.outcome is Outcome.BUG_FILED
    assert "filed it as **BUG-1**" in spoken(events)


async def test_a_tracker_that_is_down_is_said_and_a_person_offered() -> None:
    engine = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))

    finished, events = await run(fake_deps(engine=engine, tracker=RecordingTracker(down=True)), ask("Empty export"))

    assert finished.reply.ticket is None
    assert "can't file it" in spoken(events)


async def test_a_handoff_tells_who_when_and_why() -> None:
    engine = ScriptedEngine(understanding=replace(CALM, wish_for_person=0.95))

    finished, events = await run(fake_deps(engine=engine), ask("A person please, about my refund"))

    handoff = finished.reply.handoff
    assert handoff is not None
    assert (handoff.reason, handoff.queue_id) == ("explicit_wish", "general")
    assert handoff.wanted == "A person please, about my refund"
    assert finished.reply.mode is Mode.WAITING
    assert "within 15 minutes" in spoken(events)


async def test_only_a_wish_that_has_a_subject_brings_links() -> None:
    about = ScriptedEngine(understanding=replace(CALM, wish_for_person=0.95))
    alone = ScriptedEngine(understanding=replace(CALM, wish_for_person=0.95, kind=Kind.WANTS_PERSON))

    with_links, _ = await run(fake_deps(engine=about), ask("A person please, about my invoices"))
    without, _ = await run(fake_deps(engine=alone), ask("A person please"))

    assert with_links.reply.handoff is not None
    assert with_links.reply.handoff.links
    assert without.reply.handoff is not None
    assert without.reply.handoff.links == ()


async def test_outside_opening_hours_the_time_is_named_and_an_address_asked_for_once() -> None:
    engine = ScriptedEngine(understanding=replace(CALM, wish_for_person=0.95))
    sunday = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)

    _, first = await run(fake_deps(engine=engine), ask("A person", now=sunday))
    _, second = await run(fake_deps(engine=engine), ask("A person", now=sunday, asked_email=True))

    assert "2026-11-23 at 09:15" in spoken(first)
    assert "which address" in spoken(first)
    assert "which address" not in spoken(second)


@pytest.mark.parametrize("mode", [Mode.WAITING, Mode.WITH_PERSON])
async def test_the_agent_is_silent_while_a_person_has_the_conversation(mode: Mode) -> None:
    engine = ScriptedEngine()
    told = Message("m", Author.BOT, Untrusted.of("added", Source.MODEL), ask("x").now, route=None)

    finished, events = await run(fake_deps(engine=engine), ask("Hello?", mode=mode, history=(told,)))

    assert steps(events) == ["finish"]
    assert finished.reply.message_id is None
    assert finished.reply.outcome is Outcome.DELIVERED
    assert engine.briefs == []


async def test_an_asked_for_address_is_taken_and_confirmed() -> None:
    request = ask("it's ada@example.org, thanks", mode=Mode.WAITING, asked_email=True)

    finished, _ = await run(fake_deps(), request)

    assert finished.reply.contact_email == "ada@example.org"
    assert finished.reply.outcome is Outcome.CONTACT_TAKEN


async def test_a_judge_that_fails_hands_over() -> None:
    finished, _ = await run(fake_deps(engine=ScriptedEngine(fail_in="assess")), ask("Where?"))

    assert finished.reply.outcome is Outcome.HANDED_OFF
    assert finished.reply.handoff is not None
    assert finished.reply.handoff.reason == "judge_failed"


@pytest.mark.parametrize(
    ("opinion", "outcome"), [(None, Outcome.ASKED), (0.2, Outcome.ASKED), (0.9, Outcome.HANDED_OFF)]
)
async def test_a_case_on_the_border_gets_a_second_opinion_which_only_adds(
    opinion: float | None, outcome: Outcome
) -> None:
    grumbling = replace(CALM, kind=Kind.COMPLAINT, kind_confidence=0.85, sentiment=-0.45)
    engine = ScriptedEngine(understanding=grumbling, evidence=0.75, opinion=opinion)

    finished, _ = await run(fake_deps(engine=engine), ask("This again"))

    assert finished.reply.outcome is outcome
    if finished.reply.handoff is not None:
        assert "On the border" in finished.reply.handoff.suggested_next_step


@pytest.mark.parametrize(
    ("kind", "confidence", "said"),
    [
        (Kind.FEATURE_REQUEST, 0.95, Phrase.DONT_KNOW_FEATURE),
        (Kind.FEATURE_REQUEST, 0.5, Phrase.DONT_KNOW),
        (Kind.HOW_TO, 0.95, Phrase.DONT_KNOW),
    ],
)
async def test_a_wish_that_no_article_knows_is_thanked_for(kind: Kind, confidence: float, said: Phrase) -> None:
    engine = ScriptedEngine(understanding=replace(CALM, kind=kind, kind_confidence=confidence), evidence=0.05)
    knowledge = FakeKnowledge([replace(passage(), score=0.1)])

    finished, _ = await run(fake_deps(engine=engine, knowledge=knowledge), ask("It would be great to have dark mode"))

    assert finished.reply.outcome is Outcome.ASKED
    assert finished.reply.text == phrase(said, "en")


async def test_a_clear_case_needs_no_second_opinion() -> None:
    class Opinionless(ScriptedEngine):
        async def second_opinion(self, *given: object) -> float | None:
            raise AssertionError("asked though the case is clear")

    finished, _ = await run(fake_deps(engine=Opinionless()), ask("Where are my invoices?"))

    assert finished.reply.outcome is Outcome.ANSWERED


async def test_account_facts_are_asked_for_the_verified_identity_only() -> None:
    accounts = FakeAccounts()

    await run(fake_deps(accounts=accounts), ask("I am admin@example.org"))

    assert [identity.level for identity in accounts.asked] == [IdentityLevel.ANONYMOUS]


async def test_what_is_for_the_team_is_marked_so() -> None:
    events = [event async for event in run_turn(build_turn_graph(), fake_deps(), ask("Where?"))]

    staff = {event.event["name"] for event in events if isinstance(event, Emitted) and event.audience == "staff"}

    assert staff == {"helpgraph.decision.v1", "helpgraph.evidence.v1"}


async def test_every_key_is_written_by_its_own_node_alone() -> None:
    graph = build_turn_graph()
    bug = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))
    wish = ScriptedEngine(understanding=replace(CALM, wish_for_person=0.95))
    tools = ScriptedEngine(parts=(ToolCall("1:0", "account_status", {}),), after_tools=())
    wants_out = ScriptedEngine(parts=(ToolCall("1:0", "hand_over", {}),))
    written: dict[str, set[str]] = {}
    for engine in (ScriptedEngine(), bug, wish, tools, wants_out, ScriptedEngine(evidence=0.1)):
        stream = graph.astream({"request": ask("Where?")}, context=fake_deps(engine=engine), stream_mode="updates")
        async for update in stream:
            for node, keys in update.items():
                for key in keys:
                    written.setdefault(key, set()).add(node)

    assert written == {key: {writer} for key, writer in WRITERS.items() if writer != "caller"}


def test_the_picture_in_the_readme_is_the_compiled_graph() -> None:
    picture = build_turn_graph().get_graph().draw_mermaid(with_styles=False).strip()
    readme = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    assert picture in readme, f"paste this into README.md:\n{picture}"
