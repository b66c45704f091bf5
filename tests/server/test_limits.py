"""What a caller may cost: bodies, depth, messages, streams."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text

from server.limits import MAX_BODY_BYTES, OpenStreams, RateLimit, depth
from tests.fakes import ScriptedEngine, fake_deps
from tests.server.harness import BOT_KEYS, Customer, Here, bearer, run_input, serving
from tools.storage.scope import Scope


async def test_a_body_is_taken_up_to_its_limit_and_not_beyond(here: Here, customer: Customer) -> None:
    for size, status in ((MAX_BODY_BYTES - 2000, 422), (MAX_BODY_BYTES + 1, 413), (5_000_000, 413)):
        body = json.dumps(run_input(customer.conversation_id, "Hello", padding="x" * size))[:size]
        answer = await here.http.post(
            "/v1/agui", content=body, headers={**customer.headers, "Content-Type": "application/json"}
        )
        assert answer.status_code == status, size
        assert answer.headers["content-type"] == "application/problem+json"


async def test_a_body_without_a_length_is_counted_as_it_arrives(here: Here, customer: Customer) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        for _ in range(400):
            sent += 65536
            yield b"[" * 65536
            await asyncio.sleep(0)

    headers = {**customer.headers, "Content-Type": "application/json"}
    try:
        answer = await here.http.post("/v1/agui", content=endless(), headers=headers)
    except httpx.TransportError:
        # The server hung up on us while we were still sending, which is its right.
        assert sent < 400 * 65536
    else:
        assert answer.status_code == 413
    assert (await here.http.get("/healthz")).status_code == 200


@pytest.mark.parametrize("opening", ["[", '{"a":'])
async def test_deep_json_is_refused_unread(here: Here, customer: Customer, opening: str) -> None:
    for levels, status in ((30, 422), (33, 422), (40_000, 422)):
        body = opening * levels
        began = time.monotonic()
        answer = await here.http.post(
            "/v1/agui", content=body, headers={**customer.headers, "Content-Type": "application/json"}
        )
        assert answer.status_code in (status, 400), levels
        assert ("nested" in answer.json()["detail"]) == (levels > 32)
        assert time.monotonic() - began < 2


def test_depth_is_counted_outside_of_strings() -> None:
    assert depth(b'{"a": "' + b"[" * 100 + b'"}') == 1
    assert depth(b'{"a": "\\"' + b"[" * 100 + b'"}') == 1
    assert depth(b"[" * 40 + b"]" * 40) == 40
    assert depth(b"[]" * 100) == 1
    assert depth(b"") == 0


async def test_a_page_context_that_is_too_large_is_not_kept(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    page = {"route": "/billing", "title": "x" * 60_000, "elements": [{"label": "y" * 60_000}]}
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        customer = await here.session(page={"route": "/billing"})
        body = run_input(customer.conversation_id, "Where?", forwardedProps={"page": page})
        answer = await here.http.post("/v1/agui", json=body, headers=customer.headers)
        async with here.runtime.db.reading() as conn:
            kept = (await conn.execute(text("SELECT max(length(page)) FROM client_messages"))).scalar()

    assert answer.status_code in (200, 413, 422)
    assert (kept or 0) <= 32 * 1024


async def test_messages_come_at_a_human_pace(tmp_path: Path) -> None:
    async with serving(tmp_path, messages_per_minute=3) as here:
        customer, neighbour = await here.session(), await here.session()
        answers = [
            await here.http.post(
                "/v1/agui", json=run_input(customer.conversation_id, "Hello"), headers=customer.headers
            )
            for _ in range(5)
        ]
        assert (await neighbour.say("Hello"))[-1].kind == "RUN_FINISHED"
        refused = [answer for answer in answers if answer.status_code == 429]
        counted = (await here.http.get("/metrics")).text

    assert [answer.status_code for answer in answers[:3]] == [200, 200, 200]
    assert len(refused) == 2
    assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in refused)
    assert 'helpgraph_refused_total{status="429"} 2.0' in counted


async def test_another_session_is_no_way_around_it(tmp_path: Path) -> None:
    async with serving(tmp_path, messages_per_minute=1, sessions_per_minute=1000) as here:

        async def post(customer: Customer) -> int:
            body = run_input(customer.conversation_id, "Hello")
            return (await here.http.post("/v1/agui", json=body, headers=customer.headers)).status_code

        visitors = [await post(await here.session()) for _ in range(12)]
        wish = await here.session()
        asked = await here.http.post(f"/v1/conversations/{wish.conversation_id}/handoff", json={}, headers=wish.headers)
        # Who is known isn't counted among an office's visitors.
        known = await post(await here.session(identity_token=here.identity_token()))
        bot = await here.http.post(
            "/v1/chat/completions",
            json={"messages": [{"role": "user", "content": "Hello"}]},
            headers=bearer(BOT_KEYS[0]),
        )

    assert visitors == [200] * 10 + [429] * 2
    assert asked.status_code == 429
    assert int(asked.headers["retry-after"]) <= 60
    assert [known, bot.status_code] == [200, 200]


async def test_a_user_has_one_allowance_and_each_key_its_own(tmp_path: Path) -> None:
    async with serving(tmp_path, messages_per_minute=2, key_messages_per_minute=3) as here:
        windows = [await here.session(identity_token=here.identity_token()) for _ in range(2)]
        other = await here.session(identity_token=here.identity_token("user_2"))

        async def post(headers: dict[str, str], thread_id: str) -> httpx.Response:
            return await here.http.post("/v1/agui", json=run_input(thread_id, "Hello"), headers=headers)

        of_user = [await post(w.headers, w.conversation_id) for w in (*windows, *windows)]
        of_other = await post(other.headers, other.conversation_id)
        body = {"messages": [{"role": "user", "content": "Hello"}]}
        of_keys = {
            key: [await here.http.post("/v1/chat/completions", json=body, headers=bearer(key)) for _ in range(5)]
            for key in BOT_KEYS
        }

    # Another window of the same user, or another door of the same key, is no way around it.
    assert [answer.status_code for answer in of_user] == [200, 200, 429, 429]
    assert of_other.status_code == 200
    for answers in of_keys.values():
        assert [answer.status_code for answer in answers] == [200, 200, 200, 429, 429]
        assert all(1 <= int(answer.headers["retry-after"]) <= 60 for answer in answers[3:])


async def test_a_message_that_is_refused_leaves_no_conversation_behind(tmp_path: Path) -> None:
    async with serving(tmp_path, key_messages_per_minute=1) as here:
        headers = bearer(BOT_KEYS[0])
        for number, text in enumerate(("", "Hello", "Hello", "Hello")):
            await here.http.post("/v1/agui", json=run_input(f"thread-{number}", text), headers=headers)
        scope = Scope.system(here.runtime.workspace.workspace_id)
        kept = await here.runtime.log.recent(scope)

    assert len(kept) <= 1


async def test_feedback_and_ratings_cannot_flood_the_log(here: Here, customer: Customer) -> None:
    statuses = [(await customer.post("feedback", {"message_id": "m1", "helpful": True})).status_code for _ in range(80)]

    assert statuses[0] == 204
    assert 429 in statuses


async def test_typing_cannot_flood_the_database(here: Here, customer: Customer) -> None:
    statuses = [(await customer.post("typing")).status_code for _ in range(200)]

    assert statuses[0] == 204
    assert 429 in statuses


async def test_sessions_of_one_address_are_limited(tmp_path: Path) -> None:
    async with serving(tmp_path, sessions_per_minute=2) as here:
        statuses = [(await here.http.post("/v1/sessions", json={})).status_code for _ in range(3)]

    assert statuses == [200, 200, 429]


@pytest.mark.parametrize(
    "addresses",
    [
        [f"2001:db8:1:2::{number:x}" for number in range(1, 13)],
        ["203.0.113.7", "::ffff:203.0.113.7", "::FFFF:cb00:7107", "0:0:0:0:0:ffff:203.0.113.7"] * 3,
    ],
    ids=["one network", "one address"],
)
async def test_nobody_has_more_tries_by_another_of_their_addresses(tmp_path: Path, addresses: list[str]) -> None:
    async with serving(tmp_path) as here:
        # The server believes a proxy on its own machine.
        tries = [
            await here.http.post("/inbox/login", json={"password": "x"}, headers={"X-Forwarded-For": address})
            for address in addresses
        ]
        another = {"X-Forwarded-For": "2001:db8:1:3::1"}
        neighbour = await here.http.post("/inbox/login", json={"password": "x"}, headers=another)

    assert [answer.status_code for answer in tries[-2:]] == [429, 429]
    assert neighbour.status_code == 401


async def test_a_session_holds_so_many_streams_and_gives_them_back(tmp_path: Path) -> None:
    async with serving(tmp_path, streams_per_owner=2) as here:
        customer, neighbour = await here.session(), await here.session()

        async def opened(who: Customer) -> httpx.Response:
            request = here.http.build_request("GET", who.path("events"), params={"follow": "true"}, headers=who.headers)
            return await here.http.send(request, stream=True)

        held = [await opened(customer) for _ in range(2)]
        refused = await opened(customer)
        other = await opened(neighbour)
        assert [stream.status_code for stream in (*held, refused, other)] == [200, 200, 429, 200]
        for stream in (*held, refused, other):
            await stream.aclose()
        async with asyncio.timeout(30):
            while (again := await opened(customer)).status_code != 200:
                await again.aclose()
                await asyncio.sleep(0.05)
        await again.aclose()


async def test_streams_that_are_dropped_at_once_are_given_back(here: Here, customer: Customer) -> None:
    port = int(here.url.rsplit(":", 1)[1])
    request = (
        f"GET {customer.path('events')}?follow=true HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        f"Authorization: {customer.headers['Authorization']}\r\n\r\n"
    ).encode()
    for _ in range(60):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        writer.transport.abort()
        del reader
    async with asyncio.timeout(30):
        while (await here.http.get("/metrics")).text.find("helpgraph_open_streams 0.0") < 0:
            await asyncio.sleep(0.05)
    await asyncio.sleep(0.5)

    assert here.doors.streams.enter(f"probe of {customer.conversation_id}", "127.0.0.1")
    assert here.doors.streams._counts.get(("address", "127.0.0.1")) == 1


def test_a_bucket_refills() -> None:
    bucket = RateLimit(per_minute=6000)
    waits = [bucket.take("a") for _ in range(6001)]
    time.sleep(0.05)

    assert waits[0] == 0
    assert bucket.take("a") == 0
    assert bucket.take("b") == 0


def test_streams_are_counted_by_owner_and_by_address() -> None:
    streams = OpenStreams(per_owner=1, per_address=2)

    assert streams.enter("a", "x")
    assert not streams.enter("a", "y")
    assert streams.enter("b", "x")
    assert not streams.enter("c", "x")
    streams.leave("a", "x")
    assert streams.enter("c", "x")
