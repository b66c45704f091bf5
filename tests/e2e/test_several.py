"""Two workspaces of one server in one real browser: each widget and each inbox keeps to its own."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.conftest import WAIT_MS
from tests.e2e.conftest import DESKTOP, ask, last_bot_text, open_widget
from tests.installed import use_models
from tests.server.spaces import QUESTION, Door, two_tenants
from tests.serving import served

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def doors(model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Door]]:
    """Both workspaces, with the example's pages."""
    folder = tmp_path_factory.mktemp("several")
    tenants = two_tenants(folder / "spaces")
    use_models(folder / "data", model_cache)
    with served(folder / "data", "--workspace", str(folder / "spaces"), "--demo") as running:
        found = [Door(tenant, running.url) for tenant in tenants]
        yield found
        for door in found:
            door.close()
        running.stop(signal.SIGTERM)


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """One person's browser, which both workspaces meet."""
    opened = browser.new_context(viewport=DESKTOP, locale="en-US", reduced_motion="reduce")
    opened.set_default_timeout(WAIT_MS)
    expect.set_options(timeout=WAIT_MS)
    yield opened
    opened.close()


def visit(context: BrowserContext, door: Door, path: str) -> tuple[Page, list[str], list[str]]:
    """Open a page; with what it asks for, and what its policy refuses, from now on."""
    page = context.new_page()
    paths: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: paths.append(urlsplit(request.url).path))
    page.on("console", lambda entry: complaints.append(entry.text) if "Policy" in entry.text else None)
    page.goto(door.url + path)
    return page, paths, complaints


def remembered(page: Page) -> dict[str, Any]:
    found: dict[str, Any] = page.evaluate(
        "Object.fromEntries(Object.entries(localStorage).map(([key, text]) => [key, JSON.parse(text).conversationId]))"
    )
    return found


def test_each_widget_talks_to_its_own_workspace(context: BrowserContext, doors: list[Door]) -> None:
    for door in doors:
        page, paths, complaints = visit(context, door, "/demo/settings/billing")
        open_widget(page)
        expect(page.locator(".message.customer")).to_have_count(0)
        ask(page, QUESTION)
        expect(page.get_by_text(f"help.{door.tenant.host}").first).to_be_visible()
        page.reload()
        # The widget was open: it is again, with the conversation.
        expect(page.get_by_text(QUESTION)).to_be_visible()
        assert last_bot_text(page)
        assert paths
        assert [path for path in paths if not path.startswith(f"/w/{door.tenant.workspace_id}/")] == []
        assert complaints == []

    kept = remembered(page)
    assert kept.keys() == {f"helpgraph:{door.url}:orrery" for door in doors}
    assert len(set(kept.values())) == 2


def test_each_inbox_is_one_workspaces(context: BrowserContext, doors: list[Door]) -> None:
    for door in doors:
        door.http.post(f"/v1/conversations/{conversation(door)}/handoff", json={}, headers=door.http.headers)
    for door in doors:
        page, paths, complaints = visit(context, door, "/inbox")
        # Whoever signed in to the one hasn't to the other.
        page.get_by_label("Password").fill(door.tenant.inbox_password)
        page.get_by_role("button", name="Sign in").click()
        page.locator("a.row").first.click()
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        for name in ("Bugs", "Operations", "Inbox"):
            page.get_by_role("link", name=name).click()
            expect(page.get_by_role("link", name=name)).to_have_attribute("aria-current", "page")
        assert {path.split("/")[2] for path in paths} == {door.tenant.workspace_id}
        assert complaints == []

    cookies = {cookie.get("path") for cookie in context.cookies()}
    assert cookies == {f"/w/{door.tenant.workspace_id}" for door in doors}
    # Even a script on the page of the one is kept from the other, to which this person has signed in as well.
    other = next(door for door in doors if not page.url.startswith(door.url))
    refused = page.evaluate(
        "url => fetch(url).then(() => false, () => true)", f"{other.url}/v1/inbox/handoffs?mode=waiting"
    )
    own = page.evaluate("() => fetch('v1/inbox/handoffs?mode=waiting').then((answer) => answer.status)")
    assert refused
    assert own == 200


def conversation(door: Door) -> str:
    """Begin one, and go on as its customer."""
    begun = door.session()
    door.http.headers["Authorization"] = f"Bearer {begun['session_token']}"
    return str(begun["conversation_id"])
