"""Several workspaces behind one real server: each is served as if it were alone, and nothing of one opens another."""

import hashlib
import hmac
import http.client
import json
import shutil
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from uuid import uuid4

import httpx
import psycopg
import pytest

from graphs.running import find_running
from server.staff import COOKIE
from tests.fakes import fake_deps
from tests.installed import use_models
from tests.loopback import NO_TLS
from tests.server.forked_workers import served_by_forks
from tests.server.harness import WORKSPACE, bearer, run_input, serving_several
from tests.server.hooks import listening
from tests.server.spaces import ARTICLES, QUESTION, Door, two_tenants
from tests.server.test_matrix import ELSEWHERE, HIDDEN, RULES, paths_of
from tests.server.test_workers import until
from tests.serving import Process, served
from tests.shell import Shell

CANARY = "zqxkanary"
PROCESS_ONLY = {"/healthz", "/readyz", "/metrics"}


@dataclass
class Both:
    """The server and its two workspaces."""

    running: Process
    orrery: Door
    globex: Door
    database: str | None = None

    def command(self, shell: Shell, door: Door, *arguments: str) -> tuple[int, str]:
        """Run a command beside the server, for one of the workspaces."""
        where = ["--workspace", str(door.tenant.folder), "--data-dir", str(self.running.data_dir)]
        return shell.run(*arguments, *where)

    def ways(self) -> list[tuple[Door, Door]]:
        return [(self.orrery, self.globex), (self.globex, self.orrery)]


@pytest.fixture(scope="module")
def database(postgres_server: str) -> Iterator[str]:
    with psycopg.connect(postgres_server, autocommit=True) as admin:
        admin.execute("CREATE DATABASE several")
        yield postgres_server.replace("/postgres?", "/several?")
        admin.execute("DROP DATABASE several WITH (FORCE)")


@pytest.fixture(scope="module", params=["sqlite", pytest.param("two workers", marks=pytest.mark.postgres)])
def both(request: pytest.FixtureRequest, model_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Both]:
    """Both of them, on SQLite and on PostgreSQL with two workers."""
    folder = tmp_path_factory.mktemp("several")
    tenants = two_tenants(folder / "spaces")
    use_models(folder / "data", model_cache)
    options, settings, url = ["--workspace", str(folder / "spaces")], {}, None
    if request.param != "sqlite":
        url = request.getfixturevalue("database")
        settings["HELPGRAPH_DATABASE_URL"] = url
    secret = "a secret of which those of webhooks are made"
    serve = served if url is None else served_by_forks
    with serve(folder / "data", *options, HELPGRAPH_WEBHOOK_SECRET=secret, **settings) as running:
        orrery, globex = (Door(tenant, running.url) for tenant in tenants)
        yield Both(running, orrery, globex, url)
        orrery.close()
        globex.close()
        running.stop(signal.SIGTERM)
        assert running.exit_code == 0
        assert "Traceback" not in (running.data_dir / "said").read_text()


# --- as if it were alone -----------------------------------------------------------------------------------------


def test_each_answers_from_its_own_articles(both: Both) -> None:
    for mine, other in both.ways():
        stream = mine.ask(mine.session(page={"route": "/settings/billing"}))

        assert '"outcome":"answered"' in stream
        assert mine.tenant.host in stream
        assert other.tenant.host not in stream


def test_both_answer_at_the_same_time(both: Both) -> None:
    with ThreadPoolExecutor(8) as pool:
        asked = [(mine, pool.submit(mine.ask, mine.session())) for mine, _ in both.ways() for _ in range(4)]
        streams = [(mine, answer.result()) for mine, answer in asked]

    assert all(mine.tenant.host in stream for mine, stream in streams)


def test_a_stream_is_resumed_below_its_path(both: Both) -> None:
    for mine, _ in both.ways():
        begun = mine.session()
        mine.ask(begun)
        path = f"/v1/conversations/{begun['conversation_id']}/events"
        headers = bearer(begun["session_token"])
        whole = mine.http.get(path, headers={**headers, "Last-Event-ID": "0"}).text
        ids = [line.removeprefix("id: ") for line in whole.splitlines() if line.startswith("id: ")]
        rest = mine.http.get(path, headers={**headers, "Last-Event-ID": ids[3]}).text

        assert [line.removeprefix("id: ") for line in rest.splitlines() if line.startswith("id: ")] == ids[4:]


