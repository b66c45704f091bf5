"""A real Chromium that can reach nothing but what a test hands it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Page, Route, sync_playwright

ASSETS = Path(__file__).parent / "assets"
STATIC = Path(__file__).parents[2] / "server" / "static"
HOST = "app.test"
ORIGIN = f"http://{HOST}"
# Everything answers in tenths of a second; a busy machine needs more.
WAIT_MS = 20_000
# Chromium without windows, a build of its own: less than half of the work of the whole browser with its window hidden.
CHROMIUM = "/usr/bin/chromium-headless-shell"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    # Somewhat less work: one process for the pages of a context, and none for a graphics card that isn't there.
    "--process-per-site",
    "--renderer-process-limit=1",
    "--in-process-gpu",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the page gets for a path."""

    body: str | bytes
    content_type: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass  # Playwright keeps an attribute of its own on it, so no slots.
class Site:
    """A site of canned answers. `strangers` are the requests that went anywhere else, `missing` unknown paths."""

    answers: dict[str, Answer] = field(default_factory=dict)
    strangers: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)

    def handle(self, route: Route) -> None:
        """Answer a request of the page, or note it and refuse it."""
        url = urlsplit(route.request.url)
        if url.hostname != HOST:
            self.strangers.append(route.request.url)
            route.abort()
            return
        answer = self.answers.get(url.path)
        if answer is None:
            self.missing.append(url.path)
            route.fulfill(status=404, body="")
            return
        headers = {"Content-Type": answer.content_type, **answer.headers}
        route.fulfill(status=200, body=answer.body, headers=headers)


OpenPage = Callable[..., tuple[Page, Site]]


# Playwright's synchronous interface keeps an event loop running in this thread, in which no asynchronous test of
# another module could run: hence one browser per module.
@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Chromium, as headless and as quiet as it gets."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=CHROMIUM, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[OpenPage]:
    """Open a path of a canned site in a fresh context: `open_page(path, answers, **context options)`."""
    contexts = []

    def opened(path: str, answers: dict[str, Answer], **options: object) -> tuple[Page, Site]:
        site = Site(dict(answers))
        context = browser.new_context(**options)  # type: ignore[arg-type]  # Passed through as it came.
        contexts.append(context)
        context.route("**/*", site.handle)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(ORIGIN + path)
        return page, site

    yield opened
    for context in contexts:
        context.close()
