"""A replay records what would have happened, the same every time, and loses nothing when it is disturbed."""

import json
import os
import resource
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from tests.evals.replay.conftest import TICKETS, Replaying
from tests.evals.replay.runs import Operator, Run, cases, lines, wait_until, workers_of
from tests.installed import EXAMPLE
from tests.serving import served
from tests.shell import Shell


def test_every_ticket_is_played_in_order_and_ends_for_a_reason(whole: Path, tickets: Path) -> None:
    played = cases(whole)

    asked = [json.loads(line)["ticket_id"] for line in tickets.read_text(encoding="utf-8").splitlines()]
    assert [case["ticket_id"] for case in played] == asked
    assert {case["ending"] for case in played} == {"end", "handed_off", "diverged"}
    assert all(case["turns"] and case["why"] for case in played if case["ending"] == "diverged")
    assert {turn["outcome"] for case in played for turn in case["turns"]} >= {"answered", "asked", "handed_off"}
    assert any(len(case["turns"]) > 1 for case in played)
    assert lines(whole / "timings.jsonl") == len(played)


def test_each_claim_says_how_far_its_sources_support_it(whole: Path) -> None:
    claims = [claim for case in cases(whole) for turn in case["turns"] for claim in turn["claims"]]

    assert claims
    assert all(claim["cites"] or claim["from_tool"] for claim in claims)
    assert all(0.5 <= claim["support"] <= 1 for claim in claims)


def test_bugs_and_handoffs_are_recorded_and_reach_nobody(whole: Path) -> None:
    effects = [effect for case in cases(whole) for effect in case["effects"]]

    assert {effect["kind"] for effect in effects} == {"bug", "handoff"}
    # The same bug from several tickets is one bug.
    bugs = [effect for effect in effects if effect["kind"] == "bug"]
    assert {bug["bug_id"] for bug in bugs} == {bug["bug_id"] for bug in bugs if bug["is_new"]}
    with closing(sqlite3.connect(whole.parent / "data" / "helpgraph.db")) as installation:
        assert installation.execute("SELECT count(*) FROM bugs").fetchone() == (0,)
        assert installation.execute("SELECT count(*) FROM events").fetchone() == (0,)
    assert not (whole / "snapshot").exists()


def test_the_same_inputs_give_the_same_bytes_whatever_happens_to_the_run(
    operating: Operator, tickets: Path, whole: Path, tmp_path: Path
) -> None:
    folder, expected = tmp_path / "run", (whole / "cases.jsonl").read_bytes()
    written = folder / "cases.jsonl"

    def begun(more: int, *options: str, forking: bool = True) -> Run:
        there = lines(written)
        run = operating.start(tickets, folder, *options, forking=forking)
        wait_until(lambda: lines(written) >= there + more, run)
        return run

    # Ctrl-C.
    run = begun(4, "--workers", "1", "--in-flight", "2")
    run.send(signal.SIGINT)
    code, said = run.end()
    assert code == 130, said
    assert "what was replayed is kept" in said
    assert "Traceback" not in said

    # The run is killed in the middle of a line, and its workers end with it, if late.
    run = begun(4, "--workers", "2", "--in-flight", "2", forking=False)
    workers = workers_of(run)
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    run.send(signal.SIGKILL)
    run.end()
    assert len(workers) == 2
    with written.open("ab") as file:
        file.write(b'{"format":1,"ticket_id":"half')
    there = lines(written)
    run = operating.start(tickets, folder, "--workers", "1", "--in-flight", "2", forking=True)
    wait_until(lambda: "starting the engine" in run.said, run)
    # Long enough for the new worker to find its copy in use.
    time.sleep(2)
    for pid in workers:
        os.kill(pid, signal.SIGCONT)
    wait_until(lambda: lines(written) >= there + 4, run)

    # The disk is full: a limit on a file's size gives the same kind of error.
    resource.prlimit(run.pid, resource.RLIMIT_FSIZE, (written.stat().st_size + 1000,) * 2)
    code, said = run.end()
    assert code == 2, said
    assert "make room" in said
    assert "Traceback" not in said
    kept = lines(written)
    assert 12 <= kept < TICKETS

    # A worker dies, and the run goes on with another.
    run = begun(2, "--workers", "1", "--in-flight", "3")
    os.kill(workers_of(run)[0], signal.SIGKILL)
    code, said = run.end()
    assert code == 0, said
    assert f"{TICKETS} tickets replayed ({kept} of them before)" in said
    assert written.read_bytes() == expected
    assert lines(folder / "timings.jsonl") == TICKETS
    assert not [pid for pid in workers if Path(f"/proc/{pid}").exists()]


def test_a_finished_run_is_not_run_again_and_other_inputs_are_refused(
    replaying: Replaying, tickets: Path, tmp_path: Path
) -> None:
    code, said = replaying(tickets, tmp_path / "run", "--sample", "2", "--repeats", "2", "--workers", "1")
    assert code == 0, said
    assert "4 tickets replayed (0 of them before)" in said
    played = cases(tmp_path / "run")
    assert [case["run"] for case in played] == [1, 2] * 2
    assert all(one["turns"] == other["turns"] for one, other in zip(played[::2], played[1::2], strict=True))

    code, said = replaying(tickets, tmp_path / "run", "--sample", "2", "--repeats", "2")
    assert code == 0, said
    assert "4 tickets replayed (4 of them before)" in said

    code, said = replaying(tickets, tmp_path / "run", "--sample", "3")
    assert code == 2
    assert "chosen.repeats, chosen.sample differ" in said
    assert "--fresh" in said

    code, said = replaying(tickets, tmp_path / "run", "--sample", "3", "--fresh", "--workers", "1")
    assert code == 0, said
    assert len(cases(tmp_path / "run")) == 3


def test_fresh_empties_no_folder_that_holds_something_else(replaying: Replaying, tickets: Path, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.txt").write_text("dear to somebody")

    code, said = replaying(tickets, tmp_path / "run", "--fresh")

    assert code == 2
    assert "holds no run" in said

    # Nor does a run go in there, which --fresh would then empty.
    code, said = replaying(tickets, tmp_path / "run")

    assert code == 2
    assert "name an empty folder" in said
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.txt"]


def test_a_replay_runs_beside_a_server(replaying: Replaying, tickets: Path, tmp_path: Path) -> None:
    with served(tmp_path / "data", "--workspace", str(EXAMPLE)) as running:
        code, said = replaying(tickets, tmp_path / "run", "--sample", "3", "--workers", "1")
        running.stop(signal.SIGTERM)

    assert code == 0, said
    assert len(cases(tmp_path / "run")) == 3


def test_without_articles_there_is_nothing_to_replay_with(shell: Shell, tickets: Path, tmp_path: Path) -> None:
    code, said = shell.run("replay", str(tickets), "--out", str(tmp_path / "run"))

    assert code == 2
    assert "helpgraph ingest" in said
