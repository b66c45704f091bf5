"""Pages, files, health and metrics."""

import re
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from sqlalchemy import text

from server.metrics import METRICS
from tests.server.harness import Customer, Here, serving

PUBLIC_PAGES = ("/", "/inbox", "/bugs", "/docs")


async def test_pages_load_nothing_from_elsewhere(here: Here) -> None:
    for path in PUBLIC_PAGES:
        page = await here.http.get(path)

        assert page.status_code == 200
        policy = page.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'")
        assert "frame-ancestors 'none'" in policy
        for url in re.findall(r"(?:src|href)=[\"']?([^\"'\s>]+)", page.text):
            assert not urlsplit(url).netloc, url
            assert (await here.http.get(urljoin(path, url))).status_code == 200, url


async def test_every_answer_keeps_browsers_careful(here: Here) -> None:
    for path in (*PUBLIC_PAGES, "/widget.js", "/healthz", "/v1/models", "/nothing", "/assets/x.js"):
        headers = (await here.http.get(path)).headers

        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"


async def test_the_inbox_runs_no_script_of_anyone_else(here: Here) -> None:
    for path in ("/inbox", "/bugs"):
        policy = (await here.http.get(path)).headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe-inline" not in policy
        assert "require-trusted-types-for 'script'" in policy


async def test_the_widget_is_sent_once(here: Here) -> None:
    first = await here.http.get("/widget.js")
    again = await here.http.get("/widget.js", headers={"If-None-Match": first.headers["etag"]})
    other = await here.http.get("/widget.js", headers={"If-None-Match": '"other"'})

    assert first.headers["content-type"].startswith("text/javascript")
    assert (first.status_code, again.status_code, other.status_code) == (200, 304, 200)
    assert again.content == b""
    assert first.headers["cross-origin-resource-policy"] == "cross-origin"


async def test_health_and_readiness(tmp_path: Path) -> None:
    async with serving(tmp_path) as here:
        ready = await here.http.get("/readyz")
        async with here.runtime.db.transaction() as conn:
            await conn.execute(text("ALTER TABLE turns RENAME TO gone"))
        unready = await here.http.get("/readyz")
        healthy = await here.http.get("/healthz")

    assert ready.status_code == 200
    assert {"database", "knowledge", "engine"} <= ready.json().keys()
    assert unready.status_code in (500, 503)
    assert healthy.status_code == 200


async def test_every_metric_is_shown_and_no_other(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    text = (await here.http.get("/metrics")).text

    shown = set(re.findall(r"^# TYPE (\S+)", text, flags=re.MULTILINE))
    assert {name for name in shown if not name.endswith("_created")} == METRICS.keys()
    assert all(name.startswith("helpgraph_") for name in shown)
    assert 'helpgraph_turns_total{outcome="answered"} 1.0' in text
    assert 'helpgraph_messages_accepted_total{door="widget"} 1.0' in text
    assert "helpgraph_first_word_seconds_count 1.0" in text


async def test_metrics_hold_no_ids_and_no_words(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    text = (await here.http.get("/metrics")).text

    assert customer.conversation_id not in text
    assert "invoices" not in text


async def test_the_demo_is_there_only_when_it_is_on(here: Here) -> None:
    for path in ("/demo", "/demo/dashboard", "/demo/accounts.json", "/demo/identity?user_id=user_1"):
        assert (await here.http.get(path)).status_code == 404, path
