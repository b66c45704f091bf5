"""Historical tickets, from JSON Lines as docs/tickets.md describes them. A bad line is refused by number, not fatal."""

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import BadTurn, Misconfigured
from agent.types import Kind
from agent.untrusted import clean

MAX_TEXT_CHARS = 20_000
_MAX_LINE_BYTES = 64 * 1024 * 1024
_MAX_REPLIES = 200
_VARIABLE = re.compile(r"https?://\S+|\S+@\S+|[\W\d_]+")


class _Gold(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: Kind | None = None
    category: str | None = Field(default=None, max_length=200)
    article_slug: str | None = Field(default=None, max_length=300)
    needs_person: bool | None = None


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    author: Literal["customer", "agent"]
    text: str


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    ticket_id: str = Field(min_length=1, max_length=300)
    created_at: datetime
    subject: str | None = None
    page: str | None = Field(default=None, max_length=2000)
    messages: list[_Entry] = Field(min_length=1)
    bug_id: str | None = None
    gold: _Gold | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """A ticket as learning and replay see it.

    `text` is what the customer wrote first, below the subject if there is one; `replies` is what agents wrote. The
    labels are None where nobody gave them; `labelled_article` tells "no article answers this" (then `article` is None)
    from "nobody said".
    """

    ticket_id: str
    created_at: datetime
    text: str
    page: str | None = None
    replies: tuple[str, ...] = ()
    kind: Kind | None = None
    category: str | None = None
    article: str | None = None
    labelled_article: bool = False
    needs_person: bool | None = None

    @property
    def likeness(self) -> str:
        """The same for tickets of the same words, whatever their order, numbers, addresses and links."""
        words = sorted(set(_VARIABLE.sub(" ", self.text.lower()).split()))
        return hashlib.sha256(" ".join(words).encode(errors="replace")).hexdigest()[:24]


@dataclass(frozen=True, slots=True)
class TicketFile:
    """What a file held: tickets, oldest first, and the lines that were refused, with reasons."""

    tickets: tuple[Ticket, ...]
    refused: tuple[tuple[int, str], ...]


def read_tickets(path: Path) -> TicketFile:
    """Read a file.

    Texts are cut at 20,000 characters; of tickets with the same id the last wins.

    Raises:
        Misconfigured: the file can't be read.
        BadTurn: no line of it is a ticket.
    """
    by_id: dict[str, Ticket] = {}
    refused: list[tuple[int, str]] = []
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(iter(lambda: file.readline(_MAX_LINE_BYTES), b""), 1):
                if not raw.strip():
                    continue
                try:
                    ticket = _ticket(orjson.loads(raw))
                except (orjson.JSONDecodeError, ValidationError, ValueError) as exc:
                    refused.append((number, _why(exc)))
                    continue
                by_id[ticket.ticket_id] = ticket
    except OSError as exc:
        raise Misconfigured(f"{path}: can't be read ({exc.strerror})") from exc
    if not by_id:
        first = f"; line {refused[0][0]}: {refused[0][1]}" if refused else ""
        raise BadTurn(f"{path} holds no ticket{first}. docs/tickets.md describes the format")
    tickets = sorted(by_id.values(), key=lambda ticket: (ticket.created_at, ticket.ticket_id))
    return TicketFile(tuple(tickets), tuple(refused))


def _ticket(data: Any) -> Ticket:
    line = _Line.model_validate(data)
    first = next((entry.text for entry in line.messages if entry.author == "customer"), "")
    subject = clean(line.subject or "", limit=500).strip()
    text = clean(f"{subject}\n{first}" if subject else first, limit=MAX_TEXT_CHARS).strip()
    if not any(char.isalnum() for char in text):
        raise ValueError("the customer wrote nothing")
    gold = line.gold or _Gold()
    created = line.created_at if line.created_at.tzinfo else line.created_at.replace(tzinfo=UTC)
    replies = [entry.text for entry in line.messages if entry.author == "agent"][:_MAX_REPLIES]
    return Ticket(
        ticket_id=line.ticket_id,
        created_at=created.astimezone(UTC),
        text=text,
        page=line.page,
        replies=tuple(clean(reply, limit=MAX_TEXT_CHARS) for reply in replies),
        kind=gold.kind or (Kind.BUG if line.bug_id else None),
        category=gold.category,
        article=gold.article_slug,
        labelled_article="article_slug" in gold.model_fields_set,
        needs_person=gold.needs_person,
    )


def _why(exc: Exception) -> str:
    if isinstance(exc, ValidationError):
        first = exc.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return " ".join(str(exc).split())[:200]
