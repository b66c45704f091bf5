"""A stream of text as sentences with marks, however it is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.engines.llm.sentences import Piece, Splitter


def pieces(*chunks: str) -> list[Piece]:
    splitter = Splitter()
    found = [piece for chunk in chunks for piece in splitter.feed(chunk)]
    return [*found, *splitter.finish()]


def texts(*chunks: str) -> list[str]:
    return [piece.text for piece in pieces(*chunks)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Open it. [1] Close it. [2]", [("Open it.", ("1",)), ("Close it.", ("2",))]),
        ("Open it [1]. Close it [2].", [("Open it.", ("1",)), ("Close it.", ("2",))]),
        ("Both say so. [1][2] Then stop.", [("Both say so.", ("1", "2")), ("Then stop.", ())]),
        ("Both say so. [1, 2]", [("Both say so.", ("1", "2"))]),
        ("Your plan is Team. [T1]", [("Your plan is Team.", ("T1",))]),
        ("Es gilt z. B. für Team. [1] Sonst nicht.", [("Es gilt z. B. für Team.", ("1",)), ("Sonst nicht.", ())]),
        ("It takes 3.5 hours. [source 1]", [("It takes 3.5 hours.", ("1",))]),
        ("Is it this?", [("Is it this?", ())]),
        ("【1】Open it.【2】", [("Open it.", ("1", "2"))]),
    ],
)
def test_sentences_keep_their_marks(text: str, expected: list[tuple[str, tuple[str, ...]]]) -> None:
    assert [(piece.text, piece.marks) for piece in pieces(text)] == expected


@pytest.mark.parametrize(
    "mark",
    [
        "[1]", " [1]", "【1】", "【1†source】", "【1†L3-L9】", " [Source 1]", " (Source 1)", " (Source: [1])",
        " [Quelle 1]", "[^1]", "^1", "¹", "<sup>1</sup>", " <sup>[1]</sup>", " [[1]](https://help.example/en/it)",
        " [1](#1)", " *[1]*", " **[1]**", " \\[1\\]",
    ],
)  # fmt: skip
@pytest.mark.parametrize("size", [1, 3, 500])
def test_a_mark_is_read_however_it_is_written(mark: str, size: int) -> None:
    text = f"Open **Settings > Billing**.{mark} Close **it**.{mark}"
    chunks = [text[start : start + size] for start in range(0, len(text), size)]

    assert pieces(*chunks) == [Piece("Open **Settings > Billing**.", ("1",)), Piece("Close **it**.", ("1",))]


@pytest.mark.parametrize(
    ("text", "marks"),
    [
        ("It is so. [1-3]", {"1", "2", "3"}),
        ("It is so. [1 and 2]", {"1", "2"}),
        ("It is 5 m².", set()),
        ("See [the page](https://help.example/1).", set()),
    ],
)
def test_what_a_mark_names(text: str, marks: set[str]) -> None:
    assert {mark for piece in pieces(text) for mark in piece.marks} == marks


def test_marks_alone_part_sentences() -> None:
    assert texts("Open it.[1]Close it.[2]") == ["Open it.", "Close it."]
    assert texts("Open it. [1] and [2]") == ["Open it."]
    assert texts("これは一つ。[1]これは二つ。[2]") == ["これは一つ。", "これは二つ。"]


@pytest.mark.parametrize(
    "text",
    [
        "It takes approx. 24 hours.",
        "It holds e.g. projects, tasks etc. and files.",
        "Well... it holds **all** projects.",
        "It holds: projects and tasks.",
        "It costs 9 EUR inkl. USt.",
    ],
)
def test_a_sentence_goes_on_behind_what_is_no_end(text: str) -> None:
    assert texts(f"{text} [1] Then it is sent. [1]") == [text, "Then it is sent."]


def test_a_sentence_may_begin_small_behind_a_mark_and_end_in_any_quotation_mark() -> None:
    assert texts("open it. [1] close it. [1]") == ["open it.", "close it."]
    assert texts("„Open it.“ [1] »Close it.« [1] 'Go.' [1] Stop.") == ["„Open it.“", "»Close it.«", "'Go.'", "Stop."]


@pytest.mark.parametrize(
    "text", ["- **Seats:** 10", "- **Plan:** Team", "1. **Members**: Open **Settings**.", "Seats: 10."]
)
def test_a_colon_before_what_it_names_is_no_end(text: str) -> None:
    assert texts(f"{text}\n- Go on.") == [text, "- Go on."]
    assert texts("Here is how: Open it.") == ["Here is how:", "Open it."]


def test_rows_of_a_table_are_lines() -> None:
    table = "So it is:\n| Plan | Seats |\n|---|---:|\n| Team | 10 [T1] |\n| Free | 3 (T2) |"

    assert pieces(table)[1:] == [
        Piece("\nPlan – Seats", ()),
        Piece("\nTeam – 10", ("T1",)),
        Piece("\nFree – 3", ("T2",)),
    ]


def test_bold_type_ends_with_its_sentence() -> None:
    assert texts("**Open it. [1] Then close it.** [1] Press **Save**. [1]") == [
        "Open it.",
        "Then close it.",
        "Press **Save**.",
    ]


@pytest.mark.parametrize("bullet", ["•", "◦", "‣", "●"])
def test_every_bullet_is_one(bullet: str) -> None:
    assert texts(f"{bullet} Open it. [1]\n{bullet} Close it. [1]") == ["- Open it.", "- Close it."]


def test_a_keycap_numbers_a_step() -> None:
    assert texts("1️⃣ Open it. [1]\n2️⃣ Close it. [1]") == ["1. Open it.", "2. Close it."]


@pytest.mark.parametrize(
    "listed",
    [
        "\n\n**Sources:**\n- [1] How to open it\n- [2] How to close it",
        "\n\nQuellen:\n[1] Wie man es öffnet",
        "\n\n## References\n1. How to open it",
        "\n\nSources: [1], [2]",
        "\nSource: How to open it",
    ],
)
def test_a_list_of_sources_is_left_out(listed: str) -> None:
    assert texts(f"Open it. [1]{listed}") == ["Open it."]


def test_an_answer_goes_on_after_a_line_that_names_its_source() -> None:
    assert texts("Open it.\nSource: [1]\n\nClose it.\nSource: [2]") == ["Open it.", "\nClose it."]
    assert texts("Sources are listed there. Open one.") == ["Sources are listed there.", "Open one."]


def test_list_items_are_pieces_of_their_own() -> None:
    text = "To do it:\n\n1. Open **A**. [1]\n2. Choose **B > C**. [1]\n\nThat is all. [2]"

    assert texts(text) == ["To do it:", "\n1. Open **A**.", "2. Choose **B > C**.", "\nThat is all."]


def test_a_fenced_block_is_one_piece_and_headings_are_left_out() -> None:
    text = '# Title\nFirst.\n```json\n{"a": 1}\n\n{"b": 2}\n```\nLast.'

    assert texts(text) == ["\nFirst.", '```json\n{"a": 1}\n\n{"b": 2}\n```', "Last."]


def test_a_sentence_is_given_as_soon_as_the_next_begins() -> None:
    splitter = Splitter()

    assert splitter.feed("Open it. [1") == []
    assert splitter.feed("] ") == []
    assert splitter.feed("T") == [Piece("Open it.", ("1",))]


def test_a_text_without_end_is_cut() -> None:
    splitter = Splitter()

    given_out = [piece for _ in range(30) for piece in splitter.feed("word " * 100)]

    assert len(given_out) >= 2


@given(st.text(alphabet="ab .!?:[]12T\n`#*-é", max_size=80), st.lists(st.integers(0, 80), max_size=6))
def test_how_a_text_is_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    chunks = [text[start:end] for start, end in pairwise(edges)]

    assert pieces(*chunks) == pieces(*text)


@given(st.text(max_size=300))
def test_no_text_breaks_it(text: str) -> None:
    assert all(piece.text.strip() for piece in pieces(text))
