"""The built widget on a page of somebody else's, against a server that only answers from a list."""

import json
from dataclasses import replace
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.canned import CONVERSATION, MODE, TALK, as_json, message, stream, widget_answers
from tests.browser.conftest import Answer, OpenPage, Site
from tests.browser.corpus import VECTORS

pytestmark = pytest.mark.browser

RUN_ID = {"threadId": CONVERSATION, "runId": "r"}


def custom(name: str, value: dict[str, Any]) -> dict[str, Any]:
    return {"type": "CUSTOM", "name": f"helpgraph.{name}.v1", "value": value}


def open_widget(open_page: OpenPage, answers: dict[str, Answer]) -> tuple[Page, Site, list[dict[str, Any]]]:
    """The page with its widget open, and the bodies of all requests to come."""
    page, site = open_page("/demo/reports", answers, locale="en-US")
    sent: list[dict[str, Any]] = []

    def note(request: Any) -> None:
        if request.method == "POST":
            sent.append({"path": request.url.partition("/v1/")[2], **json.loads(request.post_data or "{}")})

    page.on("request", note)
    page.get_by_role("button", name="Open help").click()
    page.get_by_label("Write a message").wait_for()
    return page, site, sent


def test_page_context_names_what_is_there_and_never_what_was_typed(open_page: OpenPage) -> None:
    page, _, _ = open_widget(open_page, widget_answers(messages=[], events=[]))
    page.get_by_label("Card").fill("5500-0000")
    page.evaluate("console.error('Load failed for https://api.test/x?token=abc123')")
    page.get_by_role("button", name="Export CSV").click()

    with page.expect_request("**/v1/agui") as asked:
        page.get_by_role("button", name="How do I export?").click()

    context = json.loads(asked.value.post_data or "{}")["forwardedProps"]["page"]
    assert context["route"] == "/reports"
    assert context["title"] == "Reports"
    assert context["actions"] == ["opened /reports", "clicked Export CSV"]
    assert context["errors"] == ["Load failed for https://api.test/x?…"]
    assert [element["id"] for element in context["elements"]] == [
        "export",
        "profile",
        "card",
        "note",
        "essay",
        "plan",
    ]
    told = json.dumps(context)
    for typed in ("4111", "5500", "my secret note", "private essay", "Enterprise", "abc123"):
        assert typed not in told


def test_an_event_told_by_both_streams_is_shown_once(open_page: OpenPage) -> None:
    events = [
        {"type": "RUN_STARTED", **RUN_ID},
        {"type": "TEXT_MESSAGE_START", "messageId": "b1", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "b1", "delta": "Press "},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "b1", "delta": "Export."},
        {"type": "TEXT_MESSAGE_END", "messageId": "b1"},
        {"type": "RUN_FINISHED", **RUN_ID},
    ]
    # The stream that stays open ends here each time, so the widget asks again and hears everything once more.
    answers = widget_answers(messages=[], events=events)
    page, _, _ = open_widget(open_page, {**answers, "/v1/agui": stream(*events)})
    page.locator(".message.bot:not(.opening)").wait_for()

    page.get_by_label("Write a message").fill("How do I export?")
    page.get_by_label("Write a message").press("Enter")
    page.locator(".message.customer").wait_for()
    page.wait_for_timeout(1_500)

    assert page.locator(".message.bot .bubble").all_inner_texts() == ["Press Export."]


