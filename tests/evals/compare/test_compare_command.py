"""`helpgraph compare`."""

import re
from pathlib import Path

import orjson
import pytest
import typer
from typer.testing import CliRunner, Result

from agent.errors import BadTurn, Misconfigured
from agent.policy import Costs, Policy
from evals.cli_compare import register
from evals.compare.gate import read_gate
from evals.scoring.adversaries import NeverHandsOver
from evals.scoring.measures import MEASURES
from evals.scoring.written import read_scores
from tests.evals.compare.staged import folder_of, scores_of

DOCS = Path(__file__).parents[3] / "docs" / "compare.md"
GATE = "min_n: 50\nchecks:\n  - {metric: containment, margin: 0.05}\n  - {metric: escalation_recall, margin: 0.1}\n"


def run(*arguments: str, columns: int = 220) -> Result:
    """Run the command; errors come out as they are."""
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    found = CliRunner().invoke(app, ["compare", *arguments], env={"COLUMNS": str(columns)})
    if found.exception is not None and not isinstance(found.exception, SystemExit):
        raise found.exception
    return found


def test_it_shows_the_change_and_what_it_cost_in_missed_people(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "a")
    two = folder_of(tmp_path / "b", NeverHandsOver(), change=lambda m: m.update(revision="def"))

    found = run(str(one), str(two))

    assert found.exit_code == 0
    assert "differs: revision: abc -> def" in found.output
    assert re.search(r"needed a person: \d+ newly missed, 0 no longer missed; newly missed: S-\d+", found.output)
    assert re.search(r"S-\d+  \+22  handed over -> missed a person", found.output)
    assert "all in all: worse" in found.output


def test_a_run_and_itself(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "a")

    found = run(str(one), str(one))

    assert found.exit_code == 0
    assert "all in all: the same run" in found.output
    assert "differs" not in found.output


def test_names_and_numbers_stay_whole_on_a_narrow_terminal(tmp_path: Path) -> None:
    one, two = folder_of(tmp_path / "a"), folder_of(tmp_path / "b", NeverHandsOver())

    found = run(str(one), str(two), columns=80)

    assert re.search(
        r"^ *durable_containment +0\.\d+ +0\.\d+ +[+-]0\.\d+ +\[[+-]\d\.\d+, [+-]\d\.\d+\]", found.output, re.M
    )


def test_a_difference_of_shares_lies_within_what_is_possible(tmp_path: Path) -> None:
    one, two = folder_of(tmp_path / "a", count=3), folder_of(tmp_path / "b", NeverHandsOver(), count=3)

    written = orjson.loads(run(str(one), str(two), "--json").stdout)

    rates = [change for change in written["changes"] if change["name"] in ("containment", "wrong_containment")]
    assert rates
    assert all(-1 <= rate["difference"]["low"] <= rate["difference"]["high"] <= 1 for rate in rates)


@pytest.mark.parametrize(
    ("agent", "count", "code", "says"),
    [
        (None, 250, 0, "gate containment: passed"),
        (NeverHandsOver(), 250, 1, "gate escalation_recall: dropped"),
        (None, 20, 3, "not enough tickets to tell"),
    ],
)
def test_the_gate_decides_the_exit_code(
    tmp_path: Path, agent: NeverHandsOver | None, count: int, code: int, says: str
) -> None:
    gate = tmp_path / "gate.yaml"
    gate.write_text(GATE)
    one, two = folder_of(tmp_path / "a", count=count), folder_of(tmp_path / "b", agent, count)

    found = run(str(one), str(two), "--gate", str(gate))
    as_json = run(str(one), str(two), "--gate", str(gate), "--json")

    assert (found.exit_code, as_json.exit_code) == (code, code)
    assert says in found.output
    written = orjson.loads(as_json.stdout)
    assert written["gate"]["exit_code"] == code
    assert {change["name"] for change in written["changes"]} >= {"containment", "expected_cost"}
    assert isinstance(written["newly_missed"], list)


def test_what_can_t_be_compared_is_refused(tmp_path: Path) -> None:
    one = folder_of(tmp_path / "a")
    dearer = folder_of(tmp_path / "b", policy=Policy(costs=Costs(wrong_answer=20)))
    other = folder_of(tmp_path / "c", count=120, change=lambda m: m.update(tickets={"sha256": "t2"}))

    with pytest.raises(BadTurn, match=r"different rules \(costs.wrong_answer\)"):
        run(str(one), str(dearer))
    with pytest.raises(BadTurn, match="120 of 200 are in both, 90% are needed"):
        run(str(one), str(other))
    assert run(str(one), str(other), "--min-shared", "0.5").exit_code == 0


def test_what_is_no_scored_run_is_named(tmp_path: Path) -> None:
    one, two = folder_of(tmp_path / "a"), folder_of(tmp_path / "b")
    empty = tmp_path / "empty"
    empty.mkdir()

    with pytest.raises(Misconfigured, match=r"no run\.json"):
        run(str(one), str(empty))
    (two / "scores.jsonl").write_text('{"ticket_id": "S-1"')
    with pytest.raises(Misconfigured, match="line 1, is no score"):
        run(str(one), str(two))
    (two / "scores.jsonl").unlink()
    with pytest.raises(Misconfigured, match="score the run first"):
        run(str(one), str(two))
    (two / "run.json").write_text("[]")
    with pytest.raises(Misconfigured, match="can't be read"):
        run(str(one), str(two))
    (two / "scoring.json").write_text("{")
    (two / "run.json").write_text("{}")
    with pytest.raises(Misconfigured, match=r"scoring\.json"):
        run(str(one), str(two))


def test_scores_are_read_as_they_were_written(tmp_path: Path) -> None:
    assert list(read_scores(folder_of(tmp_path / "a"))) == scores_of(NeverHandsOver().honest, 200)


def test_the_documented_gate_is_one(tmp_path: Path) -> None:
    path = tmp_path / "gate.yaml"
    path.write_text(re.findall(r"```yaml\n(.*?)```", DOCS.read_text(), re.DOTALL)[0])

    gate = read_gate(path)

    assert {check.metric for check in gate.checks} <= {measure.name for measure in MEASURES}
    assert all(f"`{code}`" in DOCS.read_text() for code in (0, 1, 2, 3))
