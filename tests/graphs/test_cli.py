"""The command line as people use it: in processes of their own, with what it says and how it ends."""

import io
import json
import os
import re
import shutil
import socket
import sqlite3
import subprocess
import sys
import time
import zipfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest

ROOT = Path(__file__).parents[2]
ORRERY = ROOT / "examples" / "orrery"
WRONG = 2
FAILED = 1
START_S = 60
QUESTION = "How do I reset my password?"


def environment(**more: str) -> dict[str, str]:
    """Nothing of the machine's own settings; words are enough here, and start sooner than the model."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("HELPGRAPH_")}
    return {**kept, "HELPGRAPH_EMBEDDING": "off", "COLUMNS": "200", "NO_COLOR": "1", "TERM": "dumb", **more}


def helpgraph(*arguments: object, cwd: Path = ROOT, **env: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end. Whatever happens, nobody is shown a traceback."""
    ended = subprocess.run(
        [sys.executable, "-m", "graphs.cli", *map(str, arguments)],
        cwd=cwd,
        env=environment(PYTHONPATH=str(ROOT), **env),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert "Traceback" not in ended.stderr, ended.stderr
    return ended


def refused(ended: subprocess.CompletedProcess[str], *named: object, code: int = WRONG) -> None:
    """The command ended with one message that names these."""
    assert ended.returncode == code, ended.stdout + ended.stderr
    for name in named:
        assert str(name) in ended.stderr, ended.stderr


@pytest.fixture(scope="module")
def seeded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder that holds the example's articles. Commands that change it work on a copy."""
    folder = tmp_path_factory.mktemp("seeded")
    ended = helpgraph("ingest", ORRERY / "articles", "--workspace", ORRERY, "--data-dir", folder)
    assert ended.returncode == 0, ended.stderr
    # What the engine prepares on first use is part of the seed.
    assert _ask(folder, QUESTION).returncode == 0
    return folder


@pytest.fixture
def data_dir(seeded: Path, tmp_path: Path) -> Path:
    """A copy of the seeded data folder."""
    return Path(shutil.copytree(seeded, tmp_path / "data"))


def _ask(folder: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return helpgraph("ask", *arguments, "--workspace", ORRERY, "--data-dir", folder)


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """A server on the data folder, and its address."""
    command = [sys.executable, "-m", "graphs.cli", "serve", "--port", "0", "--workspace", ORRERY, "--data-dir", folder]
    with (folder / "said").open("w") as said:
        process = subprocess.Popen(
            list(map(str, command)), cwd=ROOT, env=environment(), stdout=said, stderr=subprocess.STDOUT
        )
    try:
        deadline = time.monotonic() + START_S
        while not (found := re.search(r"serves on (http://\S+)", (folder / "said").read_text())):
            assert process.poll() is None, (folder / "said").read_text()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        while not _answers(found[1]):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        yield found[1]
    finally:
        process.terminate()
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    except httpx.TransportError:
        return False


# --- help and wrong usage ---------------------------------------------------------------------------------------------


def test_help_lists_the_commands() -> None:
    ended = helpgraph("--help")

    assert ended.returncode == 0
    for command in ("serve", "ingest", "ask", "doctor"):
        assert command in ended.stdout


@pytest.mark.parametrize(
    ("command", "option"), [("serve", "--port"), ("ingest", "--force"), ("ask", "--page"), ("doctor", "--data-dir")]
)
def test_every_command_explains_itself(command: str, option: str) -> None:
    ended = helpgraph(command, "--help")

    assert ended.returncode == 0
    assert option in ended.stdout


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (("nothing",), "nothing"),
        (("serve", "--prot", "1"), "--prot"),
        (("serve", "--port", "many"), "--port"),
        (("serve", "--port", "70000"), "PORT"),
        (("serve", "--log-level", "loud"), "--log-level"),
        (("ask",), "QUESTION"),
        (("ingest",), "PATH"),
    ],
    ids=lambda value: "_".join(value) if isinstance(value, tuple) else None,
)
def test_wrong_usage_is_named(tmp_path: Path, arguments: tuple[str, ...], named: str) -> None:
    refused(helpgraph(*arguments, cwd=tmp_path), named)


# --- what an operator must mend ---------------------------------------------------------------------------------------


def test_a_port_in_use_is_named_with_the_way_out(tmp_path: Path) -> None:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        refused(helpgraph("serve", "--port", port, "--data-dir", tmp_path), port, "--port")


def test_an_open_inbox_is_not_served_to_others(tmp_path: Path) -> None:
    ended = helpgraph("serve", "--host", "0.0.0.0", "--port", 0, "--data-dir", tmp_path)

    refused(ended, "HELPGRAPH_INBOX_PASSWORD")


