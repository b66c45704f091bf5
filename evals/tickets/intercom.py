"""Intercom: conversations with their parts.

Source: Intercom's own API description, version 2.16 (conversation, conversation_part, conversation_source).
"""

from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import Any

from evals.tickets.draft import (
    Author,
    Draft,
    Message,
    count,
    created,
    instant,
    moment,
    names,
    required_id,
    string,
    table,
    tables,
    text_of,
)
from evals.tickets.ticket import Resolver, Satisfaction

# What a customer sees of the parts: the others are notes among agents, or say what happened.
_SEEN = frozenset(("comment", "quick_reply", "open", "close", "snoozed", "assign_and_reopen"))
_CUSTOMERS = frozenset(("user", "lead", "contact"))
# Sent in an admin's name by nobody.
_SENT_BY_ITSELF = frozenset(("automated", "campaign_initiated", "operator_initiated"))
_GOOD, _BAD = 4, 2


def is_mine(record: Mapping[str, Any]) -> bool:
    """Whether the record looks like a conversation of Intercom's."""
    if record.get("type") == "conversation" or isinstance(record.get("conversation_parts"), dict):
        return True
    return isinstance(record.get("source"), dict) and isinstance(record.get("contacts"), dict)


def draft(record: Mapping[str, Any]) -> Draft:
    """The record in our terms.

    Raises:
        ValueError: it has no id or no time.
    """
    source = table(record.get("source"))
    parts = list(_parts(record))
    messages = [_message(source, moment(record.get("created_at")), by_itself=_by_itself(source))]
    messages += [
        _message(part, moment(part.get("created_at")))
        for part in parts
        if string(part.get("part_type")) in _SEEN and string(part.get("body")).strip()
    ]
    authors = [table(each.get("author")) for each in (source, *parts)]
    customer = next((author for author in authors if string(author.get("type")) in _CUSTOMERS), {})
    contact = next(tables(table(record.get("contacts")).get("contacts")), {})
    state = string(record.get("state")) or ("open" if record.get("open") else None)
    statistics = table(record.get("statistics"))
    reopens = count(statistics.get("count_reopens"))
    company = table(record.get("company"))
    return Draft(
        ticket_id=required_id(record.get("id")),
        created_at=created(record.get("created_at")),
        updated_at=instant(record.get("updated_at")),
        messages=tuple(each for each in messages if each.text.strip()),
        subject=string(source.get("subject")) or None,
        channel=string(source.get("type")) or None,
        page=string(source.get("url")) or None,
        account_id=text_of(company.get("company_id")) or text_of(company.get("id")),
        customer=text_of(contact.get("id")) or text_of(customer.get("id")),
        people=names(*(author.get("name") for author in authors if author.get("type") != "bot")),
        status=state,
        resolved_by=_resolver(state, messages),
        solved_at=moment(statistics.get("last_close_at")) if state == "closed" else None,
        reopened=None if reopens is None else reopens > 0,
        transfers=_transfers(parts) if parts else None,
        satisfaction=_satisfaction(record),
        bug_id=next(
            (
                text_of(each.get("id"))
                for each in tables(table(record.get("linked_objects")).get("data"))
                if each.get("category") == "Tracker"
            ),
            None,
        ),
        tags=tuple(string(tag.get("name")) for tag in tables(table(record.get("tags")).get("tags"))),
        threaded="conversation_parts" in record,
    )


def _parts(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The parts, as the API wraps them or as a bare list."""
    found = record.get("conversation_parts")
    return tables(found.get("conversation_parts") if isinstance(found, dict) else found)


def _by_itself(source: Mapping[str, Any]) -> bool:
    return string(source.get("delivered_as")) in _SENT_BY_ITSELF


def _message(record: Mapping[str, Any], at: Any, *, by_itself: bool = False) -> Message:
    author = table(record.get("author"))
    return Message(
        _author(author, by_itself=by_itself), string(record.get("body")), at, text_of(author.get("id")), markup=True
    )


def _author(author: Mapping[str, Any], *, by_itself: bool) -> Author:
    if string(author.get("type")) in _CUSTOMERS:
        return "customer"
    if by_itself or author.get("type") == "bot" or author.get("from_ai_agent") or author.get("is_ai_answer"):
        return "bot"
    return "agent"


def _transfers(parts: Iterable[Mapping[str, Any]]) -> int:
    """How often it went from one admin to another."""
    admins = [text_of(to.get("id")) for part in parts if (to := table(part.get("assigned_to"))).get("type") == "admin"]
    return sum(before != after for before, after in pairwise(admins))


def _resolver(state: str | None, messages: Iterable[Message]) -> Resolver | None:
    if state == "closed":
        return "agent" if any(each.author == "agent" for each in messages) else None
    return "nobody" if state else None


def _satisfaction(record: Mapping[str, Any]) -> Satisfaction | None:
    rating = count(table(record.get("conversation_rating")).get("rating"))
    if rating is None:
        return None
    return "good" if rating >= _GOOD else "bad" if rating <= _BAD else None