def test_a_beginning_that_comes_after_its_end_leaves_nothing_thinking(open_page: OpenPage) -> None:
    started, finished = {"type": "RUN_STARTED", **RUN_ID}, {"type": "RUN_FINISHED", **RUN_ID}
    said = custom("message", message("b1", "bot", "Press Export."))
    # The message's own stream begins under the message's number, the one that stays open under the run's.
    own = numbered((11, started), (13, said), (14, finished))
    late = numbered((12, started), (13, said), (14, finished))
    page, _, _ = open_widget(open_page, {**widget_answers(messages=[], events=[]), "/v1/agui": own})
    asked: list[str | None] = []

    def after_the_end(route: Route) -> None:
        page.locator(".bubble", has_text="Press Export.").wait_for()
        asked.append(route.request.headers.get("last-event-id"))
        told = late if len(asked) == 1 else stream()
        route.fulfill(status=200, headers={"Content-Type": told.content_type}, body=told.body)

    page.route("**/events?*", after_the_end)
    page.get_by_role("button", name="How do I export?").click()
    page.locator(".bubble", has_text="Press Export.").wait_for()
    with page.expect_request(lambda request: request.headers.get("last-event-id") == "14"):
        pass

    assert asked[0] == "10"
    expect(page.locator(".dots")).to_have_count(0)
    assert page.locator(".message.bot .bubble").all_inner_texts() == ["Press Export."]


def test_a_run_that_had_ended_before_it_was_rejoined_leaves_nothing_thinking(open_page: OpenPage) -> None:
    started, finished = {"type": "RUN_STARTED", **RUN_ID}, {"type": "RUN_FINISHED", **RUN_ID}
    said = custom("message", message("b1", "bot", "Press Export."))
    answers = widget_answers(messages=[TALK[0]], events=[])
    session = {**json.loads(answers["/v1/sessions"].body), "active_run": {"run_id": "r"}}
    own = numbered((11, started), (13, said), (14, finished))
    # A summary, since the widget came in the middle: only its last event has a number.
    rejoined = numbered((None, started), (None, said), (14, finished))
    page, _ = open_page("/demo/reports", {**answers, "/v1/sessions": as_json(session), "/v1/agui": own})
    asked: list[str | None] = []

    def after_the_end(route: Route) -> None:
        asked.append(route.request.headers.get("last-event-id"))
        if len(asked) == 1:
            page.get_by_label("Write a message").fill("And as a PDF?")
            page.get_by_label("Write a message").press("Enter")
            page.locator(".bubble", has_text="Press Export.").wait_for()
        told = rejoined if len(asked) == 1 else stream()
        route.fulfill(status=200, headers={"Content-Type": told.content_type}, body=told.body)

    page.route("**/events?*", after_the_end)
    with page.expect_request(lambda request: request.headers.get("last-event-id") == "14"):
        page.get_by_role("button", name="Open help").click()

    assert asked[0] is None
    expect(page.locator(".dots")).to_have_count(0)


def numbered(*events: tuple[int | None, dict[str, Any]]) -> Answer:
    """An event stream whose numbers are given."""
    lines = [(f"id: {seq}\n" if seq else "") + f"data: {json.dumps(event)}\n\n" for seq, event in events]
    return Answer("".join(lines), "text/event-stream")


def test_the_final_record_replaces_what_was_streamed(open_page: OpenPage) -> None:
    events = [
        {"type": "RUN_STARTED", **RUN_ID},
        {"type": "TEXT_MESSAGE_START", "messageId": "b1", "role": "assistant"},
        {"type": "TEXT_MESSAGE_CONTENT", "messageId": "b1", "delta": "Wrong"},
        custom("message", message("b1", "bot", "Right")),
        {"type": "RUN_FINISHED", **RUN_ID},
    ]
    answers = widget_answers(messages=[], events=[])
    page, _, _ = open_widget(open_page, {**answers, "/v1/agui": stream(*events)})

    page.get_by_role("button", name="How do I export?").click()
    page.locator(".bubble", has_text="Right").wait_for()

    assert page.locator(".message.bot").count() == 1


