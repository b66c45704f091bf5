"""A glance at a text spares searches, and changes nothing of what they find."""

import re

from hypothesis import example, given
from hypothesis import strategies as st

from tools.tracing.traits import UNTOLD, Traits, sub_from, traits_of

NAMES = re.compile(r"(?i)(?:\b(?:pin|pi)|token)(?:s|en)?")


@given(st.lists(st.sampled_from(["pin", "PI", "token", "s", "en", "x", " ", "tokentoken", "_", "é"])).map("".join))
def test_a_search_from_where_something_may_start_finds_what_a_search_of_the_whole_finds(text: str) -> None:
    starts = ("token", "pi", "pin")

    assert sub_from(starts, NAMES, r"<\g<0>>", text, among=text.lower()) == NAMES.sub(r"<\g<0>>", text)
    assert sub_from(starts, NAMES, str, text, among=text.lower()) == NAMES.sub(str, text)


@given(st.text())
@example("ſ")
@example("K")
@example("ı")
@example("İ")
@example("٣")
@example("\ud800")
def test_of_what_patterns_take_for_ascii_a_glance_tells_nothing(text: str) -> None:
    taken = any(re.fullmatch(r"(?i)[a-z]|\d", char) for char in text if not char.isascii())

    assert (traits_of(text) is UNTOLD) == taken


def test_small_letters_stand_where_the_text_has_them() -> None:
    longer = [char for char in map(chr, range(0x110000)) if len(char.lower()) != 1]

    assert all(traits_of(char) is UNTOLD for char in longer)


def test_a_usual_message_has_nothing_that_a_pattern_looks_for() -> None:
    assert traits_of("Hello, the export of June is empty. Can you help?\nThanks, Ada") == Traits()
    assert traits_of("Größe: 3 von 12 – 'e-mail'") == Traits(digits=3, links=2)
