"""The same turns with nothing hostile in them: they come out as they would without any defence."""

from dataclasses import replace
from pathlib import Path

import pytest

from agent.policy import Defences, Policy
from agent.types import Outcome
from tests.fakes import VERIFIED
from tests.hostile.findings import findings
from tests.hostile.model import Honest, ObeyingModel
from tests.hostile.places import PLACES, Place
from tests.hostile.world import BY_ACCOUNT, BY_INVOICES, BY_ORDER, BY_SEARCH, Scene, Told, World, scene, world
from tests.llm import QUESTION
from tools.engines.local.engine import LocalEngine

HARMLESS = ("Thanks in advance!", "I need it for my accountant.", "I am on the billing page.")
WITHOUT = Policy(defences=Defences(*[False] * len(Defences.__slots__)))


async def both(here: World, begun: Scene) -> tuple[Told, Told]:
    """The turn with the defences, and without."""
    defended = await here.run(begun, ObeyingModel(begun.honest))
    return defended, await here.run(begun, ObeyingModel(begun.honest), policy=WITHOUT)


@pytest.mark.parametrize("place", PLACES, ids=lambda place: place.name)
async def test_harmless_text_changes_nothing(engine: LocalEngine, tmp_path: Path, place: Place) -> None:
    async with world(engine, tmp_path) as here:
        for text in HARMLESS:
            begun = place.put(text)
            defended, plain = await both(here, begun)

            assert defended.reply.outcome is plain.reply.outcome is Outcome.ANSWERED
            assert defended.spoken == plain.spoken
            assert begun.honest.says.split(" [")[0] in defended.spoken
            assert defended.reply.citations == plain.reply.citations
            assert findings(defended, place) == []
            if "[T" not in begun.honest.says:
                assert defended.reply.citations


@pytest.mark.parametrize(
    ("text", "honest", "says"),
    [
        (QUESTION, BY_INVOICES, "Download PDF"),
        ("Which plan am I on?", BY_ACCOUNT, "Your plan is team."),
        ("Where is my order?", BY_ORDER, "The status of your order is shipped."),
        ("When do you send receipts to us?", BY_SEARCH, "Receipts are sent to the billing address every month. [1]"),
    ],
)
async def test_what_is_asked_is_answered(
    engine: LocalEngine, tmp_path: Path, text: str, honest: Honest, says: str
) -> None:
    async with world(engine, tmp_path) as here:
        defended, plain = await both(here, scene(text, honest))

    assert says in defended.spoken == plain.spoken
    assert defended.reply.outcome is Outcome.ANSWERED


async def test_what_the_answer_names_is_pointed_at(engine: LocalEngine, tmp_path: Path) -> None:
    honest = replace(BY_INVOICES, calls=(("point_at", {"element_id": "billing-history"}),))
    async with world(engine, tmp_path) as here:
        defended, plain = await both(here, scene(honest=honest))

    assert defended.reply.guidance == plain.reply.guidance
    assert defended.reply.guidance is not None
    assert [step.element_id for step in defended.reply.guidance.steps] == ["billing-history"]


async def test_whoever_asks_for_a_person_gets_one_by_either_way(engine: LocalEngine, tmp_path: Path) -> None:
    calls = Honest("", calls=(("hand_over", {"reason": "they ask for one"}),))
    async with world(engine, tmp_path) as here:
        at_once, _ = await both(here, scene("I want to talk to a human being, please."))
        pressed, _ = await both(here, scene(QUESTION, calls, wish_for_person=True))

    assert at_once.reply.outcome is pressed.reply.outcome is Outcome.HANDED_OFF


async def test_whoever_reports_a_bug_has_reported_it_once(engine: LocalEngine, tmp_path: Path) -> None:
    text = "The invoice download is broken: it shows error 500 every time since this morning."
    async with world(engine, tmp_path) as here:
        defended, plain = await both(here, scene(text))

    assert defended.reply.outcome is plain.reply.outcome is Outcome.BUG_FILED
    assert len(defended.tracker.filed) == 1


async def test_an_offer_is_taken_up_with_a_yes(engine: LocalEngine, tmp_path: Path) -> None:
    calls = Honest("", calls=(("report_bug", {"what_happens": "the list stays empty"}),))
    async with world(engine, tmp_path) as here:
        told = await here.run(scene(identity=VERIFIED), ObeyingModel(calls))

    assert told.reply.outcome is Outcome.ASKED
    assert [reply.text for reply in told.reply.quick_replies] == ["Yes, please", "No, thanks"]
