"""Our values as JSON, in the shapes that docs/events.md promises."""

import dataclasses
from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import Enum
from functools import lru_cache
from typing import Any

from agent.types import (
    AccountFacts,
    Author,
    BugTicket,
    Citation,
    Evidence,
    Guidance,
    Handoff,
    Mode,
    PageContext,
    Passage,
    QuickReply,
    Understanding,
    Untrusted,
    Verdict,
)

JsonObject = dict[str, Any]

# Most of what is turned into JSON; the checks below take several times longer.
_PLAIN = frozenset({str, int, float, bool})


def to_json(value: object) -> Any:
    """Turn frozen values into JSON types: enums to their value, times to ISO 8601, untrusted text to plain text."""
    if value is None or type(value) in _PLAIN:
        return value
    if isinstance(value, Untrusted):
        return value.render_plain()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {name: to_json(getattr(value, name)) for name in _fields(type(value))}
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): to_json(item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [to_json(item) for item in value]
    return value


@lru_cache(maxsize=256)
def _fields(of: type[Any]) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(of))


def citation_value(citation: Citation) -> JsonObject:
    """A citation as clients see it."""
    return {
        "n": citation.n,
        "article_id": citation.article_id,
        "title": citation.title,
        "section": citation.section,
        "url": citation.url,
    }


def guidance_value(guidance: Guidance) -> JsonObject:
    """What to point at."""
    return {"title": guidance.title, "steps": [to_json(step) for step in guidance.steps]}


def ticket_value(ticket: BugTicket) -> JsonObject:
    """A bug ticket as the customer sees it."""
    return {
        "bug_id": ticket.bug_id,
        "title": ticket.title,
        "occurrences": ticket.occurrences,
        "is_new": ticket.is_new,
    }


def message_value(
    *,
    message_id: str,
    author: Author,
    text: str,
    at: str,
    author_name: str | None = None,
    citations: Sequence[Citation] = (),
    guidance: Guidance | None = None,
    quick_replies: Sequence[QuickReply] = (),
    outcome: str | None = None,
    ticket: BugTicket | None = None,
    route: str | None = None,
) -> JsonObject:
    """A whole message, the same for everyone who may read the conversation."""
    return {
        "message_id": message_id,
        "author": author.value,
        "author_name": author_name,
        "text": text,
        "at": at,
        "citations": [citation_value(citation) for citation in citations],
        "guidance": guidance_value(guidance) if guidance else None,
        "quick_replies": [to_json(reply) for reply in quick_replies],
        "outcome": outcome,
        "ticket": ticket_value(ticket) if ticket else None,
        "route": route,
    }


def mode_value(
    mode: Mode,
    *,
    queue: str | None = None,
    promised_by: datetime | None = None,
    in_business_hours: bool = True,
    ask_email: bool = False,
    person: str | None = None,
) -> JsonObject:
    """Who speaks now."""
    return {
        "mode": mode.value,
        "queue": queue,
        "promised_by": promised_by.isoformat() if promised_by else None,
        "in_business_hours": in_business_hours,
        "ask_email": ask_email,
        "person": person,
    }


def decision_value(
    verdict: Verdict, understanding: Understanding, page: PageContext, account: AccountFacts | None
) -> JsonObject:
    """Why the turn went where it went; for the team only."""
    return {
        "route": verdict.route.value,
        "handoff_reason": verdict.handoff_reason,
        "clarify_reason": verdict.clarify_reason,
        "reasons": [to_json(reason) for reason in verdict.reasons],
        "expected_cost": dict(verdict.expected_cost),
        "understanding": to_json(understanding),
        "page": {"route": page.route, "area": page.area, "errors": [e.render_plain() for e in page.errors]},
        "account": to_json(account) if account else None,
    }


def evidence_value(evidence: Evidence, passages: Sequence[Passage]) -> JsonObject:
    """What was found; for the team only."""
    return {
        "probability": evidence.probability,
        "features": dict(evidence.features),
        "passages": [
            {
                "passage_id": passage.passage_id,
                "article_id": passage.article_id,
                "title": passage.title,
                "section": passage.section,
                "url": passage.url,
                "score": passage.score,
                "text": passage.text.render_plain(),
            }
            for passage in passages
        ],
    }


def handoff_value(handoff: Handoff) -> JsonObject:
    """The whole story for the person who takes over."""
    value: JsonObject = to_json(handoff)
    return value
