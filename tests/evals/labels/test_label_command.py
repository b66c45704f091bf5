"""`helpgraph tickets label`, and what the rules are worth on the example."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from agent.errors import BadTurn
from agent.types import Kind
from evals.cli_tickets import register
from evals.labels.file import Hand, HandLabels
from evals.labels.labelling import Labelling, label_all
from evals.labels.measure import Checked, measure
from evals.labels.rules import CATEGORY_POLICY, CATEGORY_QUEUE, NO_SECOND_TICKET, RULES, SECOND_TICKET
from evals.tickets.jsonl import read_tickets
from tests.installed import EXAMPLE
from tests.shell import Shell
from tests.test_docs import DOCS
from tools.knowledge.owner import Ownership
from tools.knowledge.sources import read_source
from tools.workspace import load_workspace

TICKETS = EXAMPLE / "tickets.jsonl"


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.callback()(lambda: None)
    register(app)
    return CliRunner().invoke(app, ["tickets", *arguments], catch_exceptions=True)


@pytest.fixture(scope="module")
def checked() -> dict[tuple[str | None, str], Checked]:
    """The rules on the example, by rule and field."""
    labelling = Labelling(load_workspace(EXAMPLE).policy, read_source(EXAMPLE / "articles").articles)
    tickets = read_tickets(TICKETS).tickets
    measured = measure(label_all(labelling, lambda: tickets), labelling)
    return {(one.rule, one.field): one for one in measured.checks()}


def test_no_rule_claims_to_be_surer_than_it_was_on_the_example(checked: dict[tuple[str | None, str], Checked]) -> None:
    for rule in RULES:
        precision = checked[rule.name, rule.field].precision
        assert (precision is not None) == rule.measured, (rule.name, rule.field)
        if precision is not None:
            assert rule.confidence <= precision.low + 0.005, (rule.name, rule.field, precision)


def test_together_they_are_right_as_often_as_documented(checked: dict[tuple[str | None, str], Checked]) -> None:
    needs = checked[None, "needs_person"]

    assert needs.precision is not None
    assert needs.precision.value > 0.92
    assert needs.coverage.value > 0.7


def test_the_documented_table_is_what_the_rules_are(checked: dict[tuple[str | None, str], Checked]) -> None:
    rows = {}
    for line in (DOCS / "labels.md").read_text(encoding="utf-8").splitlines():
        if line.startswith("| `"):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            rows[cells[0].strip("` "), cells[1].strip("` ")] = cells

    further = {(rule.name, rule.field): rule for rule in (SECOND_TICKET, NO_SECOND_TICKET)}
    rules = {(rule.name, rule.field): rule for rule in RULES} | further
    assert rows.keys() == rules.keys() | {(CATEGORY_QUEUE, "queue"), (CATEGORY_POLICY, "needs_person")}
    for key, rule in rules.items():
        assert rows[key][3] == f"{rule.confidence:g}", key
        precision = checked[key].precision if key in checked else None
        measured = (
            f"{precision.value:.2f} ({precision.low:.2f} to {precision.high:.2f}), {precision.n}" if precision else "-"
        )
        assert rows[key][4] == measured, key


def test_the_command_says_what_is_known_and_from_where(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "none.jsonl").touch()
    result = run("label", str(TICKETS), "--json", "--labels", str(tmp_path / "none.jsonl"))

    report = json.loads(result.stdout)
    fields = {row["field"]: row for row in report["fields"]}
    assert (result.exit_code, report["tickets"], report["articles_known"]) == (0, 429, 0)
    assert fields["category"] == {"field": "category", "hand": 0, "gold": 429, "rule": 0, "unknown": 0}
    assert fields["bug_id"]["rule"] == 78
    assert report["labellers"] == []


def test_hand_labels_are_found_beside_the_tickets_and_agreement_is_measured(shell: Shell, tmp_path: Path) -> None:
    tickets = tmp_path / "q3.jsonl"
    tickets.write_bytes(TICKETS.read_bytes())
    labels = HandLabels.open(tmp_path / "q3.labels.jsonl")
    for number in range(1, 11):
        labels.say(f"T-{number:04}", "ada", Hand(kind=Kind.BUG if number % 2 else Kind.HOW_TO))
        labels.say(f"T-{number:04}", "ben", Hand(kind=Kind.BUG if number % 2 and number > 1 else Kind.HOW_TO))
    with labels.path.open("ab") as file:
        file.write(b'{"format": 1, "ticket\n')

    report = json.loads(run("label", str(tickets), "--json").stdout)
    shown = run("label", str(tickets)).stdout

    fields = {row["field"]: row for row in report["fields"]}
    # T-0001 is disputed, so nobody knows.
    assert (fields["kind"]["hand"], fields["kind"]["gold"], fields["kind"]["unknown"]) == (9, 419, 1)
    assert report["damaged_label_lines"] == [21]
    (agreement,) = report["labellers"]
    assert (agreement["labellers"], agreement["field"]) == (["ada", "ben"], "kind")
    assert (agreement["agreed"]["value"], report["disputed_tickets"]) == (0.9, 1)
    assert agreement["kappa"]["value"] == pytest.approx(0.8)
    assert "ada, ben" in shown
    assert "lines of the label file that say nothing: 21" in shown


def test_articles_of_an_installation_are_known_also_while_a_server_owns_it(shell: Shell) -> None:
    code, _ = shell.run("ingest", str(EXAMPLE / "articles"))
    assert code == 0

    with Ownership(shell.data_dir):
        report = json.loads(run("label", str(TICKETS), "--json").stdout)

    assert report["articles_known"] == 82
    assert next(row for row in report["rules"] if row["rule"] == "article_named")["said"] == 6


def test_a_file_without_tickets_is_an_error_that_says_so(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "empty.jsonl").write_text("")

    result = run("label", str(tmp_path / "empty.jsonl"))

    assert isinstance(result.exception, BadTurn)


def test_the_tickets_are_left_as_they_are(shell: Shell) -> None:
    before = TICKETS.read_bytes()

    run("label", str(TICKETS))

    assert TICKETS.read_bytes() == before
    assert not (EXAMPLE / "tickets.labels.jsonl").exists()


@pytest.mark.parametrize("command", [["tickets", "label"], ["replay"], ["score"], ["learn"]])
def test_a_file_of_labels_that_is_not_there_is_an_error(shell: Shell, tmp_path: Path, command: list[str]) -> None:
    run_folder = [str(tmp_path)] if command == ["score"] else []

    code, said = shell.run(*command, str(TICKETS), *run_folder, "--labels", str(tmp_path / "nope.jsonl"))

    assert code == 2
    assert "nope.jsonl: there is no such file of labels" in said
