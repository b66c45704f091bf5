"""Every route of the API's own description, by everybody, on what is theirs, another's, another workspace's, nobody's.

Two workspaces share one database. What isn't the caller's is not there: the same answer, word for word, as for an id
that was never given. A route without a rule here fails.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal
from uuid import uuid4

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text

from agent.deps import TurnDeps
from agent.types import Kind
from graphs.keys import keys
from graphs.people import people
from graphs.stores import stores_of
from server.staff import COOKIE
from tests.fakes import CALM, ScriptedEngine, fake_deps
from tests.server.harness import PASSWORD, WORKSPACE, Customer, Here, bearer, run_input, serving, serving_several
from tests.server.test_identity import hash_of, token
from tools.storage.people import StaffRole
from tools.storage.schema import metadata
from tools.storage.scope import Scope

Given = dict[str, dict[str, Any]]
Kin = Literal["stranger", "machine", "customer", "bot", "viewer", "agent", "admin"]
Opens = Literal["anyone", "customers", "owner", "viewer", "agent", "admin"]
Whose = Literal["own", "another's", "another workspace's", "nobody's"]

ABSENT = "0" * 32
ELSEWHERE = "elsewhere"
WORD = "a long enough password"
STAFF: tuple[StaffRole, ...] = ("viewer", "agent", "admin")
REPLY = {"text": "Hello", "client_message_id": "r1", "person": "Grace"}


def canary(workspace_id: str) -> str:
    """A word that is said in one workspace alone."""
    return f"canary-of-{workspace_id}"


@dataclass(frozen=True)
class Rule:
    """Who may call a route, and a body that it takes."""

    opens_to: Opens
    body: Any = None


RULES: dict[tuple[str, str], Rule] = {
    ("post", "/v1/sessions"): Rule("anyone", {}),
    ("post", "/inbox/login"): Rule("anyone", {"password": PASSWORD}),
    ("post", "/inbox/logout"): Rule("anyone"),
    ("post", "/v1/agui"): Rule("customers", run_input("a thread", "Hello")),
    ("post", "/v1/chat/completions"): Rule("customers", {"messages": [{"role": "user", "content": "Hello"}]}),
    ("get", "/v1/models"): Rule("customers"),
    ("get", "/v1/conversations/{conversation_id}/messages"): Rule("owner"),
    ("get", "/v1/conversations/{conversation_id}/events"): Rule("owner"),
    ("post", "/v1/conversations/{conversation_id}/typing"): Rule("owner"),
    ("post", "/v1/conversations/{conversation_id}/handoff"): Rule("owner", {"text": "A person, please"}),
    ("post", "/v1/conversations/{conversation_id}/feedback"): Rule("owner", {"message_id": "m1", "helpful": True}),
    ("post", "/v1/conversations/{conversation_id}/rating"): Rule("owner", {"stars": 5}),
    ("post", "/v1/conversations/{conversation_id}/end"): Rule("owner"),
    ("get", "/v1/inbox/handoffs"): Rule("viewer"),
    ("get", "/v1/inbox/events"): Rule("viewer"),
    ("get", "/v1/inbox/bugs"): Rule("viewer"),
    ("get", "/v1/inbox/ops"): Rule("viewer"),
    ("get", "/v1/inbox/bugs/{bug_id}"): Rule("viewer"),
    ("get", "/v1/inbox/conversations/{conversation_id}"): Rule("viewer"),
    ("get", "/v1/inbox/conversations/{conversation_id}/events"): Rule("viewer"),
    ("post", "/v1/inbox/conversations/{conversation_id}/take"): Rule("agent", {"person": "Grace"}),
    ("post", "/v1/inbox/conversations/{conversation_id}/reply"): Rule("agent", REPLY),
    ("post", "/v1/inbox/conversations/{conversation_id}/hand_back"): Rule("agent", {}),
    ("post", "/v1/inbox/conversations/{conversation_id}/resolve"): Rule("agent", {"outcome": "solved"}),
    ("post", "/v1/inbox/bugs/{bug_id}/status"): Rule("admin", {"status": "fixed"}),
}
# Routes that the description leaves out, and why anyone may call them; None are the machine's own.
HIDDEN: dict[str, str | None] = {
    "/": "a page without anything of a customer",
    "/inbox": "a page that signs in by itself",
    "/bugs": "a page that signs in by itself",
    "/ops": "a page that signs in by itself",
    "/widget.js": "a file",
    "/favicon.ico": "nothing",
    "/assets/{name}": "files",
    "/docs": "the description of the API",
    "/healthz": "a word",
    "/readyz": "names and counts of articles",
    "/metrics": "counts",
    "/demo": "the example product",
    "/demo/accounts.json": "the example product",
    "/demo/identity": "the example product",
    "/demo/{path:path}": "the example product",
    "/v1/admin/ask": None,
    "/v1/admin/status": None,
    "/v1/admin/ingest": None,
    "/v1/admin/acts/{name}": None,
}


@dataclass(frozen=True)
class Caller:
    """Somebody, by what they send along, and what is theirs: a conversation, or the workspace's for the team."""

    name: str
    kin: Kin
    headers: dict[str, str]
    own: str | None = None


