"""Tickets from JSON Lines as docs/tickets.md describes them. A bad line is refused by number, not fatal."""

import hashlib
import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import BadTurn, Misconfigured
from agent.types import Kind
from agent.untrusted import clean
from evals.tickets.ticket import MAX_TEXT_CHARS, Entry, Gold, Resolver, Satisfaction, Ticket

_MAX_LINE_BYTES = 64 * 1024 * 1024
_MAX_ENTRIES = 400
_LINK = re.compile(r"https?://[^\s?#]+")


class _Gold(BaseModel):
    model_config = ConfigDict(extra="ignore")

    kind: Kind | None = None
    category: str | None = Field(default=None, max_length=200)
    article_slug: str | None = Field(default=None, max_length=300)
    needs_person: bool | None = None
    needs_person_reason: str | None = Field(default=None, max_length=100)
    complexity: Literal["simple", "moderate", "complex"] | None = None
    sentiment: int | None = Field(default=None, ge=-2, le=2)


class _Entry(BaseModel):
    model_config = ConfigDict(extra="ignore")

    author: Literal["customer", "agent", "bot"]
    text: str
    at: str | None = None
    name: str | None = None


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    ticket_id: str = Field(min_length=1, max_length=300)
    created_at: datetime
    channel: str | None = Field(default=None, max_length=100)
    language: str | None = Field(default=None, max_length=20)
    account_id: str | None = Field(default=None, max_length=300)
    user_id: str | None = Field(default=None, max_length=300)
    subject: str | None = None
    page: str | None = Field(default=None, max_length=2000)
    messages: list[_Entry] = Field(min_length=1)
    status: str | None = Field(default=None, max_length=100)
    resolved_by: Resolver | None = None
    solved_at: datetime | None = None
    reopened: bool | None = None
    transfers: int | None = Field(default=None, ge=0)
    satisfaction: Satisfaction | None = None
    bug_id: str | None = None
    tags: list[str] = []
    gold: _Gold | None = None


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
    first = next((place for place, entry in enumerate(line.messages) if entry.author == "customer"), None)
    subject = clean(line.subject or "", limit=500).strip()
    begun = line.messages[first].text if first is not None else ""
    text = clean(f"{subject}\n{begun}" if subject else begun, limit=MAX_TEXT_CHARS).strip()
    if first is None or not any(char.isalnum() for char in text):
        raise ValueError("the customer wrote nothing")
    opening = replace(_entry(line.messages[first]), text=text)
    gold = line.gold or _Gold()
    return Ticket(
        ticket_id=line.ticket_id,
        created_at=_utc(line.created_at),
        entries=(opening, *(_entry(entry) for entry in line.messages[first + 1 :][:_MAX_ENTRIES])),
        channel=line.channel,
        language=line.language,
        page=line.page,
        account_id=line.account_id,
        customer_key=_key(line.user_id or line.account_id),
        status=line.status,
        resolved_by=line.resolved_by,
        solved_at=_utc(line.solved_at) if line.solved_at else None,
        reopened=line.reopened,
        transfers=line.transfers,
        satisfaction=line.satisfaction,
        bug_id=line.bug_id,
        tags=tuple(line.tags),
        gold=Gold(
            kind=gold.kind or (Kind.BUG if line.bug_id else None),
            category=gold.category,
            article=gold.article_slug,
            labelled_article="article_slug" in gold.model_fields_set,
            needs_person=gold.needs_person,
            needs_person_reason=gold.needs_person_reason,
            complexity=gold.complexity,
            sentiment=gold.sentiment,
        ),
    )


def _entry(entry: _Entry) -> Entry:
    text = clean(entry.text, limit=MAX_TEXT_CHARS)
    return Entry(entry.author, text, at=_time(entry.at), author_key=_key(entry.name), links=_links(entry.text))


def _time(value: str | None) -> datetime | None:
    """A message's time orders nothing, so one that can't be read is left out."""
    try:
        return _utc(datetime.fromisoformat(value)) if value else None
    except ValueError:
        return None


def _utc(at: datetime) -> datetime:
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def _key(name: str | None) -> str | None:
    return hashlib.sha256(name.encode(errors="replace")).hexdigest()[:16] if name else None


def _links(text: str) -> tuple[str, ...]:
    found = (_LINK.match(word.lstrip("(<[")) for word in text[:MAX_TEXT_CHARS].split() if "://" in word)
    return tuple(dict.fromkeys(link.group().rstrip("()<>[].,;:!?\"'") for link in found if link))


def _why(exc: Exception) -> str:
    if isinstance(exc, ValidationError):
        first = exc.errors(include_input=False, include_url=False)[0]
        return f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}"
    return " ".join(str(exc).split())[:200]
