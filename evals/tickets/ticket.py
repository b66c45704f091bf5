"""A historical ticket, the same whatever helpdesk it came from."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Literal

from agent.types import Kind

MAX_TEXT_CHARS = 20_000
_VARIABLE = re.compile(r"https?://\S+|\S+@\S+|[\W\d_]+")

Resolver = Literal["agent", "customer", "nobody"]
Satisfaction = Literal["good", "bad"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One message of a ticket, cleaned and scrubbed. Notes among agents are no entries.

    `author_key` tells people of one author apart without naming them; `links` are the addresses in the text, as they
    stood before it was scrubbed, without query and fragment.
    """

    author: Literal["customer", "agent", "bot"]
    text: str
    at: datetime | None = None
    author_key: str | None = None
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Gold:
    """Labels that came with the ticket. None where nobody gave one.

    `labelled_article` tells "no article answers this" (then `article` is None) from "nobody said".
    """

    kind: Kind | None = None
    category: str | None = None
    article: str | None = None
    labelled_article: bool = False
    needs_person: bool | None = None
    needs_person_reason: str | None = None
    complexity: Literal["simple", "moderate", "complex"] | None = None
    sentiment: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket: who wrote what when, and how it went then.

    `entries` are oldest first; the first is the customer's, with the subject above it when the source has one.
    `customer_key` is the same for tickets of one customer and names nobody. `solved_at`, `reopened`, `transfers` and
    `satisfaction` are None where the source doesn't tell. Times are aware UTC.
    """

    ticket_id: str
    created_at: datetime
    entries: tuple[Entry, ...]
    channel: str | None = None
    language: str | None = None
    page: str | None = None
    account_id: str | None = None
    customer_key: str | None = None
    status: str | None = None
    resolved_by: Resolver | None = None
    solved_at: datetime | None = None
    reopened: bool | None = None
    transfers: int | None = None
    satisfaction: Satisfaction | None = None
    bug_id: str | None = None
    tags: tuple[str, ...] = ()
    gold: Gold = Gold()

    @property
    def text(self) -> str:
        """What the customer wrote first, below the subject if there is one."""
        return self.entries[0].text

    @property
    def replies(self) -> tuple[str, ...]:
        """What agents wrote, in order."""
        return tuple(entry.text for entry in self.entries if entry.author == "agent")

    @property
    def likeness(self) -> str:
        """The same for tickets of the same words, whatever their order, numbers, addresses and links."""
        words = sorted(set(_VARIABLE.sub(" ", self.text.lower()).split()))
        return hashlib.sha256(" ".join(words).encode(errors="replace")).hexdigest()[:24]

    def answered_by(self, article_id: str) -> "Ticket":
        """The ticket with this article as the one that answers it."""
        return replace(self, gold=replace(self.gold, article=article_id))