@pytest.mark.parametrize("command", [("ask", QUESTION), ("serve", "--port", "0"), ("ingest", ORRERY / "articles")])
def test_a_workspace_that_is_not_there_is_named(tmp_path: Path, command: tuple[object, ...]) -> None:
    missing = tmp_path / "nowhere"

    refused(helpgraph(*command, "--workspace", missing, "--data-dir", tmp_path / "data"), missing)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("name: Orrery", "name: [Orrery", "line"),
        ("reply_promise_minutes: 15", "reply_promise_minutes: soon", "reply_promise_minutes"),
        ("workspace_id: orrery", "workspace: orrery", "workspace"),
        ("queue: general", "queue: nowhere", "nowhere"),
        ("Europe/Berlin", "Europe/Atlantis", "Europe/Atlantis"),
    ],
)
def test_a_broken_workspace_names_the_file_and_the_place(tmp_path: Path, old: str, new: str, place: str) -> None:
    workspace = tmp_path / "workspace"
    workspace.mkdir()
    text = (ORRERY / "workspace.yaml").read_text()
    assert old in text
    (workspace / "workspace.yaml").write_text(text.replace(old, new, 1))
    ended = helpgraph("ask", QUESTION, "--workspace", workspace, "--data-dir", tmp_path / "data")

    refused(ended, "workspace.yaml", place)


def test_a_data_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = helpgraph("ask", QUESTION, "--data-dir", tmp_path / "file" / "data")

    refused(ended, "HELPGRAPH_DATA_DIR")


def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    refused(helpgraph("ask", QUESTION, "--data-dir", tmp_path, HELPGRAPH_TURN_TIMEOUT_S="soon"), "TURN_TIMEOUT_S")
    refused(helpgraph("ask", QUESTION, "--data-dir", tmp_path, HELPGRAPH_EMBEDDING="openai"), "HELPGRAPH_EMBEDDING_URL")


def test_a_database_from_a_newer_version_is_left_alone(data_dir: Path) -> None:
    with closing(sqlite3.connect(data_dir / "helpgraph.db")) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999_from_the_future'")
        db.commit()
    ended = _ask(data_dir, QUESTION)

    refused(ended, "newer")
    with closing(sqlite3.connect(data_dir / "helpgraph.db")) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchone() == ("9999_from_the_future",)


def test_a_database_that_is_none_is_named(data_dir: Path) -> None:
    for name in data_dir.glob("helpgraph.db*"):
        name.unlink()
    (data_dir / "helpgraph.db").write_bytes(b"no database at all " * 100)

    refused(_ask(data_dir, QUESTION), "helpgraph.db")


# --- ingest -----------------------------------------------------------------------------------------------------------


def test_a_path_that_is_not_there_is_named(data_dir: Path) -> None:
    ended = helpgraph("ingest", data_dir / "nothing", "--data-dir", data_dir)

    refused(ended, data_dir / "nothing", code=ended.returncode)
    assert ended.returncode in (FAILED, WRONG)


