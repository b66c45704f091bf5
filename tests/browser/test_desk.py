"""People at work in the inbox, against a server that only answers from a list."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.browser.canned import inbox_answers
from tests.browser.conftest import Answer, OpenPage

pytestmark = pytest.mark.browser

VIEW = "/v1/inbox/conversations/c1"
ROWS = "/v1/inbox/handoffs"
# As the server has a conversation for which no person was ever asked.
UNASKED = {
    "conversation_id": "c2",
    "mode": "bot",
    "queue_id": None,
    "wanted": "",
    "reason": None,
    "sentiment": 0.0,
    "waiting_since": None,
    "promised_by": None,
    "overdue": False,
    "account_summary": None,
    "page": None,
    "unread": 0,
}


def with_json(answers: dict[str, Answer], path: str, **changes: Any) -> dict[str, Answer]:
    """The same pages, with other values in one answer."""
    return {**answers, path: replace(answers[path], body=json.dumps({**_json(answers, path), **changes}))}


def _json(answers: dict[str, Answer], path: str) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(answers[path].body)
    return value


def test_all_shows_whoever_waits_and_then_what_is_newest(open_page: OpenPage) -> None:
    answers = inbox_answers(said="Charged twice")
    (waiting,) = _json(answers, ROWS)["handoffs"]
    rows = [
        {**waiting, **UNASKED, "last_message": "An older one", "updated_at": "2026-03-02T09:00:00+00:00"},
        {
            **waiting,
            **UNASKED,
            "conversation_id": "c3",
            "last_message": "A newer one",
            "updated_at": waiting["waiting_since"],
        },
        {
            **waiting,
            "conversation_id": "c4",
            "overdue": False,
            "wanted": "In time",
            "waiting_since": "2026-03-02T08:00:00+00:00",
        },
        waiting,
    ]
    page, _ = open_page("/inbox", with_json(answers, ROWS, handoffs=rows))

    page.get_by_role("button", name="All").click()
    page.get_by_role("button", name="All", pressed=True).wait_for()

    wanted = [waiting["wanted"], "In time", "A newer one", "An older one"]
    assert page.locator("a.row .wanted").all_inner_texts() == wanted
    assert "Null" not in page.get_by_label("Conversations").inner_text()
