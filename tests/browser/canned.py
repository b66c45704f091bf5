"""A server's answers, written down: enough for the pages to stand still and be looked at."""

import json
import math
from datetime import datetime, timedelta
from typing import Any

from tests.browser.conftest import STATIC, Answer

CONVERSATION = "0123456789abcdef"
AT = "2026-03-02T09:30:00+00:00"
INBOX_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; "
    "trusted-types lit-html dompurify"
)

HOST_PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Reports</title></head><body>
<main><h1>Reports</h1>
<button data-help="export">Export CSV</button>
<form data-help="profile"><label>Card <input data-help="card" value="4111-1111"></label>
<textarea data-help="note" aria-label="Note">my secret note</textarea>
<div contenteditable data-help="essay" role="textbox" aria-label="Essay">private essay</div>
<select data-help="plan" aria-label="Plan"><option>Enterprise</option></select></form>
<button data-help="gone" hidden>Gone</button></main>
<script src="/widget.js" data-workspace="orrery" data-route-base="/demo"></script></body></html>"""


def as_json(value: object) -> Answer:
    """A JSON answer."""
    return Answer(json.dumps(value), "application/json")


def message(message_id: str, author: str, text: str, **more: Any) -> dict[str, Any]:
    """A message as the wire has it."""
    return {
        "message_id": message_id,
        "author": author,
        "author_name": None,
        "text": text,
        "at": AT,
        "citations": [],
        "guidance": None,
        "quick_replies": [],
        "outcome": None,
        "ticket": None,
        **more,
    }


ANSWER = message(
    "m2",
    "bot",
    "# Export\n\nPress **Export** [1], see [the guide](https://docs.orrery.example/export).\n\n```\ncsv\n```",
    citations=[
        {"n": 1, "article_id": "a", "title": "Exporting", "section": "CSV", "url": "https://docs.orrery.example/e"}
    ],
    guidance={"title": "Export", "steps": [{"element_id": "export", "selector": "", "text": "Press here"}]},
    quick_replies=[{"label": "That helped", "text": "That helped"}],
    ticket={"bug_id": "BUG-1", "title": "Export is empty", "occurrences": 3, "is_new": False},
    outcome="answered",
)
TALK = [message("m1", "customer", "How do I export?"), ANSWER]
MODE = {
    "mode": "waiting",
    "queue": "billing",
    "promised_by": AT,
    "in_business_hours": True,
    "ask_email": True,
    "person": None,
}


def stream(*events: dict[str, Any]) -> Answer:
    """An event stream that ends after `events`, numbered from 11."""
    lines = [f"id: {seq}\ndata: {json.dumps(event)}\n\n" for seq, event in enumerate(events, 11)]
    return Answer("".join(lines), "text/event-stream")


def widget_answers(*, messages: list[dict[str, Any]], events: list[dict[str, Any]]) -> dict[str, Answer]:
    """A page with the widget, whose session already holds `messages`."""
    session = {
        "session_token": "token",
        "expires_at": AT,
        "conversation_id": CONVERSATION,
        "mode": "bot",
        "opening": "You are on **Reports**.",
        "suggestions": ["How do I export?", "Why is my report empty?"],
        "identity": {"level": "anonymous", "display_name": None},
        "workspace": {"name": "Orrery", "link_hosts": ["docs.orrery.example"]},
        "messages": messages,
        "last_event_id": "10",
        "active_run": None,
    }
    return {
        "/demo/reports": Answer(HOST_PAGE, "text/html"),
        "/widget.js": Answer((STATIC / "widget.js").read_bytes(), "text/javascript"),
        "/v1/sessions": as_json(session),
        f"/v1/conversations/{CONVERSATION}/events": stream(*events),
    }


HANDOFF = {
    "wanted": "A refund for a double charge",
    "tried": ["Asked for the invoice"],
    "reason": "billing_dispute",
    "reasons": [{"name": "risk", "value": 0.8, "weight": 2.0, "towards": "handoff"}],
    "sentiment": -0.7,
    "queue_id": "billing",
    "priority": "urgent",
    "suggested_next_step": "Compare the two invoices",
    "language": "en",
    "account_id": "acc_1",
    "account_summary": "Acme, Pro plan",
    "page": "/settings/billing",
    "links": ["https://docs.orrery.example/billing"],
    "bug_id": "BUG-1",
    "promised_by": AT,
    "in_business_hours": True,
    "ask_email": False,
}
DECISION = {
    "route": "handoff",
    "reasons": HANDOFF["reasons"],
    "expected_cost": {"answer": 3.2, "handoff": 1.0},
    "understanding": {"kind": "complaint", "category": "billing", "sentiment": -0.7},
    "page": {"route": "/settings/billing", "area": None, "errors": []},
    "account": None,
}
PASSAGE = {
    "passage_id": "p",
    "article_id": "a",
    "title": "Refunds",
    "section": "",
    "url": None,
    "score": 0.5,
    "text": "We refund **double** charges.",
}
BUG = {
    "bug_id": "BUG-1",
    "title": "Export is empty",
    "status": "open",
    "severity": "high",
    "occurrences": 3,
    "customers": 2,
    "feature": "export",
    "page": "/reports",
    "first_seen": AT,
    "last_seen": AT,
}


def inbox_answers(*, said: str = "I was charged twice") -> dict[str, Answer]:
    """The team's pages, signed in, with one conversation (`c1`) in which the customer said `said`."""
    row = {
        **{key: HANDOFF[key] for key in ("queue_id", "priority", "wanted", "reason", "sentiment", "language", "page")},
        "conversation_id": "c1",
        "mode": "waiting",
        "waiting_since": AT,
        "promised_by": AT,
        "overdue": True,
        "account_summary": "Acme, Pro plan",
        "last_message": said,
        "unread": 2,
    }
    bot = {**ANSWER, "decision": DECISION, "evidence": {"probability": 0.4, "features": {}, "passages": [PASSAGE]}}
    conversation = {
        "conversation_id": "c1",
        "mode": "with_person",
        "language": "en",
        "account_id": "acc_1",
        "contact_email": said,
    }
    view = {
        "conversation": conversation,
        "handoff": {**HANDOFF, "wanted": said, "tried": [said], "suggested_next_step": said},
        "bugs": [{"bug_id": "BUG-1", "title": said, "status": "open"}],
        "messages": [message("m1", "customer", said), bot, message("m3", "person", said, author_name=said)],
        "last_event_id": "10",
        "workspace": {"name": "Orrery", "link_hosts": ["docs.orrery.example"]},
    }
    report = {"conversation_id": "c1", "account_id": None, "tier": None, "said": said, "at": AT}
    draft = {"title": said, "steps": [said], "expected": "Rows", "actual": "None", "missing": []}
    page = {"Content-Security-Policy": INBOX_POLICY}
    return {
        "/inbox": Answer((STATIC / "inbox.html").read_bytes(), "text/html", page),
        "/bugs": Answer((STATIC / "bugs.html").read_bytes(), "text/html", page),
        "/ops": Answer((STATIC / "ops.html").read_bytes(), "text/html", page),
        "/assets/inbox.js": Answer((STATIC / "inbox.js").read_bytes(), "text/javascript"),
        "/assets/inbox.css": Answer((STATIC / "inbox.css").read_bytes(), "text/css"),
        "/v1/inbox/handoffs": as_json({"handoffs": [row]}),
        "/v1/inbox/events": stream(),
        "/v1/inbox/conversations/c1": as_json(view),
        "/v1/inbox/conversations/c1/events": stream(),
        "/v1/inbox/bugs": as_json({"bugs": [{**BUG, "title": said}]}),
        "/v1/inbox/bugs/BUG-1": as_json({**BUG, "title": said, "draft": draft, "reports": [report]}),
    }