@dataclass(frozen=True)
class Workspace:
    """A workspace that runs, and who calls it."""

    here: Here
    callers: list[Caller]
    victim: Customer


async def populated(here: Here, name: str) -> Workspace:
    """A workspace with somebody of each kind."""
    stores = stores_of(here.runtime)
    victim, visitor = await here.session(), await here.session()
    by_token = await here.session(identity_token=token(sub="user_1", aud=name))
    by_hash = await here.session(user_id="user_2", user_hash=hash_of("user_2"))
    callers = [
        Caller("stranger", "stranger", {}),
        Caller("forged session", "stranger", bearer("hgs_" + "x" * 43)),
        Caller("forged key", "stranger", bearer("hgk_" + "x" * 43)),
        Caller("forged cookie", "stranger", {"Cookie": f"{COOKIE}=c3RhZmY=.aaaa.bbbb"}),
        Caller("the machine's owner", "machine", bearer(here.doors.admin_token)),
    ]
    for who, customer in (("visitor", visitor), ("user by token", by_token), ("user by hash", by_hash)):
        await customer.say("Where are my invoices?")
        callers.append(Caller(who, "customer", customer.headers, customer.conversation_id))
    await victim.say(f"The export is empty. {canary(name)}")
    for who in ("bot", "revoked bot"):
        key = (await keys(stores, {"do": "add", "name": who.replace(" ", "-")}))["key"]
        callers.append(await bot(here, who, key))
    # It calls its conversation what it called it at first.
    callers.append(await bot(here, "bot of the settings", f"a key of {name}", by_thread=True))
    await keys(stores, {"do": "revoke", "name": "revoked-bot"})
    callers = [replace(c, kin="stranger") if c.name == "revoked bot" else c for c in callers]
    for role in STAFF:
        asked = {"do": "add", "name": f"A {role}", "role": role, "password": WORD}
        await people(stores, asked)
        callers.append(await staff(here, role, {"name": f"A {role}", "password": WORD}, victim))
    callers.append(await staff(here, "admin", {"password": PASSWORD}, victim))
    return Workspace(here, callers, victim)


async def bot(here: Here, name: str, key: str, *, by_thread: bool = False) -> Caller:
    thread_id = uuid4().hex
    answer = await here.http.post("/v1/agui", json=run_input(thread_id, "Hello"), headers=bearer(key))
    assert answer.status_code == 200, answer.text
    return Caller(name, "bot", bearer(key), thread_id if by_thread else answer.headers["X-Conversation-Id"])


async def staff(here: Here, kin: Kin, body: dict[str, str], victim: Customer) -> Caller:
    answer = await here.http.post("/inbox/login", json=body)
    assert answer.status_code == 204, answer.text
    cookie = {"Cookie": f"{COOKIE}={answer.cookies[COOKIE]}"}
    here.http.cookies.clear()
    return Caller(body.get("name", "the inbox's password"), kin, cookie, victim.conversation_id)


@asynccontextmanager
async def two_servers(folder: Path, deps: TurnDeps, url: str, given: Given) -> AsyncIterator[list[Here]]:
    """Each workspace in a process of its own, as far as one process can play two."""
    async with AsyncExitStack() as stack:
        found = []
        for name, settings in given.items():
            (folder / name).mkdir()
            opening = serving(folder / name, deps, database_url=url, workspace_id=name, **settings)
            found.append(await stack.enter_async_context(opening))
        yield found


