"""A replay as a LangSmith experiment, with the real client and a server that keeps what it sends."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson
import pytest

from agent.errors import ConnectorError
from agent.wire import to_json
from evals.labels.label import Label
from evals.langsmith.experiment import Sent, send_experiment
from evals.replay.case import Case
from graphs.settings import load_settings
from tests.evals.replay.conftest import Replaying
from tests.evals.replay.langsmith_server import LangSmith, langsmith
from tests.evals.replay.runs import cases
from tests.evals.scoring.making import answer, case, filed, for_person, handoff, how_to, scored
from tests.forking import ROOT

SECRET = "lsv2_secret"
MANIFEST = {
    "version": "0.1.0",
    "revision": "abc1234",
    "workspace": {"workspace_id": "orrery"},
    "tickets": {"sha256": "0123456789abcdef"},
    "engine": {"name": "local"},
    "knowledge": {"generation_id": "g1"},
    "learned": {"in_use": None},
    "chosen": {"repeats": 2},
}


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Iterator[LangSmith]:
    """A LangSmith that the settings name, with a key for it."""
    with langsmith() as known:
        monkeypatch.setenv("HELPGRAPH_LANGSMITH_URL", known.url)
        monkeypatch.setenv("HELPGRAPH_LANGSMITH_KEY", SECRET)
        yield known


@dataclass
class Run:
    """A run's folder made by hand, and what its sending reported."""

    folder: Path
    played: list[Case] = field(default_factory=list)
    reported: list[int] = field(default_factory=list)

    def add(self, played: Case, label: Label) -> None:
        """Append a case with its label and its scores."""
        self.played.append(played)
        line = {"score": scored(played, label).to_json(), "label": to_json(label)}
        with (self.folder / "cases.jsonl").open("a") as file:
            file.write(played.model_dump_json() + "\n")
        with (self.folder / "scores.jsonl").open("ab") as binary:
            binary.write(orjson.dumps(line) + b"\n")

    def send(self, **given: Any) -> Sent | None:
        """Send it, as the command would."""
        settings = load_settings()
        key = settings.trace_options().langsmith_key
        assert key is not None
        given = {"on_progress": lambda _stage, done, _total: self.reported.append(done)} | given
        return asyncio.run(send_experiment(settings, key, self.folder, MANIFEST, **given))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """An answer that was played twice, a handoff and a bug."""
    made = Run(tmp_path)
    handed, to_whom = handoff()
    broken, report = filed()
    made.add(case(answer(), ticket_id="T-1"), how_to("T-1"))
    made.add(case(answer(), answer("other", 2), ticket_id="T-1", run=2), how_to("T-1"))
    made.add(case(handed, ticket_id="T-2", effects=(to_whom,)), for_person("T-2"))
    made.add(case(broken, ticket_id="T-3", page="/billing", effects=(report,)), how_to("T-3"))
    return made


