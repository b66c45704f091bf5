"""What axe finds on the widget and on the team's pages: nothing serious."""

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from tests.browser.canned import MODE, TALK, inbox_answers, widget_answers
from tests.browser.conftest import OpenPage

pytestmark = pytest.mark.browser

SCHEMES = ["light", "dark"]
PHONE = {"width": 390, "height": 740}
# A phone in the light has the colours of the desktop in the light, and the places of the phone in the dark.
LOOKS = [
    pytest.param("light", None, id="desktop-light"),
    pytest.param("dark", None, id="desktop-dark"),
    pytest.param("dark", PHONE, id="phone-dark"),
]


def serious(page: Page) -> list[str]:
    """Serious and critical findings: rule and place."""
    violations: list[dict[str, Any]] = Axe().run(page).response["violations"]
    return [
        f"{violation['id']}: {node['target']} {node['failureSummary']}"
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]


@pytest.mark.parametrize(("scheme", "viewport"), LOOKS)
def test_the_opening(open_page: OpenPage, scheme: str, viewport: dict[str, int] | None) -> None:
    sized = {"viewport": viewport} if viewport else {}
    page, _ = open_page(
        "/demo/reports", widget_answers(messages=[], events=[]), color_scheme=scheme, locale="en-US", **sized
    )
    assert serious(page) == []

    page.get_by_role("button", name="Open help").click()
    page.get_by_role("button", name="How do I export?").wait_for()

    assert serious(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_conversation_that_waits_for_a_person(open_page: OpenPage, scheme: str) -> None:
    mode = {"type": "CUSTOM", "name": "helpgraph.mode.v1", "value": MODE}
    answers = widget_answers(messages=TALK, events=[mode])
    page, _ = open_page("/demo/reports", answers, color_scheme=scheme, locale="en-US")

    page.get_by_role("button", name="Open help").click()
    page.get_by_label("Your e-mail address").wait_for()

    assert serious(page) == []


def test_the_rating_of_a_closed_conversation(open_page: OpenPage) -> None:
    mode = {"type": "CUSTOM", "name": "helpgraph.mode.v1", "value": {"mode": "closed"}}
    page, _ = open_page("/demo/reports", widget_answers(messages=TALK, events=[mode]), locale="en-US")

    page.get_by_role("button", name="Open help").click()
    page.get_by_role("button", name="4 of 5").click()

    assert serious(page) == []


def test_a_guided_step(open_page: OpenPage) -> None:
    answers = widget_answers(messages=TALK, events=[])
    page, _ = open_page("/demo/reports", answers, locale="en-US", reduced_motion="reduce")
    page.get_by_role("button", name="Open help").click()

    page.get_by_role("button", name="Show me").click()
    page.get_by_text("Press here").wait_for()

    assert serious(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_inbox(open_page: OpenPage, scheme: str) -> None:
    page, _ = open_page("/inbox", inbox_answers(), color_scheme=scheme)
    page.get_by_text("Overdue").wait_for()
    assert serious(page) == []

    page.locator("a.row").click()
    page.get_by_label("Reply to the customer").wait_for()
    for summary in page.locator("summary").all():
        summary.click()

    assert serious(page) == []


def test_the_sign_in(open_page: OpenPage) -> None:
    answers = inbox_answers()
    page, _ = open_page("/inbox", answers)
    page.route("**/v1/inbox/**", lambda route: route.fulfill(status=401, body="{}"))
    page.reload()

    page.get_by_label("Password").wait_for()

    assert serious(page) == []


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_bugs(open_page: OpenPage, scheme: str) -> None:
    page, _ = open_page("/bugs#/b/BUG-1", inbox_answers(), color_scheme=scheme)
    page.get_by_role("heading", name="Reports (1)").wait_for()

    assert serious(page) == []