@pytest.fixture(params=[two_servers, serving_several], ids=["two servers", "one server"])
async def two(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[tuple[Workspace, Workspace]]:
    """Two workspaces on one database, each with everybody in it, that share even the secrets they could share.

    Once behind a server each, with one of a kind each in it, and once behind the same.
    """
    engine = ScriptedEngine(understanding=replace(CALM, kind=Kind.BUG))
    names = (WORKSPACE, ELSEWHERE)
    given: Given = {
        name: {
            "messages_per_minute": 100_000,
            "sessions_per_minute": 100_000,
            "api_keys": [SecretStr(f"a key of {name}")],
        }
        for name in names
    }
    url = f"sqlite:///{tmp_path / 'shared.db'}"
    async with request.param(tmp_path, fake_deps(engine=engine), url, given) as heres:
        found = [await populated(here, name) for here, name in zip(heres, names, strict=True)]
        async with found[0].here.runtime.db.transaction() as conn:
            # A number that only the other one has.
            for table in ("bugs", "bug_occurrences", "bug_filings"):
                await conn.execute(text(f"UPDATE {table} SET bug_id = 'BUG-2' WHERE workspace_id = '{ELSEWHERE}'"))  # noqa: S608  # Names of our own.
        # Without a bug of each, nothing would be shown about the other one's.
        for one, bug_id in zip(found, ("BUG-1", "BUG-2"), strict=True):
            scope = Scope.system(one.here.runtime.workspace.workspace_id)
            assert [bug["bug_id"] for bug in await one.here.runtime.tracker.bugs(scope)] == [bug_id]
        if request.param is two_servers:
            # Every caller is tried where both workspaces share a process; here it is the kind that counts.
            for one in found:
                one.callers[:] = {caller.kin: caller for caller in reversed(one.callers)}.values()
        yield found[0], found[1]


async def described(here: Here) -> list[tuple[str, str]]:
    document = (await here.http.get("/openapi.json")).json()
    return [(method, path) for path, methods in document["paths"].items() for method in methods]


async def answer_to(here: Here, method: str, path: str, headers: dict[str, str], body: Any) -> tuple[int, bytes]:
    """The status and the body; of a stream that goes on only the status."""
    async with here.http.stream(method.upper(), path, json=body, headers=headers) as answer:
        here.http.cookies.clear()
        if answer.status_code == 200 and answer.headers["content-type"].startswith("text/event-stream"):
            return answer.status_code, b""
        return answer.status_code, await answer.aread()


def expected(rule: Rule, kin: Kin, whose: Whose) -> int | None:
    """The status that refuses, or None where the door is open."""
    if rule.opens_to == "anyone":
        return None
    if rule.opens_to in STAFF:
        if kin not in STAFF:
            return 401
        if STAFF.index(kin) < STAFF.index(rule.opens_to):
            return 403
        # For the team every conversation of the workspace is its own.
        return 404 if whose in ("another workspace's", "nobody's") else None
    if kin not in ("customer", "bot"):
        return 401
    return None if rule.opens_to == "customers" or whose == "own" else 404


def filled(path: str, ids: dict[str, str | None]) -> str | None:
    for name, value in ids.items():
        if f"{{{name}}}" in path:
            return None if value is None else path.replace(f"{{{name}}}", value)
    return path


def cells(mine: Workspace, other: Workspace) -> Iterator[tuple[tuple[str, str], Caller, Whose, str, Rule]]:
    """Every route, caller and target, with the path that is asked for."""
    for (method, path), rule in RULES.items():
        # Ten tries at a password a minute are for everybody together.
        for caller in mine.callers if rule.opens_to != "anyone" else mine.callers[:1]:
            targets: dict[Whose, dict[str, str | None]] = {
                "own": {"conversation_id": caller.own, "bug_id": "BUG-1"},
                "another's": {"conversation_id": mine.victim.conversation_id, "bug_id": None},
                "another workspace's": {"conversation_id": other.victim.conversation_id, "bug_id": "BUG-2"},
                "nobody's": {"conversation_id": ABSENT, "bug_id": "BUG-99"},
            }
            for whose, ids in targets.items():
                wanted = filled(path, ids)
                if wanted is not None and ("{" in path or whose == "own"):
                    yield (method, path), caller, whose, wanted, rule


async def rows(here: Here, workspace_id: str) -> dict[str, list[Any]]:
    """Everything that the workspace has in the database, apart from when its keys were used."""
    async with here.runtime.db.reading() as conn:
        return {
            name: sorted(map(repr, (await conn.execute(select(t).where(t.c.workspace_id == workspace_id))).all()))
            for name, t in metadata.tables.items()
        }


async def test_every_route_has_a_rule(here: Here) -> None:
    hidden = {path for path, shown in paths_of(here.app.routes) if not shown}

    assert set(await described(here)) == RULES.keys()
    assert hidden == HIDDEN.keys()


def paths_of(routes: Any) -> Iterator[tuple[str, bool]]:
    """The paths of all routes with a function of ours, and whether the description has them."""
    for route in routes:
        yield from paths_of(getattr(getattr(route, "original_router", None), "routes", ()))
        if hasattr(route, "response_model"):
            yield route.path, route.include_in_schema


async def test_who_gets_through_which_door(two: tuple[Workspace, Workspace]) -> None:
    # One after the other, because a workspace with everybody in it takes a while to make.
    mine, other = two
    await nobody_gets_through_anothers_door(mine, other)
    await what_opens_one_workspace_opens_no_other(mine, other)
    await everybody_gets_through_their_own(mine, other)


async def nobody_gets_through_anothers_door(mine: Workspace, other: Workspace) -> None:
    here = mine.here
    untouched = await rows(here, ELSEWHERE)
    before = await rows(here, WORKSPACE)
    wrong: list[str] = []
    refused = 0
    missing: dict[tuple[str, str, str], list[tuple[str, bytes]]] = {}
    for (method, path), caller, whose, wanted, rule in cells(mine, other):
        status = expected(rule, caller.kin, whose)
        if status is None:
            continue
        for extra in ({}, {"Last-Event-ID": "1"}) if path.endswith("/events") else ({},):
            got, body = await answer_to(here, method, wanted, {**caller.headers, **extra}, rule.body)
            refused += 1
            if got != status:
                wrong.append(f"{caller.name}: {method} {path} ({whose}): {got} for {status}")
            if b"canary-of-" in body:
                wrong.append(f"{caller.name}: {method} {path} ({whose}): told what somebody said")
            if status == 404:
                missing.setdefault((caller.name, method, path), []).append((whose, body))

    for path in (path for path, why in HIDDEN.items() if why is None):
        for caller in (*mine.callers, *other.callers):
            if caller not in mine.callers or caller.kin != "machine":
                asked = {"user": "user_1", "yes": True}
                got, _ = await answer_to(here, "post", path.replace("{name}", "erase"), caller.headers, asked)
                refused += 1
                if got != 401:
                    wrong.append(f"{caller.name}: {path}: {got}")

    assert wrong == []
    assert refused > 30 * len(mine.callers)
    # Nothing tells what is another's from what isn't there.
    for answers in missing.values():
        assert len({body for _, body in answers}) == 1, answers
    assert await rows(here, WORKSPACE) == before
    assert await rows(here, ELSEWHERE) == untouched


async def everybody_gets_through_their_own(mine: Workspace, other: Workspace) -> None:
    untouched = await rows(mine.here, ELSEWHERE)
    wrong: list[str] = []
    let_in = 0
    shown = False
    for (method, path), caller, whose, wanted, rule in cells(mine, other):
        if expected(rule, caller.kin, whose) is not None:
            continue
        got, body = await answer_to(mine.here, method, wanted, caller.headers, rule.body)
        let_in += 1
        shown |= canary(WORKSPACE).encode() in body
        if canary(ELSEWHERE).encode() in body:
            wrong.append(f"{caller.name}: {method} {path} ({whose}): told what was said elsewhere")
        # 409: somebody before did it already, or the conversation is in no state for it.
        if got not in (200, 202, 204, 409):
            wrong.append(f"{caller.name}: {method} {path} ({whose}): {got} {body[:200]!r}")

    assert wrong == []
    assert let_in > 6 * len(mine.callers)
    # Were it shown nowhere, not to be shown it would mean nothing.
    assert shown
    assert await rows(mine.here, ELSEWHERE) == untouched


async def what_opens_one_workspace_opens_no_other(mine: Workspace, other: Workspace) -> None:
    # Even with the same secret under their cookies.
    here = other.here
    shared = replace(here.doors, cookie_secret=mine.here.doors.cookie_secret)
    here.app.state.doors = shared
    wrong = []
    for (method, path), caller, whose, wanted, rule in cells(mine, other):
        if rule.opens_to != "anyone" and whose in ("own", "another workspace's"):
            got, told = await answer_to(here, method, wanted, caller.headers, rule.body)
            if got != 401 or b"canary-of-" in told:
                wrong.append(f"{caller.name}: {method} {path} ({whose}): {got}")

    assert wrong == []
    for body in ({"identity_token": token(aud=WORKSPACE)}, {"name": "Nobody", "password": WORD}):
        path = "/v1/sessions" if "identity_token" in body else "/inbox/login"
        assert (await here.http.post(path, json=body)).status_code == 401