def test_a_message_goes_out_again_under_its_own_id(open_page: OpenPage) -> None:
    page, _, sent = open_widget(open_page, widget_answers(messages=[], events=[]))
    answer = stream({"type": "RUN_STARTED", **RUN_ID}, {"type": "RUN_FINISHED", **RUN_ID})
    tries = []

    def busy_once(route: Any) -> None:
        tries.append(route)
        if len(tries) == 1:
            route.fulfill(status=503, headers={"Retry-After": "1"}, body="{}")
        else:
            route.fulfill(status=200, headers={"Content-Type": answer.content_type}, body=answer.body)

    page.route("**/v1/agui", busy_once)
    page.get_by_role("button", name="How do I export?").click()
    page.locator(".banner", has_text="Trying again").wait_for()
    page.wait_for_function("() => !document.querySelector('helpgraph-widget').shadowRoot.querySelector('.under')")

    ids = [body["messages"][0]["id"] for body in sent if body["path"] == "agui"]
    assert len(ids) == 2
    assert ids[0] == ids[1]
    assert page.locator(".message.customer").count() == 1


def test_a_refused_message_says_why_and_can_be_tried_again(open_page: OpenPage) -> None:
    page, _, _ = open_widget(open_page, widget_answers(messages=[], events=[]))
    problem = json.dumps({"title": "Unprocessable", "detail": "That text can't be read."})
    page.route("**/v1/agui", lambda route: route.fulfill(status=422, body=problem))

    page.get_by_role("button", name="How do I export?").click()

    page.get_by_text("That text can't be read.").wait_for()
    assert page.get_by_role("button", name="Try again").is_visible()
    assert page.get_by_role("link").count() == 0, "nobody's address is known"


def test_guidance_shows_words_as_text_and_steps_that_are_there(open_page: OpenPage) -> None:
    steps = [
        {"element_id": "gone", "selector": "#nowhere[", "text": "Not here"},
        {"element_id": "export", "selector": "", "text": "<img src=x onerror=window.__pwned=1> Press"},
    ]
    guided = message("b1", "bot", "Look", guidance={"title": "<b>Export</b>", "steps": steps})
    page, _, _ = open_widget(open_page, widget_answers(messages=[*TALK[:1], guided], events=[]))

    page.get_by_role("button", name="Show me").click()
    page.locator(".driver-popover-title", has_text="<b>Export</b>").wait_for()

    assert page.locator(".driver-popover-description").inner_text() == "<img src=x onerror=window.__pwned=1> Press"
    assert page.locator(".driver-popover img").count() == 0
    assert page.evaluate("window.__pwned ?? null") is None


def test_the_browser_keeps_the_token_and_no_text(open_page: OpenPage) -> None:
    page, _, _ = open_widget(open_page, widget_answers(messages=TALK, events=[]))
    page.locator(".message.bot").wait_for()

    kept = page.evaluate("Object.values(localStorage).join()")

    assert json.loads(kept) == {"token": "token", "conversationId": CONVERSATION, "supportEmail": None}


def test_escape_closes_and_focus_returns_to_the_launcher(open_page: OpenPage) -> None:
    page, _, _ = open_widget(open_page, widget_answers(messages=[], events=[]))

    page.keyboard.press("Escape")
    page.locator(".launcher").wait_for()

    page.wait_for_function(
        "() => document.querySelector('helpgraph-widget').shadowRoot.activeElement?.className === 'launcher'"
    )


def test_hostile_messages_ask_no_stranger(open_page: OpenPage) -> None:
    hostile = [message(vector.name, "bot", vector.text, citations=_cited(vector.text)) for vector in VECTORS[::3]]
    page, site, _ = open_widget(open_page, widget_answers(messages=hostile, events=[]))
    page.locator(".message.bot").last.wait_for()
    page.wait_for_timeout(300)

    assert site.strangers == []
    assert page.evaluate("window.__pwned ?? null") is None
    assert page.locator(":is(img, iframe, script, svg, object, embed):not([src='/widget.js'])").count() == 0


def _cited(text: str) -> list[dict[str, Any]]:
    return [{"n": 1, "article_id": "a", "title": text[:300], "section": text[:300], "url": "javascript:alert(1)"}]


