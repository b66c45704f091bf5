"""Historical tickets: what is read, what is refused, and that nothing leaks across the split."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.errors import BadTurn, ConnectorError, Misconfigured
from evals.learning.lessons import MAX_TICKETS, Lessons, embed_questions, prepare, split_by_time
from evals.tickets.jsonl import read_tickets
from evals.tickets.ticket import MAX_TEXT_CHARS, Entry, Ticket
from tools.knowledge.known import for_questions

START = datetime(2026, 1, 1, tzinfo=UTC)


def line(number: int, text: str = "how do I export", **more: Any) -> dict[str, Any]:
    return {
        "ticket_id": f"T-{number}",
        "created_at": (START + timedelta(hours=number)).isoformat(),
        "messages": [{"author": "customer", "at": "x", "text": text}],
        **more,
    }


def written(path: Path, *lines: object) -> Path:
    path.write_text("\n".join(x if isinstance(x, str) else json.dumps(x) for x in lines), encoding="utf-8")
    return path


def ticket(number: int, text: str) -> Ticket:
    return Ticket(str(number), START + timedelta(hours=number), (Entry("customer", text),))


def test_bad_lines_are_refused_by_number_and_the_rest_is_read_in_order(tmp_path: Path) -> None:
    file = read_tickets(
        written(
            tmp_path / "t.jsonl",
            line(2),
            "{not json",
            {"ticket_id": "x"},
            line(3, "   \n"),
            {**line(4), "created_at": "yesterday"},
            {**line(5), "gold": {"kind": "nonsense"}},
            "[1, 2]",
            line(1, gold={"kind": "bug", "category": "reports", "article_slug": None}),
        )
    )

    assert [t.ticket_id for t in file.tickets] == ["T-1", "T-2"]
    assert [number for number, _ in file.refused] == [2, 3, 4, 5, 6, 7]
    assert all(reason for _, reason in file.refused)
    first, second = file.tickets
    assert (first.gold.kind, first.gold.category, first.gold.article, first.gold.labelled_article) == (
        "bug",
        "reports",
        None,
        True,
    )
    assert not second.gold.labelled_article


def test_a_ticket_of_a_million_characters_is_cut(tmp_path: Path) -> None:
    (read,) = read_tickets(written(tmp_path / "t.jsonl", line(1, "word " * 200_000))).tickets

    assert len(read.text) <= MAX_TEXT_CHARS


def test_of_one_id_the_last_wins(tmp_path: Path) -> None:
    (read,) = read_tickets(written(tmp_path / "t.jsonl", line(1, "old"), line(1, "new"))).tickets

    assert read.text == "new"


@pytest.mark.parametrize("content", ["", "\n\n", "{}"])
def test_a_file_without_tickets_is_an_error_that_says_so(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadTurn, match="holds no ticket"):
        read_tickets(written(tmp_path / "t.jsonl", content))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match=r"gone\.jsonl"):
        read_tickets(tmp_path / "gone.jsonl")


class CountingEmbedder:
    """Gives every text a vector of its own, and fails after so many calls."""

    name = "counting"
    dimensions = 8

    def __init__(self, fails_after: int = 10**9) -> None:
        self.embedded = 0
        self._left = fails_after

    async def embed(self, texts: Any) -> NDArray[np.float32]:
        if self._left == 0:
            raise ConnectorError("pulled the plug", retryable=False)
        self._left -= 1
        self.embedded += len(texts)
        rows = [np.random.default_rng(sum(map(ord, text)) * 31 + len(text)).normal(size=8) for text in texts]
        return np.array([row / np.linalg.norm(row) for row in rows], dtype=np.float32)


async def test_older_tickets_train_and_newer_ones_measure(tmp_path: Path) -> None:
    lessons = await prepare(
        [ticket(n, f"question number {chr(97 + n)} please") for n in range(20)], None, tmp_path, quiet
    )

    split = split_by_time(lessons, newer_share=0.3)

    assert [t.ticket_id for t in split.older.tickets] == [str(n) for n in range(14)]
    assert [t.ticket_id for t in split.newer.tickets] == [str(n) for n in range(14, 20)]


@pytest.mark.parametrize(
    "again",
    [
        "Where is invoice 4711?",
        "where is INVOICE 99",
        "invoice: where is? http://x.example/1",
        "Where is invoice, me@example.com",
    ],
)
async def test_what_repeats_an_older_ticket_is_not_measured_on(tmp_path: Path, again: str) -> None:
    tickets = [ticket(n, f"subject {chr(97 + n)} of mine") for n in range(8)]
    tickets += [
        ticket(8, "Where is invoice 12?"),
        ticket(9, "the board is grey"),
        ticket(10, again),
        ticket(11, "so slow"),
    ]
    lessons = await prepare(tickets, None, tmp_path, quiet)

    split = split_by_time(lessons, newer_share=0.25)

    assert split.repeated == 1
    assert [t.text for t in split.newer.tickets] == ["the board is grey", "so slow"]


async def test_all_repeated_is_an_error(tmp_path: Path) -> None:
    lessons = await prepare([ticket(n, "the same words") for n in range(10)], None, tmp_path, quiet)

    with pytest.raises(BadTurn, match="nothing to measure"):
        split_by_time(lessons, newer_share=0.3)


async def test_an_interruption_costs_only_what_was_under_way(tmp_path: Path) -> None:
    tickets = [ticket(n, f"text number {n}\nwith a body {n}") for n in range(600)]
    first = CountingEmbedder(fails_after=3)
    with pytest.raises(ConnectorError, match="pulled the plug"):
        await prepare(tickets, first, tmp_path, quiet)
    second = CountingEmbedder()

    lessons = await prepare(tickets, second, tmp_path, quiet)

    assert first.embedded == 3 * 256
    # Two batches are under way at a time: the other one may have been embedded and not been kept yet.
    assert first.embedded - 256 <= lessons.resumed <= first.embedded
    assert second.embedded == 1200 - lessons.resumed
    assert [len(meaning) for meaning in lessons.meanings] == [600, 600]


async def test_a_text_is_embedded_once_and_every_ticket_has_its_own_vectors(tmp_path: Path) -> None:
    texts = ["one line", "a subject\nand a body", "one line", "another line", "a subject\nand more"]
    embedder = CountingEmbedder()

    lessons = await prepare([ticket(n, text) for n, text in enumerate(texts)], embedder, tmp_path, quiet)

    assert embedder.embedded == 5
    for place, text in enumerate(lessons.texts):
        first_line, gist = await embedder.embed([text.first_line, text.gist])
        assert np.array_equal(lessons.meanings[0][place], first_line)
        assert np.array_equal(lessons.meanings[1][place], gist)


async def test_what_means_the_same_is_not_measured_on_in_any_block(tmp_path: Path) -> None:
    """Also when there are many more newer tickets than are compared at a time."""
    lessons = await prepare(
        [ticket(n, f"w{_letters(n)} x{_letters(n * 7)}") for n in range(1000)], None, tmp_path, quiet
    )
    vectors = np.random.default_rng(0).normal(size=(1000, 32)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    repeating = [250, 505, 506, 999]
    vectors[repeating] = vectors[[0, 100, 249, 17]]

    split = split_by_time(Lessons(lessons.tickets, lessons.texts, (vectors, vectors)), newer_share=0.75)

    assert split.repeated == 4
    assert not {str(place) for place in repeating} & {t.ticket_id for t in split.newer.tickets}


async def test_of_very_many_tickets_the_newest_are_learnt_from(tmp_path: Path) -> None:
    lessons = await prepare([ticket(n, f"t{n}") for n in range(MAX_TICKETS + 5)], None, tmp_path, quiet)

    assert len(lessons) == MAX_TICKETS
    assert lessons.tickets[0].ticket_id == "5"


async def test_known_questions_have_the_vectors_that_search_compares_with(tmp_path: Path) -> None:
    answered = ticket(0, "where is my invoice").answered_by("invoices")
    embedder = CountingEmbedder()
    lessons = await prepare([answered, ticket(1, "it is broken")], embedder, tmp_path, quiet)

    vectors = await embed_questions(lessons, {"invoices": "invoices"}, embedder, tmp_path, quiet)

    assert list(vectors) == ["where is my invoice"]
    assert np.allclose(vectors["where is my invoice"], await for_questions(embedder).embed(["where is my invoice"]))


def _letters(number: int) -> str:
    return "".join(chr(97 + int(digit)) for digit in str(number))


def quiet(stage: str, done: int, total: int) -> None:
    """No progress."""
