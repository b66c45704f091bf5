"""People on the team: who may read, who may answer, who may do everything, and who is out."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import SecretStr

from agent.errors import BadTurn, Conflict, NotFound
from graphs.people import people
from graphs.stores import stores_of
from tests.loopback import NO_TLS
from tests.server.harness import PASSWORD, WORKSPACE, Customer, Here, read_stream, serving
from tests.server.test_erase import bytes_with
from tests.server.test_inbox import of
from tests.shell import Shell
from tools.storage.people import ROLES, People, hash_password, matches

WORD = "a long enough password"
READS = ("/v1/inbox/handoffs", "/v1/inbox/bugs")


async def add(here: Here, name: str, role: str, password: str = WORD) -> None:
    await people(stores_of(here.runtime), {"do": "add", "name": name, "role": role, "password": password})


@asynccontextmanager
async def signed_in(here: Here, name: str | None, password: str = WORD) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=here.url, timeout=30, trust_env=False, verify=NO_TLS) as client:
        answer = await client.post("/inbox/login", json={"name": name, "password": password})
        assert answer.status_code == 204, answer.text
        yield client


async def test_each_role_may_what_it_may(here: Here, customer: Customer) -> None:
    for role in ROLES:
        await add(here, f"A {role}", role)
    acts: list[tuple[str, dict[str, str]]] = [
        (f"{of(customer)}/take", {}),
        (f"{of(customer)}/reply", {"text": "Hello", "client_message_id": "r1"}),
        (f"{of(customer)}/hand_back", {}),
        (f"{of(customer)}/resolve", {"outcome": "solved"}),
        ("/v1/inbox/bugs/BUG-1/status", {"status": "fixed"}),
    ]
    found: dict[str, list[int]] = {}
    for role in ROLES:
        async with signed_in(here, f"A {role}") as client:
            assert [(await client.get(path)).status_code for path in (*READS, of(customer))] == [200, 200, 200]
            assert (await client.get(READS[0])).json()["you"] == {"name": f"A {role}", "role": role, "signed_in": True}
            found[role] = [(await client.post(path, json=body)).status_code for path, body in acts]

    assert found == {
        "viewer": [403, 403, 403, 403, 403],
        "agent": [200, 200, 200, 200, 403],
        # The conversation is closed by now, and there is no such bug.
        "admin": [200, 200, 200, 200, 404],
    }


async def test_one_acts_under_the_name_one_signed_in_with(here: Here, customer: Customer) -> None:
    await add(here, "Grace", "agent")
    async with signed_in(here, "Grace") as grace:
        await grace.post(f"{of(customer)}/take", json={"person": "Somebody else"})
        reply = {"text": "Hello", "client_message_id": "r1", "person": "Somebody else"}
        await grace.post(f"{of(customer)}/reply", json=reply)
        (row,) = (await grace.get("/v1/inbox/handoffs", params={"mode": "with_person"})).json()["handoffs"]
        view = (await grace.get(of(customer))).json()

    assert row["person"] == view["conversation"]["person"] == "Grace"
    assert view["messages"][-1]["author_name"] == "Grace"


async def test_the_inboxs_own_password_goes_on_working(here: Here, customer: Customer) -> None:
    await add(here, "Grace", "agent")
    async with signed_in(here, None, PASSWORD) as client:
        assert (await client.get(READS[0])).json()["you"] == {"name": None, "role": "admin", "signed_in": True}
        assert (await client.post(f"{of(customer)}/take", json={})).status_code == 422
        assert (await client.post(f"{of(customer)}/take", json={"person": "Ada"})).status_code == 200


async def test_whoever_is_removed_is_out_at_once(here: Here) -> None:
    await add(here, "Grace", "agent")
    async with signed_in(here, "Grace") as grace, asyncio.timeout(30), grace.stream("GET", "/v1/inbox/events") as live:
        heard = read_stream(live)
        await anext(heard)
        await people(stores_of(here.runtime), {"do": "remove", "name": "Grace"})
        assert (await grace.get(READS[0])).status_code == 401
        await (await here.session()).say("Where are my invoices?")
        assert [sent async for sent in heard] == []
        # Another one of that name is somebody else.
        await add(here, "Grace", "admin", "another long password")
        assert (await grace.get(READS[0])).status_code == 401


async def test_whoever_signs_out_is_out(here: Here) -> None:
    await add(here, "Grace", "agent")
    async with signed_in(here, "Grace") as grace:
        strange = await grace.post("/inbox/logout", headers={"Origin": "https://elsewhere.example"})
        assert (strange.status_code, (await grace.get(READS[0])).status_code) == (403, 200)
        assert [(await grace.post("/inbox/logout")).status_code for _ in range(2)] == [204, 204]
        assert (await grace.get(READS[0])).status_code == 401


async def test_wrong_names_and_passwords_are_alike(here: Here, tmp_path: Path) -> None:
    await add(here, "Grace", "agent")
    answers = [
        await here.http.post("/inbox/login", json=body)
        for body in (
            {"name": "Grace", "password": PASSWORD},
            {"name": "Nobody", "password": WORD},
            {"name": "grace", "password": WORD},
            {"name": "", "password": WORD},
        )
    ]

    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.content for answer in answers}) == 1
    assert all("set-cookie" not in answer.headers for answer in answers)
    assert bytes_with(tmp_path, WORD) == []


async def test_people_of_another_workspace_are_nobody_here(here: Here) -> None:
    await People(here.runtime.db).add("elsewhere", "Grace", "admin", WORD, now=datetime.now(UTC))

    assert (await here.http.post("/inbox/login", json={"name": "Grace", "password": WORD})).status_code == 401
    assert await People(here.runtime.db).everyone(WORKSPACE) == []


async def test_an_open_inbox_closes_when_somebody_is_added(tmp_path: Path) -> None:
    async with serving(tmp_path, inbox_password=None) as here:
        you = {"name": None, "role": "admin", "signed_in": False}
        assert (await here.http.get(READS[0])).json()["you"] == you
        async with signed_in(here, None, "whatever") as nobody:
            await add(here, "Grace", "viewer")
            assert (await nobody.get(READS[0])).status_code == 401
        assert (await here.http.get(READS[0])).status_code == 401
        assert (await here.http.post("/inbox/login", json={"password": ""})).status_code == 401
        async with signed_in(here, "Grace") as grace:
            assert (await grace.get(READS[0])).status_code == 200


async def test_an_inbox_does_not_open_when_the_last_one_is_removed(tmp_path: Path) -> None:
    async with serving(tmp_path, inbox_password=None) as here:
        await add(here, "Grace", "viewer")
        async with signed_in(here, "Grace") as grace:
            await people(stores_of(here.runtime), {"do": "remove", "name": "Grace"})
            seen = [(await client.get(READS[0])).status_code for client in (grace, here.http)]
        tries = [
            (await here.http.post("/inbox/login", json=body)).status_code
            for body in (
                {"password": ""},
                {"password": WORD},
                {"name": "", "password": ""},
                {"name": "Grace", "password": WORD},
            )
        ]
        listed = await people(stores_of(here.runtime), {"do": "list"})
        await add(here, "Ada", "admin")
        async with signed_in(here, "Ada") as ada:
            you = (await ada.get(READS[0])).json()["you"]

    assert seen == [401, 401]
    assert tries == [401, 401, 401, 401]
    assert listed == {"people": []}
    assert you == {"name": "Ada", "role": "admin", "signed_in": True}


async def test_what_cannot_be_done_is_said(here: Here) -> None:
    await add(here, "Grace", "agent")
    with pytest.raises(Conflict, match="'Grace' already"):
        await add(here, "  Grace ", "agent")
    with pytest.raises(NotFound):
        await people(stores_of(here.runtime), {"do": "remove", "name": "Nobody"})
    for name, role, word in (("", "agent", WORD), ("Ada", "boss", WORD), ("Ada", "agent", "tooshort")):
        with pytest.raises(BadTurn) as refused:
            await add(here, name, role, word)
        assert word not in str(refused.value)


def test_a_hash_is_salted_and_takes_the_right_password_alone() -> None:
    first, second = hash_password(WORD), hash_password(WORD)

    assert first != second
    assert matches(WORD, first)
    assert matches(WORD, second)
    assert not matches(WORD + " ", first)
    assert not matches("", first)


def test_by_hand(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def typed(*words: str) -> tuple[int, str]:
        with monkeypatch.context() as patched:
            patched.setattr("sys.stdin", io.StringIO(WORD + "\n"))
            return shell.run(*words)

    assert typed("people", "add", "Grace", "--role", "agent", "--password-stdin")[0] == 0
    listed = shell.run("people", "list")
    assert "Grace agent" in listed[1]
    assert [one["role"] for one in json.loads(shell.run("people", "list", "--json")[1])] == ["agent"]
    assert typed("people", "add", "Grace", "--role", "agent", "--password-stdin")[0] == 1
    assert typed("people", "add", "Ada", "--role", "boss", "--password-stdin")[0] == 2
    assert shell.run("people", "add", "Ada")[0] == 2
    assert shell.run("people", "remove", "Grace")[0] == 0
    assert shell.run("people", "remove", "Grace")[0] == 1
    assert "nobody was added" in shell.run("people", "list")[1]


async def test_a_sign_in_opens_every_machine_that_has_the_cookie_secret_and_the_password(tmp_path: Path) -> None:
    async def opened(folder: str, **settings: Any) -> int:
        (tmp_path / folder).mkdir()
        async with serving(tmp_path / folder, **settings) as other:
            return (await other.http.get(READS[0], headers={"Cookie": cookie})).status_code

    shared = SecretStr("sixteen letters or more")
    (tmp_path / "here").mkdir()
    async with serving(tmp_path / "here", cookie_secret=shared) as here, here.staff() as client:
        cookie = "; ".join(f"{name}={value}" for name, value in client.cookies.items())

    assert await opened("same", cookie_secret=shared) == 200
    assert await opened("none") == 401
    assert await opened("other", cookie_secret=SecretStr("another of sixteen letters")) == 401
    assert await opened("password", cookie_secret=shared, inbox_password=SecretStr("it was changed since")) == 401