def test_a_server_that_is_away_is_said_and_can_be_tried_again(open_page: OpenPage) -> None:
    answers = widget_answers(messages=[], events=[])
    session = answers.pop("/v1/sessions")
    page, site, _ = open_widget(open_page, answers)
    page.get_by_text("Help isn't reachable right now.").wait_for()

    site.answers["/v1/sessions"] = session
    page.get_by_role("button", name="Try again").click()

    page.get_by_role("button", name="How do I export?").wait_for()


def test_where_the_chat_fails_the_teams_address_is_named(open_page: OpenPage) -> None:
    answers = widget_answers(messages=[], events=[])
    session = json.loads(answers["/v1/sessions"].body)
    session["workspace"]["support_email"] = "help@orrery.example"
    page, site, _ = open_widget(open_page, {**answers, "/v1/sessions": as_json(session)})
    page.route("**/v1/agui", lambda route: route.fulfill(status=422, body="{}"))

    page.get_by_role("button", name="How do I export?").click()
    beside_message = page.locator(".message.customer").get_by_role("link", name="help@orrery.example")
    beside_message.wait_for()
    assert beside_message.get_attribute("href") == "mailto:help@orrery.example"

    site.answers.pop("/v1/sessions")
    page.reload()
    page.get_by_text("You can also write to help@orrery.example.").wait_for()


def test_a_hashed_user_id_goes_out_with_the_session(open_page: OpenPage) -> None:
    answers = widget_answers(messages=[], events=[])
    host = answers["/demo/reports"]
    assert isinstance(host.body, str)
    signed = host.body.replace("<script src=", '<script data-user-id="user_1" data-user-hash="ab12" src=', 1)
    _, _, sent = open_widget(open_page, {**answers, "/demo/reports": replace(host, body=signed)})

    begun = next(body for body in sent if body["path"] == "sessions")
    assert (begun["user_id"], begun["user_hash"], begun.get("identity_token")) == ("user_1", "ab12", None)


def test_a_wish_for_a_person_is_one_wish_until_it_is_known_to_have_arrived(open_page: OpenPage) -> None:
    page, _, _ = open_widget(open_page, widget_answers(messages=[], events=[]))
    asked: list[dict[str, Any]] = []

    def never_mind(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "{}"))
        route.abort()

    def take(route: Route) -> None:
        asked.append(json.loads(route.request.post_data or "{}"))
        route.fulfill(status=202, content_type="application/json", body='{"turn_id": "t"}')

    page.route("**/handoff", never_mind)
    button = page.get_by_role("button", name="Talk to a person")
    button.click()
    page.get_by_role("log").get_by_text("Something went wrong.").wait_for()
    lost = len(asked)
    page.unroute("**/handoff")
    page.route("**/handoff", take)
    button.click()
    page.get_by_role("log").get_by_text("A person has been asked for.").wait_for()

    assert lost > 1
    assert len(asked) == lost + 1
    assert len({body["client_message_id"] for body in asked}) == 1
    assert len(asked[0]["client_message_id"]) == 32


def test_a_server_that_knows_less_than_before_is_asked_for_what_it_has(open_page: OpenPage) -> None:
    kept, lost = (message(f"m{n}", "bot", text) for n, text in ((1, "From the backup"), (2, "Since the backup")))
    page, site, _ = open_widget(open_page, widget_answers(messages=[kept, lost], events=[]))
    page.get_by_role("log").get_by_text("Since the backup").wait_for()
    restored = json.loads(str(site.answers["/v1/sessions"].body)) | {"messages": [kept], "last_event_id": "4"}
    site.answers["/v1/sessions"] = as_json(restored)

    def events(route: Route) -> None:
        if route.request.headers["last-event-id"] == "10":
            route.fulfill(status=409, body=json.dumps({"title": "Conflict", "status": 409, "detail": "ahead"}))
        else:
            route.fallback()

    page.route("**/events?*", events)
    page.get_by_role("log").get_by_text("Since the backup").wait_for(state="detached")
    page.wait_for_event("request", lambda request: request.headers.get("last-event-id") == "4")

    assert page.get_by_role("log").get_by_text("From the backup").is_visible()


