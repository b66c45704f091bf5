"""What a turn tells the log: its route, what its engine did, and both again when it is resumed."""

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from sqlalchemy import make_url

from agent.ports import AnswerBrief, EngineReport, Fallback
from agent.types import Kind, Message, Outcome, Sentence, Spent, ToolCall, Understanding, Untrusted
from graphs.checkpoints import open_checkpointer
from graphs.translate import Emitted, Finished, run_turn
from tests.fakes import CALM, RecordingTracker, ScriptedEngine, ask, fake_deps
from tests.graphs.following import run, spoken, values
from tests.turn_graph import turn_graph, turn_graph_that_keeps

TRUE = Sentence("Invoices are under **Billing > History**.", cites=("p1",))
PERSON = ToolCall("1:0", "hand_over", {})
BUG = ToolCall("1:0", "report_bug", {})


@dataclass
class Counted(ScriptedEngine):
    """Says what it did, and remembers what it was told of the conversation's costs."""

    told: Spent | None = None

    def for_turn(self, spent: Spent) -> "Counted":
        self.told = spent
        return self

    def report(self) -> EngineReport:
        return EngineReport(
            "scripted", "tiny", calls=len(self.briefs), input_tokens=10, output_tokens=5, cost=0.25,
            fallbacks=(Fallback("answer", "timeout"),), prompts={"answer": "abc"},
        )  # fmt: skip


async def test_what_the_engine_did_is_told_to_the_team_once_with_the_end() -> None:
    engine = Counted()
    spent = Spent(tokens=100, cost=1.5)

    events = [event async for event in run_turn(turn_graph(), fake_deps(engine=engine), ask("?", spent=spent))]

    finished = events[-1]
    assert isinstance(finished, Finished)
    (report,) = [event for event in finished.events if event.event.get("name") == "helpgraph.engine.v1"]
    assert report.audience == "staff"
    assert report.event["value"] == {
        "turn_id": "turn_1",
        "engine": "scripted",
        "model": "tiny",
        "calls": 1,
        "input_tokens": 10,
        "output_tokens": 5,
        "cost": 0.25,
        "fallbacks": [{"ability": "answer", "reason": "timeout"}],
        "prompts": {"answer": "abc"},
    }
    assert finished.engine == engine.report()
    assert engine.told == spent
    assert not any(e.event.get("name") == "helpgraph.engine.v1" for e in events[:-1] if isinstance(e, Emitted))


async def test_a_turn_that_only_passes_a_message_on_reports_too() -> None:
    finished, events = await run(fake_deps(engine=Counted()), ask("Hello?", mode="waiting"))

    assert finished.reply.outcome is Outcome.DELIVERED
    assert values(events, "engine")[0]["calls"] == 0


UNSUPPORTED = Sentence("Invoices are free.", cites=("p1",))
ASKED_ABOUT_A_BUG = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))


@pytest.mark.parametrize(
    ("engine", "route"),
    [
        (ScriptedEngine(), "answer"),
        (ScriptedEngine(evidence=0.3), "clarify"),
        (ScriptedEngine(parts=(UNSUPPORTED,)), "clarify"),
        (ScriptedEngine(parts=(TRUE,), cut=True), "clarify"),
        (ScriptedEngine(parts=(PERSON,)), "offer_person"),
        (ScriptedEngine(parts=(BUG,)), "offer_bug"),
        (ASKED_ABOUT_A_BUG, "bug_report"),
        (ScriptedEngine(understanding=replace(CALM, wish_for_person=0.9)), "handoff"),
    ],
)
async def test_a_message_is_logged_with_the_decision_that_it_came_from(engine: ScriptedEngine, route: str) -> None:
    finished, events = await run(fake_deps(engine=engine), ask("Where are my invoices?"))

    assert finished.route == route
    assert values(events, "message")[0]["route"] == route
    assert values(events, "outcome")[0]["route"] == route