def test_the_same_user_id_is_two_people(both: Both) -> None:
    for mine, other in both.ways():
        said = f"{CANARY} {mine.tenant.workspace_id}: {QUESTION}"
        begun = mine.session(identity_token=mine.tenant.identity("ada"))
        mine.ask(begun, said, "the-same-id")
        with other.staff() as staff:
            assert said not in staff.get("/v1/inbox/handoffs", params={"mode": "all"}).text
    for mine, other in both.ways():
        again = mine.session(identity_token=mine.tenant.identity("ada"))
        assert f"{CANARY} {other.tenant.workspace_id}" not in json.dumps(mine.history(again))


def test_an_address_keeps_to_its_workspace(both: Both) -> None:
    for mine, _ in both.ways():
        name = mine.tenant.workspace_id
        front = mine.http.get(f"{both.running.url}/w/{name}")
        assert (front.status_code, front.headers["location"]) == (307, f"/w/{name}/")
        assert mine.http.get("/openapi.json").json()["servers"] == [{"url": f"/w/{name}"}]
        # A slash too many leads back, and not out.
        assert urlsplit(mine.http.get("/inbox/").headers["location"]).path == f"/w/{name}/inbox"
        login = mine.http.post("/inbox/login", json={"password": mine.tenant.inbox_password})
        mine.http.cookies.clear()
        assert f"Path=/w/{name};" in login.headers["set-cookie"] + ";"
        for page in ("/inbox", "/bugs", "/ops", "/docs"):
            policy = mine.http.get(page).headers["content-security-policy"]
            assert "'self'" not in policy
            assert f"connect-src {urlsplit(both.running.url).netloc}/w/{name}/;" in policy
        ipv6 = mine.http.get("/inbox", headers={"Host": "[::1]"})
        assert "connect-src 'self'" in ipv6.headers["content-security-policy"]


def test_health_and_metrics_are_the_processs(both: Both) -> None:
    for mine, _ in both.ways():
        mine.ask(mine.session())
        assert {mine.http.get(path).status_code for path in PROCESS_ONLY} == {404}
    with httpx.Client(base_url=both.running.url, trust_env=False, verify=NO_TLS) as client:
        text = client.get("/metrics").text
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.get("/readyz").json()["workspaces"] == 2
        # The doors of a server that serves one workspace alone.
        for path in ("/inbox", "/widget.js", "/openapi.json", "/v1/models", "/w/nobody/inbox", "/w/", "/w"):
            assert client.get(path).status_code == 404, path
    for name in ("orrery", "globex"):
        assert f'helpgraph_turns_total{{outcome="answered",workspace="{name}"}}' in text
        assert f'helpgraph_turns_waiting{{workspace="{name}"}} 0.0' in text


