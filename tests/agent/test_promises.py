"""What announces an act of the support side is told from what only comes near it."""

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.fast_yaml import parse_yaml
from agent.phrases import Phrase, phrase
from agent.promises import promises
from agent.promising.grammar import read_grammars
from agent.types import LANGUAGES, Language

TESTS = Path(__file__).parents[1]
# The grammars were written with these in view.
DEVELOPMENT = TESTS / "agent" / "promises.yaml"
# With these, not: nobody who changes a grammar reads them.
HELD_OUT = TESTS / "tools" / "engines" / "promise_sentences.yaml"

_MOST_MISSED = 0.05
_MOST_STOPPED = 0.05

# What the system itself does, and says in its own words where it is done; a model must not say it.
_OWN = {
    Phrase.BUG_FILED, Phrase.BUG_COUNTED, Phrase.BUG_DETAILS_ADDED, Phrase.HANDOFF_OPEN, Phrase.HANDOFF_CLOSED,
    Phrase.EMAIL_TAKEN, Phrase.ADDED_TO_REQUEST, Phrase.PASSED_ON, Phrase.STILL_WAITING, Phrase.REPORT_OFFER,
}  # fmt: skip
# What customers say, as buttons.
_CUSTOMERS = {name for name in Phrase if name.startswith("qr_") or name is Phrase.WANTS_PERSON_BUTTON}
_VALUES = dict.fromkeys(
    ("titles", "bug_id", "count", "minutes", "when", "page", "of", "plan", "billing_status", "renewal_on", "seats",
     "seats_used", "order_id", "ordered_on", "status", "expected_on", "carrier", "tracking", "quote", "other"), "x",
)  # fmt: skip


def sentences(path: Path, label: str) -> list[str]:
    return [str(entry["text"]) for entry in parse_yaml(path.read_text(encoding="utf-8"))[label]]


@pytest.mark.parametrize("path", [DEVELOPMENT, HELD_OUT], ids=lambda path: path.stem)
def test_promises_are_stopped_and_plain_sentences_pass(path: Path) -> None:
    made, plain = sentences(path, "promise"), sentences(path, "plain")

    stopped = sum(map(promises, made)) / len(made)
    wrongly = sum(map(promises, plain)) / len(plain)

    rates = f"{stopped:.3f} of {len(made)} promises stopped, {wrongly:.3f} of {len(plain)} plain sentences"
    assert stopped >= 1 - _MOST_MISSED, rates
    assert wrongly <= _MOST_STOPPED, rates


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [name for name in Phrase if name not in _OWN | _CUSTOMERS])
def test_the_systems_own_words_pass(name: Phrase, language: Language) -> None:
    assert not promises(phrase(name, language, **_VALUES))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("name", [Phrase.BUG_FILED, Phrase.HANDOFF_OPEN, Phrase.EMAIL_TAKEN, Phrase.ADDED_TO_REQUEST])
def test_a_model_may_not_say_what_only_the_system_does(name: Phrase, language: Language) -> None:
    assert promises(phrase(name, language, **_VALUES))


@pytest.mark.parametrize(
    "text",
    [
        "I've refunded it.",
        "I’ve refunded it.",
        "I&#39;ve refunded it.",
        "**I've** refunded it.",
        "_I've refunded it._",
        "- I've refunded it",
        "> I've refunded it",
        "1. Open **Billing**.\n2. I've refunded it.",
        "I've [refunded](https://example.com/a) it.",
        "I have\nrefunded it.",
        "I\u200b've re\u00adfunded it.",
        "Open **Billing** (I've refunded it).",
        "Open **Billing** — I've refunded it.",
        "I've refunded it, does that help?",
        "Does that help? I've refunded it.",
        "Good news, **I've refunded it**.",
        "I'VE REFUNDED IT",
    ],
)
def test_markdown_and_spelling_hide_no_promise(text: str) -> None:
    assert promises(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n ",
        "?",
        "…",
        "```\nI\n```",
        "Choose **I've lost my phone** and enter a recovery code.",
        'When the page says "We are working on it", wait a minute.',
        "Have you been refunded?",
        "¿Le reembolso el importe?",
        "Si quiere, ¿le paso con un compañero?",
        "https://example.com/i-have-refunded-it",
    ],
)
def test_labels_questions_and_empty_texts_promise_nothing(text: str) -> None:
    assert not promises(text)


@given(st.text(max_size=600))
@settings(max_examples=300, deadline=None)
def test_any_text_has_an_answer(text: str) -> None:
    assert promises(text) in {True, False}


_WORDS = sorted(
    {",", ".", "?", "¿", ":"} | {w for grammar in read_grammars() for w in {*grammar.classes, *grammar.marks}}
)


@given(st.lists(st.sampled_from(_WORDS), max_size=80).map(" ".join))
@settings(max_examples=200, deadline=None)
def test_any_words_of_the_grammars_are_read_quickly(text: str) -> None:
    started = time.process_time()

    promises(text)

    assert time.process_time() - started < 0.5


@pytest.mark.parametrize(
    "piece",
    [
        "if ", "i will ", "our team ", "has been ", "a ", "aa", "you will hear from ", "**X** ", "](", "[a](b ", "`a ",
        '"A ', "on **", "'", "_", ", ", "? ", "¿", "\n- ", "&amp;", "wir haben ", "se ha ", "le ", "ich ", "sie wurde ",
        "our our our team has ", "the article says that we have ", "\u200b",
    ],
)  # fmt: skip
def test_long_hostile_texts_are_read_quickly(piece: str) -> None:
    text = piece * (20_000 // len(piece))
    started = time.process_time()

    promises(text)

    assert time.process_time() - started < 2.0


def test_a_sentence_takes_a_fraction_of_a_millisecond() -> None:
    texts = sentences(DEVELOPMENT, "promise") + sentences(DEVELOPMENT, "plain")

    def seconds() -> float:
        started = time.process_time()
        for text in texts:
            promises(text)
        return time.process_time() - started

    # The best of a few: a busy machine is not what is measured.
    assert min(seconds() for _ in range(5)) / len(texts) < 0.0004
