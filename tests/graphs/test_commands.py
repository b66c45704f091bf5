"""The command line, as an operator meets it: what it says, and its exit codes."""

import json
import socket
import sqlite3
import stat
import zipfile
from pathlib import Path

import pytest

from tests.shell import Shell
from tools.knowledge.owner import Ownership

COMMANDS = ["ask", "doctor", "erase", "export", "ingest", "serve"]


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "invite.md").write_text("# Invite a member\n\nSelect **Invite member** under **Settings > Members**.\n")
    (folder / "export.md").write_text("# Export a report\n\nSelect **Export** on the report and choose CSV.\n")
    return folder


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(shell: Shell, command: str) -> None:
    code, said = shell.run(command, "--help")

    assert code == 0
    assert "--data-dir" in said


@pytest.mark.parametrize("command", COMMANDS)
def test_a_wrong_option_is_a_usage_error(shell: Shell, command: str) -> None:
    code, said = shell.run(command, "--no-such-option")

    assert code == 2
    assert "--no-such-option" in said


def test_articles_come_in_once_and_what_has_gone_goes(shell: Shell, articles: Path) -> None:
    first = shell.run("ingest", str(articles))
    again = shell.run("ingest", str(articles))
    (articles / "export.md").unlink()
    third = shell.run("ingest", str(articles))

    assert (first[0], again[0], third[0]) == (0, 0, 0)
    assert "2 added" in first[1]
    assert "nothing changed" in again[1]
    assert "1 removed" in third[1]


def test_nobody_else_looks_into_the_data_folder(shell: Shell, articles: Path, tmp_path: Path) -> None:
    folder = tmp_path / "of" / "this"

    code, said = shell.run("ingest", str(articles), "--data-dir", str(folder))

    assert (code, stat.S_IMODE(folder.stat().st_mode)) == (0, 0o700), said


def test_a_broken_article_is_named_and_the_rest_goes_on(shell: Shell, articles: Path) -> None:
    (articles / "broken.md").write_text("---\ntitle: [unclosed\n---\nText\n")
    code, said = shell.run("ingest", str(articles))

    assert code == 0
    assert "2 added" in said
    assert "broken.md: front matter is not YAML" in said


def test_a_zip_bomb_changes_nothing(shell: Shell, articles: Path, tmp_path: Path) -> None:
    shell.run("ingest", str(articles))
    bomb = tmp_path / "bomb.zip"
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.md", "0" * 50_000_000)
    code, said = shell.run("ingest", str(bomb))
    status = shell.run("doctor")

    assert code == 2
    assert "larger than 2 MB when inflated" in said
    assert "2 articles" in status[1]


