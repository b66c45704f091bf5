"""Whatever is sent, the answer is a problem that says what is wrong, and never a failure of ours."""

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from sqlalchemy import text

from tests.server.harness import BOT_KEYS, Customer, Here, bearer, run_input, serving

# One server for the whole table: what one request breaks, the next ones would notice.
pytestmark = pytest.mark.asyncio(loop_scope="module")

ABSENT = "0" * 32


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def here(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Here]:
    async with serving(tmp_path_factory.mktemp("bad"), sessions_per_minute=10_000) as running:
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def customer(here: Here) -> Customer:
    return await here.session()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def staff(here: Here) -> AsyncIterator[httpx.AsyncClient]:
    async with here.staff() as client:
        yield client


def assert_is_openais(answer: httpx.Response) -> dict[str, Any]:
    """An error as OpenAI's clients read it, with its message."""
    assert answer.headers["content-type"] == "application/json", answer.text
    error: dict[str, Any] = answer.json()["error"]
    assert answer.json().keys() == {"error"}
    assert error.keys() == {"message", "type", "param", "code"}
    assert error["message"]
    return error


def assert_is_problem(answer: httpx.Response, status: int | None = None) -> dict[str, Any]:
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    body: dict[str, Any] = answer.json()
    assert {"type", "title", "status", "detail"} <= body.keys()
    assert body["status"] == answer.status_code
    if status is not None:
        assert answer.status_code == status, body
    return body


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/here", 404),
        ("GET", "/v1/conversations", 404),
        ("GET", "/assets/nothing.js", 404),
        ("GET", "/assets/..%2fapp.py", 404),
        ("GET", "/demo/dashboard", 404),
        ("GET", "/v1/agui", 405),
        ("DELETE", "/v1/sessions", 405),
        ("PUT", "/healthz", 405),
        ("POST", "/v1/admin/status", 401),
        ("GET", f"/v1/conversations/{ABSENT}/messages", 401),
        ("GET", "/v1/inbox/handoffs", 401),
        ("GET", "/v1/inbox/bugs/BUG-1", 401),
    ],
)
async def test_what_is_not_there_or_not_allowed_is_a_problem(here: Here, method: str, path: str, status: int) -> None:
    assert_is_problem(await here.http.request(method, path), status)


TEXTS: dict[str, tuple[object, int]] = {
    "empty": ("", 422),
    "blank": (" \n\t ", 422),
    "only what isn't kept": ("\u0000\u202e\u2066\U000e0041", 422),
    "too long": ("a" * 8001, 422),
    "a number": (5, 422),
    "an object": ({"text": "hi"}, 422),
    "null": (None, 422),
    "no parts": ([], 422),
    "parts of another kind": ([{"type": "image", "url": "x"}], 422),
    "a part without text": ([{"type": "text", "text": 5}], 422),
    "only emoji": ("👍🏽", 200),
    "turned around": ("\u202eevil\u202c text", 200),
    "binary": ("\u0001\u0002PK\u0003\u0004 data", 200),
    "many marks": ("a" + "\u0301" * 5000, 200),
    "half a surrogate": ("hello \ud800", 200),
    "text parts": ([{"type": "text", "text": "Where are my invoices?"}], 200),
    "right to left": ("أين فواتيري؟", 200),
}


@pytest.mark.parametrize("case", TEXTS)
async def test_any_text_is_answered_or_refused(here: Here, customer: Customer, case: str) -> None:
    text, status = TEXTS[case]
    # `json.dumps` writes what a hostile client can: half a surrogate pair, too.
    body = json.dumps(run_input(customer.conversation_id, text))
    headers = {**customer.headers, "Content-Type": "application/json"}
    answer = await here.http.post("/v1/agui", content=body, headers=headers)

    if status == 200:
        assert answer.status_code == 200, answer.text
        assert "RUN_FINISHED" in answer.text
        assert "\u202e" not in answer.text
    else:
        assert_is_problem(answer, status)


BODIES: dict[str, bytes] = {
    "nothing": b"",
    "no JSON": b"hello",
    "half": b'{"threadId": "t"',
    "not UTF-8": b'{"threadId": "\xff\xfe"}',
    "a list": b"[]",
    "a word": b"null",
    "NaN": b'{"threadId": NaN}',
    "an endless number": b'{"threadId": ' + b"9" * 5000 + b"}",
    "the wrong types": b'{"threadId": 1, "runId": [], "messages": {}}',
    "an empty id": b'{"threadId": "", "runId": "", "messages": []}',
    "half a surrogate as a name": b'{"\\ud800": 1}',
    "zip": b"PK\x03\x04" + bytes(range(256)),
}


