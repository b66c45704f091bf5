"""A whole run with canaries in all that a customer, a page, a model, a key or a person can fill: none is logged."""

import itertools
import json
import sqlite3
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent.errors import Misconfigured
from server.auth import sign_identity
from server.settings import load_server_settings
from tests.honest_model import honest
from tests.installed import EXAMPLE, copy_of
from tests.loopback import NO_TLS
from tests.model_server.hosting import in_thread
from tests.model_server.replies import Reply, says
from tests.server.harness import bearer, run_input
from tests.serving import served

CANARY = "kanarienvogel"
SECRETS = {
    name: f"{CANARY}-{name.lower()}-of-16-characters"
    for name in ("IDENTITY_SECRET", "INBOX_PASSWORD", "MODEL_KEY", "LANGSMITH_KEY", "API_KEYS")
}
PAGE = {
    "route": f"/{CANARY}?token={CANARY}",
    "title": CANARY,
    "elements": [{"id": CANARY, "label": CANARY}],
    "recent_actions": [CANARY],
    "errors": [f"{CANARY} is not a function"],
    "language": CANARY,
}


@dataclass
class Run:
    """What a run wrote into its log, and what the outside knows of it."""

    text: str
    lines: list[dict[str, Any]]
    turn_ids: set[str]
    conversation_id: str