def test_the_next_wish_for_a_person_is_another_one(open_page: OpenPage) -> None:
    page, _, sent = open_widget(open_page, widget_answers(messages=[], events=[]))
    refused = json.dumps({"title": "Conflict", "status": 409, "detail": "no"})
    page.route("**/handoff", lambda route: route.fulfill(status=409, body=refused))
    button = page.get_by_role("button", name="Talk to a person")
    for _ in range(2):
        with page.expect_response("**/handoff"):
            button.click()
        page.locator(".talk:enabled").wait_for()

    ids = [body["client_message_id"] for body in sent if body["path"].endswith("handoff")]
    assert len(set(ids)) == len(ids) == 2


def test_a_wish_that_arrived_after_all_is_not_the_next_one(open_page: OpenPage) -> None:
    page, site, sent = open_widget(open_page, widget_answers(messages=[], events=[]))
    # Longer than the widget waits by itself.
    away = {"status": 503, "headers": {"Retry-After": "600"}, "body": "{}"}
    page.route("**/handoff", lambda route: route.fulfill(**away))
    button = page.get_by_role("button", name="Talk to a person")
    button.click()
    page.get_by_role("log").get_by_text("Something went wrong.").wait_for()
    (lost,) = (body["client_message_id"] for body in sent if body["path"].endswith("handoff"))
    logged = custom("message", message(lost, "customer", "I'd like a person."))
    site.answers[f"/v1/conversations/{CONVERSATION}/events"] = stream(logged)
    page.get_by_role("log").get_by_text("I'd like a person.").wait_for()
    with page.expect_response("**/handoff"):
        button.click()

    ids = [body["client_message_id"] for body in sent if body["path"].endswith("handoff")]
    assert ids[0] == lost
    assert len(set(ids)) == len(ids) == 2


@pytest.mark.parametrize("given", [False, True])
def test_an_address_that_was_noted_is_not_asked_for_again(open_page: OpenPage, given: bool) -> None:
    noted = custom("outcome", {"turn_id": "t1", "outcome": "contact_taken", "route": None})
    said = custom("notice", {"code": "x", "text": "All of it has come"})
    events = [custom("mode", MODE), *([noted] if given else []), said]
    page, _, _ = open_widget(open_page, widget_answers(messages=TALK, events=events))
    page.get_by_text("All of it has come").wait_for()

    assert page.get_by_label("Your e-mail address").count() == (not given)


def test_the_button_for_a_person_tells_the_page(open_page: OpenPage) -> None:
    page, _, sent = open_widget(open_page, widget_answers(messages=[], events=[]))
    with page.expect_request("**/handoff"):
        page.get_by_role("button", name="Talk to a person").click()

    (asked,) = (body for body in sent if body["path"].endswith("/handoff"))
    assert asked["page"]["route"] == "/reports"


@pytest.mark.parametrize("waits", [True, False], ids=["waits", "leaves"])
def test_whoever_ends_a_chat_while_waiting_says_whether_a_person_should_answer(
    open_page: OpenPage, *, waits: bool
) -> None:
    answers = widget_answers(messages=TALK, events=[custom("mode", {**MODE, "ask_email": False})])
    page, site, sent = open_widget(open_page, {**answers, f"/v1/conversations/{CONVERSATION}/end": as_json({})})
    page.locator(".banner", has_text="person").wait_for()
    gone = stream(custom("mode", MODE), custom("mode", {**MODE, "mode": "bot"}))

    page.get_by_role("button", name="End chat").click()
    page.get_by_text("Should a person still answer?").wait_for()
    assert page.get_by_text("How was the help?").count() == 0
    if waits:
        page.get_by_role("button", name="Yes, I'll wait here").click()
        page.get_by_role("log").get_by_text("A person will still answer, here").wait_for()
    else:
        site.answers[f"/v1/conversations/{CONVERSATION}/events"] = gone
        page.get_by_role("button", name="No, end the chat").click()
        page.get_by_text("How was the help?").wait_for()
        page.locator(".banner", has_text="person").wait_for(state="hidden")

    assert [body["path"] for body in sent].count(f"conversations/{CONVERSATION}/end") == (0 if waits else 1)
    assert page.get_by_text("Should a person still answer?").count() == 0


