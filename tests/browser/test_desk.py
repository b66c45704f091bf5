"""People at work in the inbox, against a server that only answers from a list."""

import json
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, Route, ViewportSize, expect

from tests.browser.canned import as_json, inbox_answers, message, stream
from tests.browser.conftest import Answer, OpenPage
from tests.browser.test_inbox import seen_by

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
    "promised_by": "2026-03-02T09:30:00+00:00",
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
        {**waiting, **UNASKED, "last_message": "An **older** one", "updated_at": "2026-03-02T09:00:00+00:00"},
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
    told = page.get_by_label("Conversations").inner_text()
    # What a person was promised for is over where nobody waits.
    assert ("Null" in told, told.count("promised by")) == (False, 2)


def test_a_draft_stays_with_its_conversation_until_it_is_sent(open_page: OpenPage) -> None:
    answers = inbox_answers()
    row = _json(answers, ROWS)["handoffs"][0]
    view = _json(answers, VIEW)
    other = {**view, "conversation": {**view["conversation"], "conversation_id": "c2"}}
    answers = with_json(answers, ROWS, handoffs=[row, {**row, "conversation_id": "c2"}])
    answers |= {"/v1/inbox/conversations/c2": as_json(other), "/v1/inbox/conversations/c2/events": stream()}
    page, _ = open_page("/inbox#/c/c1", {**answers, f"{VIEW}/reply": as_json({})})
    reply = page.get_by_label("Reply to the customer")
    page.get_by_label("Your name").fill("Ada")

    reply.fill("We refund")
    page.locator('a.row[href="#/c/c2"]').click()
    page.locator('a.row[href="#/c/c2"][aria-current]').wait_for()
    expect(reply).to_have_value("")
    page.go_back()
    expect(reply).to_have_value("We refund")
    page.reload()
    expect(reply).to_have_value("We refund")
    page.get_by_role("button", name="Send reply").click()
    expect(reply).to_have_value("")
    page.reload()
    expect(reply).to_have_value("")


def test_a_draft_is_shown_to_nobody_who_signs_in_by_another_name(open_page: OpenPage) -> None:
    page, site = open_page("/inbox#/c/c1", seen_by("agent", "Ada"))
    page.get_by_label("Reply to the customer").fill("We refund")

    site.answers |= seen_by("agent", "Grace")
    page.reload()
    page.get_by_text("You answer as Grace.").wait_for()

    expect(page.get_by_label("Reply to the customer")).to_have_value("")
    assert "We refund" not in page.evaluate("JSON.stringify([sessionStorage, localStorage])")


def test_the_keyboard_opens_takes_and_answers(open_page: OpenPage) -> None:
    answers = inbox_answers(said="Charged twice")
    view = _json(answers, VIEW)
    waiting = with_json(answers, VIEW, conversation={**view["conversation"], "mode": "waiting"})
    page, site = open_page("/inbox", {**waiting, f"{VIEW}/reply": as_json({}), f"{VIEW}/hand_back": as_json({})})

    def taken(route: Route) -> None:
        site.answers[VIEW] = answers[VIEW]
        route.fulfill(status=200, body="{}")

    page.route("**/take", taken)
    heading = page.get_by_role("heading", name="Charged twice")
    page.locator("a.row").focus()
    page.keyboard.press("Enter")
    expect(heading).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.get_by_label("Your name")).to_be_focused()
    page.keyboard.type("Ada")
    page.keyboard.press("Tab")
    expect(page.get_by_role("button", name="Take")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_label("Reply to the customer")).to_be_focused()
    page.keyboard.type("We refund")
    with page.expect_request("**/reply") as sent:
        page.keyboard.press("Control+Enter")
    assert json.loads(sent.value.post_data or "{}")["text"] == "We refund"
    expect(page.get_by_label("Reply to the customer")).to_have_value("")
    expect(page.get_by_label("Reply to the customer")).to_be_focused()

    # What was done took its button away.
    site.answers[VIEW] = with_json(answers, VIEW, conversation={**view["conversation"], "mode": "handed_back"})[VIEW]
    page.get_by_text("Hand back to the bot").press("Enter")
    page.get_by_role("button", name="Hand back", exact=True).press("Enter")
    expect(heading).to_be_focused()


def test_the_first_tab_leads_past_the_list(open_page: OpenPage) -> None:
    page, _ = open_page("/inbox#/c/c1", inbox_answers(said="Charged twice"))
    page.get_by_label("Reply to the customer").wait_for()

    page.keyboard.press("Tab")
    page.keyboard.press("Enter")

    expect(page.get_by_role("heading", name="Charged twice")).to_be_focused()
    assert page.url.endswith("#/c/c1")


