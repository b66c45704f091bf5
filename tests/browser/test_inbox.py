"""The team's pages, as built: what customers wrote can't reach a colleague's session."""

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from tests.browser.canned import inbox_answers
from tests.browser.conftest import Answer, OpenPage
from tests.browser.corpus import VECTORS

pytestmark = pytest.mark.browser

# All of the corpus that fits in a message each, a few texts per page.
BATCHES = ["\n\n".join(vector.text for vector in VECTORS[n::8] if len(vector.text) < 500) for n in range(8)]
FORBIDDEN = ":is(img, iframe, svg, math, object, embed, style, video, audio, base, meta[http-equiv], [onerror])"


def unprotected(answers: dict[str, Answer]) -> dict[str, Answer]:
    """The same pages without their policy, so that whatever got through would run."""
    return {path: Answer(answer.body, answer.content_type) for path, answer in answers.items()}


@pytest.mark.parametrize("said", BATCHES, ids=range(len(BATCHES)))
def test_hostile_texts_stay_texts_in_the_inbox_and_in_the_bugs(open_page: OpenPage, said: str) -> None:
    page, site = open_page("/inbox#/c/c1", unprotected(inbox_answers(said=said)))
    page.get_by_label("Reply to the customer").wait_for()
    in_inbox = page.locator(FORBIDDEN).count()
    page.get_by_label("Summary").get_by_role("link", name="BUG-1").click()
    page.get_by_role("heading", name="Reports (1)").wait_for()
    page.wait_for_timeout(150)

    assert (in_inbox, page.locator(FORBIDDEN).count()) == (0, 0)
    assert page.evaluate("window.__pwned ?? null") is None
    assert site.strangers == []


def test_the_pages_live_with_their_strict_policy(open_page: OpenPage) -> None:
    page, _ = open_page("/inbox", inbox_answers())
    complaints: list[str] = []
    page.on("console", lambda entry: complaints.append(entry.text) if "Policy" in entry.text else None)
    page.reload()

    page.locator("a.row").click()
    page.get_by_label("Reply to the customer").wait_for()

    assert complaints == []


def test_a_reply_goes_out_under_one_id_until_it_is_taken(open_page: OpenPage) -> None:
    page, _ = open_page("/inbox#/c/c1", inbox_answers())
    bodies: list[dict[str, Any]] = []

    def fail_once(route: Any) -> None:
        bodies.append(json.loads(route.request.post_data))
        route.fulfill(status=503 if len(bodies) == 1 else 204, body="")

    page.route("**/reply", fail_once)
    page.get_by_label("Your name").fill("Ada")
    page.get_by_label("Your name").press("Tab")
    page.get_by_label("Reply to the customer").fill("We refund it.")
    page.get_by_role("button", name="Send reply").click()
    page.get_by_text("The server answered 503.").wait_for()
    page.get_by_role("button", name="Send reply").click()
    page.wait_for_function("() => document.querySelector('#reply').value === ''")

    assert len(bodies) == 2
    assert bodies[0] == bodies[1] == {**bodies[0], "text": "We refund it.", "person": "Ada"}


def test_the_story_is_told_before_the_conversation(open_page: OpenPage) -> None:
    page, _ = open_page("/inbox#/c/c1", inbox_answers(said="Charged twice"))

    story = page.get_by_label("Summary").inner_text()

    for part in ("Charged twice", "Billing dispute", "very unhappy", "Acme, Pro plan", "/settings/billing", "BUG-1"):
        assert part in story


def seen_by(role: str, name: str | None = "Grace") -> dict[str, Answer]:
    """The pages as somebody with a role sees them, while Ada has the conversation."""
    answers = inbox_answers()
    view = json.loads(answers["/v1/inbox/conversations/c1"].body)
    view["conversation"]["person"] = "Ada"
    rows = json.loads(answers["/v1/inbox/handoffs"].body)["handoffs"]
    listed = {
        "handoffs": [{**row, "mode": "with_person", "person": "Ada"} for row in rows],
        "you": {"name": name, "role": role},
    }
    view["you"] = listed["you"]
    for path, body in (("/v1/inbox/conversations/c1", view), ("/v1/inbox/handoffs", listed)):
        answers[path] = replace(answers[path], body=json.dumps(body).encode())
    return answers


def test_a_viewer_reads_and_sees_who_has_it(open_page: OpenPage) -> None:
    page, _ = open_page("/inbox#/c/c1", seen_by("viewer"))
    page.get_by_text("You may read, and not answer.").wait_for()

    assert page.get_by_role("button", name="Take").count() == 0
    assert page.get_by_label("Reply to the customer").count() == 0
    assert "With person (Ada)" in page.locator("a.row").inner_text()
    assert page.get_by_text("With person: Ada").count() == 1


def test_whoever_signed_in_by_name_answers_under_it(open_page: OpenPage) -> None:
    page, _ = open_page("/inbox#/c/c1", seen_by("agent"))
    page.get_by_text("You answer as Grace.").wait_for()

    assert page.get_by_label("Your name").count() == 0
    assert page.get_by_role("button", name="Take over and send").is_enabled()


def test_whoever_has_typed_a_name_takes_by_keyboard(open_page: OpenPage) -> None:
    answers = inbox_answers()
    path = "/v1/inbox/conversations/c1"
    view = json.loads(answers[path].body)
    view["conversation"]["mode"] = "waiting"
    page, _ = open_page("/inbox#/c/c1", {**answers, path: replace(answers[path], body=json.dumps(view).encode())})
    page.get_by_label("Your name").press_sequentially("Ada Lovelace")
    page.keyboard.press("Tab")
    with page.expect_request("**/take") as taken:
        page.keyboard.press("Enter")

    assert json.loads(taken.value.post_data or "{}")["person"] == "Ada Lovelace"


@pytest.mark.parametrize(("path", "row"), [("/inbox#/c/%", "a.row"), ("/bugs#/b/%E0%A4%A", "a[href^='#/b/']")])
def test_an_address_that_names_nothing_readable_shows_the_list(open_page: OpenPage, path: str, row: str) -> None:
    page, _ = open_page(path, inbox_answers())

    page.locator(row).first.click()

    page.get_by_role("heading", name=re.compile("Conversation|I was charged twice")).first.wait_for()
