"""The review screen as a labeller uses it: by keyboard, on tickets that try to be more than text."""

import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, Route

from evals.labels.file import Hand, HandLabels
from evals.labels.labelling import Titled
from evals.labels.review.app import address, build_review_app
from evals.labels.review.desk import ReviewDesk
from evals.tickets.ticket import Gold, Ticket
from tests.browser.conftest import WAIT_MS
from tests.browser.corpus import VECTORS
from tests.browser.test_accessibility import serious
from tests.evals.labels.arrange import ARTICLES, POLICY, ticket

pytestmark = pytest.mark.browser

TOKEN = "right"
TICKETS = [
    replace(ticket("How do I correct last week?", "Take the approval back.", "thanks", number=1), gold=Gold()),
    ticket("Charged twice", "I've refunded the 20 EUR.", number=2, days=1),
]


@dataclass(frozen=True, slots=True)
class Screen:
    """An open review screen: its page, what it asked of anybody else, and what it complained about."""

    page: Page
    strangers: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)


OpenScreen = Callable[..., Screen]


@pytest.fixture
def labels(tmp_path: Path) -> HandLabels:
    return HandLabels.open(tmp_path / "t.labels.jsonl")


@pytest.fixture
def screen(browser: Browser, labels: HandLabels) -> Iterator[OpenScreen]:
    """Open the review screen of some tickets, on a server of its own."""
    servers, contexts = [], []

    def opened(tickets: list[Ticket] = TICKETS, articles: Sequence[Titled] = ARTICLES, fragment: str = "") -> Screen:
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        desk = ReviewDesk(tickets, labels, "ada", POLICY, articles)
        config = uvicorn.Config(build_review_app(desk, TOKEN), log_level="warning", lifespan="off")
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        servers.append((server, thread, listener))
        context = browser.new_context(viewport={"width": 1280, "height": 900})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        shown = Screen(page)
        own = address(port, "").partition("#")[0]
        page.on("request", lambda asked: None if asked.url.startswith(own) else shown.strangers.append(asked.url))
        # Chromium asks for an icon by itself.
        page.on(
            "console",
            lambda said: (
                shown.complaints.append(said.text) if said.type == "error" and "404" not in said.text else None
            ),
        )
        page.goto(address(port, TOKEN) if not fragment else own + fragment)
        return shown

    yield opened
    for context in contexts:
        context.close()
    for server, thread, listener in servers:
        server.should_exit = True
        thread.join(30)
        listener.close()


def written(labels: HandLabels, ticket_id: str, expected: Hand) -> None:
    """Wait until the file says so: the page saves behind the keys."""
    deadline = time.monotonic() + WAIT_MS / 1000
    while HandLabels.open(labels.path).of(ticket_id, "ada") != expected and time.monotonic() < deadline:
        time.sleep(0.05)
    assert HandLabels.open(labels.path).of(ticket_id, "ada") == expected


def choose(page: Page, value: str) -> None:
    """Go down the list that has the focus until it says so. Typed letters would have to come fast to be one word."""
    focused = page.locator("select:focus")
    focused.wait_for()
    for _ in range(40):
        if focused.input_value() == value:
            break
        page.keyboard.press("ArrowDown")
    assert focused.input_value() == value
    page.keyboard.press("Enter")


def test_a_ticket_is_labelled_by_keyboard_alone(screen: OpenScreen, labels: HandLabels) -> None:
    shown = screen()
    page = shown.page
    page.get_by_role("heading", name="T-1").wait_for()
    keys = page.keyboard

    keys.press("c")
    choose(page, "how_to_time")
    keys.press("y")
    keys.press("r")
    choose(page, "money_dispute")
    keys.press("t")
    choose(page, "how_to")
    keys.press("a")
    keys.type("edit ent")
    page.get_by_role("option", name="Edit time entries").wait_for()
    keys.press("Enter")
    keys.press("Escape")
    keys.press("2")
    keys.press("b")
    keys.type("BUG-7")
    keys.press("Enter")
    keys.press("Escape")

    expected = Hand.model_validate(
        {
            "category": "how_to_time",
            "needs_person": True,
            "needs_person_reason": "money_dispute",
            "kind": "how_to",
            "articles": ["time/edit-entries"],
            "complexity": "moderate",
            "is_bug": True,
            "bug_id": "BUG-7",
        }
    )
    written(labels, "T-1", expected)
    assert "1 of 2 labelled" in page.locator("#progress").inner_text()

    keys.press("u")
    written(labels, "T-1", expected.model_copy(update={"bug_id": None, "is_bug": None}))
    keys.press("j")
    page.get_by_role("heading", name="T-2").wait_for()
    keys.press("n")
    written(labels, "T-2", Hand(needs_person=False))
    keys.press("k")
    page.get_by_role("heading", name="T-1").wait_for()
    assert page.get_by_label("Category").input_value() == "how_to_time"
    assert (shown.strangers, shown.complaints) == ([], [])


