"""Our own format, JSON Lines as docs/tickets.md describes them: one record to a draft, and a ticket to a line."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.types import Kind
from evals.tickets.draft import Draft, Message, moment, utc
from evals.tickets.markup import is_html
from evals.tickets.ticket import Gold, Resolver, Satisfaction, Ticket


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
    links: tuple[str, ...] = ()


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    ticket_id: str = Field(min_length=1, max_length=300)
    created_at: datetime
    updated_at: datetime | None = None
    channel: str | None = Field(default=None, max_length=100)
    language: str | None = Field(default=None, max_length=20)
    account_id: str | None = Field(default=None, max_length=300)
    user_id: str | None = Field(default=None, max_length=300)
    subject: str | None = None
    page: str | None = Field(default=None, max_length=2000)
    messages: list[_Entry] = Field(min_length=1)
    html: bool | None = None
    status: str | None = Field(default=None, max_length=100)
    resolved_by: Resolver | None = None
    solved_at: datetime | None = None
    reopened: bool | None = None
    transfers: int | None = Field(default=None, ge=0)
    satisfaction: Satisfaction | None = None
    bug_id: str | None = None
    tags: list[str] = []
    gold: _Gold | None = None


def draft(record: Mapping[str, Any]) -> Draft:
    """The record in our terms.

    Raises:
        ValueError: a field is missing or isn't what it should be; the message names it and quotes nothing.
    """
    try:
        line = _Line.model_validate(record)
    except ValidationError as exc:
        first = exc.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from exc
    gold = line.gold or _Gold()
    return Draft(
        ticket_id=line.ticket_id,
        created_at=utc(line.created_at),
        updated_at=utc(line.updated_at) if line.updated_at else None,
        messages=tuple(
            Message(
                each.author,
                each.text,
                moment(each.at),
                each.name,
                markup=is_html(each.text) if line.html is None else line.html,
                links=each.links,
            )
            for each in line.messages
        ),
        subject=line.subject,
        channel=line.channel,
        language=line.language,
        page=line.page,
        account_id=line.account_id,
        customer=line.user_id or line.account_id,
        people=tuple(dict.fromkeys(each.name for each in line.messages if each.name)),
        status=line.status,
        resolved_by=line.resolved_by,
        solved_at=utc(line.solved_at) if line.solved_at else None,
        reopened=line.reopened,
        transfers=line.transfers,
        satisfaction=line.satisfaction,
        bug_id=line.bug_id,
        tags=tuple(line.tags),
        gold=Gold(
            kind=gold.kind,
            category=gold.category,
            article=gold.article_slug,
            labelled_article="article_slug" in gold.model_fields_set,
            needs_person=gold.needs_person,
            needs_person_reason=gold.needs_person_reason,
            complexity=gold.complexity,
            sentiment=gold.sentiment,
        ),
    )


def line_of(ticket: Ticket) -> bytes:
    """The ticket as one line of our own format, line end included; reading it gives the same ticket."""
    gold: dict[str, Any] = {
        name: value
        for name, value in (
            ("kind", ticket.gold.kind),
            ("category", ticket.gold.category),
            ("needs_person", ticket.gold.needs_person),
            ("needs_person_reason", ticket.gold.needs_person_reason),
            ("complexity", ticket.gold.complexity),
            ("sentiment", ticket.gold.sentiment),
        )
        if value is not None
    }
    if ticket.gold.labelled_article or ticket.gold.article is not None:
        gold["article_slug"] = ticket.gold.article
    fields = {
        "ticket_id": ticket.ticket_id,
        "created_at": ticket.created_at,
        "channel": ticket.channel,
        "account_id": ticket.account_id,
        "user_id": ticket.customer_key,
        "language": ticket.language,
        "page": ticket.page,
        "messages": [
            {"author": entry.author, "at": entry.at, "name": entry.author_key, "text": entry.text}
            | ({"links": entry.links} if entry.links else {})
            for entry in ticket.entries
        ],
        # What looks like a tag now is what somebody wrote about.
        "html": False,
        "status": ticket.status,
        "resolved_by": ticket.resolved_by,
        "solved_at": ticket.solved_at,
        "reopened": ticket.reopened,
        "transfers": ticket.transfers,
        "satisfaction": ticket.satisfaction,
        "bug_id": ticket.bug_id,
        "tags": ticket.tags,
    }
    if gold:
        fields["gold"] = gold
    return orjson.dumps(fields, option=orjson.OPT_APPEND_NEWLINE)
