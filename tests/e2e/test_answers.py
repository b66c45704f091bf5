"""A customer asks about the page they are on."""

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.e2e.conftest import (
    BOT,
    OpenPage,
    Traffic,
    ask,
    one_engine,
    open_widget,
    picture,
    route_of,
    say,
)
from tests.installed import EXAMPLE

pytestmark = pytest.mark.browser

ACCOUNTS = EXAMPLE / "accounts.json"
CANCEL = "How do I cancel the plan?"
SECRET = "hunter2-9f3c1b"
# How long the answer was at each look, while it was being written.
WATCH = """() => {
  const root = document.querySelector('helpgraph-widget').shadowRoot;
  window.__lengths = [];
  new MutationObserver(() => {
    const bubble = root.querySelector('.message.bot .bubble[aria-busy="true"]');
    if (bubble) window.__lengths.push(bubble.textContent.trim().length);
  }).observe(root, { subtree: true, childList: true, characterData: true, attributes: true });
}"""


def test_an_answer_is_streamed_cited_and_names_the_page(open_page: OpenPage) -> None:
    page = open_page("/demo/settings/billing", slow=True)
    open_widget(page)
    page.evaluate(WATCH)

    answer = ask(page, CANCEL)

    lengths = [length for length in page.evaluate("window.__lengths") if length]
    assert min(lengths) < max(lengths)
    assert lengths == sorted(lengths)
    assert "Billing" in answer
    assert "Cancel plan" in answer
    source = page.locator(f"{BOT} li[data-source] a").first
    assert str(source.get_attribute("href")).startswith("https://help.orrery.example/")
    picture(page, "billing-answer.png")


def test_show_me_points_at_the_element(open_page: OpenPage) -> None:
    page = open_page("/demo/settings/billing")
    open_widget(page)
    ask(page, CANCEL)

    page.get_by_role("button", name="Show me").click()

    expect(page.locator('[data-help="billing-cancel"].driver-active-element')).to_be_visible()
    popover = page.locator(".driver-popover")
    expect(popover).to_be_visible()
    expect(popover.locator(".driver-popover-description")).to_contain_text("Cancel plan")
    picture(page, "billing-highlight.png")
    assert "*" not in popover.inner_text()


@pytest.mark.parametrize("moment", ["sent", "half_answered"])
def test_a_reload_loses_nothing(open_page: OpenPage, moment: str) -> None:
    page = open_page("/demo/settings/billing", slow=True)
    open_widget(page)
    page.evaluate("(text) => { window.__stopAt = text }", "Billing" if moment == "half_answered" else "RUN_STARTED")
    with page.expect_request("**/v1/agui"):
        say(page, CANCEL)
    if moment == "half_answered":
        page.locator(f'{BOT} .bubble[aria-busy="true"]', has_text="Billing").wait_for()
    assert page.get_by_role("group", name="Was this helpful?").count() == 0

    page.reload()
    page.get_by_role("group", name="Was this helpful?").wait_for()
    after_one = _said(page)
    page.reload()
    page.get_by_role("group", name="Was this helpful?").wait_for()

    assert [who for who, _ in after_one] == ["customer", "bot"]
    assert after_one[0][1] == CANCEL
    assert "Cancel plan" in after_one[1][1]
    assert _said(page) == after_one


@one_engine
def test_an_answer_that_ends_between_two_requests_of_a_reload_is_shown(open_page: OpenPage) -> None:
    page = open_page("/demo/settings/billing")
    open_widget(page)
    ask(page, CANCEL)
    # What the server says when the run ends a moment after it was asked, before the stream is opened.
    page.route("**/v1/sessions", _a_moment_ago)

    page.reload()

    page.locator(".message.customer").wait_for()
    expect(page.locator(BOT)).to_have_count(1)
    expect(page.locator(f"{BOT} .bubble")).to_contain_text("Cancel plan")


@one_engine
def test_the_widget_knows_the_page_also_after_a_move_without_a_load(open_page: OpenPage) -> None:
    page = open_page("/demo/settings/billing")
    open_widget(page)
    billing = page.locator(".opening").inner_text()
    suggested = page.locator(".suggestion").all_inner_texts()
    page.evaluate("window.__same = true")

    page.get_by_role("link", name="Timesheets").click()
    expect(page.locator(".opening")).not_to_have_text(billing)

    assert route_of(page) == "/timesheets"
    assert page.evaluate("window.__same")
    assert "billing" in billing.lower()
    assert "timesheets" in page.locator(".opening").inner_text().lower()
    assert set(page.locator(".suggestion").all_inner_texts()).isdisjoint(suggested)


def test_a_customer_who_is_signed_in_gets_the_own_order(open_page: OpenPage) -> None:
    user_id, order_id = _customer_with_an_order()
    page = open_page("/demo/clock/orders")
    picker = page.get_by_label("Signed in as")
    page.locator(f'#account option[value="{user_id}"]').wait_for(state="attached")
    with page.expect_navigation():
        picker.select_option(user_id)
    open_widget(page)

    answer = ask(page, "where is my order?")

    assert order_id in answer


@one_engine
def test_what_is_typed_into_the_page_never_leaves_it(open_page: OpenPage, traffic: Traffic) -> None:
    page = open_page("/demo/settings/billing")
    page.evaluate(
        """() => document.querySelector('[data-help="billing-details"]').insertAdjacentHTML('beforeend',
          '<label>Card <input id="card" data-help="card"></label> <label>Note <textarea id="note"></textarea></label>' +
          '<div id="free" contenteditable="true" role="textbox" aria-label="Free"></div>')"""
    )
    for field in ("#card", "#note", "#free"):
        page.locator(field).click()
        page.locator(field).press_sequentially(SECRET)
    page.get_by_role("button", name="Edit").click()
    open_widget(page)

    ask(page, "How do I change the card?")

    sent = [request.post_data or "" for request in traffic.requests if request.url.endswith("/v1/agui")]
    assert len(sent) == 1
    assert '"id":"card"' in sent[0]
    assert traffic.holding(SECRET) == []


def _a_moment_ago(route: Route) -> None:
    answer = route.fetch()
    session = answer.json()
    session["messages"] = [message for message in session["messages"] if message["author"] == "customer"]
    session["active_run"] = {"turn_id": "t"}
    route.fulfill(response=answer, json=session)


def _said(page: Page) -> list[tuple[str, str]]:
    messages = page.locator(".message:not(.opening)")
    return [
        ("customer" if "customer" in str(message.get_attribute("class")) else "bot", text)
        for message in messages.all()
        for text in message.locator(".bubble").all_inner_texts()
    ]


def _customer_with_an_order() -> tuple[str, str]:
    """Somebody of an account that speaks English and has one order."""
    accounts: list[dict[str, Any]] = json.loads(ACCOUNTS.read_text())
    found = next(a for a in accounts if len(a["clock_orders"]) == 1 and a["language"] == "en")
    return found["users"][0]["user_id"], found["clock_orders"][0]["order_id"]