def test_what_is_known_is_taken_with_one_key(screen: OpenScreen, labels: HandLabels) -> None:
    page = screen().page
    page.get_by_role("heading", name="T-1").wait_for()
    page.keyboard.press("j")
    page.get_by_text("yes (person_acted, 0.9)").wait_for()

    page.keyboard.press("s")

    written(labels, "T-2", Hand(needs_person=True, needs_person_reason="money_dispute"))


def test_a_ticket_that_is_a_page_stays_a_text(screen: OpenScreen, labels: HandLabels) -> None:
    hostile = "\n".join(vector.text for vector in VECTORS if len(vector.text) < 500)
    shout = '<img src=x onerror="window.__pwned=1"><script>window.__pwned=2</script>'
    one = replace(
        ticket(f"{shout}\n{hostile}", f"{shout}\n{hostile}", number=1), page=shout, tags=(shout,), bug_id=shout
    )
    shown = screen([replace(one, ticket_id=shout)])
    page = shown.page
    page.get_by_role("heading", name=shout).wait_for()

    page.keyboard.press("s")
    page.get_by_text(f"Saved {shout}.").wait_for()
    page.wait_for_timeout(150)

    said = HandLabels.open(labels.path).of(shout, "ada")
    assert said is not None
    assert said.bug_id == shout
    assert page.evaluate("window.__pwned ?? null") is None
    assert page.locator(".entry .text").first.inner_text().startswith(shout)
    assert (
        page.locator("main :is(img, iframe, svg, math, object, embed, style, script, video, a, [onerror])").count() == 0
    )
    assert (shown.strangers, shown.complaints) == ([], [])


def test_without_an_installation_an_article_is_typed(screen: OpenScreen, labels: HandLabels) -> None:
    page = screen(articles=()).page
    page.get_by_role("heading", name="T-1").wait_for()

    page.keyboard.press("a")
    page.keyboard.type("reset-password")
    page.keyboard.press("Enter")

    written(labels, "T-1", Hand(articles=("reset-password",)))


def test_what_can_not_be_saved_is_said_and_saved_later(screen: OpenScreen, labels: HandLabels) -> None:
    page = screen().page
    page.get_by_role("heading", name="T-1").wait_for()
    labels.path.mkdir()

    page.keyboard.press("y")

    page.get_by_text("NOT saved, T-1").wait_for()
    page.keyboard.press("j")
    page.wait_for_timeout(150)
    assert page.get_by_role("heading", level=2).inner_text() == "T-1"
    labels.path.rmdir()
    page.keyboard.press("j")
    page.get_by_role("heading", name="T-2").wait_for()
    written(labels, "T-1", Hand(needs_person=True))


def test_a_key_pressed_while_a_ticket_loads_is_about_the_ticket_that_comes(
    screen: OpenScreen, labels: HandLabels
) -> None:
    page = screen().page
    page.get_by_role("heading", name="T-1").wait_for()
    asked = []

    def hold(route: Route) -> None:
        asked.append(route)

    page.route("**/api/ticket?*", hold)
    page.keyboard.press("j")
    page.keyboard.press("y")
    page.keyboard.press("c")
    page.keyboard.type("ny")
    page.wait_for_timeout(100)
    assert not labels.path.exists()
    assert len(asked) == 1
    asked[0].continue_()

    page.get_by_role("heading", name="T-2").wait_for()
    written(labels, "T-2", Hand(needs_person=True))
    assert HandLabels.open(labels.path).by("ada").keys() == {"T-2"}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious(screen: OpenScreen, scheme: Literal["light", "dark"]) -> None:
    page = screen().page
    page.emulate_media(color_scheme=scheme)
    page.get_by_role("heading", name="T-1").wait_for()
    page.keyboard.press("2")
    page.keyboard.press("a")
    page.keyboard.type("edit")
    page.get_by_role("option", name="Edit time entries").wait_for()

    assert serious(page) == []


def test_without_the_token_there_is_nothing_to_see(screen: OpenScreen) -> None:
    page = screen(fragment="#token=wrong").page

    page.get_by_text("it carries a token").wait_for()
    assert page.locator(".entry").count() == 0
    assert "T-1" not in page.content()
