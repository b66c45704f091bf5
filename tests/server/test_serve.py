"""The real command in a process of its own: it starts, says what is wrong, survives a kill and leaves cleanly."""

import os
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from graphs.cli import main
from graphs.running import FILE_NAME
from tests.installed import EXAMPLE, copy_of, use_models
from tests.loopback import NO_TLS
from tests.server.harness import bearer, run_input
from tests.serving import Process, served, served_anew
from tests.shell import Shell


@pytest.fixture
def refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Try to serve in this process, which must not begin: `refused(*options, **environment)` is what was said."""
    for name in [name for name in os.environ if name.startswith("HELPGRAPH_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HELPGRAPH_EMBEDDING", "off")
    monkeypatch.chdir(tmp_path)

    def tried(*options: str, **env: str) -> str:
        for name, value in env.items():
            monkeypatch.setenv(name, value)
        given = ["helpgraph", "serve", "--port", "0", "--data-dir", str(tmp_path), *options]
        monkeypatch.setattr(sys, "argv", given)
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr().err
        assert ended.value.code == 2, said
        assert "Traceback" not in said
        return said

    return tried


@pytest.fixture(scope="module")
def example(installed_by_words: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """The example product, as `make run` serves it."""
    data_dir = copy_of(installed_by_words, tmp_path_factory.mktemp("example") / "data")
    with served_anew(data_dir, "--workspace", str(EXAMPLE), "--demo") as running:
        yield running


@pytest.fixture
def trained(model_cache: Path, tmp_path: Path) -> Path:
    """A data folder with nothing in it but what the engine has learnt."""
    use_models(tmp_path / "data", model_cache)
    return tmp_path / "data"


def test_the_example_answers_from_its_articles(example: Process) -> None:
    with httpx.Client(base_url=example.url, timeout=30, verify=NO_TLS) as client:
        begun = client.post("/v1/sessions", json={"page": {"route": "/settings/billing"}}).json()
        body = run_input(begun["conversation_id"], "Where can I download my invoices?")
        stream = client.post("/v1/agui", json=body, headers=bearer(begun["session_token"])).text
        ready = client.get("/readyz").json()

    assert "RUN_FINISHED" in stream
    assert "helpgraph.outcome.v1" in stream
    assert int(ready["knowledge"].split()[0]) > 0
    assert begun["opening"]
    assert begun["suggestions"]


def test_one_can_be_anyone_in_the_example(example: Process) -> None:
    with httpx.Client(base_url=example.url, timeout=30, verify=NO_TLS) as client:
        users = client.get("/demo/accounts.json").json()
        token = client.get("/demo/identity", params={"user_id": users[0]["user_id"]}).json()["token"]
        begun = client.post("/v1/sessions", json={"identity_token": token}).json()
        nobody = client.get("/demo/identity", params={"user_id": "nobody"})

    assert begun["identity"]["level"] == "verified"
    assert begun["identity"]["display_name"] == users[0]["name"]
    assert nobody.status_code == 404


def test_whoever_asks_for_an_icon_gets_none_and_no_error(example: Process) -> None:
    assert httpx.get(f"{example.url}/favicon.ico", verify=NO_TLS).status_code == 204


@pytest.mark.parametrize(
    "path", ["/demo/settings/billing", "/demo/%00", "/demo/" + "a" * 3000, "/demo/..%2f..%2faccounts.json"]
)
def test_every_path_of_the_example_is_its_page(example: Process, path: str) -> None:
    page = httpx.get(f"{example.url}{path}", verify=NO_TLS)

    assert page.status_code == 200
    assert page.headers["content-type"].startswith("text/html")
    assert "user_001" not in page.text


def test_a_command_beside_it_ends_as_it_would_alone(example: Process, shell: Shell, tmp_path: Path) -> None:
    where = ("--workspace", str(EXAMPLE), "--data-dir", str(example.data_dir))
    code, said = shell.run("ingest", str(tmp_path / "absent"), *where)

    assert code == 2, said
    assert "absent" in said


def test_a_second_server_on_the_same_port_says_so(example: Process, refused: Callable[..., str]) -> None:
    port = example.url.rsplit(":", 1)[1]

    said = refused("--port", port)

    assert port in said
    assert "--port" in said


def test_a_second_server_on_the_same_data_says_so(example: Process, refused: Callable[..., str]) -> None:
    said = refused("--data-dir", str(example.data_dir))

    assert f"in use by another process (pid {example.pid})" in said


@pytest.mark.parametrize(
    ("options", "env", "named"),
    [
        (("--host", "0.0.0.0"), {}, "HELPGRAPH_INBOX_PASSWORD"),
        (("--host", "0.0.0.0"), {"HELPGRAPH_INBOX_PASSWORD": "short"}, "HELPGRAPH_INBOX_PASSWORD"),
        (
            ("--host", "0.0.0.0", "--demo"),
            {"HELPGRAPH_INBOX_PASSWORD": "long enough a password"},
            "HELPGRAPH_DEMO",
        ),
        ((), {"HELPGRAPH_PUBLIC_URL": "https://help.example.com"}, "HELPGRAPH_INBOX_PASSWORD"),
        ((), {"HELPGRAPH_PUBLIC_URL": "help.example.com"}, "HELPGRAPH_PUBLIC_URL"),
        (("--demo",), {}, "--workspace to examples/orrery"),
        ((), {"HELPGRAPH_ALLOWED_ORIGINS": "app.example.com"}, "HELPGRAPH_ALLOWED_ORIGINS"),
        ((), {"HELPGRAPH_SESSION_HOURS": "-1"}, "HELPGRAPH_SESSION_HOURS"),
        (("--workspace", "nowhere"), {}, "nowhere"),
        (("--host", "192.0.2.1"), {"HELPGRAPH_INBOX_PASSWORD": "long enough a password"}, "192.0.2.1"),
        (("--port", "70000"), {}, "port"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    options: tuple[str, ...], env: dict[str, str], named: str, refused: Callable[..., str]
) -> None:
    assert named.lower() in refused(*options, **env).lower()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_cleanly(trained: Path, how: signal.Signals) -> None:
    with served(trained) as running:
        begun = httpx.post(f"{running.url}/v1/sessions", json={}, verify=NO_TLS).json()
        url = f"{running.url}/v1/conversations/{begun['conversation_id']}/events"
        with httpx.stream(
            "GET", url, params={"follow": "true"}, headers=bearer(begun["session_token"]), timeout=30, verify=NO_TLS
        ) as open_stream:
            assert open_stream.status_code == 200
            seconds = running.stop(how)
        said = (running.data_dir / "said").read_text()

    assert running.exit_code == 0
    assert seconds < 10
    assert "Traceback" not in said
    assert not (running.data_dir / FILE_NAME).exists()
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", int(running.url.rsplit(":", 1)[1])))
    # A database that was closed has no log left beside it.
    assert not (running.data_dir / "helpgraph.db-wal").exists()


def test_what_was_accepted_survives_a_kill(trained: Path) -> None:
    with served(trained) as running:
        begun = httpx.post(f"{running.url}/v1/sessions", json={}, verify=NO_TLS).json()
        headers = bearer(begun["session_token"])
        body = run_input(begun["conversation_id"], "Where are my invoices?", "m1")
        with httpx.stream(
            "POST", f"{running.url}/v1/agui", json=body, headers=headers, timeout=30, verify=NO_TLS
        ) as answer:
            assert answer.status_code == 200
            running.stop(signal.SIGKILL)
    with served(trained) as again:
        path = f"{again.url}/v1/conversations/{begun['conversation_id']}/messages"
        messages = httpx.get(path, headers=headers, timeout=30, verify=NO_TLS).json()["messages"]

    assert messages[0]["message_id"] == "m1"
