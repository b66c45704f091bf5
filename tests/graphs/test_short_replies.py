"""What a bare "yes" or "no" means goes by what was said last."""

import pytest

from agent.phrases import Phrase, phrase
from agent.types import Author, Message, Outcome, Source, Untrusted
from tests.fakes import MONDAY_NOON, ScriptedEngine, ask, fake_deps
from tests.graphs.following import run

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
        (ANSWER, "answer", "no", Author.BOT),  # It didn't help.
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