def test_while_a_person_is_asked_for_nothing_asks_for_one_or_whether_it_helped(open_page: OpenPage) -> None:
    passed_on = message("m4", "bot", "I've passed it on.", outcome="handed_off")
    talk = [*TALK, message("m3", "customer", "A person, please"), passed_on]
    answers = widget_answers(messages=talk, events=[custom("mode", {**MODE, "ask_email": False})])
    page, _ = open_page("/demo/reports", answers, locale="en-US", timezone_id="America/New_York")
    page.get_by_role("button", name="Open help").click()

    # As the message says it, where the customer is.
    banner = page.locator(".banner", has_text="A person aims to answer by")
    assert "4:30 AM EST" in banner.inner_text().replace("\u202f", " ")
    assert page.get_by_role("button", name="Talk to a person").count() == 0
    assert page.locator("[data-message-id=m2] .feedback").count() == 1
    assert page.locator("[data-message-id=m4] .feedback").count() == 0


def test_the_buttons_below_a_question_say_their_words_and_leave_the_keyboard_where_one_writes(
    open_page: OpenPage,
) -> None:
    question = message(
        "m2",
        "bot",
        "The nearest I found: “Exporting” [1]. Is it about that?",
        outcome="asked",
        quick_replies=[
            {"label": "Yes, that's it", "text": "Yes, that's it"},
            {"label": "Ask differently", "text": ""},
        ],
    )
    page, _, sent = open_widget(open_page, widget_answers(messages=[TALK[0], question], events=[]))
    field = page.get_by_label("Write a message")
    # The "Yes" of a rating would be taken for the answer.
    assert page.get_by_role("group", name="Was this helpful?").count() == 0

    page.get_by_role("button", name="Ask differently").click()
    expect(field).to_be_focused()
    assert [each["path"] for each in sent if each["path"] == "agui"] == []
    with page.expect_request("**/v1/agui") as asked:
        page.get_by_role("button", name="Yes, that's it").click()

    expect(field).to_be_focused()
    assert json.loads(asked.value.post_data or "{}")["messages"][-1]["content"] == "Yes, that's it"


def test_a_long_answer_is_shown_from_its_beginning_and_a_short_one_whole(open_page: OpenPage) -> None:
    long = message("long", "bot", "\n\n".join(f"Paragraph {n} of the answer." for n in range(60)))
    answers = widget_answers(messages=[*TALK, message("m3", "customer", "Tell me everything"), long], events=[])
    page, site, _ = open_widget(open_page, answers)
    page.locator("[data-message-id=long]").wait_for()
    of_long = _shown(page, "long")

    site.answers[f"/v1/conversations/{CONVERSATION}/events"] = stream(custom("message", message("p", "person", "Hi!")))
    page.locator("[data-message-id=p]").wait_for()
    page.locator("[data-message-id=p]", has_text="Hi!").wait_for()

    assert of_long == {"top": True, "bottom": False}
    assert _shown(page, "p") == {"top": True, "bottom": True}


def _shown(page: Page, message_id: str) -> dict[str, bool]:
    """Which ends of a message can be seen in the log."""
    found: dict[str, bool] = page.locator(f"[data-message-id={message_id}]").evaluate("""(message) => {
        const [box, log] = [message, message.closest(".log")].map((element) => element.getBoundingClientRect());
        const seen = (y) => y >= log.top - 1 && y <= log.bottom + 1;
        return { top: seen(box.top), bottom: seen(box.bottom) };
    }""")
    return found
