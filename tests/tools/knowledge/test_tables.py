"""Tables of articles, as passages have them."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.knowledge.articles import Article
from tools.knowledge.split import MAX_WORDS, split
from tools.knowledge.tables import is_row, statements

PLANS = """Prices are per month.

|  | Free | Basic | Pro |
| --- | ---: | --- | --- |
| Price | 0 € | 19 € | 59 € |
| API | no | ✗ | **yes** |

You can change your plan at any time."""

ERRORS = """## What the display says

Code | Meaning | What to do
--- | --- | ---
E42 | Out of paper. | Put some in \\| press *OK*.
| E43 | | Call us. |
"""


def texts(body: str) -> list[str]:
    return [piece.text for piece in split(Article("plans", "Plans", body, "plans.md"))]


def test_each_row_of_a_table_is_a_line_that_says_what_its_cells_are() -> None:
    (whole,) = texts(PLANS)
    assert whole.split("\n") == [
        "Prices are per month.",
        "",
        "- **Price** · Free: 0 € · Basic: 19 € · Pro: 59 €",
        "- **API** · Free: no · Basic: ✗ · Pro: yes",
        "",
        "You can change your plan at any time.",
    ]
    (errors,) = texts(ERRORS)
    assert errors.split("\n") == [
        "- **Code: E42** · Meaning: Out of paper. · What to do: Put some in | press *OK*.",
        "- **Code: E43** · What to do: Call us.",
    ]


def test_each_cell_says_something_by_itself() -> None:
    assert [list(statements(line)) for line in texts(PLANS)[0].split("\n")[2:4]] == [
        ["Price, Free: 0 €", "Price, Basic: 19 €", "Price, Pro: 59 €"],
        ["Free: no API", "Basic: no API", "Pro: API"],
    ]
    assert list(statements(texts(ERRORS)[0].split("\n")[1])) == ["E43, What to do: Call us."]


def test_a_long_table_is_cut_between_its_rows() -> None:
    rows = "\n".join(f"| {number} | what the number {number} says, in a few words |" for number in range(200))
    parts = texts(f"| Number | Meaning |\n| --- | --- |\n{rows}")

    assert len(parts) > 10
    lines = [line for part in parts for line in part.split("\n")]
    assert len(lines) == 200
    assert all(is_row(line) for line in lines)


def test_a_row_that_no_passage_could_hold_is_cut() -> None:
    parts = texts(f"| A | B |\n| --- | --- |\n| one | {'word ' * 1000} |\n| two | three |")

    assert max(len(part.split()) for part in parts) <= MAX_WORDS
    assert sum(part.count("word") for part in parts) == 1000


def test_each_of_many_tables_is_read_for_itself() -> None:
    body = "".join(f"| head |\n|---|\n| cell {number} |\n\n" for number in range(2_000))

    lines = [line for line in "\n".join(texts(body)).split("\n") if line]
    assert lines == [f"- head: cell {number}" for number in range(2_000)]


@pytest.mark.parametrize("body", ["|  |\n| --- |\n|  |", "| A | B |\n| --- | --- |", "| A |\n| --- |\n| b |"])
def test_a_table_that_says_little_is_no_passage_or_a_list(body: str) -> None:
    assert texts(body) in ([], ["- A: b"])


def test_an_article_with_a_table_is_read_again_and_no_other() -> None:
    """Whoever has taken it in before has its table as it stands."""
    plain = Article("a", "A", "A price: 19 €.", "a.md")
    table = Article("a", "A", PLANS, "a.md")
    # What the first installations have of both, from the fields alone.
    assert plain.content_hash == "754f91561ed8fdb48ad8a6dc2b97d76ba0fb027d938874353fd191d77a0454e7"
    assert table.content_hash != "51282bb55adfca521d8aeacc2ebd101f36350ba04273402e1181e1e1136c066e"


cells = st.text(st.characters(codec="utf-8", exclude_characters="\r\n|\\`\x00", categories=["L", "N"]), min_size=1)


@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=2, max_size=6))
def test_nothing_of_a_table_is_lost(rows: list[list[str]]) -> None:
    header, *others = ["| " + " | ".join(row) + " |" for row in rows]
    said = "\n".join(texts("\n".join([header, "| --- | --- | --- |", *others])))

    assert len(said.split("\n")) == len(others)
    for row in rows:
        for cell in row:
            assert re.sub(r"\s+", " ", cell) in said
