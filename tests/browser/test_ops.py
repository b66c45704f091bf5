"""The operations page, as built: what it draws, in the light, in the dark, on a phone, and when there is nothing."""

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.canned import as_json, ops_answers, ops_view
from tests.browser.conftest import OpenPage
from tests.browser.corpus import VECTORS
from tests.browser.test_accessibility import PHONE, serious
from tests.browser.test_inbox import FORBIDDEN

pytestmark = pytest.mark.browser

BUSY = ops_view(busy=True)


def test_what_happened_is_drawn_and_said(open_page: OpenPage) -> None:
    page, site = open_page("/ops", ops_answers(), locale="en-US")
    complaints: list[str] = []
    page.on("console", lambda entry: complaints.append(entry.text))
    page.reload()
    page.get_by_role("img", name="Turns;").wait_for()

    tiles = {
        tile.locator("dt").inner_text(): tile.locator("dd").first.inner_text() for tile in page.locator(".tile").all()
    }
    assert tiles["Turns"] == f"{BUSY['turns']:,}"
    assert tiles["Without a person"] == "1,101"
    assert tiles["Bugs"] == str(sum(BUSY["outcomes"]["bug_filed"]) + sum(BUSY["outcomes"]["bug_counted"]))
    assert tiles["Failed"] == "1"
    assert (tiles["Turns waiting"], tiles["Overdue"]) == ("3", "2")
    bars = page.get_by_role("img", name="Turns;").locator("rect.fill.t1")
    assert bars.count() == sum(1 for n in BUSY["outcomes"]["answered"] if n)
    # A bar is as tall as its number.
    tallest, half = (int(n) for n in (max(BUSY["outcomes"]["answered"]), BUSY["outcomes"]["answered"][6]))
    heights = [float(bar.get_attribute("height") or 0) for bar in bars.all()]
    assert max(heights) / heights[[n for n in BUSY["outcomes"]["answered"] if n].index(half)] == pytest.approx(
        tallest / half
    )
    expect(page.get_by_role("heading", name="Time of a turn: median 190 ms, p95 570 ms")).to_be_visible()
    expect(page.get_by_role("link", name="Parked,")).to_have_attribute("href", "inbox#/c/c1")
    assert complaints == []
    assert (site.strangers, site.missing) == ([], [])


def test_the_table_has_the_numbers_of_the_drawing(open_page: OpenPage) -> None:
    page, _ = open_page("/ops", ops_answers(), locale="en-US")
    page.get_by_text("As a table").first.click()

    rows = page.get_by_role("region", name="Turns, as a table").locator("tbody tr")

    newest = rows.first.locator("td").all_inner_texts()
    assert newest[0] == str(BUSY["outcomes"]["answered"][-1])
    assert rows.count() == sum(1 for step in range(48) if any(values[step] for values in BUSY["outcomes"].values()))


def test_another_time_is_asked_for(open_page: OpenPage) -> None:
    page, _ = open_page("/ops", ops_answers())
    with page.expect_request(lambda request: request.url.endswith("/v1/inbox/ops?last=7d")):
        page.get_by_role("link", name="7 days").click()

    expect(page.get_by_role("link", name="7 days")).to_have_attribute("aria-current", "true")


LOOKS: dict[str, dict[str, Any]] = {"light": {}, "dark phone": {"color_scheme": "dark", "viewport": PHONE}}


@pytest.mark.parametrize("look", LOOKS)
def test_it_is_readable_for_everybody(open_page: OpenPage, look: str) -> None:
    page, _ = open_page("/ops", ops_answers(), locale="en-US", **LOOKS[look])
    page.get_by_role("img", name="Turns;").wait_for()
    page.get_by_text("As a table").first.click()

    assert serious(page) == []
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_nothing_is_said_to_be_nothing(open_page: OpenPage) -> None:
    page, _ = open_page("/ops", ops_answers(busy=False))

    expect(page.get_by_text("No turn ended in this time.")).to_be_visible()
    expect(page.get_by_text("Nobody waits.")).to_be_visible()
    assert page.get_by_role("img").count() == 0
    assert "NaN" not in page.locator("main").inner_text()
    assert serious(page) == []


def test_hostile_names_stay_texts(open_page: OpenPage) -> None:
    said = "\n\n".join(vector.text for vector in VECTORS[:200] if len(vector.text) < 300)
    page, site = open_page("/ops", ops_answers(said=said))
    page.get_by_role("img", name="Turns;").wait_for()
    allowed = FORBIDDEN.replace("svg, ", "")

    assert page.locator(f"main {allowed}").count() == 0
    assert page.evaluate("window.__pwned ?? null") is None
    assert site.strangers == []


def test_who_is_not_signed_in_signs_in_here(open_page: OpenPage) -> None:
    page, _ = open_page("/ops", ops_answers())
    page.route("**/v1/inbox/**", lambda route: route.fulfill(status=401, body="{}"))
    page.reload()

    expect(page.get_by_label("Password")).to_be_visible()


def test_queues_have_their_names(open_page: OpenPage) -> None:
    named = as_json({**BUSY, "queue_names": {"billing": "Money"}})
    page, _ = open_page("/ops", {**ops_answers(), "/v1/inbox/ops": named})

    expect(page.get_by_label("Queues").get_by_role("rowheader")).to_have_text(["Money", "General"])
