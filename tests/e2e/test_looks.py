"""On a phone, in the dark, for everybody."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.test_accessibility import serious
from tests.e2e.conftest import PHONE, OpenPage, ask, conversation_id, one_engine, open_widget, picture

pytestmark = pytest.mark.browser

PHONE_DARK: dict[str, Any] = {"viewport": PHONE, "color_scheme": "dark", "has_touch": True, "is_mobile": True}
SCHEMES = ["light", "dark"]
LOOKS: list[dict[str, Any]] = [
    {"color_scheme": "light"},
    {"color_scheme": "dark"},
    {"color_scheme": "dark", "viewport": PHONE},
]


@one_engine
def test_on_a_phone_in_the_dark_the_panel_is_the_screen(open_page: OpenPage) -> None:
    page = open_page("/demo/settings/billing", **PHONE_DARK)
    open_widget(page)
    ask(page, "How do I cancel the plan?")

    panel = page.get_by_role("dialog")

    assert panel.bounding_box() == {"x": 0, "y": 0, **PHONE}
    assert panel.get_attribute("aria-modal") == "true"
    assert page.evaluate("document.documentElement.scrollWidth") == PHONE["width"]
    red, green, blue = _colour(panel.evaluate("(panel) => getComputedStyle(panel).backgroundColor"))
    assert max(red, green, blue) < 80
    assert serious(page) == []
    picture(page, "phone-dark.png")


@one_engine
@pytest.mark.parametrize("scheme", SCHEMES)
def test_axe_finds_nothing_serious_in_an_open_widget(open_page: OpenPage, scheme: str) -> None:
    page = open_page("/demo/settings/billing", color_scheme=scheme)
    open_widget(page)
    at_first = serious(page)
    ask(page, "How do I cancel the plan?")

    assert [*at_first, *serious(page)] == []


# What a model's opinions add to the page is written with the same parts: one look shows them.
@pytest.mark.parametrize(
    ("server", "looks"), [("local", LOOKS), ("llm", LOOKS[:1])], ids=["local", "llm"], indirect=["server"]
)
def test_axe_finds_nothing_serious_in_a_conversation_of_the_inbox(
    open_page: OpenPage, looks: list[dict[str, Any]]
) -> None:
    customer = open_page("/demo/settings/billing")
    open_widget(customer)
    ask(customer, "How do I cancel the plan?")
    customer.get_by_role("button", name="Talk to a person").first.click()
    customer.locator(".banner", has_text="person aims to answer").wait_for()

    for look in looks:
        inbox = open_page(f"/inbox#/c/{conversation_id(customer)}", **look)
        expect(inbox.get_by_role("log")).to_contain_text("Cancel plan")
        for summary in inbox.locator("summary").all():
            summary.click()

        assert serious(inbox) == [], look


def _colour(css: str) -> tuple[int, int, int]:
    red, green, blue = (int(float(part)) for part in css.split("(")[1].rstrip(")").split(",")[:3])
    return red, green, blue