def ops_view(*, busy: bool, said: str = "billing") -> dict[str, Any]:
    """The figures of a day, of which `busy` says whether anything happened; names of queues and engines are `said`."""
    begin = datetime.fromisoformat(AT)
    steps = range(48)
    nothing: list[float | None] = [None for _ in steps]
    view: dict[str, Any] = {
        "last": "24h",
        "since": AT,
        "until": (begin + timedelta(hours=24)).isoformat(),
        "step_s": 1800,
        "starts": [(begin + timedelta(minutes=30 * step)).isoformat() for step in steps],
        "now": dict.fromkeys(
            (
                "turns_waiting",
                "turns_running",
                "turns_abandoned",
                "oldest_waiting_s",
                "handoffs_open",
                "handoffs_overdue",
            ),
            0,
        ),
        "outcomes": {},
        "turns": 0,
        "turn_seconds": {"p50": nothing, "p95": nothing, "all": None},
        "first_word_seconds": {"p50": nothing, "p95": nothing, "all": None},
        "conversations": {"n": 0, "with_person": 0},
        "engine": {"calls": 0, "input_tokens": 0, "output_tokens": 0, "cost": 0.0, "fallbacks": []},
        "queues": [],
        "troubled": [],
    }
    if not busy:
        return view
    wave = [1 + math.sin(step / 48 * 2 * math.pi - 2) for step in steps]
    outcomes = {
        "answered": [round(40 * height) for height in wave],
        "asked": [round(9 * height) for height in wave],
        "bug_filed": [int(step % 7 == 3) for step in steps],
        "bug_counted": [2 * int(step % 9 == 4) for step in steps],
        "handed_off": [round(7 * height) for height in wave],
        "delivered": [round(3 * height) for height in wave],
        "parked": [int(step == 30) for step in steps],
    }
    known = [height > 0.1 for height in wave]
    first = [round(0.06 + 0.02 * height, 3) if is_known else None for height, is_known in zip(wave, known, strict=True)]
    whole = [None if value is None else round(value * 2.4, 3) for value in first]
    slow = [None if value is None else round(value * 3, 3) for value in whole]
    return {
        **view,
        "now": {
            "turns_waiting": 3,
            "turns_running": 2,
            "turns_abandoned": 1,
            "oldest_waiting_s": 17.2,
            "handoffs_open": 9,
            "handoffs_overdue": 2,
        },
        "outcomes": outcomes,
        "turns": sum(map(sum, outcomes.values())),
        "first_word_seconds": {"p50": first, "p95": whole, "all": {"n": 2000, "p50": 0.079, "p95": 0.19}},
        "turn_seconds": {"p50": whole, "p95": slow, "all": {"n": 2000, "p50": 0.19, "p95": 0.57}},
        "conversations": {"n": 1412, "with_person": 311},
        "engine": {
            "calls": 5210,
            "input_tokens": 8_400_120,
            "output_tokens": 402_118,
            "cost": 12.4031,
            "fallbacks": [
                {"ability": "understand", "reason": "timeout", "n": 14},
                {"ability": "rest_of_answer", "reason": said, "n": 2},
            ],
        },
        "queues": [
            {"queue_id": said, "open": 7, "overdue": 2, "oldest": AT},
            {"queue_id": "general", "open": 2, "overdue": 0, "oldest": AT},
        ],
        "troubled": [
            {
                "turn_id": "4f1d0c6e9a5b4c0e8a3f2b1c0d9e8f7a",
                "conversation_id": "c1",
                "status": "parked",
                "attempts": 4,
                "at": AT,
            }
        ],
    }


def ops_answers(*, busy: bool = True, said: str = "billing") -> dict[str, Answer]:
    """The operations page with its figures."""
    return {**inbox_answers(), "/v1/inbox/ops": as_json(ops_view(busy=busy, said=said))}