@pytest.mark.postgres
def test_connections_do_not_grow_with_workspaces(both: Both) -> None:
    if both.database is None:
        pytest.skip("SQLite has no connections to count")
    with psycopg.connect(both.database, autocommit=True) as admin:
        found = admin.execute(
            "SELECT count(*), count(*) FILTER (WHERE query LIKE 'LISTEN%') FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        ).fetchone()

    assert found is not None
    assert found[0] <= 2 * 30
    # One for each worker.
    assert found[1] == 2


# --- and nothing of one opens another ----------------------------------------------------------------------------


def test_no_credential_of_one_opens_the_other(both: Both, shell: Shell) -> None:
    doors = {("post", path): RULES["post", "/v1/agui"] for path, why in HIDDEN.items() if why is None}
    for mine, other in both.ways():
        begun = mine.session(identity_token=mine.tenant.identity("ada"))
        mine.ask(begun, f"{CANARY} {QUESTION}", "m-crossing")
        with mine.staff() as staff:
            cookie = {"Cookie": f"{COOKIE}={staff.cookies[COOKIE]}"}
        code, key = both.command(shell, mine, "keys", "add", "crossing")
        assert code == 0, key
        admin = find_running(both.running.data_dir, mine.tenant.workspace_id)
        assert admin is not None
        every = {
            "session": bearer(begun["session_token"]),
            "key of the settings": bearer(mine.tenant.api_key),
            "key": bearer(key),
            "cookie": cookie,
            "token of the data folder": bearer(admin.token),
            "none": {},
        }
        ids = {"{conversation_id}": begun["conversation_id"], "{bug_id}": "BUG-1", "{name}": "export"}
        tried = 0
        for (method, path), rule in {**RULES, **doors}.items():
            if rule.opens_to == "anyone":
                continue
            for placeholder, value in ids.items():
                path = path.replace(placeholder, value)
            for name, headers in every.items():
                for last in ({}, {"Last-Event-ID": "1"}) if path.endswith("/events") else ({},):
                    answer = other.http.request(method, path, json=rule.body, headers={**headers, **last})
                    tried += 1
                    assert answer.status_code == 401, (name, method, path, answer.status_code)
                    assert CANARY not in answer.text
        assert tried > 100


def test_ids_of_one_are_nothing_in_the_other(both: Both) -> None:
    for mine, other in both.ways():
        theirs = mine.session()
        mine.ask(theirs, f"{CANARY} {QUESTION}", "m-of-mine")
        message_id = mine.history(theirs)[-1]["message_id"]
        own = other.session()
        headers = bearer(own["session_token"])
        path = f"/v1/conversations/{theirs['conversation_id']}"
        with other.staff() as staff:
            answers = [
                other.http.get(f"{path}/messages", headers=headers),
                other.http.get(f"{path}/events", headers={**headers, "Last-Event-ID": "1"}),
                other.http.post(f"{path}/typing", headers=headers),
                other.http.post(f"{path}/feedback", headers=headers, json={"message_id": message_id, "helpful": True}),
                staff.get(f"/v1/inbox{path.removeprefix('/v1')}"),
                staff.get(f"/v1/inbox{path.removeprefix('/v1')}/events"),
                staff.post(f"/v1/inbox{path.removeprefix('/v1')}/take", json={"person": "Mallory"}),
            ]
        assert {answer.status_code for answer in answers} == {404}
        assert not any(CANARY in answer.text for answer in answers)
        # A thread of that name, and a message of that id, are new ones here.
        stream = other.ask({**own, "conversation_id": theirs["conversation_id"]}, "Hello", "m-of-mine")
        assert CANARY not in stream
        assert len(mine.history(theirs)) == 2


def test_who_is_vouched_for_in_one_is_nobody_in_the_other(both: Both) -> None:
    for mine, other in both.ways():
        hashed = hmac.new(mine.tenant.hash_secret.encode(), b"ada", hashlib.sha256).hexdigest()
        for body in (
            {"identity_token": mine.tenant.identity("ada")},
            {"identity_token": mine.tenant.identity("ada", audience=other.tenant.workspace_id)},
            {"user_id": "ada", "user_hash": hashed},
        ):
            assert other.http.post("/v1/sessions", json=body).status_code == 401
        login = other.http.post("/inbox/login", json={"password": mine.tenant.inbox_password})
        assert login.status_code == 401
        # Another's session is no session: a new one begins, with nothing of it.
        theirs = mine.session()
        begun = other.session(session_token=theirs["session_token"])
        assert begun["session_token"] != theirs["session_token"]
        assert begun["messages"] == []


@pytest.mark.parametrize(
    "path",
    [
        "/w/orrery/../globex/v1/inbox/handoffs",
        "/w/orrery/%2e%2e/globex/v1/inbox/handoffs",
        "/w/orrery%2f..%2fglobex/v1/inbox/handoffs",
        "/w/orrery/..%2fglobex/v1/inbox/handoffs",
        "//w/globex/v1/inbox/handoffs",
        "/w//globex/v1/inbox/handoffs",
        "/w/orrery/w/globex/v1/inbox/handoffs",
        "/w/GLOBEX/v1/inbox/handoffs",
        "/w/orrery/assets/..%2f..%2fw%2fglobex%2fv1%2finbox%2fhandoffs",
    ],
)
def test_no_path_leads_from_one_into_the_other(both: Both, path: str) -> None:
    with both.orrery.staff() as staff:
        cookie = f"{COOKIE}={staff.cookies[COOKIE]}"
    with both.globex.staff() as staff:
        theirs = f"{COOKIE}={staff.cookies[COOKIE]}"
    where = urlsplit(both.running.url)
    for sent in (cookie, theirs):
        # As it is written: a client of HTTP would resolve the dots.
        connection = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
        connection.request("GET", path, headers={"Cookie": sent})
        answer = connection.getresponse()
        assert answer.status in (307, 404), answer.read()
        connection.close()


# --- what operators do, and what goes on by itself ---------------------------------------------------------------


def test_commands_go_to_the_workspace_that_they_name(both: Both, shell: Shell, tmp_path: Path) -> None:
    for mine, other in both.ways():
        word = f"{mine.tenant.workspace_id}-clerk"
        code, key = both.command(shell, mine, "keys", "add", word)
        assert code == 0, key
        assert mine.http.get("/v1/models", headers=bearer(key)).status_code == 200
        assert other.http.get("/v1/models", headers=bearer(key)).status_code == 401
        assert word not in both.command(shell, other, "keys", "list")[1]
        code, said = both.command(shell, mine, "ask", QUESTION, "--json")
        assert (code, mine.tenant.host in said, other.tenant.host in said) == (0, True, False)
    for workspace in ([], ["--workspace", str(both.orrery.tenant.folder.parent)]):
        # The example's folder is in the environment of a shell.
        arguments = ["keys", "list", "--data-dir", str(both.running.data_dir), *workspace]
        code, said = shell.run(*arguments)
        assert code == (2 if workspace else 0), said
    assert "holds several workspaces (globex, orrery): name one" in said
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "workspace.yaml").write_text("name: Elsewhere\nworkspace_id: elsewhere\n")
    code, said = shell.run("keys", "list", "--workspace", str(elsewhere), "--data-dir", str(both.running.data_dir))
    assert code == 2
    assert "serves globex, orrery, and not elsewhere" in said
    spaces = str(both.orrery.tenant.folder.parent)
    code, said = shell.run("doctor", "--workspace", spaces, "--data-dir", str(both.running.data_dir))
    assert (code, said.count(f"{len(ARTICLES)} articles")) == (0, 2)


