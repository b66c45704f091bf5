"""The real server in its own process, with the example product, and people who use it in a real Chromium."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, Locator, Page, Request, ViewportSize, expect, sync_playwright

from tests.browser.conftest import ARGUMENTS, CHROMIUM, WAIT_MS
from tests.forking import ROOT
from tests.honest_model import honest
from tests.installed import EXAMPLE, copy_of
from tests.model_server.hosting import in_thread
from tests.serving import served

IMAGES = ROOT / "docs" / "images"
DESKTOP: ViewportSize = {"width": 1200, "height": 800}
PHONE: ViewportSize = {"width": 390, "height": 844}
BOT = ".message.bot:not(.opening)"


@dataclass  # Playwright keeps an attribute of its own on it, so no slots.
class Traffic:
    """Every request that a browser context made."""

    requests: list[Request] = field(default_factory=list)

    def note(self, request: Request) -> None:
        """Keep it, whatever becomes of it."""
        self.requests.append(request)

    def strangers(self, server: str) -> list[str]:
        """Addresses outside of the server's own origin."""
        urls = [request.url for request in self.requests]
        return [url for url in urls if not url.startswith((f"{server}/", "data:", "blob:"))]

    def holding(self, text: str) -> list[str]:
        """Addresses of requests that carry `text` in the address, a header or the body."""
        return [request.url for request in self.requests if text in _all_of(request)]


def _all_of(request: Request) -> str:
    body = (request.post_data_buffer or b"").decode(errors="replace")
    return "\n".join([request.url, *request.headers.values(), body])


# Event streams come in record by record, each a moment after the other. Chromium's own limits hold whole reads back.
# After a record that contains `window.__stopAt` nothing comes any more, until the page is loaded again.
SLOW_LINE = """(() => {
  const original = window.fetch;
  window.fetch = async (...args) => {
    const response = await original(...args);
    if (!response.headers.get('Content-Type')?.startsWith('text/event-stream')) return response;
    const slowly = new TransformStream({
      async transform(text, controller) {
        for (const record of text.split(/(?<=\\n\\n|\\r\\n\\r\\n)/)) {
          await new Promise((resolve) => setTimeout(resolve, 60));
          controller.enqueue(record);
          if (window.__stopAt && record.includes(window.__stopAt)) await new Promise(() => {});
        }
      },
    });
    const body = response.body.pipeThrough(new TextDecoderStream()).pipeThrough(slowly);
    return new Response(body.pipeThrough(new TextEncoderStream()), response);
  };
})()"""
OpenPage = Callable[..., Page]
# Of a test whose statement is about the page alone: whichever engine speaks, the page is the same.
one_engine = pytest.mark.parametrize("server", ["local"], indirect=True)


@pytest.fixture(params=["local", "llm"])
def server(request: pytest.FixtureRequest) -> str:
    """The URL of a server of the example workspace, once for each engine; it lives as long as the test session."""
    url: str = request.getfixturevalue(f"{request.param}_server")
    return url


@pytest.fixture(scope="session")
def local_server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server with the local engine."""
    with _serving(copy_of(installed, tmp_path_factory.mktemp("server") / "data")) as url:
        yield url


@pytest.fixture(scope="session")
def llm_server(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of a server with a scripted model behind it, which is honest, and is asked."""
    data_dir = copy_of(installed, tmp_path_factory.mktemp("server") / "data")
    with in_thread(honest) as model:
        with _serving(data_dir, HELPGRAPH_MODEL="scripted", HELPGRAPH_MODEL_URL=model.url) as url:
            yield url
        assert [asked for asked in model.requests if asked.path.endswith("/chat/completions")]


@contextmanager
def _serving(data_dir: Path, **settings: str) -> Iterator[str]:
    with served(data_dir, "--workspace", str(EXAMPLE), "--demo", HELPGRAPH_EMBEDDING="minilm", **settings) as running:
        yield running.url
        running.stop(signal.SIGTERM)


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
def traffic() -> Traffic:
    """What all browsers of the test asked for."""
    return Traffic()


@pytest.fixture
def open_page(browser: Browser, server: str, traffic: Traffic) -> Iterator[OpenPage]:
    """Open a path as a new person, i.e. in a fresh context: `open_page(path, slow=..., **context options)`.

    However the test ends: no request of it may have gone anywhere but to the server.
    """
    contexts = []

    def opened(path: str, *, slow: bool = False, **options: object) -> Page:
        context = browser.new_context(
            **{"viewport": DESKTOP, "locale": "en-US", "reduced_motion": "reduce", **options}  # type: ignore[arg-type]  # Passed through as it came.
        )
        contexts.append(context)
        context.on("request", traffic.note)
        if slow:
            context.add_init_script(SLOW_LINE)
        page = context.new_page()
        page.set_default_timeout(WAIT_MS)
        page.goto(server + path)
        return page

    expect.set_options(timeout=WAIT_MS)
    yield opened
    for context in contexts:
        context.close()
    assert traffic.requests
    assert traffic.strangers(server) == []


# --- what people do ---


def open_widget(page: Page) -> None:
    """Open the panel and wait until it knows the page."""
    page.get_by_role("button", name="Open help").click()
    page.locator(".opening").wait_for()


def say(page: Page, text: str) -> None:
    """Send a message, as a customer does."""
    composer = page.get_by_label("Write a message")
    composer.fill(text)
    composer.press("Enter")


def answers(page: Page) -> Locator:
    """The messages of the bot that are complete."""
    return page.locator(BOT).filter(has=page.locator('.bubble[aria-busy="false"]'))


def ask(page: Page, text: str) -> str:
    """Send a message and return the complete answer to it."""
    before = answers(page).count()
    say(page, text)
    expect(answers(page)).to_have_count(before + 1)
    expect(page.locator(".dots")).to_have_count(0)
    return last_bot_text(page)


def last_bot_text(page: Page) -> str:
    """What the bot said last."""
    return page.locator(f"{BOT} .bubble").last.inner_text()


def conversation_id(page: Page) -> str:
    """Which conversation the page's widget is in."""
    found = page.evaluate("Object.values(localStorage).map((text) => JSON.parse(text).conversationId)[0]")
    assert isinstance(found, str)
    return found


def route_of(page: Page) -> str:
    """The page of the example product that is shown."""
    return urlsplit(page.url).path.removeprefix("/demo")


def picture(page: Page, name: str) -> None:
    """Keep a screenshot for the documentation, when one is asked for."""
    if os.environ.get("HELPGRAPH_SCREENSHOTS") == "1":
        IMAGES.mkdir(exist_ok=True)
        page.screenshot(path=IMAGES / name)