@pytest.mark.parametrize(
    ("body", "status", "param", "told"),
    [
        ({"n": 3}, 422, "n", "1"),
        ({"messages": []}, 422, "messages", "at least 1"),
        ({"messages": [{"role": "user", "content": ""}]}, 422, None, "empty"),
        ({"messages": [{"role": "user", "content": [{"type": "image_url"}]}]}, 422, "messages", "only text is read"),
        ({"metadata": {"conversation_id": 5}}, 422, "metadata.conversation_id", "text"),
        ({"messages": [{"role": "user", "content": "a" * 300_000}]}, 413, None, "256 KB"),
    ],
)
async def test_openais_clients_are_told_what_is_wrong(
    here: Here, body: dict[str, Any], status: int, param: str | None, told: str
) -> None:
    whole = {"messages": [{"role": "user", "content": "Hello"}], **body}
    answer = await here.http.post("/v1/chat/completions", json=whole, headers=bearer(BOT_KEYS[0]))

    error = assert_is_openais(answer)
    assert answer.status_code == status
    assert told in error["message"]
    if param is not None:
        assert error["param"] == param


async def test_a_key_that_was_sent_is_said_to_be_none(here: Here) -> None:
    for headers, told in (({}, "needed"), (bearer("no-key"), "isn't valid"), (bearer("hgk_x"), "isn't valid")):
        answer = await here.http.get("/v1/models", headers=headers)
        error = assert_is_openais(answer)
        assert (answer.status_code, error["code"]) == (401, "invalid_api_key")
        assert told in error["message"]
        assert "Bearer" in answer.headers["www-authenticate"]
    assert (await here.http.get("/v1/models/nothing", headers=bearer(BOT_KEYS[0]))).json()["error"]["message"]


@pytest.mark.parametrize("path", ["/v1/agui", "/v1/chat/completions"])
@pytest.mark.parametrize("case", BODIES)
async def test_a_body_that_is_no_request_is_a_problem(here: Here, customer: Customer, path: str, case: str) -> None:
    headers = {**customer.headers, "Content-Type": "application/json"}
    answer = await here.http.post(path, content=BODIES[case], headers=headers)

    if path == "/v1/agui":
        assert_is_problem(answer)
    else:
        assert_is_openais(answer)
    assert answer.status_code in (400, 422)


@pytest.mark.parametrize(
    ("content", "kind", "told"),
    [
        (b'{"text": "Hi"}', None, "body: send JSON, with the header Content-Type: application/json"),
        (b'{"text": "Hi"}', "text/plain", "body: send JSON, with the header Content-Type: application/json"),
        (b'{"text": "Hi",', "application/json", "body: not valid JSON at character 14: "),
        (b"{text: 1}", "application/json", "body: not valid JSON at character 1: "),
        (b"[1]", "application/json", "body: send a JSON object"),
        (b"", "application/json", "body: send JSON; there was nothing"),
    ],
)
async def test_who_sends_no_json_is_told_what_to_send(
    here: Here, customer: Customer, content: bytes, kind: str | None, told: str
) -> None:
    headers = customer.headers | ({} if kind is None else {"Content-Type": kind})
    answer = await here.http.post(customer.path("handoff"), content=content, headers=headers)

    assert assert_is_problem(answer, 422)["detail"].startswith(told)