@pytest.fixture(scope="module")
def run(installed_by_words: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A server that logs everything there is, used in every way that it can be."""
    data_dir = copy_of(installed_by_words, tmp_path_factory.mktemp("logged") / "data")
    asked = itertools.count()

    def model(body: dict[str, Any]) -> Reply:
        return says(f"{CANARY} {{") if next(asked) % 4 else honest(body)

    with in_thread(model) as endpoint:
        env = {f"HELPGRAPH_{name}": value for name, value in SECRETS.items()}
        env |= {"HELPGRAPH_MODEL": CANARY, "HELPGRAPH_MODEL_URL": endpoint.url, "HELPGRAPH_MODEL_JUDGES": "always"}
        # Nobody is there.
        env |= {"HELPGRAPH_LANGSMITH_URL": "http://127.0.0.1:9", "HELPGRAPH_OTLP_ENDPOINT": "http://127.0.0.1:9"}
        options = ("--workspace", str(EXAMPLE), "--log-format", "json", "--log-level", "debug")
        with served(data_dir, *options, **env) as server:
            conversation_id = use(server.url, data_dir)
        text = (data_dir / "said").read_text()
    with sqlite3.connect(data_dir / "helpgraph.db") as database:
        turn_ids = {row[0] for row in database.execute("SELECT turn_id FROM turns")}
    # What the command prints for people at its start stands before the log.
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    return Run(text, lines, turn_ids, conversation_id)


def use(url: str, data_dir: Path) -> str:
    """Do all that can be done at the doors, right and wrong; the conversation's id."""
    identity = sign_identity(
        SECRETS["IDENTITY_SECRET"], workspace_id="orrery", user_id=CANARY, account_id=CANARY, name=CANARY
    )
    with httpx.Client(base_url=url, timeout=60, trust_env=False, verify=NO_TLS) as client:
        begun = client.post("/v1/sessions", json={"identity_token": identity, "page": PAGE}).json()
        customer, conversation_id = bearer(begun["session_token"]), str(begun["conversation_id"])
        conversation = f"/v1/conversations/{conversation_id}"

        def say(text: str, message_id: str | None = None) -> httpx.Response:
            body = run_input(conversation_id, text, message_id, runId=CANARY, forwardedProps={"page": PAGE})
            return client.post("/v1/agui", json=body, headers={**customer, "X-Request-Id": f"{CANARY} not an id"})

        say(f"How do I export a report with {CANARY}?", CANARY)
        say(f"Another text under the same id, {CANARY}", CANARY)
        say(f"The export is broken: {CANARY} error 500 every time since yesterday")
        with sqlite3.connect(data_dir / "helpgraph.db") as database:
            database.execute("ALTER TABLE bugs RENAME TO gone")
        say(f"It is a bug, please report it: {CANARY} crashes when I press Export")
        client.get("/v1/inbox/bugs")
        for action, note in (
            ("feedback", {"message_id": CANARY, "helpful": False}),
            ("rating", {"stars": 1, "comment": CANARY}),
            ("handoff", {"text": f"A person, {CANARY}"}),
        ):
            client.post(f"{conversation}/{action}", json=note, headers=customer)
        bot = bearer(SECRETS["API_KEYS"])
        chat = {"messages": [{"role": "user", "content": CANARY}], "user": CANARY, "model": CANARY}
        client.post("/v1/chat/completions", json=chat, headers={**bot, "Idempotency-Key": CANARY})
        # Wrong in every way.
        client.post("/v1/agui", content=f'{{"{CANARY}": ', headers={**customer, "Content-Type": "application/json"})
        client.post("/v1/agui", json={CANARY: CANARY}, headers=customer)
        client.post("/v1/sessions", json={"identity_token": f"{CANARY}.{CANARY}.{CANARY}"})
        client.get(f"/v1/conversations/{CANARY}/messages", headers=customer)
        client.get(f"/{CANARY}", params={CANARY: CANARY}, headers={"Cookie": f"hg_staff={CANARY}", "Origin": CANARY})
        client.get(f"{conversation}/events", headers={**customer, "Last-Event-ID": CANARY})
        # A person.
        client.post("/inbox/login", json={"password": f"not the {CANARY}"})
        assert client.post("/inbox/login", json={"password": SECRETS["INBOX_PASSWORD"]}).status_code == 204
        desk = f"/v1/inbox/conversations/{conversation_id}"
        assert client.post(f"{desk}/take", json={"person": CANARY}).status_code == 200
        reply = {"text": CANARY, "client_message_id": CANARY, "person": CANARY}
        assert client.post(f"{desk}/reply", json=reply).status_code == 200
        client.post(f"{desk}/resolve", json={"outcome": "solved", "note": CANARY})
        client.get("/v1/inbox/bugs")
        client.get("/v1/inbox/ops")
    return conversation_id


def test_no_canary_is_in_the_log(run: Run) -> None:
    # What the command says to people at its start names the model.
    said = [line for line in run.text.splitlines() if not line.startswith("  workspace ")]

    assert [line for line in said if CANARY in line.lower()] == []
    assert not any(secret in run.text for secret in SECRETS.values())


def test_there_was_something_to_hide(run: Run) -> None:
    events = {line["event"] for line in run.lines}

    # The model's garbage, the missing table and the forged token were all met, and are told of.
    assert {"message accepted", "turn done", "identity token refused"} <= events
    assert any(line["level"] in ("warning", "error") and "reason" in line for line in run.lines), events
    failures = [line["exception"] for line in run.lines if "exception" in line]
    assert any("sqlalchemy.exc.OperationalError" in kind for failure in failures for kind in failure["kinds"])


def test_every_line_of_a_turn_carries_its_ids(run: Run) -> None:
    for turn_id in run.turn_ids:
        done = [line for line in run.lines if line.get("turn_id") == turn_id and line["event"] == "turn done"]
        assert [line["workspace_id"] for line in done] == ["orrery"]
    for line in run.lines:
        if line["logger"].startswith(("agent.", "tools.engines.", "graphs.turns")):
            assert line.get("turn_id") in run.turn_ids, line
        if line["event"] == "message accepted":
            assert len(line["request_id"]) == 32


def test_every_line_is_one_object_with_the_same_beginning(run: Run) -> None:
    logged = run.text.splitlines()
    logged = logged[next(n for n, line in enumerate(logged) if line.startswith("{")) :]

    assert len(run.lines) > 10
    assert [line for line in logged if not line.startswith("{") and "Ctrl-C" not in line] == []
    assert all(list(line)[:4] == ["time", "level", "logger", "event"] for line in run.lines)


def test_another_format_is_refused() -> None:
    with pytest.raises(Misconfigured, match="HELPGRAPH_LOG_FORMAT"):
        load_server_settings(log_format="xml")
