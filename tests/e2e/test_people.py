"""A customer and somebody of the team, each in a browser of their own."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import BOT, OpenPage, answers, ask, conversation_id, open_widget, picture, say

pytestmark = pytest.mark.browser

# Which of the two it is depends on the team's opening hours.
PROMISE = re.compile(r"A person (aims to|will) answer (by|here)|Our team is away now")
REPLY = "Hello, this is Mara. Which of the two receipts is wrong?"
THANKS = "Thank you, I put it right."


def test_a_person_takes_over_and_gives_back(open_page: OpenPage) -> None:
    customer = open_page("/demo/settings/billing")
    inbox = open_page("/inbox")
    expect(inbox.get_by_text("Live")).to_be_visible()
    open_widget(customer)
    ask(customer, "Where do I download receipts?")

    customer.get_by_role("button", name="Talk to a person").first.click()
    expect(customer.locator(".banner")).to_contain_text(PROMISE)
    conversation = conversation_id(customer)
    # Nobody reloads: the row comes by itself.
    row = inbox.locator(f'a.row[href="#/c/{conversation}"]')
    row.click()
    inbox.get_by_label("Your name").fill("Mara")
    inbox.get_by_label("Your name").press("Tab")
    inbox.get_by_role("button", name="Take", exact=True).click()
    expect(customer.locator(".banner")).to_contain_text("Mara")

    _reply(inbox, REPLY)
    reply = customer.locator(".message.person")
    expect(reply.locator(".bubble")).to_have_text(REPLY)
    expect(reply.locator(".who")).to_have_text("Mara")

    spoken_by_bot = customer.locator(BOT).count()
    say(customer, "The one of November, it lacks our VAT id.")
    expect(inbox.get_by_role("log")).to_contain_text("it lacks our VAT id")
    _reply(inbox, THANKS)
    expect(customer.locator(".message.person .bubble").last).to_have_text(THANKS)
    expect(customer.locator(".dots")).to_have_count(0)
    assert customer.locator(BOT).count() == spoken_by_bot
    expect(row).to_have_count(0)
    inbox.get_by_role("button", name="With me").click()
    expect(row).to_contain_text("With person")
    picture(customer, "handoff-widget.png")
    picture(inbox, "inbox.png")

    inbox.get_by_text("Hand back to the bot").click()
    inbox.get_by_role("button", name="Hand back", exact=True).click()
    expect(customer.locator(".banner")).to_contain_text("The assistant is back")
    answer = ask(customer, "How do I invite a member?")

    assert "Invite" in answer
    # Nothing of the bot slipped in between, however late.
    assert _authors(customer)[-5:] == ["person", "customer", "person", "customer", "bot"]
    assert answers(customer).count() == spoken_by_bot + 1


def _reply(inbox: Page, text: str) -> None:
    inbox.get_by_label("Reply to the customer").fill(text)
    inbox.get_by_role("button", name="Send reply").click()


def _authors(page: Page) -> list[str]:
    classes = page.locator(".message:not(.opening)").evaluate_all("(all) => all.map((one) => one.classList[1])")
    return [str(name) for name in classes]
