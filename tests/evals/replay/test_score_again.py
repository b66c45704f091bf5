"""`helpgraph score`: what was played is scored by the labels of now, whatever has changed since."""

import shutil
from pathlib import Path

import pytest

from evals.labels.file import Hand, HandLabels, labels_path
from tests.evals.replay.conftest import Replaying
from tests.evals.replay.runs import cases
from tests.shell import Shell

CHOSEN = ("--sample", "2", "--workers", "1")


@pytest.fixture(scope="module")
def once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the run that the first test plays: the others take it from there."""
    return tmp_path_factory.mktemp("once") / "run"


@pytest.fixture
def played(once: Path, replaying: Replaying, tickets: Path, tmp_path: Path) -> Path:
    """A finished run."""
    if not once.exists():
        assert replaying(tickets, once, *CHOSEN)[0] == 0
    return Path(shutil.copytree(once, tmp_path / "before"))


def test_replay_change_replay_label_score_compare(
    replaying: Replaying, shell: Shell, tickets: Path, played: Path, tmp_path: Path
) -> None:
    before, after = played, tmp_path / "after"
    changed = tmp_path / "articles"
    changed.mkdir()
    (changed / "billing.md").write_text("# Billing\n\nOpen Settings > Billing to cancel your plan.\n")
    assert shell.run("ingest", str(changed), "--force")[0] == 0
    assert replaying(tickets, after, *CHOSEN)[0] == 0
    hand = HandLabels.open(labels_path(tickets))
    log = (before / "cases.jsonl").read_bytes()
    hand.say(cases(before)[0]["ticket_id"], "ada", Hand(articles=("billing",), needs_person=False))

    # Only one of them is scored by the new label, and it can't be replayed any more.
    assert replaying(tickets, after, *CHOSEN)[0] == 0
    code, said = shell.run("compare", str(before), str(after))
    assert code == 2
    assert "1 tickets have other labels in the second run: score both again" in said
    code, said = replaying(tickets, before, *CHOSEN)
    assert code == 2
    assert "to score that run again: `helpgraph score`" in said

    code, said = shell.run("score", str(tickets), str(before), str(after))
    assert code == 0, said
    assert said.count("the report:") == 2
    assert (before / "cases.jsonl").read_bytes() == log
    code, said = shell.run("compare", str(before), str(after))
    assert code == 0, said
    assert "2 tickets of" in said
    assert "all in all" in said


def test_what_is_no_finished_run_is_not_scored(shell: Shell, tickets: Path, played: Path, tmp_path: Path) -> None:
    manifest = played / "run.json"
    (tmp_path / "empty").mkdir()

    code, said = shell.run("score", str(tickets), str(tmp_path / "empty"))
    assert code == 2
    assert "is not a run's folder" in said

    written = manifest.read_text()
    manifest.write_text(written.replace('"orrery"', '"other"'))
    code, said = shell.run("score", str(tickets), str(played))
    assert code == 2
    assert "is of the workspace 'other', not of 'orrery'" in said

    manifest.write_text(
        written[: written.index('"finished_at": ')]
        + '"finished_at": null, "was'
        + written[written.index('"finished_at": ') + 12 :]
    )
    code, said = shell.run("score", str(tickets), str(played))
    assert code == 2
    assert "isn't finished: `helpgraph replay` goes on with it" in said