def test_an_export_and_an_erasure_are_of_one_workspace(both: Both, shell: Shell, tmp_path: Path) -> None:
    begun = {}
    for mine, _ in both.ways():
        begun[mine.tenant.workspace_id] = mine.session(identity_token=mine.tenant.identity("eve"))
        mine.ask(begun[mine.tenant.workspace_id], f"{CANARY} said in {mine.tenant.workspace_id}. {QUESTION}")
    mine, other = both.ways()[0]
    out, proof = tmp_path / "eve.json", tmp_path / "proof.json"
    code, said = both.command(shell, mine, "export", "--user", "eve", "--out", str(out))
    assert code == 0, said
    assert f"{CANARY} said in orrery" in out.read_text()
    assert f"{CANARY} said in globex" not in out.read_text()
    before = other.history(begun["globex"])
    code, said = both.command(shell, mine, "erase", "--user", "eve", "--yes", "--proof", str(proof))

    assert code == 0, said
    assert json.loads(proof.read_text())["workspace_id"] == "orrery"
    gone = mine.http.get(
        f"/v1/conversations/{begun['orrery']['conversation_id']}/messages",
        headers=bearer(begun["orrery"]["session_token"]),
    )
    assert gone.status_code == 401
    assert other.history(begun["globex"]) == before
    assert both.command(shell, mine, "export", "--user", "eve", "--out", str(out), "--force")[0] == 1


def test_webhooks_are_told_of_their_own_workspace(both: Both, shell: Shell) -> None:
    with listening() as orrery, listening() as globex:
        for door, hooks in ((both.orrery, orrery), (both.globex, globex)):
            name = f"crm-{uuid4().hex[:8]}"
            code, said = both.command(shell, door, "webhooks", "add", name, hooks.url, "--kind", "turn.ended")
            assert code == 0, said
            code, said = both.command(shell, door, "webhooks", "secret", name)
            hooks.secret = said.strip()
            door.ask(door.session())
        for name, hooks in (("orrery", orrery), ("globex", globex)):
            told = hooks.wait_for(lambda taken: taken)
            assert {each.body["workspace_id"] for each in told} == {name}
            assert hooks.forged == 0