async def test_a_bug_that_could_not_be_filed_is_logged_as_the_offer_of_a_person() -> None:
    finished, _ = await run(fake_deps(engine=ASKED_ABOUT_A_BUG, tracker=RecordingTracker(down=True)), ask("Broken"))

    assert finished.route == "offer_person"


# --- resumed after a crash


class Crash(Exception):
    """The process died here, as far as the graph is concerned."""


@dataclass
class Fragile(ScriptedEngine):
    """Breaks once where it is told to, so that the turn has to be resumed."""

    breaks_in: str = ""
    broken: bool = False

    def _maybe(self, where: str) -> None:
        if where == self.breaks_in and not self.broken:
            self.broken = True
            raise Crash

    async def summarise(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> str:
        self._maybe("summarise")
        return await super().summarise(texts, history, understanding)

    async def draft_bug(self, *given: object):  # type: ignore[no-untyped-def]  # Shorter than the port.
        self._maybe("draft_bug")
        return await super().draft_bug(*given)  # type: ignore[arg-type]  # As given.


@dataclass
class Torn(ScriptedEngine):
    """Breaks in the pass after the tools."""

    broken: bool = False

    async def answer(self, brief: AnswerBrief):  # type: ignore[no-untyped-def]  # Shorter than the port.
        if brief.tool_results and not self.broken:
            self.broken = True
            raise Crash
        async for part in super().answer(brief):
            yield part


async def interrupted(
    folder: Path, engine: ScriptedEngine, text: str = "Where are my invoices?"
) -> tuple[list[Emitted], list[Emitted], Finished]:
    """Run a turn into its crash, then resume it; what was emitted before and after, and the end."""
    before: list[Emitted] = []
    deps = fake_deps(engine=engine)
    async with open_checkpointer(make_url("sqlite://"), data_dir=folder) as checkpointer:
        graph = turn_graph_that_keeps(checkpointer)
        try:
            async for event in run_turn(graph, deps, ask(text), thread_id="t"):
                assert isinstance(event, Emitted)
                before.append(event)
        except Crash:
            after = [event async for event in run_turn(graph, deps, ask(text), thread_id="t", resume=True)]
    finished = after[-1]
    assert isinstance(finished, Finished)
    return before, [event for event in after if isinstance(event, Emitted)], finished


async def test_a_resumed_turn_keeps_what_was_allowed_and_what_was_said(tmp_path: Path) -> None:
    unsure = replace(CALM, wish_for_person=0.35)
    engine = Fragile(understanding=unsure, parts=(TRUE, PERSON), features={"known": 0.9}, breaks_in="summarise")

    before, after, finished = await interrupted(tmp_path, engine)

    said = spoken([event.event for event in before])
    assert said == f"{TRUE.text} [1]"
    assert (finished.route, finished.reply.outcome) == ("handoff", Outcome.HANDED_OFF)
    assert finished.reply.text.startswith(f"{said}\n\n")
    # What was said before may not have reached the log.
    assert spoken([event.event for event in after]) == finished.reply.text
    assert len(engine.briefs) == 1


async def test_a_resumed_turn_goes_on_with_the_results_it_had(tmp_path: Path) -> None:
    engine = Torn(
        parts=(TRUE, ToolCall("1:0", "account_status", {})),
        after_tools=(Sentence("Your plan is team.", from_tool="account_status"),),
    )

    _, _, finished = await interrupted(tmp_path, engine)

    assert finished.reply.text == f"{TRUE.text} [1] Your plan is team."
    assert finished.route == "answer"
    assert len(engine.briefs) == 2


async def test_a_resumed_report_is_filed_as_one(tmp_path: Path) -> None:
    engine = Fragile(understanding=replace(CALM, kind=Kind.BUG), breaks_in="draft_bug")

    _, _, finished = await interrupted(tmp_path, engine, "The export is empty")

    assert (finished.route, finished.reply.outcome) == ("bug_report", Outcome.BUG_FILED)
