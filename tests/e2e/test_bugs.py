"""Two customers, one bug."""

import json
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import OpenPage, ask, conversation_id, open_widget, picture

pytestmark = pytest.mark.browser

FIRST = "The invite button does nothing in Firefox"
SECOND = "Nothing happens when I click Invite member, using Firefox 133"


def test_the_same_bug_in_other_words_is_one_ticket(open_page: OpenPage, server: str) -> None:
    first, second = open_page("/demo/settings/members"), open_page("/demo/settings/members")
    known = {bug["bug_id"] for bug in _bugs(server)}
    open_widget(first)
    open_widget(second)

    to_first = ask(first, FIRST)
    to_second = ask(second, SECOND)

    (bug,) = [bug for bug in _bugs(server) if bug["bug_id"] not in known]
    assert (bug["occurrences"], bug["customers"]) == (2, 2)
    assert bug["bug_id"] in to_first
    assert "already know" not in to_first
    assert bug["bug_id"] in to_second
    assert "already know" in to_second
    expect(first.locator(".ticket")).to_contain_text("Reported to our engineers")
    expect(second.locator(".ticket")).to_contain_text("Reports so far: 2")
    _check_the_page(open_page(f"/bugs#/b/{bug['bug_id']}"), bug["bug_id"], [first, second])


def _check_the_page(page: Page, bug_id: str, reporters: list[Page]) -> None:
    row = page.locator("tr", has=page.locator(f'a[href="#/b/{bug_id}"]'))
    expect(row).to_have_count(1)
    expect(row.locator("td").nth(1)).to_have_text("2")
    expect(page.get_by_role("heading", name="Reports (2)")).to_be_visible()
    for said in (FIRST, SECOND):
        expect(page.locator("article", has_text=said)).to_have_count(1)
    for reporter in reporters:
        expect(page.locator(f'a[href="inbox#/c/{conversation_id(reporter)}"]')).to_have_count(1)
    picture(page, "bugs.png")


def _bugs(server: str) -> list[dict[str, Any]]:
    with urllib.request.urlopen(f"{server}/v1/inbox/bugs", timeout=10) as response:
        bugs: list[dict[str, Any]] = json.load(response)["bugs"]
    return bugs
