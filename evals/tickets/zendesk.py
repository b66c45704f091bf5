"""Zendesk Support: tickets of the incremental export, each with its comments.

Source: Zendesk's own API description (TicketObject, TicketCommentObject, TicketMetricObject, UserObject), with the side
loads `users` and `metric_sets`.
"""

import re
from collections.abc import Callable, Iterable, Mapping
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
    strings,
    table,
    tables,
    text_of,
)
from evals.tickets.ticket import Resolver, Satisfaction

# What an export has beside its tickets, found by the ticket's or the user's id.
SIDES = ("users", "metric_sets", "comments")
_DONE = frozenset(("solved", "closed"))
# Comments that no person wrote come through these, or from the user -1.
_BOT_CHANNELS = frozenset(("answer_bot", "answer_bot_for_web_widget", "rule", "system"))
_SYSTEM_USER = "-1"
# The classic web widget writes the page below the first message.
_SUBMITTED_FROM = re.compile(r"\n-{8,}\s*\nSubmitted from: (\S+)\s*$")

Lookup = Callable[[str, str], Iterable[Mapping[str, Any]]]


def is_mine(record: Mapping[str, Any]) -> bool:
    """Whether the record looks like a ticket of Zendesk's."""
    if "requester_id" not in record or "id" not in record:
        return False
    return isinstance(record.get("status"), str) and any(
        key in record
        for key in ("via", "submitter_id", "assignee_id", "comments", "custom_status_id", "generated_timestamp")
    )


def joined(ticket: Mapping[str, Any], beside: Lookup) -> dict[str, Any]:
    """The ticket with what stands beside it in the export: its comments, its people and its metrics."""
    whole = dict(ticket)
    ticket_id = text_of(ticket.get("id")) or ""
    if not isinstance(whole.get("comments"), list | dict):
        threads = [each.get("comments", each) for each in beside("comments", ticket_id)]
        flat = [comment for thread in threads for comment in (thread if isinstance(thread, list) else [thread])]
        if flat:
            whole["comments"] = flat
    if "metric_set" not in whole:
        whole["metric_set"] = next(iter(beside("metric_sets", ticket_id)), None)
    if "users" not in whole:
        ids = {text_of(ticket.get(key)) for key in ("requester_id", "submitter_id", "assignee_id")}
        ids |= {text_of(comment.get("author_id")) for comment in _comments(whole)}
        whole["users"] = [user for user_id in sorted(filter(None, ids)) for user in beside("users", user_id)]
    return whole


def side_key(side: str, record: Mapping[str, Any]) -> str | None:
    """The id by which a record beside the tickets is looked up."""
    return text_of(record.get("id" if side == "users" else "ticket_id"))


def draft(record: Mapping[str, Any]) -> Draft:
    """The record in our terms.

    Raises:
        ValueError: it has no id or no time.
    """
    people = {text_of(user.get("id")): user for user in tables(record.get("users"))}
    requester = text_of(record.get("requester_id"))
    comments = list(_comments(record))
    messages = [_message(each, requester, people) for each in comments if each.get("public") is not False]
    if not comments and record.get("is_public") is not False and (begun := string(record.get("description"))):
        author: Author = "customer" if _from_requester(record) else "agent"
        messages = [Message(author, begun, moment(record.get("created_at")), requester, markup=True)]
    submitted = _SUBMITTED_FROM.search(string(record.get("description"))[-3000:])
    status = string(record.get("status")) or None
    metrics = table(record.get("metric_set"))
    return Draft(
        ticket_id=required_id(record.get("id")),
        created_at=created(record.get("created_at")),
        updated_at=instant(record.get("updated_at")),
        messages=tuple(messages),
        subject=string(record.get("subject")) or string(record.get("raw_subject")) or None,
        channel=string(table(record.get("via")).get("channel")) or None,
        language=_language(people.get(requester)),
        page=submitted.group(1) if submitted else None,
        account_id=text_of(record.get("organization_id")),
        customer=requester,
        people=names(
            *(user.get("name") for user in people.values()),
            *(table(comment.get("author")).get("name") for comment in comments),
            table(record.get("requester")).get("name"),
        ),
        status=status,
        resolved_by=_resolver(status, messages),
        solved_at=moment(metrics.get("solved_at")) if status in _DONE else None,
        reopened=None if (reopens := count(metrics.get("reopens"))) is None else reopens > 0,
        transfers=None if (stations := count(metrics.get("assignee_stations"))) is None else max(0, stations - 1),
        satisfaction=_satisfaction(record.get("satisfaction_rating")),
        bug_id=text_of(record.get("problem_id")),
        tags=_tags(record.get("tags")),
        threaded=bool(comments),
    )


def _comments(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    """The comments, as a list or as the answer of the endpoint that lists them."""
    found = record.get("comments")
    return tables(found.get("comments") if isinstance(found, dict) else found)


def _message(
    comment: Mapping[str, Any], requester: str | None, people: Mapping[str | None, Mapping[str, Any]]
) -> Message:
    author = table(comment.get("author"))
    person = text_of(comment.get("author_id")) or text_of(author.get("id"))
    role = string(people.get(person, author).get("role")) or string(author.get("role"))
    rich = string(comment.get("html_body"))
    return Message(
        _author(comment, person, requester, role),
        # Only the HTML has the addresses behind links; what is bare text is written with its own line ends.
        rich or string(comment.get("body")) or string(comment.get("plain_body")),
        moment(comment.get("created_at")),
        person,
        markup=bool(rich),
    )


def _author(comment: Mapping[str, Any], person: str | None, requester: str | None, role: str) -> Author:
    if string(table(comment.get("via")).get("channel")) in _BOT_CHANNELS or person == _SYSTEM_USER or role == "bot":
        return "bot"
    if role:
        return "customer" if role == "end-user" else "agent"
    return "customer" if person is not None and person == requester else "agent"


def _from_requester(record: Mapping[str, Any]) -> bool:
    """Whether the description is the requester's: the submitter is its author."""
    submitter = text_of(record.get("submitter_id"))
    return submitter is None or submitter == text_of(record.get("requester_id"))


def _resolver(status: str | None, messages: Iterable[Message]) -> Resolver | None:
    if status in _DONE:
        return "agent" if any(each.author == "agent" for each in messages) else None
    return "nobody" if status else None


def _satisfaction(rating: object) -> Satisfaction | None:
    score = string(table(rating).get("score"))
    return "good" if score.startswith("good") else "bad" if score.startswith("bad") else None


def _language(user: Mapping[str, Any] | None) -> str | None:
    return string((user or {}).get("locale")).split("-")[0].lower()[:20] or None


def _tags(value: object) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else strings(value)