def test_on_a_phone_the_keyboard_comes_back_to_where_it_was_in_the_list(open_page: OpenPage) -> None:
    page, _ = open_page("/inbox", inbox_answers(said="Charged twice"), viewport={"width": 390, "height": 844})
    page.locator("a.row").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Charged twice")).to_be_focused()

    page.get_by_role("link", name="Back to the list").press("Enter")

    expect(page.locator("a.row")).to_be_focused()


@pytest.mark.parametrize("size", [{"width": 1280, "height": 800}, {"width": 390, "height": 844}], ids=["desk", "phone"])
def test_what_one_writes_with_stays_in_view_and_hides_no_message(open_page: OpenPage, size: ViewportSize) -> None:
    answers = inbox_answers()
    view = _json(answers, VIEW)
    said = [message(f"n{n}", "customer", f"And another thing, number {n}. " * 8) for n in range(20)]
    answers = with_json(answers, VIEW, messages=[*view["messages"], *said])
    # Each time the stream opens it tells of something new.
    answers[f"{VIEW}/events"] = stream({"type": "CUSTOM", "name": "helpgraph.message.v1", "value": {}})
    page, site = open_page("/inbox#/c/c1", answers, viewport=size)
    last = page.locator("article.message").last
    expect(last).to_contain_text("number 19")
    at_first = _stands(page)

    site.answers = with_json(answers, VIEW, messages=[*said, message("new", "customer", "Are you there?")])
    expect(last).to_contain_text("Are you there?")

    assert [at_first, _stands(page)] == [{"reply": True, "last": True, "page": True}] * 2


def _stands(page: Page) -> dict[str, bool]:
    """Whether the reply is on the screen, the last message above it, and the page as high as the screen."""
    stands: dict[str, bool] = page.evaluate("""() => {
        const [last] = [...document.querySelectorAll('article.message')].slice(-1);
        const [box, acts, reply] = [last, document.querySelector('.actions'), document.querySelector('#reply')]
            .map((element) => element.getBoundingClientRect());
        const page = document.querySelector('.desk').getBoundingClientRect();
        return {
            reply: reply.top > 0 && reply.bottom <= innerHeight,
            last: box.bottom <= acts.top,
            page: page.bottom === innerHeight && document.documentElement.scrollHeight === innerHeight,
        };
    }""")
    return stands


def test_who_has_a_conversation_is_said_and_only_taking_it_over_sends(open_page: OpenPage) -> None:
    page, site = open_page("/inbox#/c/c1", {**seen_by("agent", "Grace"), f"{VIEW}/reply": as_json({})})
    posts: list[str] = []
    page.on(
        "request", lambda request: posts.append(request.url.rpartition("/")[2]) if request.method == "POST" else None
    )

    def taken(route: Route) -> None:
        view = _json(site.answers, VIEW)
        conversation = {**view["conversation"], "person": "Grace"}
        site.answers = with_json(site.answers, VIEW, conversation=conversation)
        route.fulfill(status=200, body="{}")

    page.route("**/take", taken)
    page.get_by_text("Ada has this conversation").wait_for()
    page.get_by_label("Reply to the customer").fill("We refund it.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Take over and send")).to_be_focused()
    assert posts == []
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Send reply").wait_for()
    expect(page.get_by_label("Reply to the customer")).to_have_value("")

    assert posts == ["take", "reply"]
    assert page.get_by_text("has this conversation").count() == 0


def test_whoever_signs_out_leaves_nothing_in_the_browser(open_page: OpenPage) -> None:
    answers = seen_by("agent", "Ada")
    page, _ = open_page("/inbox#/c/c1", {**answers, "/inbox/logout": as_json(None)})
    page.get_by_label("Reply to the customer").fill("We refund")
    page.evaluate("localStorage.setItem('helpgraph-inbox-person', 'Ada')")
    other = page.context.new_page()
    other.goto(page.url)
    other.get_by_text("Signed in as Ada (agent)").wait_for()

    with page.expect_request("**/inbox/logout"):
        page.get_by_role("button", name="Sign out").click()
    page.get_by_text("You are signed out.").wait_for()
    expect(page.get_by_label("Name, if")).to_be_focused()

    other.get_by_text("You are signed out.").wait_for()
    kept = page.evaluate("JSON.stringify([sessionStorage, localStorage])")
    assert ("We refund" in kept, "Ada" in kept) == (False, False)
    assert page.get_by_role("log").count() == 0