def test_a_replay_is_sent_when_there_is_a_key_and_not_when_declined(
    there: LangSmith, replaying: Replaying, tickets: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELPGRAPH_LANGSMITH_KEY", "")
    code, _ = replaying(tickets, tmp_path / "run", "--sample", "2", "--workers", "1")
    asked, refused = replaying(tickets, tmp_path / "run", "--sample", "2", "--langsmith")
    monkeypatch.setenv("HELPGRAPH_LANGSMITH_KEY", SECRET)
    declined, _ = replaying(tickets, tmp_path / "run", "--sample", "2", "--no-langsmith")

    assert (code, asked, declined) == (0, 2, 0)
    assert "HELPGRAPH_LANGSMITH_KEY" in refused
    assert there.raw == []

    sent, said = replaying(tickets, tmp_path / "run", "--sample", "2")

    assert sent == 0, said
    assert "LangSmith has 2 cases as experiment" in said
    played = {each["ticket_id"]: each for each in cases(tmp_path / "run")}
    assert {run["inputs"]["ticket_id"] for run in there.runs.values()} == set(played)
    assert {tuple(run["outputs"]["outcomes"]) for run in there.runs.values()} == {
        tuple(turn["outcome"] for turn in each["turns"]) for each in played.values()
    }

    there.refuses["/sessions"] = 403
    failed, why = replaying(tickets, tmp_path / "run", "--sample", "2")

    assert failed == 1
    assert "2 tickets replayed" in why
    assert "the run is whole and scored" in why
    assert "--no-langsmith" in why
    assert SECRET not in why
    assert len(cases(tmp_path / "run")) == 2


def test_cases_are_runs_of_an_experiment_with_labels_as_references_and_scores_as_feedback(
    there: LangSmith, run: Run
) -> None:
    sent = run.send()

    (session,) = there.sessions
    assert sent == Sent(session["name"], "helpgraph orrery 0123456789ab", cases=4, left_out=0)
    assert session["reference_dataset_id"] == there.datasets[0]["id"]
    assert session["extra"]["metadata"]["knowledge"] == {"generation_id": "g1"}
    references = {example["inputs"]["ticket_id"]: example["outputs"]["label"] for example in there.examples.values()}
    assert {name: label["needs_person"] for name, label in references.items()} == {
        "T-1": False,
        "T-2": True,
        "T-3": False,
    }
    runs = list(there.runs.values())
    assert sorted((run["inputs"]["ticket_id"], run["outputs"]["run"]) for run in runs) == [
        ("T-1", 1),
        ("T-1", 2),
        ("T-2", 1),
        ("T-3", 1),
    ]
    for each in runs:
        assert each["session_name"] == session["name"]
        assert there.examples[each["reference_example_id"]]["inputs"] == each["inputs"]
        assert each["outputs"]["messages"] == each["inputs"]["messages"] * len(each["outputs"]["outcomes"])
    of_handed = next(run["id"] for run in runs if run["inputs"]["ticket_id"] == "T-2")
    assert {each["key"]: each["score"] for each in there.feedback if each["run_id"] == of_handed} == {
        "containment": 0.0,
        "wrong_containment": 0.0,
        "confirmed": 0.0,
        "went_quiet": 0.0,
        "handed_over": 1.0,
        "needs_person": 1.0,
        "right_queue": 0.0,
        "mistake_cost": 0.0,
    }
    assert {each["session_id"] for each in there.feedback} == {session["id"]}
    assert run.reported[-1] == 4


def test_neither_the_machine_nor_who_committed_is_sent(
    there: LangSmith, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGCHAIN_REVISION_ID", "not-ours")
    monkeypatch.setenv("LANGSMITH_RUNS_ENDPOINTS", json.dumps({"http://127.0.0.1:9": "another-key"}))

    run.send()

    sent = b"".join(there.raw)
    for private in (b"author_", b"remote_url", b"not-ours", b"platform", b"sdk_version", SECRET.encode()):
        assert private not in sent


def test_a_run_sent_again_is_another_experiment_over_the_same_examples_as_they_are_labelled_now(
    there: LangSmith, run: Run
) -> None:
    run.send()
    known = set(there.examples)
    (run.folder / "scores.jsonl").write_text((run.folder / "scores.jsonl").read_text().replace("general", "billing"))
    there.asked.clear()

    run.send()

    assert len(there.datasets) == 1
    assert len(there.sessions) == 2
    assert set(there.examples) == known
    assert {example["outputs"]["label"]["queue"] for example in there.examples.values()} == {"billing"}
    # The handoff's label said so before.
    assert there.asked["PATCH examples"] == 1
    assert there.asked["POST examples"] == 0


def test_a_ticket_that_was_not_played_is_left_out(there: LangSmith, tmp_path: Path) -> None:
    run = Run(tmp_path)
    run.add(case(ticket_id="T-1", ending="failed"), how_to("T-1"))

    nothing = run.send()

    assert nothing is None
    assert there.raw == []

    run.add(case(answer(), ticket_id="T-2"), how_to("T-2"))

    sent = run.send()

    assert sent is not None
    assert (sent.cases, sent.left_out) == (1, 1)


def test_without_texts_nobodys_words_are_sent(there: LangSmith, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HELPGRAPH_TRACE_TEXTS", "false")

    run.send()

    sent = b"".join(there.raw)
    assert len(there.runs) == 4
    for text in (b"reset my password", b"Forgot password", b"passed your conversation", b'work"', b"/billing"):
        assert text not in sent


def test_of_a_larger_run_some_are_drawn_and_requests_are_few(there: LangSmith, run: Run) -> None:
    for number in range(4, 140):
        run.add(case(answer(), ticket_id=f"T-{number}"), how_to(f"T-{number}"))

    sent = run.send(max_sent=101)

    assert sent is not None
    assert (sent.cases, sent.left_out) == (101, 39)
    assert len(there.runs) == 101
    assert len(there.feedback) / sent.cases <= 8
    assert there.asked["POST multipart"] == 2
    assert there.asked["POST examples"] <= 2
    # Whatever is not feedback is a dozen requests.
    assert sum(there.asked.values()) - len(there.feedback) <= 15


@pytest.mark.parametrize("path", ["/info", "/datasets", "/examples", "/sessions", "/multipart", "/feedback"])
def test_a_langsmith_that_never_answers_is_given_up(there: LangSmith, run: Run, path: str) -> None:
    there.refuses[path] = 0

    with pytest.raises(ConnectorError, match="not done after 1 s"):
        run.send(deadline_s=1.0)


@pytest.mark.parametrize("path", ["/datasets", "/examples", "/sessions", "/multipart", "/feedback"])
def test_a_langsmith_that_refuses_is_an_error_wherever_it_does(there: LangSmith, run: Run, path: str) -> None:
    there.refuses[path] = 403

    with pytest.raises(ConnectorError, match="HELPGRAPH_LANGSMITH_KEY") as failed:
        run.send()

    assert SECRET not in str(failed.value)


def test_what_is_no_langsmith_at_all_is_an_error_too(
    there: LangSmith, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(there, "answer", lambda *_: "hello")

    with pytest.raises(ConnectorError, match=there.url):
        run.send()


_SENDING = """
import asyncio, json, sys
from pathlib import Path
from evals.langsmith.experiment import send_experiment
from graphs.settings import load_settings

settings = load_settings()
key = settings.trace_options().langsmith_key
folder, manifest = Path(sys.argv[1]), json.loads(sys.argv[2])
asyncio.run(send_experiment(settings, key, folder, manifest, lambda *_: None, deadline_s=1.0))
"""


def test_the_process_ends_while_a_langsmith_still_hangs(there: LangSmith, run: Run) -> None:
    there.refuses["/datasets"] = 0

    ended = subprocess.run(
        [sys.executable, "-c", _SENDING, str(run.folder), json.dumps(MANIFEST)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        # One request of LangSmith's client, with its attempts, would take longer.
        timeout=60,
    )

    assert there.asked
    assert not there.over.is_set()
    assert ended.returncode == 1
    assert "not done after" in ended.stderr
