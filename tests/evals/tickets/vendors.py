"""Small records as helpdesks export them, written by hand."""

import json
from pathlib import Path
from typing import Any

REQUESTER, AGENT, OTHER_AGENT = 501, 901, 902


def zendesk(number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "url": f"https://acme.zendesk.com/api/v2/tickets/{number}.json",
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-03T10:00:00Z",
        "generated_timestamp": 1772532000,
        "subject": "Where are my exports?",
        "raw_subject": "Where are my exports?",
        "description": "The export of March is empty.",
        "status": "solved",
        "priority": "normal",
        "type": "incident",
        "requester_id": REQUESTER,
        "submitter_id": REQUESTER,
        "assignee_id": AGENT,
        "organization_id": 77,
        "problem_id": 12,
        "tags": ["export", "csv"],
        "via": {"channel": "email", "source": {}},
        "satisfaction_rating": {"score": "good", "comment": "quick"},
        "comments": [
            zendesk_comment("The export of March is empty.", REQUESTER, minute=0),
            zendesk_comment("We have seen your message.", -1, minute=1),
            zendesk_comment("Looks like the range bug. @Jonas?", AGENT, minute=2, public=False),
            zendesk_comment(
                "Export each month alone.",
                AGENT,
                minute=3,
                html_body='<p>Export each month alone:<br><a href="https://help.acme.example/exports?u=1#a">how</a></p>',
            ),
            zendesk_comment("That works, thanks", REQUESTER, minute=9),
        ],
        "metric_set": {"solved_at": "2026-03-02T11:00:00Z", "reopens": 1, "assignee_stations": 3, "group_stations": 1},
        "users": [
            {"id": REQUESTER, "name": "Grete Sommer", "role": "end-user", "locale": "de-AT", "email": "g@example.com"},
            {"id": AGENT, "name": "Priya Nair", "role": "agent"},
        ],
    } | more


def zendesk_comment(body: str, author: int, *, minute: int, public: bool = True, **more: Any) -> dict[str, Any]:
    return {
        "id": 9000 + minute,
        "type": "Comment",
        "author_id": author,
        "body": body,
        "html_body": f"<div class='zd-comment'><p>{body}</p></div>",
        "plain_body": body,
        "public": public,
        "created_at": f"2026-03-02T09:{minute:02}:00Z",
        "via": {"channel": "email"},
    } | more


def intercom(number: str = "7001", **more: Any) -> dict[str, Any]:
    return {
        "type": "conversation",
        "id": number,
        "created_at": 1772442000,
        "updated_at": 1772449200,
        "state": "closed",
        "open": False,
        "source": {
            "type": "conversation",
            "id": "1",
            "delivered_as": "customer_initiated",
            "subject": "",
            "body": "<p>I can't log in</p>",
            "author": {"type": "user", "id": "u-1", "name": "Grete Sommer", "email": "g@example.com"},
            "url": "https://app.acme.example/login?next=%2F",
        },
        "contacts": {"type": "contact.list", "contacts": [{"type": "contact", "id": "u-1", "external_id": "70"}]},
        "company": {"type": "company", "id": "c-1", "company_id": "acme"},
        "tags": {"type": "tag.list", "tags": [{"type": "tag", "id": "1", "name": "login"}]},
        "conversation_rating": {"rating": 5, "remark": "nice"},
        "statistics": {"count_reopens": 0, "count_assignments": 2, "last_close_at": 1772449000},
        "linked_objects": {"type": "list", "data": [{"type": "ticket", "id": "88", "category": "Tracker"}]},
        "conversation_parts": {
            "type": "conversation_part.list",
            "conversation_parts": [
                intercom_part("comment", "<p>Have you tried a reset?</p>", "bot", "b-1", name="Fin", minute=1),
                intercom_part("comment", "<p>yes, no mail comes</p>", "user", "u-1", name="Grete Sommer", minute=2),
                intercom_part("note", "<p>on the blocklist?</p>", "admin", "a-1", name="Priya Nair", minute=3),
                intercom_part("assignment", None, "admin", "a-1", minute=4, assigned_to={"type": "admin", "id": "a-1"}),
                intercom_part("assignment", None, "admin", "a-1", minute=5, assigned_to={"type": "admin", "id": "a-2"}),
                intercom_part("close", "<p>Grete, it was blocked; try now.</p>", "admin", "a-2", name="Jo", minute=6),
            ],
            "total_count": 6,
        },
    } | more


def intercom_part(kind: str, body: str | None, author: str, who: str, *, minute: int, **more: Any) -> dict[str, Any]:
    name = more.pop("name", None)
    return {
        "type": "conversation_part",
        "id": str(minute),
        "part_type": kind,
        "body": body,
        "created_at": 1772442000 + 60 * minute,
        "author": {"type": author, "id": who, "name": name},
    } | more


def freshdesk(number: int = 42, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "created_at": "2026-03-02T09:00:00Z",
        "updated_at": "2026-03-02T12:00:00Z",
        "subject": "Invoice",
        "description": "<div>I need the invoice of <b>February</b>.</div>",
        "description_text": "I need the invoice of February.",
        "status": 5,
        "priority": 1,
        "source": 9,
        "requester_id": REQUESTER,
        "responder_id": AGENT,
        "company_id": 31,
        "tags": ["billing"],
        "requester": {"id": REQUESTER, "name": "Grete Sommer", "email": "g@example.com"},
        "stats": {"resolved_at": "2026-03-02T11:00:00Z", "closed_at": "2026-03-02T12:00:00Z", "reopened_at": None},
        "conversations": [
            freshdesk_reply("<p>Under <i>Billing</i>, Grete.</p>", AGENT, minute=20),
            freshdesk_reply("<p>she is on the old plan</p>", AGENT, minute=10, private=True),
            freshdesk_reply(
                "<p>found it</p><div class='freshdesk_quote'>On Monday Priya wrote: Under Billing</div>",
                REQUESTER,
                minute=30,
                incoming=True,
            ),
        ],
    } | more


def freshdesk_reply(body: str, who: int, *, minute: int, **more: Any) -> dict[str, Any]:
    return {
        "id": 600 + minute,
        "body": body,
        "body_text": body,
        "incoming": False,
        "private": False,
        "user_id": who,
        "created_at": f"2026-03-02T09:{minute:02}:00Z",
    } | more


def own(number: int = 1, text: str = "how do I export", **more: Any) -> dict[str, Any]:
    return {
        "ticket_id": f"T-{number}",
        "created_at": f"2026-01-{1 + number // 1440 % 28:02}T{number // 60 % 24:02}:{number % 60:02}:00Z",
        "messages": [{"author": "customer", "text": text}],
    } | more


def written(path: Path, *records: object) -> Path:
    """JSON Lines; what is a string already stands there as it is."""
    lines = (record if isinstance(record, str) else json.dumps(record) for record in records)
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
    return path