def test_what_one_ingests_the_other_does_not_know(both: Both, shell: Shell, tmp_path: Path) -> None:
    articles = tmp_path / "articles"
    shutil.copytree(both.orrery.tenant.folder / "articles", articles)
    (articles / "teleport.md").write_text("# Purple teleport button\n\nPress the purple teleport button.\n")
    code, said = both.command(shell, both.orrery, "ingest", str(articles))
    assert code == 0, said
    assert "1 added" in said

    def known(door: Door) -> set[str]:
        server = find_running(both.running.data_dir, door.tenant.workspace_id)
        assert server is not None
        # Each request is a connection of its own, which either worker may take.
        asked = [
            httpx.post(
                f"{server.url}/v1/admin/status", json={}, headers=bearer(server.token), trust_env=False, verify=NO_TLS
            )
            for _ in range(12)
        ]
        return {str(answer.json()["knowledge"]).split(",")[0] for answer in asked}

    until(lambda: known(both.orrery) == {f"{len(ARTICLES) + 1} articles"})
    assert known(both.globex) == {f"{len(ARTICLES)} articles"}


def test_both_go_on_after_a_kill(model_cache: Path, tmp_path: Path) -> None:
    tenants = two_tenants(tmp_path / "spaces")
    use_models(tmp_path / "data", model_cache)
    begun = []
    with served(tmp_path / "data", "--workspace", str(tmp_path / "spaces")) as running:
        for tenant in tenants:
            door = Door(tenant, running.url)
            session = door.session()
            body = run_input(session["conversation_id"], QUESTION, "m1")
            headers = bearer(session["session_token"])
            with door.http.stream("POST", "/v1/agui", json=body, headers=headers) as answer:
                assert answer.status_code == 200
            begun.append(session)
            door.close()
        running.stop(signal.SIGKILL)
    with served(tmp_path / "data", "--workspace", str(tmp_path / "spaces")) as running:
        for tenant, session in zip(tenants, begun, strict=True):
            door = Door(tenant, running.url)
            until(lambda door=door, session=session: len(door.history(session)) == 2)
            assert [message["author"] for message in door.history(session)] == ["customer", "bot"]
            # The session lives on, and is worth as little elsewhere as before.
            assert door.ask(session).count("RUN_FINISHED") == 1
            door.close()


async def test_every_route_of_several_is_known(tmp_path: Path) -> None:
    given: dict[str, dict[str, object]] = {WORKSPACE: {}, ELSEWHERE: {}}
    async with serving_several(tmp_path, fake_deps(), f"sqlite:///{tmp_path / 'shared.db'}", given) as heres:
        for here in heres:
            hidden = {path for path, shown in paths_of(here.app.routes) if not shown}
            assert hidden == HIDDEN.keys() - PROCESS_ONLY
        server = heres[0].url.removesuffix(f"/w/{WORKSPACE}")
        async with httpx.AsyncClient(base_url=server, trust_env=False, verify=NO_TLS) as client:
            assert (await client.get("/")).text.count("<li>") == 2
            assert (await client.get("/", headers={"Host": "evil.example"})).status_code == 421


async def test_only_on_loopback_the_front_page_names_the_workspaces(tmp_path: Path) -> None:
    given: dict[str, dict[str, object]] = {name: {"host": "192.0.2.1"} for name in (WORKSPACE, ELSEWHERE)}
    async with serving_several(tmp_path, fake_deps(), f"sqlite:///{tmp_path / 'shared.db'}", given) as heres:
        server = heres[0].url.removesuffix(f"/w/{WORKSPACE}")
        async with httpx.AsyncClient(base_url=server, trust_env=False, verify=NO_TLS) as client:
            front = await client.get("/")

    assert front.status_code == 200
    assert ELSEWHERE not in front.text
