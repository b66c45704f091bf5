"""The one renderer of messages, as built, in a real browser."""

import time
from typing import Any

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import ASSETS, Answer, OpenPage, Site
from tests.browser.corpus import GOOD, VECTORS

pytestmark = pytest.mark.browser

SPLITS = 40
HTML = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Renderer</title>
<script type="module" src="/harness.js"></script></head><body><div id="place"></div></body></html>"""
STRICT = "default-src 'none'; script-src 'self'; require-trusted-types-for 'script'; trusted-types dompurify"


def renderer_page(open_page: OpenPage, *, policy: str | None = None) -> tuple[Page, Site]:
    script = "text/javascript"
    page, site = open_page(
        "/",
        {
            "/": Answer(HTML, "text/html", {"Content-Security-Policy": policy} if policy else {}),
            "/renderer.js": Answer((ASSETS / "renderer.js").read_bytes(), script),
            "/harness.js": Answer((ASSETS / "harness.js").read_bytes(), script),
        },
    )
    page.wait_for_function("window.ready")
    return page, site


def draw(page: Page, text: str, **options: Any) -> list[Any]:
    """The text as nested lists: a string is text, a list is an element's name and what is in it."""
    drawn: list[Any] = page.evaluate("([text, options]) => window.draw(text, options)", [text, options])
    return drawn


def test_no_hostile_text_asks_a_stranger_or_runs_a_script(open_page: OpenPage) -> None:
    assert len(VECTORS) >= 220
    # No policy protects this page: whatever got through would run and be seen.
    page, site = renderer_page(open_page)
    vectors = [{"name": vector.name, "text": vector.text} for vector in VECTORS]

    seen = page.evaluate("([all, hosts, splits]) => window.drawAll(all, hosts, splits)", [vectors, [GOOD], SPLITS])
    page.wait_for_timeout(500)

    assert seen["found"] == {}
    assert seen["pwned"] is None
    assert page.evaluate("window.__pwned ?? null") is None
    assert site.strangers == []
    assert [path for path in site.missing if path != "/favicon.ico"] == []
    assert seen["drawn"] > 20 * len(VECTORS)


def test_the_same_texts_do_harm_where_a_page_believes_them(open_page: OpenPage) -> None:
    page, site = renderer_page(open_page)
    # A refresh would take the page away from under the test.
    texts = [vector.text for vector in VECTORS if vector.name.startswith("tag-") and "refresh" not in vector.text]

    for text in texts:
        page.evaluate("(text) => { document.getElementById('place').innerHTML = text }", text)
    page.wait_for_timeout(300)

    assert page.evaluate("window.__pwned") == 1
    assert len(site.strangers) >= 10


def test_the_renderer_needs_no_html_sink_where_trusted_types_are_enforced(open_page: OpenPage) -> None:
    page, _ = renderer_page(open_page, policy=STRICT)
    vectors = [{"name": vector.name, "text": vector.text} for vector in VECTORS[::4]]

    seen = page.evaluate("([all, hosts]) => window.drawAll(all, hosts, 2)", [vectors, [GOOD]])

    assert seen["found"] == {}
    assert seen["violations"] == []


@pytest.mark.parametrize(
    "text",
    [">" * 8_000, "[" * 8_000, "*a_" * 2_600, "`" * 8_000, "![](" * 2_000, "<" * 8_000, "\\" * 8_000, "1. " * 2_600],
    ids=["quotes", "brackets", "emphasis", "ticks", "images", "tags", "escapes", "lists"],
)
def test_a_text_made_to_be_slow_is_drawn_at_once(open_page: OpenPage, text: str) -> None:
    page, _ = renderer_page(open_page)
    started = time.monotonic()

    draw(page, text)

    # What it was made for takes minutes. A tenth of a second is usual, a busy machine needs more.
    assert time.monotonic() - started < 3.0


def test_ordinary_markdown_keeps_its_form(open_page: OpenPage) -> None:
    page, _ = renderer_page(open_page)
    text = "# Export\n\nPress **Save**, *then* `go`.\n\n1. One\n2. Two\n\n> Said\n\n```\n<b>x</b>\n```"

    assert draw(page, text) == [
        ["p", ["strong", "Export"]],
        ["p", "Press ", ["strong", "Save"], ", ", ["em", "then"], " ", ["code", "go"], "."],
        ["ol", ["li", ["p", "One"]], ["li", ["p", "Two"]]],
        ["blockquote", ["p", "Said"]],
        ["pre", ["code", "<b>x</b>"]],
    ]


def test_a_known_host_is_a_link_that_shows_its_host_and_others_are_text(open_page: OpenPage) -> None:
    page, _ = renderer_page(open_page)
    text = f"[guide](https://{GOOD}/export) and [other](https://elsewhere.test/x)"

    assert draw(page, text, linkHosts=[GOOD]) == [
        ["p", ["a", ["bdi", "guide"], ["span", f" ({GOOD})"]], " and ", "other", " (elsewhere.test)"]
    ]


def test_an_international_host_is_shown_in_punycode(open_page: OpenPage) -> None:
    page, _ = renderer_page(open_page)
    host = "xn--bcher-kva.test"

    assert draw(page, "[books](https://bücher.test/a)", linkHosts=[host]) == [
        ["p", ["a", ["bdi", "books"], ["span", f" ({host})"]]]
    ]


def test_a_query_is_followed_only_to_a_cited_address(open_page: OpenPage) -> None:
    page, _ = renderer_page(open_page)
    cited = f"https://{GOOD}/a?id=1"
    text = f"[a]({cited}) [b](https://{GOOD}/a?id=2)"

    drawn = draw(page, text, linkHosts=[GOOD], citations=[{"n": 1, "title": "A", "url": cited}])

    assert drawn == [["p", ["a", ["bdi", "a"], ["span", f" ({GOOD})"]], " ", "b", f" ({GOOD})"]]


def test_a_marker_is_a_citation_only_when_the_message_has_it(open_page: OpenPage) -> None:
    page, _ = renderer_page(open_page)

    drawn = draw(page, "Yes [1], no [2].", citations=[{"n": 1, "title": "Exporting", "url": None}])

    assert drawn == [["p", "Yes ", ["button", "1"], ", no ", "[2]", "."]]


def test_what_a_customer_typed_is_shown_as_typed(open_page: OpenPage) -> None:
    page, _ = renderer_page(open_page)

    assert draw(page, "**a** <b>b</b>\n[c](d)", format="plain") == [["p", "**a** <b>b</b>", ["br"], "[c](d)"]]


@pytest.mark.parametrize("tail", ["[gui", "[guide](https://docs", "https://docs.orr", "![x", "[1"])
def test_an_unfinished_link_waits_for_its_end_while_streaming(open_page: OpenPage, tail: str) -> None:
    page, _ = renderer_page(open_page)

    assert draw(page, f"See {tail}", linkHosts=[GOOD], streaming=True) in ([["p", "See "]], [["p", "See"]])
