"""The command line of an installation with a model."""

import signal
from pathlib import Path

import pytest

from tests.honest_model import honest
from tests.installed import EXAMPLE
from tests.model_server.hosting import in_thread, nobody_there
from tests.serving import served
from tests.shell import Shell


@pytest.fixture
def articles(tmp_path: Path) -> Path:
    """A help centre of one article, long enough to answer from."""
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "invite.md").write_text(
        "# Invite a member\n\nSelect **Invite member** under **Settings > Members**. Enter the e-mail address and "
        "choose a role. The person gets a message with a link that is valid for seven days.\n"
    )
    return folder


@pytest.fixture
def with_model(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> Shell:
    """An installation with a model; without the embedding model, it starts sooner."""
    monkeypatch.setenv("HELPGRAPH_MODEL", "scripted")
    return shell


def test_one_question_says_what_the_model_did(
    with_model: Shell,
    articles: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HELPGRAPH_EMBEDDING", "minilm")
    with in_thread(honest) as model:
        monkeypatch.setenv("HELPGRAPH_MODEL_URL", model.url)
        with_model.run("ingest", str(articles))
        code, said = with_model.run("ask", "How do I invite a member?")

    assert code == 0
    assert "Invite member" in said
    assert "engine llm" in said
    assert "model scripted: 1 calls" in said


def test_without_the_endpoint_the_local_engine_answers_and_it_is_said(
    with_model: Shell,
    articles: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with nobody_there() as url:
        monkeypatch.setenv("HELPGRAPH_MODEL_URL", url)
        with_model.run("ingest", str(articles))
        code, said = with_model.run("ask", "How do I invite a member?")
        doctor, findings = with_model.run("doctor")

    assert code == 0
    assert "Invite member" in said
    assert "answer: unreachable, by the local engine" in said
    assert doctor == 1
    assert "can't be reached" in findings


def test_doctor_knows_which_models_there_are(with_model: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    with in_thread(honest) as model:
        monkeypatch.setenv("HELPGRAPH_MODEL_URL", model.url)
        known, _ = with_model.run("doctor")
        monkeypatch.setenv("HELPGRAPH_MODEL", "another")
        code, findings = with_model.run("doctor")

    assert (known, code) == (0, 1)
    assert "has no model of that name" in findings


def test_doctor_looks_at_the_endpoint_beside_a_running_server_too(
    with_model: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(with_model.data_dir, "--workspace", str(EXAMPLE)) as running, nobody_there() as url:
        monkeypatch.setenv("HELPGRAPH_MODEL_URL", url)
        code, findings = with_model.run("doctor")
        running.stop(signal.SIGTERM)

    assert code == 1
    assert f"running at {running.url}" in findings
    assert "can't be reached" in findings


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "HELPGRAPH_MODEL_KEY"),
        ({"HELPGRAPH_MODEL_URL": "127.0.0.1:8080"}, "HELPGRAPH_MODEL_URL"),
        ({"HELPGRAPH_MODEL_URL": "http://user:secret@127.0.0.1:8080/v1"}, "HELPGRAPH_MODEL_URL must hold no password"),
        ({"HELPGRAPH_MODEL_KEY": "k", "HELPGRAPH_MODEL_TURN_S": "60"}, "HELPGRAPH_MODEL_TURN_S"),
        ({"HELPGRAPH_MODEL_KEY": "k", "HELPGRAPH_MODEL_JUDGES": "often"}, "HELPGRAPH_MODEL_JUDGES"),
    ],
)
def test_a_wrong_setting_is_named(
    with_model: Shell, monkeypatch: pytest.MonkeyPatch, settings: dict[str, str], named: str
) -> None:
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    code, said = with_model.run("ask", "hello")

    assert code == 2
    assert named in said
