"""Who may see and do what. What isn't the caller's is not there: the same answer, word for word."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.server.harness import (
    BOT_KEYS,
    PASSWORD,
    SECRET,
    Customer,
    Here,
    bearer,
    read_stream,
    run_input,
    serving,
)


async def test_bots_do_not_share_threads(here: Here) -> None:
    async def ask(key: str, text: str) -> dict[str, Any]:
        body = {"messages": [{"role": "user", "content": text}], "user": "ticket-7"}
        answer = await here.http.post("/v1/chat/completions", json=body, headers=bearer(key))
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    for key in BOT_KEYS:
        await ask(key, "Where are my invoices?")

    async with here.staff() as staff:
        listed = (await staff.get("/v1/inbox/handoffs", params={"mode": "all"})).json()["handoffs"]
    assert len(listed) == len(BOT_KEYS)


async def test_a_message_id_says_nothing_about_anothers(here: Here) -> None:
    # An id that somebody else used, with another text, is no conflict: it is a new message.
    for text in ("Where are my invoices?", "Where are my receipts?"):
        customer = await here.session()
        assert (await customer.say(text, "the-same-id"))[-1].kind == "RUN_FINISHED"


@pytest.mark.parametrize("open_to", ["nobody", "this machine"])
async def test_without_keys_bots_are_let_in_on_loopback_only(tmp_path: Path, open_to: str) -> None:
    host = "127.0.0.1" if open_to == "this machine" else "192.0.2.1"
    async with serving(tmp_path, api_keys=[], host=host) as here:
        answers = [
            await here.http.post("/v1/agui", json=run_input("t", "Hello"), headers=headers)
            for headers in ({}, bearer("whatever"))
        ]

    assert [answer.status_code for answer in answers] == [200, 200] if open_to == "this machine" else [401, 401]


# --- the team ----------------------------------------------------------------------------------------------------


async def test_the_cookie_is_for_the_inbox_alone(here: Here) -> None:
    async with here.staff() as staff:
        header = (await staff.post("/inbox/login", json={"password": "wrong"})).headers.get("set-cookie")
        assert header is None
        cookies = staff.cookies
        assert (await staff.get("/v1/inbox/bugs")).status_code == 200
        # The cookie isn't a key to anybody's conversation.
        assert (await staff.get("/v1/models")).status_code == 401
        value = cookies["hg_staff"]
    for forged in (value[:-2], "staff", "", f"{value}x"):
        answer = await here.http.get("/v1/inbox/bugs", headers={"Cookie": f"hg_staff={forged}"})
        assert answer.status_code == 401


async def test_the_cookie_cannot_be_read_or_sent_by_other_pages(here: Here) -> None:
    answer = await here.http.post("/inbox/login", json={"password": PASSWORD})
    attributes = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")}

    assert {"httponly", "samesite=strict"} <= attributes


async def test_another_sites_page_cannot_act_in_the_inbox(here: Here, customer: Customer) -> None:
    async with here.staff() as staff:
        for origin in ("https://evil.example", "null", "http://127.0.0.1:1"):
            answer = await staff.post(
                f"/v1/inbox/conversations/{customer.conversation_id}/take",
                json={"person": "Mallory"},
                headers={"Origin": origin},
            )
            assert answer.status_code == 403, origin


async def test_an_open_inbox_is_still_closed_to_other_sites_and_names(tmp_path: Path) -> None:
    async with serving(tmp_path, inbox_password=None) as here:
        assert (await here.http.get("/v1/inbox/bugs")).status_code == 200
        evil = await here.http.get("/v1/inbox/bugs", headers={"Origin": "https://evil.example"})
        rebound = await here.http.get("/v1/inbox/bugs", headers={"Host": "evil.example"})

    assert evil.status_code == 403
    assert rebound.status_code == 421


async def test_only_named_origins_may_read_answers(tmp_path: Path) -> None:
    async with serving(tmp_path, allowed_origins=["https://app.example.com"]) as here:
        allowed = {}
        for origin in ("https://app.example.com", "https://evil.example", "null"):
            answer = await here.http.post("/v1/sessions", json={}, headers={"Origin": origin})
            allowed[origin] = answer.headers.get("access-control-allow-origin")

    assert allowed == {
        "https://app.example.com": "https://app.example.com",
        "https://evil.example": None,
        "null": None,
    }


async def test_a_page_of_another_origin_leaves_a_line_that_names_the_setting(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def lines(here: Here, *origins: str | None) -> list[str]:
        caplog.clear()
        for origin in origins:
            headers = {} if origin is None else {"Origin": origin}
            await here.http.post("/v1/sessions", json={}, headers=headers)
        return [record.getMessage() for record in caplog.records if record.name == "server.origins"]

    async with serving(tmp_path, allowed_origins=["https://app.example.com"]) as here:
        assert await lines(here, None, "https://app.example.com", here.url) == []
        # Once: a page could fill the log, and what it calls itself isn't written.
        asked = await lines(here, "https://evil.example", "https://evil.example", "null")
    assert asked == ["a page asks whose origin isn't in HELPGRAPH_ALLOWED_ORIGINS"]


async def test_no_secret_is_in_what_a_server_shows(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    secrets = (SECRET, *BOT_KEYS, here.doors.admin_token, here.doors.cookie_secret, customer.begun["session_token"])
    shown = [(await here.http.get(path)).text for path in ("/", "/openapi.json", "/metrics", "/readyz", "/docs")]
    shown.append(json.dumps((await here.http.get(customer.path("messages"), headers=customer.headers)).json()))
    shown.append(repr(here.doors.settings))

    for secret in secrets:
        assert all(secret not in text for text in shown)


async def test_the_staffs_stream_is_not_for_the_customers_token(here: Here, customer: Customer) -> None:
    path = f"/v1/inbox/conversations/{customer.conversation_id}/events"
    async with here.http.stream("GET", path, headers=customer.headers) as answer:
        assert answer.status_code == 401
        assert [sent async for sent in read_stream(answer)] == []


async def test_behind_a_proxy_a_loopback_address_opens_nothing(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="https://help.example.com", api_keys=[]) as here:
        as_proxied = {"Host": "help.example.com", "X-Forwarded-For": "198.51.100.7"}
        page = await here.http.get("/inbox", headers=as_proxied)
        bot = await here.http.get("/v1/models", headers={**as_proxied, **bearer("any key")})
        login = await here.http.post("/inbox/login", json={"password": PASSWORD}, headers=as_proxied)

    assert page.status_code == 200
    assert bot.status_code == 401
    assert "Secure" in login.headers["set-cookie"]


async def test_a_public_address_on_loopback_is_this_machines_own(tmp_path: Path) -> None:
    async with serving(tmp_path, public_url="http://localhost:8080", api_keys=[]) as here:
        assert (await here.http.get("/v1/models", headers=bearer("any key"))).status_code == 200
        assert (await here.http.get("/inbox", headers={"Host": "help.example.com"})).status_code == 421