def test_nothing_to_read_is_said(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    absent = shell.run("ingest", str(tmp_path / "absent"))
    empty = shell.run("ingest", str(tmp_path / "empty"))

    assert (absent[0], empty[0]) == (2, 2)
    assert "nothing at" in absent[1]
    assert "no article in" in empty[1]


def test_a_question_is_answered_with_its_path_and_leaves_no_trace(shell: Shell, articles: Path) -> None:
    shell.run("ingest", str(articles))
    code, said = shell.run("ask", "How do I invite a member?", "--json")
    asked = json.loads(said)

    assert code == 0
    assert asked["path"][0] == "page_context"
    assert asked["path"][-1] == "finish"
    assert asked["evidence"]["passages"][0]["title"] == "Invite a member"
    with sqlite3.connect(shell.data_dir / "helpgraph.db") as db:
        assert db.execute("select count(*) from events").fetchone() == (0,)


def test_an_unknown_page_or_account_is_named(shell: Shell) -> None:
    page = shell.run("ask", "hello", "--page", "/nowhere")
    account = shell.run("ask", "hello", "--account", "acct_999")

    assert (page[0], account[0]) == (2, 2)
    assert "/settings/billing" in page[1]
    assert "acct_999" in account[1]


def test_an_empty_base_is_no_error_and_doctor_says_how_to_fill_it(shell: Shell) -> None:
    asked = shell.run("ask", "How do I invite a member?")
    examined = shell.run("doctor")

    assert (asked[0], examined[0]) == (0, 0)
    assert "I don't find an answer" in asked[1]
    assert "no articles to answer from" in asked[1]
    assert "helpgraph ingest PATH" in examined[1]


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("HELPGRAPH_WORKSPACE", "/no/such/folder", "no workspace at"),
        ("HELPGRAPH_EMBEDDING", "magic", "HELPGRAPH_EMBEDDING"),
        ("HELPGRAPH_EMBEDDING", "openai", "HELPGRAPH_EMBEDDING_URL"),
        ("HELPGRAPH_TURN_TIMEOUT_S", "-1", "HELPGRAPH_TURN_TIMEOUT_S"),
        ("HELPGRAPH_DATA_DIR", "/dev/null/x", "HELPGRAPH_DATA_DIR"),
    ],
)
def test_a_wrong_setting_is_named(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    code, text = shell.run("ask", "hello")

    assert code == 2
    assert said in text


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("HELPGRAPH_PORT", "99999"),
        ("HELPGRAPH_LOG_FORMAT", "xml"),
        ("HELPGRAPH_ALLOWED_ORIGINS", "app.example.com"),
        ("HELPGRAPH_HOST", "0.0.0.0"),
    ],
)
def test_doctor_finds_what_the_server_would_not_start_with(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    monkeypatch.setenv(name, value)
    code, text = shell.run("doctor")

    assert code == 1
    assert ("HELPGRAPH_INBOX_PASSWORD" if name == "HELPGRAPH_HOST" else name) in text


def test_doctor_finds_a_chroma_server_that_is_not_there(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("HELPGRAPH_CHROMA_URL", address)
        code, text = shell.run("doctor")

    assert code == 1
    assert f"HELPGRAPH_CHROMA_URL: no Chroma server answers at {address}" in text


def test_doctor_notes_a_short_secret_where_the_server_takes_it(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELPGRAPH_IDENTITY_SECRET", "abcde")
    code, text = shell.run("doctor")

    assert code == 0
    assert "note settings HELPGRAPH_IDENTITY_SECRET has fewer than 16 characters" in text
    assert "abcde" not in text


def test_a_folder_without_its_file_is_told_what_the_file_needs(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    code, text = shell.run("doctor", "--workspace", str(tmp_path / "mine"))

    assert code == 1
    assert "wrong settings no workspace at" in text
    assert "name: Your product and workspace_id: your-product" in text
    (tmp_path / "mine" / "workspace.yaml").write_text("name: Your product\nworkspace_id: your-product\n")
    assert shell.run("doctor", "--workspace", str(tmp_path / "mine"))[0] == 0


def test_doctor_names_what_looks_like_a_setting_and_is_none(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HELPGRAPH_RETENTION_DAY", "HELPGRAPH_SERVICE_HOST", "HELPGRAPH_PORT_8000_TCP_ADDR"):
        monkeypatch.setenv(name, "5")
    code, text = shell.run("doctor")

    assert code == 0
    assert "HELPGRAPH_RETENTION_DAY is no setting, and nothing reads it; did you mean HELPGRAPH_RETENTION_DAYS?" in text
    assert "SERVICE_HOST" not in text
    assert "8000_TCP" not in text


def test_a_broken_workspace_is_named_with_the_place(
    shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "workspace.yaml").write_text("name: X\nworkspace_id: x1\nqueues: [{queue_id: 5, nam: y}]\n")
    monkeypatch.setenv("HELPGRAPH_WORKSPACE", str(tmp_path))
    code, said = shell.run("ask", "hello")

    assert code == 2
    assert "workspace.yaml: queues.0" in said


def test_another_process_on_the_same_data_is_refused_by_its_pid(shell: Shell, articles: Path) -> None:
    with Ownership(shell.data_dir):
        code, said = shell.run("ingest", str(articles))

    assert code == 2
    assert "in use by another process (pid" in said


def test_a_database_from_a_newer_version_is_left_alone(shell: Shell) -> None:
    shell.run("doctor")
    with sqlite3.connect(shell.data_dir / "helpgraph.db") as db:
        db.execute("update alembic_version set version_num = '9999'")
    code, said = shell.run("ask", "hello")

    assert code == 2
    assert "9999" in said


def test_a_port_in_use_and_an_open_address_without_a_password_stop_the_start(shell: Shell) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        in_use = shell.run("serve", "--port", str(taken.getsockname()[1]))
    no_password = shell.run("serve", "--host", "0.0.0.0")

    assert (in_use[0], no_password[0]) == (2, 2)
    assert "--port" in in_use[1]
    assert "HELPGRAPH_INBOX_PASSWORD" in no_password[1]
