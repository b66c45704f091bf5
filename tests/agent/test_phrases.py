"""The fixed sentences: whole in every language."""

import string
from datetime import date

import pytest

from agent.phrases import Phrase, day_name, language_name, phrase, status_name
from agent.types import LANGUAGES, Language


def placeholders(name: Phrase, language: Language) -> set[str]:
    values = {field: f"<{field}>" for field in _FIELDS}
    text = phrase(name, language, **values)
    return {field for field in _FIELDS if f"<{field}>" in text}


_FIELDS = (
    "titles", "bug_id", "count", "minutes", "when", "page", "of", "plan", "billing_status", "renewal_on", "seats",
    "seats_used", "order_id", "ordered_on", "status", "expected_on", "carrier", "tracking", "quote", "other",
)  # fmt: skip


@pytest.mark.parametrize("name", list(Phrase))
def test_every_sentence_is_there_in_every_language_with_the_same_places_to_fill(name: Phrase) -> None:
    texts = [phrase(name, language, **dict.fromkeys(_FIELDS, "x")) for language in LANGUAGES]

    assert all(text.strip() for text in texts)
    assert len({frozenset(placeholders(name, language)) for language in LANGUAGES}) == 1
    assert not any(fields for text in texts for _, fields, _, _ in string.Formatter().parse(text) if fields)


def test_a_place_that_is_not_filled_is_an_error() -> None:
    with pytest.raises(KeyError):
        phrase(Phrase.BUG_FILED, "en")


def test_statuses_are_said_in_words() -> None:
    assert status_name("past_due", "de") == "überfällig"
    assert status_name("In Transit", "es") == "en camino"
    assert status_name("on_hold", "en") == "on hold"


def test_days_are_written_as_people_write_them() -> None:
    day = date(2027, 3, 1)

    assert [day_name(day, language) for language in LANGUAGES] == ["1 March 2027", "1. März 2027", "1 de marzo de 2027"]


def test_languages_have_names() -> None:
    assert language_name("en", "de") == "Englisch"
    assert language_name("fr", "de") == "fr"
