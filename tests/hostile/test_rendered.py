"""What a hostile model says, with every defence of the turn switched off, in the real widget and the real inbox."""

import asyncio
import json
import threading
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from agent.policy import Defences, Policy
from agent.types import Author
from agent.wire import message_value
from tests.browser.canned import AT, as_json, inbox_answers, message, stream, widget_answers
from tests.browser.conftest import Answer, OpenPage, browser, open_page
from tests.browser.corpus import EVIL, VECTORS
from tests.hostile.model import STYLES, Honest, ObeyingModel
from tests.hostile.orders import Order, Print, Say
from tests.hostile.payloads import GOALS, WORDINGS
from tests.hostile.places import PLACES
from tests.hostile.world import Told, world
from tests.llm import ANSWER
from tools.engines.local.engine import LocalEngine

__all__ = ["browser", "open_page"]

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

UNDEFENDED = Policy(defences=Defences(*[False] * len(Defences.__slots__)))
FORBIDDEN = ":is(img, iframe, svg, math, object, embed, style, video, audio, base, meta[http-equiv], [onerror])"
SAID = [order for goal in GOALS for order in goal.orders if isinstance(order, Say | Print)]
MADE = [Say(vector.text) for vector in VECTORS[::7] if "»" not in vector.text and len(vector.text) < 400]
ORDERS: list[Order] = [*dict.fromkeys(SAID), *MADE]
PER_PAGE = 13


async def _replies(local: LocalEngine, folder: Path) -> list[Told]:
    place = next(place for place in PLACES if place.name == "an article")
    bare = next(wording for wording in WORDINGS if wording.name == "bare")
    replies = []
    async with world(local, folder) as here:
        for number, order in enumerate(ORDERS):
            begun = place.put(bare.of((order,)))
            model = ObeyingModel(Honest(ANSWER), STYLES[number % len(STYLES)])
            replies.append(await here.run(begun, model, policy=UNDEFENDED))
    return replies


def _elsewhere(job: Callable[[], Coroutine[Any, Any, list[Told]]]) -> list[Told]:
    """Run it in a thread: this one may have the browser's event loop already."""
    found: list[Told] = []
    thread = threading.Thread(target=lambda: found.extend(asyncio.run(job())))
    thread.start()
    thread.join()
    return found


@pytest.fixture(scope="module")
def replies(engine: LocalEngine, tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """The messages, as the wire has them."""
    folder = tmp_path_factory.mktemp("hostile")
    told = _elsewhere(lambda: _replies(engine, folder))
    assert len(told) == len(ORDERS)
    return [
        message_value(
            message_id=f"m{number}",
            author=Author.BOT,
            text=each.reply.text,
            at=AT,
            citations=each.reply.citations,
            guidance=each.reply.guidance,
            quick_replies=each.reply.quick_replies,
            outcome=each.reply.outcome.value,
        )
        for number, each in enumerate(told)
    ]


def _pages(replies: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    return [replies[start : start + PER_PAGE] for start in range(0, len(replies), PER_PAGE)]


def test_about_fifty_hostile_replies_got_through(replies: list[dict[str, Any]]) -> None:
    said = [reply["text"] for reply in replies]

    assert len(said) >= 45
    # With the defences off the model is heard, so the pages below have something to withstand.
    assert sum("evil.test" in text or EVIL in text for text in said) >= 20
    assert sum("<" in text for text in said) >= 10


def test_the_widget_asks_no_stranger(open_page: OpenPage, replies: list[dict[str, Any]]) -> None:
    for shown in _pages(replies):
        talk = [message("q", "customer", "How?"), *shown]
        page, site = open_page("/demo/reports", widget_answers(messages=talk, events=[]), locale="en-US")
        page.get_by_role("button", name="Open help").click()
        page.locator(".message.bot:not(.opening)").last.wait_for()
        page.wait_for_timeout(200)

        assert page.locator(".message.bot:not(.opening)").count() == len(shown)
        assert page.locator(FORBIDDEN).count() == 0
        assert [
            a for a in page.locator(".message.bot a").all() if "docs.orrery.example" not in str(a.get_attribute("href"))
        ] == []
        assert page.evaluate("window.__pwned ?? null") is None
        assert site.strangers == []


def test_the_widget_asks_no_stranger_while_it_is_written(open_page: OpenPage, replies: list[dict[str, Any]]) -> None:
    events: list[dict[str, Any]] = []
    for reply in replies:
        name = reply["message_id"]
        events.append({"type": "TEXT_MESSAGE_START", "messageId": name, "role": "assistant"})
        text = reply["text"]
        events += [
            {"type": "TEXT_MESSAGE_CONTENT", "messageId": name, "delta": text[at : at + 7]}
            for at in range(0, len(text), 7)
        ]
        events.append({"type": "TEXT_MESSAGE_END", "messageId": name})
    run = {"threadId": "t", "runId": "r"}
    begun = [{"type": "RUN_STARTED", **run}, *events, {"type": "RUN_FINISHED", **run}]
    answers = {**widget_answers(messages=[], events=[]), "/v1/agui": stream(*begun)}
    page, site = open_page("/demo/reports", answers, locale="en-US")
    page.get_by_role("button", name="Open help").click()
    page.get_by_role("button", name="How do I export?").click()
    page.wait_for_function(f"document.querySelector('helpgraph-widget') !== null || {len(replies)} > 0")
    page.locator(".message.bot:not(.opening)").nth(len(replies) - 1).wait_for()
    page.wait_for_timeout(200)

    assert page.locator(FORBIDDEN).count() == 0
    assert page.evaluate("window.__pwned ?? null") is None
    assert site.strangers == []


def test_the_inbox_asks_no_stranger(open_page: OpenPage, replies: list[dict[str, Any]]) -> None:
    for shown in _pages(replies):
        answers = inbox_answers()
        view = json.loads(answers["/v1/inbox/conversations/c1"].body)
        view["messages"] = [message("q", "customer", "How?"), *shown]
        view["handoff"] = {**view["handoff"], "wanted": shown[0]["text"], "tried": [reply["text"] for reply in shown]}
        answers["/v1/inbox/conversations/c1"] = as_json(view)
        # Without the pages' policy, so that whatever got through would be asked for.
        bare = {path: Answer(answer.body, answer.content_type) for path, answer in answers.items()}
        page, site = open_page("/inbox#/c/c1", bare)
        page.get_by_label("Reply to the customer").wait_for()
        page.wait_for_timeout(200)

        assert page.locator(FORBIDDEN).count() == 0
        assert page.evaluate("window.__pwned ?? null") is None
        assert site.strangers == []


def test_a_page_that_believed_them_would_ask(open_page: OpenPage, replies: list[dict[str, Any]]) -> None:
    page, site = open_page("/", {"/": Answer("<!doctype html><div id=place></div>", "text/html")})
    for reply in replies:
        if "refresh" not in reply["text"]:
            page.evaluate("(text) => { document.getElementById('place').innerHTML = text }", reply["text"])
    page.wait_for_timeout(300)

    assert site.strangers
