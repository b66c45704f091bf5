"""Tickets and articles made for a test."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from agent.policy import CategoryPolicy, Policy, Queue
from evals.tickets.ticket import Entry, Ticket

START = datetime(2026, 1, 5, 9, tzinfo=UTC)

POLICY = Policy(
    categories=(
        CategoryPolicy("how_to_time", "Time tracking", queue="general"),
        CategoryPolicy("bug", "Something is broken"),
        CategoryPolicy("legal", "Legal", needs_person=True, queue="trust"),
    ),
    queues=(Queue("general", "General"), Queue("technical", "Technical", ("bug",)), Queue("trust", "Trust")),
)


@dataclass(frozen=True)
class Page:
    """An article of the knowledge base."""

    article_id: str
    title: str
    url: str | None


ARTICLES = (
    Page("time/edit-entries", "Edit time entries", "https://help.example/edit-entries"),
    Page("time/timer", "Start and stop the timer", "https://help.example/timer"),
)


def said(author: Any, text: str, **more: Any) -> Entry:
    """A message whose links are those in its text."""
    links = tuple(word for word in text.split() if word.startswith("https://"))
    return Entry(author, text, links=links, **more)


def ticket(*talk: str, number: int = 0, days: float = 0.0, **more: Any) -> Ticket:
    """A ticket of messages, the customer's and an agent's in turn; solved by an agent unless told otherwise."""
    entries = tuple(said("customer" if place % 2 == 0 else "agent", text) for place, text in enumerate(talk))
    outcome: dict[str, Any] = {"resolved_by": "agent", "status": "solved", "reopened": False, "transfers": 0}
    return Ticket(f"T-{number}", START + timedelta(days=days), entries, **{**outcome, **more})
