"""A run's folder is scored into files beside its log."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from agent.errors import BadTurn, Misconfigured
from evals.labels.label import Label
from evals.replay.case import Case, Timing
from evals.replay.record import Recorder
from evals.scoring.run import score_run
from evals.scoring.summary import summarise
from evals.scoring.written import read_scored_by, read_scores
from evals.tickets.ticket import Entry, Ticket
from tests.evals.scoring.making import POLICY
from tests.evals.scoring.test_summary import some_run


def recorded(folder: Path, cases: list[Case]) -> list[Timing]:
    """Write the log as a replay does."""
    folder.mkdir()
    timings = [Timing(ticket_id=case.ticket_id, run=case.run, first_words_s=(0.1,), turn_s=(0.2,)) for case in cases]
    with Recorder(folder) as recorder:
        for case, timing in zip(cases, timings, strict=True):
            recorder.write(case, timing, None)
    return timings


def labelled(labels: dict[str, Label]) -> Iterator[tuple[Ticket, Label]]:
    """The tickets with their labels, in order, one by one."""
    at = datetime(2026, 8, 1, tzinfo=UTC)
    for ticket_id, label in labels.items():
        yield Ticket(ticket_id, at, (Entry("customer", "How?", at),)), label


def test_the_folder_s_scores_are_those_of_its_log(tmp_path: Path) -> None:
    cases, labels = some_run(60, 4, runs=2)
    timings = recorded(tmp_path / "run", cases)
    told: list[tuple[str, int, int]] = []

    summary = score_run(
        tmp_path / "run", labelled(labels), POLICY, cases=120, on_progress=lambda *done: told.append(done)
    )

    assert summary.to_json() == summarise(cases, labels, timings, POLICY).to_json()
    assert told[-1] == ("scoring", 120, 120)
    scores = list(read_scores(tmp_path / "run"))
    assert [(score.ticket_id, score.run) for score in scores] == [(case.ticket_id, case.run) for case in cases]
    assert len({score.label for score in scores}) > 1
    assert read_scored_by(tmp_path / "run")["costs"]["wrong_answer"] == 10
    line = orjson.loads((tmp_path / "run" / "scores.jsonl").read_bytes().splitlines()[0])
    assert line["label"]["ticket_id"] == line["score"]["ticket_id"] == cases[0].ticket_id


def test_scoring_again_gives_the_same_bytes(tmp_path: Path) -> None:
    cases, labels = some_run(30, 5)
    recorded(tmp_path / "run", cases)

    written = []
    for _ in range(2):
        score_run(tmp_path / "run", labelled(labels), POLICY, cases=30, on_progress=lambda *done: None)
        written.append((tmp_path / "run" / "scores.jsonl").read_bytes())

    assert written[0] == written[1]


def test_a_case_of_another_file_is_refused_and_leaves_the_old_scores(tmp_path: Path) -> None:
    cases, labels = some_run(5, 6)
    folder = tmp_path / "run"
    recorded(folder, cases)
    score_run(folder, labelled(labels), POLICY, cases=5, on_progress=lambda *done: None)
    before = (folder / "scores.jsonl").read_bytes()

    with pytest.raises(BadTurn, match="T-0"):
        score_run(folder, labelled({"other": Label("other")}), POLICY, cases=5, on_progress=lambda *done: None)

    assert (folder / "scores.jsonl").read_bytes() == before


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="none"):
        score_run(tmp_path / "none", labelled({}), POLICY, cases=0, on_progress=lambda *done: None)
