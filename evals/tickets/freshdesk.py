"""Freshdesk: tickets with their conversations.

There is no machine-readable description of Freshdesk's; the fields are those of its developer pages (API v2, with
`include=conversations,requester,stats`).
"""

from collections.abc import Iterable, Mapping
from typing import Any

from evals.tickets.draft import (
    Author,
    Draft,
    Message,
    created,
    instant,
    moment,
    names,
    required_id,
    string,
    strings,
    table,
    tables,
    text_of,
)
from evals.tickets.ticket import Resolver, Satisfaction

_STATUS = {2: "open", 3: "pending", 4: "resolved", 5: "closed"}
_DONE = frozenset(("resolved", "closed"))
_CHANNEL = {1: "email", 2: "portal", 3: "phone", 7: "chat", 9: "widget", 10: "outbound email"}
_OUTBOUND = "outbound email"
# Ratings run from -103 (extremely unhappy) over 100 (neutral) to 103 (extremely happy).
_NEUTRAL = 100


def is_mine(record: Mapping[str, Any]) -> bool:
    """Whether the record looks like a ticket of Freshdesk's."""
    if "requester_id" not in record or "id" not in record:
        return False
    if isinstance(record.get("status"), int):
        return True
    return isinstance(record.get("conversations"), list) or "description_text" in record or "responder_id" in record


def draft(record: Mapping[str, Any]) -> Draft:
    """The record in our terms.

    Raises:
        ValueError: it has no id or no time.
    """
    requester = text_of(record.get("requester_id"))
    contact = table(record.get("requester"))
    channel = _named(_CHANNEL, record.get("source"))
    replies = [each for each in tables(record.get("conversations")) if each.get("private") is not True]
    messages = [
        Message(
            "agent" if channel == _OUTBOUND else "customer",
            string(record.get("description")) or string(record.get("description_text")),
            moment(record.get("created_at")),
            requester,
            markup=True,
        ),
        *(_message(each, requester) for each in sorted(replies, key=lambda each: string(each.get("created_at")))),
    ]
    status = _named(_STATUS, record.get("status"))
    stats = table(record.get("stats"))
    return Draft(
        ticket_id=required_id(record.get("id")),
        created_at=created(record.get("created_at")),
        updated_at=instant(record.get("updated_at")),
        messages=tuple(each for each in messages if each.text.strip()),
        subject=string(record.get("subject")) or None,
        channel=channel,
        account_id=text_of(record.get("company_id")),
        customer=requester,
        people=names(contact.get("name"), table(record.get("responder")).get("name")),
        status=status,
        resolved_by=_resolver(status, messages),
        solved_at=_solved(stats) if status in _DONE else None,
        reopened=stats.get("reopened_at") is not None if "reopened_at" in stats else None,
        satisfaction=_satisfaction(record.get("satisfaction_rating")),
        tags=strings(record.get("tags")),
        threaded=isinstance(record.get("conversations"), list),
    )


def _named(known: Mapping[int, str], code: object) -> str | None:
    """What a number means; a number of the team's own, and a name, stay as they are."""
    return known.get(code) if isinstance(code, int) and code in known else text_of(code)


def _message(reply: Mapping[str, Any], requester: str | None) -> Message:
    person = text_of(reply.get("user_id"))
    return Message(
        _author(reply, person, requester),
        string(reply.get("body")) or string(reply.get("body_text")),
        moment(reply.get("created_at")),
        person,
        markup=True,
    )


def _author(reply: Mapping[str, Any], person: str | None, requester: str | None) -> Author:
    if reply.get("auto_response") is True or reply.get("automation_id"):
        return "bot"
    return "customer" if reply.get("incoming") is True or (person is not None and person == requester) else "agent"


def _solved(stats: Mapping[str, Any]) -> Any:
    return moment(stats.get("resolved_at")) or moment(stats.get("closed_at"))


def _resolver(status: str | None, messages: Iterable[Message]) -> Resolver | None:
    if status in _DONE:
        return "agent" if any(each.author == "agent" for each in messages) else None
    return "nobody" if status else None


def _satisfaction(rating: object) -> Satisfaction | None:
    """Of the survey's ratings object, its default question."""
    value = table(table(rating).get("ratings")).get("default_question", rating)
    if not isinstance(value, int) or isinstance(value, bool) or value == _NEUTRAL:
        return None
    return "good" if value > _NEUTRAL else "bad" if value < 0 else None