async def test_only_json_is_read(here: Here, customer: Customer) -> None:
    # A page elsewhere can send these without asking first.
    body = json.dumps({"text": "I want a person"})
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data"):
        headers = {**customer.headers, "Content-Type": kind}
        answer = await here.http.post(customer.path("handoff"), content=body, headers=headers)
        assert_is_problem(answer)
        assert answer.status_code in (415, 422), kind


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/sessions", {"\ud800": 1}),
        ("/v1/sessions", {"language": "\ud800"}),
        ("/v1/sessions", {"session_token": "hgs_\ud800"}),
        ("/v1/sessions", {"page": {"route": "\ud800\u0000", "title": 5}}),
        ("/inbox/login", {"password": "\ud800"}),
    ],
)
async def test_half_a_character_breaks_nothing(here: Here, path: str, body: object) -> None:
    answer = await here.http.post(path, content=json.dumps(body), headers={"Content-Type": "application/json"})

    assert answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    ("action", "body"),
    [
        ("take", {"person": "\ud800"}),
        ("take", {"person": "\u202e\u0000"}),
        ("reply", {"text": "\ud800", "client_message_id": "r1", "person": "Grace"}),
        ("reply", {"text": "Hello", "client_message_id": "\ud800", "person": "Grace"}),
        ("reply", {"text": "Hello", "client_message_id": "r\u0000", "person": "Grace"}),
        ("hand_back", {"note": "\ud800\u0000"}),
        ("resolve", {"outcome": "solved", "note": "\ud800\u0000"}),
    ],
)
async def test_half_a_character_breaks_nothing_in_the_inbox(
    staff: httpx.AsyncClient, customer: Customer, action: str, body: object
) -> None:
    path = f"/v1/inbox/conversations/{customer.conversation_id}"
    await staff.post(f"{path}/take", json={"person": "Grace"})
    content, headers = json.dumps(body), {"Content-Type": "application/json"}
    answer = await staff.post(f"{path}/{action}", content=content, headers=headers)

    assert answer.status_code < 500, answer.text
    assert (await staff.get(path)).status_code == 200


async def test_ids_that_cannot_be_ids_are_refused(here: Here, customer: Customer) -> None:
    for message_id in ("", "x" * 201, "\u0000", "\ud800"):
        message = {"id": message_id, "role": "user", "content": "Hello"}
        body = json.dumps(run_input(customer.conversation_id, "", messages=[message]))
        headers = {**customer.headers, "Content-Type": "application/json"}
        assert_is_problem(await here.http.post("/v1/agui", content=body, headers=headers), 422)


@pytest.mark.parametrize("name", ["a" * 300 + ".js", "%00.js", "a" * 5000, "%2e%2e%2fsettings.py"])
async def test_no_file_name_breaks_the_pages(here: Here, name: str) -> None:
    answer = await here.http.get(f"/assets/{name}")

    assert answer.status_code == 404


async def test_the_body_of_a_refusal_never_repeats_what_was_sent(here: Here, customer: Customer) -> None:
    secret = "a-card-number-4111111111111111"
    for path, body in (
        ("/v1/sessions", {"language": [secret]}),
        ("/v1/agui", {"threadId": [secret], "runId": {secret: 1}, "messages": secret}),
        ("/inbox/login", {"password": [secret]}),
    ):
        answer = await here.http.post(path, json=body, headers=customer.headers)
        assert_is_problem(answer, 422)
        assert secret not in answer.text


async def test_an_unknown_conversation_is_not_found_everywhere(here: Here, customer: Customer) -> None:
    for conversation_id in (ABSENT, "x", "..", "%00", "a" * 3000):
        answer = await here.http.get(f"/v1/conversations/{conversation_id}/messages", headers=customer.headers)
        assert_is_problem(answer, 404)


async def test_a_failure_of_ours_is_a_problem_without_its_cause(tmp_path: Path) -> None:
    async with serving(tmp_path) as here:
        customer = await here.session()
        async with here.runtime.db.transaction() as conn:
            await conn.execute(text("ALTER TABLE conversations RENAME TO gone"))
        answer = await here.http.get(customer.path("messages"), headers=customer.headers)
        await here.runtime.db.close()

    body = assert_is_problem(answer)
    assert answer.status_code in (500, 503)
    assert "conversations" not in json.dumps(body)


async def test_the_password_is_not_guessed_quickly(tmp_path: Path) -> None:
    async with serving(tmp_path) as here:
        tries = [await here.http.post("/inbox/login", json={"password": str(number)}) for number in range(12)]

    assert tries[0].status_code == 401
    assert tries[-1].status_code == 429
    assert int(tries[-1].headers["retry-after"]) >= 1


async def test_a_stranger_is_told_how_to_sign_in(here: Here) -> None:
    for headers in ({}, bearer("hgs_unknown"), bearer("no-key"), {"Authorization": "Basic eDp5"}):
        answer = await here.http.post("/v1/agui", json=run_input("t", "Hello"), headers=headers)
        assert_is_problem(answer, 401)
        assert answer.headers["www-authenticate"] == "Bearer"
