"""Trouble that an article is about: the article first, and the report as soon as that doesn't help."""

from dataclasses import replace

import pytest

from agent.phrases import Phrase, phrase
from agent.types import Author, Kind, Message, Outcome, Source, Understanding, Untrusted
from tests.fakes import CALM, MONDAY_NOON, RecordingTracker, ScriptedEngine, ask, fake_deps
from tests.graphs.following import run, spoken

OFFER = phrase(Phrase.REPORT_OFFER, "en")
BROKEN = replace(CALM, kind=Kind.BUG)
NO = replace(CALM, kind=Kind.SMALL_TALK, kind_confidence=0.99, says_unsolved=0.95, is_follow_up=True)


def said(author: Author, text: str, route: str | None = None) -> Message:
    return Message("m", author, Untrusted.of(text, Source.CUSTOMER), MONDAY_NOON, route=route)


async def remedy() -> str:
    engine = ScriptedEngine(understanding=BROKEN, evidence=0.96, features={"remedy": 1.0})
    finished, events = await run(fake_deps(engine=engine), ask("My invoices are missing"))
    assert finished.reply.outcome is Outcome.ANSWERED
    assert spoken(events) == finished.reply.text
    return finished.reply.text


async def reported(history: list[Message], text: str) -> tuple[str, tuple[str, ...]]:
    """What the report says that is filed when the customer says that it didn't help, and what it is drafted from."""
    tracker = RecordingTracker()
    engine = ScriptedEngine(understanding=NO)
    finished, _ = await run(fake_deps(engine=engine, tracker=tracker), ask(text, history=tuple(history)))
    assert finished.reply.outcome is Outcome.BUG_FILED
    (report,) = tracker.filed.values()
    (drafted_from,) = engine.drafted_from
    return report.said.render_plain(), drafted_from


async def test_an_article_on_what_is_broken_is_quoted_with_the_offer_to_report_it() -> None:
    assert (await remedy()).endswith(f"[1] {OFFER}")


@pytest.mark.parametrize("understanding", [CALM, replace(CALM, kind=Kind.FEATURE_REQUEST)])
async def test_what_is_no_trouble_is_answered_without_it(understanding: Understanding) -> None:
    _, events = await run(fake_deps(engine=ScriptedEngine(understanding=understanding, evidence=1.0)), ask("Where?"))

    assert OFFER not in spoken(events)


async def test_a_question_back_about_trouble_offers_no_report_of_what_was_not_answered() -> None:
    unsure = ScriptedEngine(understanding=replace(BROKEN, kind_confidence=0.3), evidence=0.6)
    _, events = await run(fake_deps(engine=unsure), ask("It is odd"))

    assert OFFER not in spoken(events)


async def test_no_files_the_bug_with_what_was_said_before_the_remedy() -> None:
    history = [
        said(Author.CUSTOMER, "Hello"),
        said(Author.BOT, "Hello! What can I do?", "answer"),
        said(Author.CUSTOMER, "My invoices are missing"),
        said(Author.BOT, await remedy(), "answer"),
    ]

    assert await reported(history, "no") == ("My invoices are missing\nno", ("My invoices are missing",))
    details = "no, I am an owner and the list is empty"
    assert await reported(history, details) == (
        f"My invoices are missing\n{details}",
        ("My invoices are missing", details),
    )


async def test_a_courtesy_in_between_loses_neither_the_offer_nor_the_bug() -> None:
    history = [
        said(Author.CUSTOMER, "My invoices are missing"),
        said(Author.BOT, await remedy(), "answer"),
        said(Author.CUSTOMER, "I'll try that"),
        said(Author.BOT, phrase(Phrase.ACKNOWLEDGED, "en"), "answer"),
    ]

    said_then, drafted_from = await reported(history, "still nothing")

    assert said_then == "My invoices are missing\nI'll try that\nstill nothing"
    assert drafted_from == ("My invoices are missing", "I'll try that")
