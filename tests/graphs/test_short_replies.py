"""What a bare "yes" or "no" means goes by what was said last."""

from dataclasses import replace

import pytest

from agent.phrases import Phrase, phrase
from agent.types import Author, Message, Outcome, Source, Untrusted
from tests.fakes import CALM, MONDAY_NOON, ScriptedEngine, ask, fake_deps
from tests.graphs.following import run
from tests.graphs.test_confirmed import Listening

ANSWER = f"Invoices are under **Billing > History**. [1] {phrase(Phrase.ANSWER_OFFER, 'en')}"
REMEDY = f"Reload the page. [1] {phrase(Phrase.REPORT_OFFER, 'en')}"
OFFER = phrase(Phrase.DONT_KNOW, "en")
FILED = phrase(Phrase.BUG_FILED, "en", bug_id="BUG-1")


def after(text: str, route: str, *, author: Author = Author.BOT) -> tuple[Message, ...]:
    asked = Message("m1", Author.CUSTOMER, Untrusted.of("I deleted a list by accident!", Source.CUSTOMER), MONDAY_NOON)
    return asked, Message("m2", author, Untrusted.of(text, Source.CUSTOMER), MONDAY_NOON, route=route)


@pytest.mark.parametrize(
    ("last", "route", "said", "expected"),
    [
        (OFFER, "clarify", "no", Phrase.OTHER_WORDS),
        (OFFER, "clarify", "Nein.", Phrase.OTHER_WORDS),
        (OFFER, "clarify", "neither of them", Phrase.OTHER_WORDS),
        (phrase(Phrase.OFFER_PERSON, "en"), "offer_person", "nope", Phrase.OTHER_WORDS),
        (ANSWER, "answer", "Yes!", Phrase.YOURE_WELCOME),
        (ANSWER, "answer", "no", Phrase.OTHER_WORDS),
        (ANSWER, "answer", "That's not what I meant.", Phrase.OTHER_WORDS),
        (ANSWER, "answer", "no thanks", Phrase.GOODBYE),
        (OFFER, "clarify", "No, thanks", Phrase.GOODBYE),
        ("They are under Billing. [1]", "answer", "yes", Phrase.YOURE_WELCOME),
        (phrase(Phrase.YOURE_WELCOME, "en"), "answer", "no", Phrase.GOODBYE),
        (phrase(Phrase.ACKNOWLEDGED, "en"), "answer", "yes", Phrase.ACKNOWLEDGED),
        (FILED, "bug_report", "no", Phrase.GOODBYE),
        (FILED, "bug_report", "ja", Phrase.ACKNOWLEDGED),
    ],
)
async def test_it_is_understood_from_what_it_replies_to(last: str, route: str, said: str, expected: Phrase) -> None:
    # Whatever the words alone would be taken for.
    engine = ScriptedEngine(evidence=0.0)

    finished, _ = await run(fake_deps(engine=engine), ask(said, history=after(last, route)))

    assert finished.reply.outcome is Outcome.ANSWERED
    assert finished.reply.text == phrase(expected, "en")
    assert engine.briefs == [], "nothing was asked"


@pytest.mark.parametrize(
    ("last", "route", "said", "author"),
    [
        (REMEDY, "answer", "no", Author.BOT),  # It didn't help.
        ("They are under Billing. [1]", "answer", "no", Author.BOT),
        (REMEDY, "answer", "yes", Author.BOT),
        ("Do you mean the yearly plan?", "answer", "yes", Author.BOT),
        (OFFER, "clarify", "no, I mean lists", Author.BOT),
        (OFFER, "clarify", "yes please", Author.BOT),
        ("Shall I look at it?", "answer", "no", Author.PERSON),
    ],
)
async def test_what_says_more_is_heard_for_itself(last: str, route: str, said: str, author: Author) -> None:
    finished, _ = await run(fake_deps(), ask(said, history=after(last, route, author=author)))

    short = {phrase(each, "en") for each in (Phrase.OTHER_WORDS, Phrase.GOODBYE, Phrase.YOURE_WELCOME)}
    assert finished.reply.text not in short


async def test_a_second_no_to_an_answer_is_a_failed_attempt() -> None:
    other_words = Message(
        "m3", Author.BOT, Untrusted.of(phrase(Phrase.OTHER_WORDS, "en"), Source.CUSTOMER), MONDAY_NOON, route="answer"
    )
    history = (*after(ANSWER, "answer"), other_words, *after(ANSWER, "answer"))
    engine = ScriptedEngine(understanding=replace(CALM, says_unsolved=0.95), evidence=0.95)

    finished, _ = await run(fake_deps(engine=engine), ask("no", history=history))

    assert finished.reply.outcome is Outcome.HANDED_OFF


@pytest.mark.parametrize(
    ("said", "heard"),
    [
        ("no, I mean invoices", "invoices"),
        ("No. How do I export a timesheet?", "How do I export a timesheet?"),
        ("nein, ich meinte die Rechnungen", "die Rechnungen"),
        ("no, me refiero a las facturas", "las facturas"),
        ("no invoices are shown", "no invoices are shown"),
        ("No, that didn't help", "No, that didn't help"),
        ("nowhere", "nowhere"),
    ],
)
async def test_what_is_meant_instead_is_heard_without_the_no(said: str, heard: str) -> None:
    engine = Listening()

    await run(fake_deps(engine=engine), ask(said, history=after(ANSWER, "answer")))

    assert engine.heard == [((heard,), 2)]