@pytest.mark.parametrize("path", ["/inbox", "/bugs"])
def test_an_open_door_has_nobody_to_sign_out(open_page: OpenPage, path: str) -> None:
    answers = inbox_answers()
    for of in (ROWS, "/v1/inbox/bugs"):
        answers = with_json(answers, of, you={"name": None, "role": "admin", "signed_in": False})
    page, _ = open_page(path, answers)
    page.locator("a.row, table").wait_for()

    assert page.get_by_role("button", name="Sign out").count() == 0


def test_what_was_done_stands_between_what_was_said(open_page: OpenPage) -> None:
    done = {"at": "2026-03-02T09:31:00+00:00", "person": None, "outcome": None, "note": None}
    by_ada = {**done, "person": "Ada"}
    acts = [
        {**done, "kind": "asked", "after": "m1"},
        {**by_ada, "kind": "taken", "after": "m2"},
        {**by_ada, "kind": "resolved", "outcome": "not_solved", "note": "Ask <b>billing</b>", "after": "m3"},
    ]
    page, _ = open_page("/inbox#/c/c1", with_json(inbox_answers(), VIEW, timeline=acts))
    log = page.get_by_role("log")
    log.wait_for()

    order = log.locator("> *").evaluate_all("(all) => all.map((one) => one.classList[0])")
    assert order == ["message", "act", "message", "act", "message", "act"]
    assert page.locator(".act").nth(1).inner_text().startswith("Taken by Ada")
    assert "Resolved as not solved by Ada" in page.locator(".act").last.inner_text()
    assert "Note: Ask <b>billing</b>" in page.locator(".act").last.inner_text()


def test_that_a_server_is_away_is_said_until_it_is_back(open_page: OpenPage) -> None:
    page, site = open_page("/inbox#/c/c1", inbox_answers())
    page.get_by_label("Reply to the customer").wait_for()
    page.route("**/v1/inbox/**", lambda route: route.abort())
    page.get_by_role("button", name="All").click()
    page.get_by_text("The server can't be reached.").wait_for()

    page.unroute("**/v1/inbox/**")

    # Nobody does anything: the streams come back, and what they found away is asked again.
    page.get_by_text("The server can't be reached.").wait_for(state="hidden")
    assert page.get_by_label("Reply to the customer").count() == 1
    assert site.strangers == []


@pytest.mark.parametrize("role", ["agent", "admin"])
def test_bugs_have_their_ids_and_admins_say_where_they_stand(open_page: OpenPage, role: str) -> None:
    you = {"name": "Ada", "role": role, "signed_in": True}
    page, site = open_page("/bugs#/b/BUG-1", with_json(inbox_answers(), "/v1/inbox/bugs", you=you))
    set_to: list[dict[str, str]] = []

    def kept(route: Route) -> None:
        set_to.append(json.loads(route.request.post_data or "{}"))
        site.answers = with_json(site.answers, "/v1/inbox/bugs/BUG-1", **set_to[-1])
        route.fulfill(status=204)

    page.route("**/BUG-1/status", kept)
    page.get_by_role("heading", name="Reports (1)").wait_for()
    assert page.get_by_role("row").last.get_by_role("link").inner_text().startswith("BUG-1 ")

    choices = page.get_by_role("group", name="Status of BUG-1")
    assert choices.count() == (1 if role == "admin" else 0)
    if role == "admin":
        choices.get_by_role("button", name="Fixed").click()
        expect(choices.get_by_role("button", name="Fixed", pressed=True)).to_be_focused()
        assert set_to == [{"status": "fixed"}]


def test_sources_and_queues_are_called_what_they_are(open_page: OpenPage) -> None:
    answers = inbox_answers()
    view = _json(answers, VIEW)
    (said, bot, *rest) = view["messages"]
    sources = [{**bot["citations"][0], "n": n, "section": section} for n, section in ((1, "CSV"), (2, "PDF"))]
    names = {"billing": "Invoices and money"}
    answers = with_json(answers, VIEW, messages=[said, {**bot, "citations": sources}, *rest], queue_names=names)
    page, _ = open_page("/inbox#/c/c1", with_json(answers, ROWS, queue_names=names))
    page.get_by_role("log").wait_for()

    host = "(docs.orrery.example)"
    expect(page.locator(".sources a")).to_have_text([f"Exporting: CSV {host}", f"Exporting: PDF {host}"])
    assert "Invoices and money, unhappy" in page.locator("a.row").inner_text().replace("very ", "")
    assert "Invoices and money, urgent" in page.get_by_label("Summary").inner_text()
