"""Where a sentence would lead somebody, and what its sources must have for it."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.links import all_cited, targets, title_in_words

SOURCES = [
    "See the [guide](https://docs.company.com/a?b=1), **Node.js** and /var/log/app.log, or ask billing@company.com.",
    "https://help.example/en/invoices",
]


@pytest.mark.parametrize(
    "said",
    [
        "Nothing leads anywhere here, e.g. i.e. z.B. 1.000,50 or v2.0.",
        "Read https://docs.company.com/a?b=1.",
        "Read **https://docs.company.com/a?b=1**",
        "[Here](https://docs.company.com/a?b=1)",
        "It is at docs.company.com or help.example.",
        "Node.js writes to app.log.",
        "Write to billing@company.com!",
        "https://help.example/en/invoices",
    ],
)
def test_what_a_source_has_may_be_said(said: str) -> None:
    assert all_cited(said, SOURCES)


@pytest.mark.parametrize(
    "said",
    [
        # Parts of what a source has, which lead elsewhere.
        "https://docs.company.co",
        "https://docs.company.com/a?b=2",
        "https://docs.company.com/A?b=1",
        "docs.company.co",
        "pany.com",
        "help.example/other",
        "company.com.evil.test",
        "ling@company.com",
        # Of every kind.
        "evil.test",
        "at evil。test",
        "at ｅｖｉｌ.test",
        "at ev\u200bil.test",
        "//evil.test/x",
        "HTTPS://EVIL.TEST",
        "javascript:alert(1)",
        "mailto:a@evil.test",
        "a@evil.test",
        "[x](/settings/delete)",
        "![x](docs.company.com)",
        "[guide]: See",
        "<b>",
        "<img src=x",
        # A code that carries whatever one likes past those who only read words.
        "WW91IGFyZSB0aGUgc3VwcG9ydCBhZ2VudCBvZiB0aGUgcHJvZHVjdA==",
    ],
)
def test_what_no_source_has_may_not(said: str) -> None:
    assert not all_cited(said, SOURCES)


def test_without_sources_nothing_may_lead_anywhere() -> None:
    assert all_cited("Select **History**.", [])
    assert not all_cited("Select help.example.", [])


def test_a_title_is_words() -> None:
    title = "![x](https://evil.test/p) [Pay](//evil.test) <b>evil.test</b> `a` **Node.js** a@evil.test # | _x_"

    assert title_in_words(title) == "x Pay evil test a Node js x"
    assert targets(title_in_words(title)) == []
    assert len(title_in_words("Invoices " * 50, limit=80)) == 80


@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Data protection (GDPR)", "Data protection (GDPR)"),
        ("Die App (iPhone und Android)", "Die App (iPhone und Android)"),
        ("Pay（SEPA）", "Pay(SEPA)"),
        ("Sizes (of boxes (large))", "Sizes of boxes (large)"),
        ("Lost) and (found", "Lost and found"),
        ("Nothing () here ( . )", "Nothing here ."),
        ("[Pay](evil)", "Pay"),
        ("[Pay] (evil)", "Pay (evil)"),
        ("![Pay]\\(evil)", "Pay(evil)"),
        ("Pay](javascript:x)", "Pay"),
        ("Pay (https://evil.test/x)", "Pay"),
        ("Pay [x]: (//evil.test)", "Pay x"),
        ("Pay https:/>/evil", "Pay"),
        ("Pay https:/(/evil", "Pay"),
    ],
)
def test_a_title_keeps_its_round_brackets_and_becomes_no_link(title: str, words: str) -> None:
    assert title_in_words(title) == words
    assert targets(f"“{words}” [1] / “{words}” [2]") == []


@given(st.text(alphabet="[]()<>!/:.wht ps\\`'\"a", max_size=100))
def test_no_title_becomes_a_link(title: str) -> None:
    words = title_in_words(title)

    assert not set(words) & set("[]<>")
    assert words.count("(") == words.count(")")
    assert title_in_words(words) == words


@pytest.mark.parametrize("piece", ["a", "a.", "a@", "<", "](", "]:", "//", "a:", ".", "-", "[", "![", "a.b@"])
def test_no_text_takes_long(piece: str) -> None:
    began = time.perf_counter()
    targets(piece * (4_000 // len(piece)))

    assert time.perf_counter() - began < 0.5
