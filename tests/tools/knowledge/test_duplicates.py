"""What says the same is shown once; what only reads alike is not the same."""

import pytest

from tools.knowledge.duplicates import Said

TEXT = (
    "Open Settings, choose Limits, and enter the amount that you need for the day. The new limit is in force at once "
    "and is taken back at midnight. You can send up to 500 dollars."
)
NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    "again",
    [
        TEXT,
        TEXT.upper(),
        TEXT.replace(",", "").replace("\n", " "),
        TEXT.replace("at once", "immediately"),
    ],
)
def test_the_same_in_almost_the_same_words_is_said_again(again: str) -> None:
    said = Said()

    assert not said.again(TEXT, NONE)
    assert said.again(again, NONE)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        (TEXT.replace("500", "1,000"), NONE),
        (TEXT, frozenset({"purple"})),
        ("Close the account under Profile.", NONE),
        ("", NONE),
    ],
)
def test_another_number_another_name_or_other_words_are_new(text: str, names: frozenset[str]) -> None:
    said = Said()

    assert not said.again(TEXT, NONE)
    assert not said.again(text, names)
