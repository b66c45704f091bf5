"""What the customer says in which turn, and when the recorded conversation loses its meaning."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from evals.replay.case import Turn
from evals.replay.script import AGREES, exchanges, why_it_ends
from evals.tickets.ticket import Entry, Ticket

BEGUN = datetime(2026, 3, 1, 9, tzinfo=UTC)


def ticket(*entries: tuple[str, str, int | None], **more: Any) -> Ticket:
    """A ticket of (author, text, minutes after the beginning or None)."""
    said = tuple(
        Entry(author, text, None if minute is None else BEGUN + timedelta(minutes=minute))  # type: ignore[arg-type]
        for author, text, minute in entries
    )
    return Ticket("T-1", BEGUN, said, **more)


def turn(outcome: str, **more: Any) -> Turn:
    return Turn(
        turn=1,
        texts=("how do I export",),
        outcome=outcome,
        route=None,
        reply="Go to **Export**.",
        path=(),
        category="how_to",
        kind="how_to",
        language="en",
        evidence=0.5,
        decision={},
        **more,
    )


def test_each_go_of_the_customer_is_a_turn_with_what_the_human_said_then() -> None:
    parts = exchanges(
        ticket(
            ("customer", "how do I export", 0),
            ("agent", "Which format?", 20),
            ("customer", "CSV", 30),
            ("agent", "Go to Reports.", 40),
            ("agent", "And press CSV.", 41),
            ("customer", "thanks", 50),
        )
    )

    assert [[entry.text for entry in part.said] for part in parts] == [["how do I export"], ["CSV"], ["thanks"]]
    assert [part.answer for part in parts] == ["Which format?", "Go to Reports.\nAnd press CSV.", None]
    assert [part.at for part in parts] == [BEGUN + timedelta(minutes=m) for m in (0, 30, 50)]


def test_what_is_sent_in_a_row_is_one_turn_and_what_comes_later_another() -> None:
    parts = exchanges(
        ticket(
            ("customer", "hi", 0), ("customer", "I can't log in", 1), ("customer", "hello?", 45), ("agent", "Yes?", 60)
        )
    )

    assert [[entry.text for entry in part.said] for part in parts] == [["hi", "I can't log in"], ["hello?"]]
    assert [part.answer for part in parts] == [None, "Yes?"]


def test_a_bots_words_are_no_humans_answer_and_missing_times_are_minutes() -> None:
    parts = exchanges(
        ticket(("customer", "help", None), ("bot", "Have you tried ...?", None), ("customer", "yes", None))
    )

    assert [part.answer for part in parts] == [None]
    assert [entry.text for entry in parts[0].said] == ["help", "yes"]


@pytest.mark.parametrize(
    ("said", "answer", "fits"),
    [
        (turn("answered", same_article=True, agreement=0.1), "Go there.", True),
        (turn("answered", agreement=AGREES), "Go there.", True),
        (turn("answered", agreement=AGREES - 0.01), "Go there.", False),
        (turn("answered", same_article=False), "Go there.", False),
        (turn("asked", agreement=AGREES), "Which format?", True),
        (turn("asked", agreement=AGREES), "Go there.", False),
        (turn("asked", agreement=0.2), "Which browser?", False),
        (turn("bug_filed"), "I can see it too.", False),
        (turn("answered", same_article=True, agreement=1.0), None, False),
    ],
)
def test_the_next_message_fits_only_what_came_to_the_same(said: Turn, answer: str | None, fits: bool) -> None:
    agent = [("agent", answer, 10)] if answer is not None else []
    recorded = ticket(("customer", "how do I export", 0), *agent, ("customer", "thanks", 60))

    assert (why_it_ends(said, exchanges(recorded)[0], recorded) is None) == fits


def test_a_bug_fits_where_the_human_linked_one() -> None:
    recorded = ticket(("customer", "it crashes", 0), ("agent", "Known.", 10), ("customer", "ok", 20), bug_id="B-7")

    assert why_it_ends(turn("bug_counted"), exchanges(recorded)[0], recorded) is None
