"""`helpgraph tickets label` and `review`: what should have happened to a ticket."""

import asyncio
import getpass
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table

from agent.errors import Misconfigured
from evals.labels.agreement import Agreement, agreements
from evals.labels.file import HandLabels, labeller_name, labels_path, labels_to_read
from evals.labels.labelling import Labelling, label_all
from evals.labels.measure import Checked, Measuring, measure
from evals.labels.review.app import serve_review
from evals.labels.review.desk import ReviewDesk
from evals.labels.source import articles_of, tickets_of
from evals.options import FormatOption, LabelsOption
from evals.progress import progress_of, said_when_stopped
from evals.statistics.measured import Measured
from evals.tickets.formats import Format
from evals.tickets.indexed import index_of
from graphs.assembly import open_workspace
from graphs.settings import Settings, load_settings

_Tickets = Annotated[Path, typer.Argument(help="Historical tickets: docs/tickets.md.")]
_Workspace = Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")]
_DataDir = Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")]


def register(app: typer.Typer) -> None:
    """Add the commands to those about tickets."""
    app.command("label")(label_command)
    app.command("review")(review_command)


@dataclass(frozen=True, slots=True)
class _Report:
    measured: Measuring
    articles: int
    damaged: tuple[int, ...]
    agreements: list[Agreement]
    disputed: int

    def to_json(self) -> dict[str, Any]:
        return {
            "tickets": self.measured.tickets,
            "unlabelled": self.measured.unlabelled,
            "articles_known": self.articles,
            "damaged_label_lines": list(self.damaged),
            "fields": self.measured.by_source(),
            "rules": [checked.to_json() for checked in self.measured.checks()],
            "disputed_tickets": self.disputed,
            "labellers": [agreement.to_json() for agreement in self.agreements],
        }


def label_command(
    tickets: _Tickets,
    format_: FormatOption = None,
    labels: LabelsOption = None,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Say how much of the tickets is labelled, by hand, by gold labels and by rules, and how often rules are right.

    What no label says of a ticket stays unscored. docs/labels.md describes the rules.
    """
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    with said_when_stopped(Console(stderr=True), "labelling writes nothing"):
        report = _report(settings, tickets, format_, labels)
    if as_json:
        typer.echo(orjson.dumps(report.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(report, Console())


def review_command(
    tickets: _Tickets,
    labeller: Annotated[
        str | None, typer.Option(help="Who labels. Your login name unless given; two people can label one file.")
    ] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port on 127.0.0.1; 0 takes a free one.")] = 0,
    blind: Annotated[bool, typer.Option("--blind", help="Don't show what rules and gold labels say.")] = False,
    format_: FormatOption = None,
    labels: LabelsOption = None,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
) -> None:
    """Label tickets by hand on a page in your browser, which only this machine can reach.

    Every change is saved at once beside the tickets. Ctrl-C ends it.
    """
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    hand = HandLabels.open(labels or labels_path(tickets))
    desk = ReviewDesk(
        tickets_of(tickets, format_),
        hand,
        labeller_name(labeller if labeller is not None else _login()),
        open_workspace(settings).policy,
        asyncio.run(articles_of(settings)),
        blind=blind,
    )
    serve_review(desk, port, on_start=lambda where: typer.echo(f"label {tickets} at {where}\nCtrl-C ends it"))


def _login() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError) as exc:
        raise Misconfigured("who labels? this machine doesn't know your name: give --labeller") from exc


def _report(settings: Settings, path: Path, format_: Format | None, labels: Path | None) -> _Report:
    hand = HandLabels.open(labels_to_read(labels, path))
    articles = asyncio.run(articles_of(settings))
    labelling = Labelling(open_workspace(settings).policy, articles, hand)
    with progress_of(Console(stderr=True)) as on_progress, index_of(settings, path, format_, on_progress) as index:
        measured = measure(label_all(labelling, index.tickets), labelling)
    return _Report(measured, len(articles), hand.damaged, agreements(hand), len(hand.disputed()))


def _show(report: _Report, console: Console) -> None:
    measured = report.measured
    counted = f"{measured.tickets} tickets, {measured.unlabelled} of them without any label"
    console.print(f"{counted}; {report.articles} articles known", highlight=False)
    if report.damaged:
        console.print(f"lines of the label file that say nothing: {', '.join(map(str, report.damaged))}")
    table = Table("field", "known", "by hand", "gold", "by rule", "unknown", box=None, header_style="bold")
    for row in measured.by_source():
        known = measured.tickets - row["unknown"]
        share = f"{known / measured.tickets:.0%}"
        table.add_row(row["field"], share, *(str(row[column]) for column in ("hand", "gold", "rule", "unknown")))
    console.print(table)
    console.print()
    table = Table("rules", "field", "said", "covered", "right", "95 % interval", "n", box=None, header_style="bold")
    for checked in measured.checks():
        if checked.said:
            table.add_row(*_row(checked))
    console.print(table)
    if report.agreements:
        console.print()
        table = Table("labellers", "field", "agreed", "kappa", "95 % interval", "n", box=None, header_style="bold")
        for agreement in report.agreements:
            table.add_row(
                f"{agreement.one}, {agreement.other}",
                agreement.field,
                f"{agreement.agreed.value:.3f}",
                *(_cells(agreement.kappa)),
                str(agreement.agreed.n),
            )
        console.print(table)
        console.print(f"labellers differ on {report.disputed} tickets: where they do, nothing counts as known")


def _row(checked: Checked) -> tuple[str, ...]:
    covered = f"{checked.coverage.value:.3f}"
    return (
        checked.rule or "all together",
        checked.field,
        str(checked.said),
        covered,
        *_cells(checked.precision),
        str(checked.judged),
    )


def _cells(measured: Measured | None) -> tuple[str, str]:
    return ("-", "-") if measured is None else (f"{measured.value:.3f}", f"{measured.low:.3f} to {measured.high:.3f}")