def test_an_empty_folder_does_not_empty_the_base(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ended = helpgraph("ingest", tmp_path / "empty", "--workspace", ORRERY, "--data-dir", data_dir)

    assert ended.returncode in (FAILED, WRONG)
    assert str(tmp_path / "empty") in ended.stderr
    assert "help.orrery.example" in _ask(data_dir, QUESTION).stdout


def test_a_zip_bomb_is_refused_without_unpacking_it(data_dir: Path, tmp_path: Path) -> None:
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(20):
            with archive.open(f"{number}.md", "w") as member:
                for _ in range(64):
                    member.write(bytes(1024 * 1024))
    began = time.monotonic()
    ended = helpgraph("ingest", bomb, "--workspace", ORRERY, "--data-dir", data_dir)

    assert ended.returncode in (FAILED, WRONG)
    assert time.monotonic() - began < 30
    assert "help.orrery.example" in _ask(data_dir, QUESTION).stdout


def test_a_folder_twice_changes_nothing_the_second_time(data_dir: Path) -> None:
    ended = helpgraph("ingest", ORRERY / "articles", "--workspace", ORRERY, "--data-dir", data_dir)

    assert ended.returncode == 0
    assert "nothing changed" in ended.stdout


def test_json_lines_and_a_zip_of_the_same_articles_are_read(tmp_path: Path) -> None:
    lines = tmp_path / "articles.jsonl"
    articles = [{"id": f"a{n}", "title": f"Title {n}", "content": f"Text of article {n}."} for n in range(3)]
    lines.write_text("".join(json.dumps(article) + "\n" for article in articles))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("one.md", "# One\n\nThe first article.\n")
    (tmp_path / "articles.zip").write_bytes(packed.getvalue())

    first = helpgraph("ingest", lines, "--data-dir", tmp_path / "data")
    second = helpgraph("ingest", tmp_path / "articles.zip", "--data-dir", tmp_path / "data", "--force")

    assert "3 added" in first.stdout, first.stderr
    assert "1 added, 0 changed, 3 removed" in second.stdout, second.stderr


# --- ask and doctor ---------------------------------------------------------------------------------------------------


def test_ask_answers_with_its_sources_and_its_path(seeded: Path) -> None:
    ended = _ask(seeded, QUESTION, "--page", "/settings/security")

    assert ended.returncode == 0, ended.stderr
    assert "https://help.orrery.example/en/reset-password" in ended.stdout
    assert "outcome   answered" in ended.stdout
    assert "retrieve" in ended.stdout


def test_ask_prints_json_alone(seeded: Path) -> None:
    ended = _ask(seeded, QUESTION, "--json")

    found = json.loads(ended.stdout)
    assert found["citations"][0]["article_id"] == "reset-password"
    assert found["path"]


def test_an_unknown_page_is_answered_with_the_known_ones(seeded: Path) -> None:
    ended = _ask(seeded, QUESTION, "--page", "/nowhere")

    refused(ended, "/nowhere", "/settings/billing", code=ended.returncode)
    assert ended.returncode in (FAILED, WRONG)


def test_an_unknown_account_is_named(seeded: Path) -> None:
    ended = _ask(seeded, QUESTION, "--account", "acct_999")

    refused(ended, "acct_999", code=ended.returncode)
    assert ended.returncode in (FAILED, WRONG)


def test_ask_leaves_no_trace(data_dir: Path) -> None:
    def rows() -> dict[str, int]:
        with closing(sqlite3.connect(data_dir / "helpgraph.db")) as db:
            tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            return {name: db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in tables}  # noqa: S608  # Names from the database itself.

    before = rows()
    for question in ("The export is broken: the file is empty since yesterday", "I want to talk to a person"):
        assert _ask(data_dir, question, "--account", "acct_001").returncode == 0

    assert rows() == before


def test_doctor_finds_all_well(seeded: Path) -> None:
    ended = helpgraph("doctor", "--workspace", ORRERY, "--data-dir", seeded)

    assert ended.returncode == 0, ended.stdout
    assert "82 articles" in ended.stdout
    assert "all is well" in ended.stdout


def test_doctor_says_what_is_wrong(tmp_path: Path) -> None:
    ended = helpgraph("doctor", "--workspace", tmp_path / "nowhere", "--data-dir", tmp_path)

    assert ended.returncode == FAILED
    assert str(tmp_path / "nowhere") in ended.stdout


# --- beside a running server ------------------------------------------------------------------------------------------


def test_commands_beside_a_server_go_through_it(data_dir: Path, tmp_path: Path) -> None:
    articles = Path(shutil.copytree(ORRERY / "articles", tmp_path / "articles"))
    (articles / "teleport.md").write_text(
        "# Teleportation\n\nOpen **Settings > Teleport** and select **Teleport me**.\n"
    )
    with served(data_dir) as url:
        asked = _ask(data_dir, QUESTION)
        ingested = helpgraph("ingest", articles, "--workspace", ORRERY, "--data-dir", data_dir)
        missing = helpgraph("ingest", tmp_path / "nothing", "--workspace", ORRERY, "--data-dir", data_dir)
        unknown = _ask(data_dir, QUESTION, "--page", "/nowhere")
        doctor = helpgraph("doctor", "--workspace", ORRERY, "--data-dir", data_dir)
        second = helpgraph("serve", "--port", 0, "--workspace", ORRERY, "--data-dir", data_dir)
        ready = httpx.get(f"{url}/readyz", trust_env=False).json()
        pid = json.loads((data_dir / "server.json").read_text())["pid"]

    assert "https://help.orrery.example/en/reset-password" in asked.stdout, asked.stderr
    assert "1 added" in ingested.stdout, ingested.stderr
    assert ready["knowledge"].startswith("83 articles")
    refused(missing, tmp_path / "nothing", code=missing.returncode)
    assert missing.returncode in (FAILED, WRONG)
    refused(unknown, "/settings/billing", code=unknown.returncode)
    assert f"running at {url}" in doctor.stdout
    assert doctor.returncode == 0
    refused(second, pid)
    assert not (data_dir / "server.json").exists()


def test_what_a_killed_server_leaves_does_not_stand_in_the_way(data_dir: Path) -> None:
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    leftover = {"url": "http://127.0.0.1:9", "token": "t", "pid": gone.pid}
    (data_dir / "server.json").write_text(json.dumps(leftover))

    assert "help.orrery.example" in _ask(data_dir, QUESTION).stdout
