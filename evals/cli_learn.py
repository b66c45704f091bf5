"""`helpgraph learn`: from the team's own tickets."""

import asyncio
import os
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from rich.console import Console
from rich.table import Table

from agent.errors import BadTurn
from evals.labels.file import HandLabels, labels_to_read
from evals.learning.lessons import MAX_TICKETS
from evals.learning.run import NEWER_SHARE, LearnReport, learn
from evals.options import FormatOption, LabelsOption
from evals.progress import progress_of
from evals.tickets.formats import Format
from graphs.assembly import open_learned, open_runtime, open_workspace
from graphs.cli import FAILED, INTERRUPTED
from graphs.settings import Settings, load_settings
from graphs.shared import open_embedding
from tools.learned.model import MANIFEST
from tools.learned.shelf import SHIPPED, ModelShelf
from tools.observing.logs import set_up_logging

_MAX_NAMED = 20
_LABELS = {
    "kind": "kind of message",
    "category": "category",
    "right_article": "right article first",
    "answer_probability": "probability of an answer (Brier, more is better)",
    "decisions": "cost of a decision (below zero, more is better)",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("learn")(learn_command)


def learn_command(
    tickets: Annotated[
        Path | None,
        typer.Argument(help="Historical tickets: our JSON Lines, or an export of a helpdesk (docs/tickets.md)."),
    ] = None,
    format_: FormatOption = None,
    labels: LabelsOption = None,
    newer_share: Annotated[
        float, typer.Option(min=0.05, max=0.9, help="The share of newest tickets to measure on, never trained on.")
    ] = NEWER_SHARE,
    force: Annotated[bool, typer.Option("--force", help="Use what was learnt even if it isn't better.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Measure and keep, but don't use it.")] = False,
    rollback: Annotated[bool, typer.Option("--rollback", help="Go back to the model used before this one.")] = False,
    use: Annotated[str | None, typer.Option(help="Use this kept model; `shipped` is none at all.")] = None,
    list_models: Annotated[bool, typer.Option("--list", help="List the models and which is in use.")] = False,
    workspace: Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as JSON.")] = False,
) -> None:
    """Learn kinds, categories, known questions and trust from historical tickets.

    Older tickets train, newer ones measure; the result replaces the model in use only when it is better. Stop it at
    any time: nothing changes before the end, and what was embedded is not embedded again. Needs the data folder for
    itself, so not beside a running server; the next start uses the new model.
    """
    set_up_logging("warning")
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    chosen = [tickets is not None, rollback, use is not None, list_models]
    if sum(chosen) != 1:
        raise BadTurn("give a file of tickets, or one of --list, --use and --rollback")
    console = Console(stderr=True)
    if tickets is None:
        _manage(settings, use, list_models=list_models)
        return
    hand = HandLabels.open(labels_to_read(labels, tickets))
    report = asyncio.run(
        _learn(settings, tickets, hand, format_, newer_share, force=force, dry_run=dry_run, console=console)
    )
    if as_json:
        shown = {"model_id": report.model_id, "installed": report.installed, **report.to_json()}
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(report, Console())
    if report.installed is False:
        raise typer.Exit(FAILED)


async def _learn(
    settings: Settings,
    tickets: Path,
    hand: HandLabels,
    format_: Format | None,
    newer_share: float,
    *,
    force: bool,
    dry_run: bool,
    console: Console,
) -> LearnReport:
    report = None
    try:
        async with open_runtime(settings) as runtime:
            with progress_of(console) as on_progress:
                report = await learn(
                    runtime,
                    tickets,
                    on_progress=on_progress,
                    labels=hand,
                    format_=format_,
                    newer_share=newer_share,
                    force=force,
                    dry_run=dry_run,
                )
    except asyncio.CancelledError:
        # What came after it had been learnt and put to use was closing alone.
        if report is None:
            _stop(console)
    return report


def _stop(console: Console) -> NoReturn:
    console.print(
        "stopped: nothing was replaced. What was embedded is kept, the same command goes on from there", soft_wrap=True
    )
    sys.stdout.flush()
    sys.stderr.flush()
    # Everything is closed by now, and a thread that is training can't be stopped: a plain exit would wait for it.
    os._exit(INTERRUPTED)


def _manage(settings: Settings, use: str | None, *, list_models: bool) -> None:
    workspace_id = open_workspace(settings).workspace_id
    shelf = ModelShelf(settings.data_dir, workspace_id)
    if list_models:
        current = shelf.in_use().model_id
        for model_id in [SHIPPED, *shelf.kept()]:
            typer.echo(f"{'*' if model_id == current else ' '} {model_id}{_when_and_gain(shelf, model_id)}")
        return
    if use is not None:
        shelf.use(use)
        chosen = use
    else:
        chosen = shelf.rollback()
    if open_learned(settings, workspace_id, open_embedding(settings)).model_id != chosen:
        raise typer.Exit(FAILED)
    typer.echo(f"from the next start on: {chosen}")


def _when_and_gain(shelf: ModelShelf, model_id: str) -> str:
    """When a model was made, and what it gained by its own report; nothing for the shipped one."""
    if model_id == SHIPPED:
        return ""
    try:
        about = orjson.loads((shelf.folder / model_id / MANIFEST).read_bytes())
        report = about["report"]
        gains = [f"{name} {found['gain']['value']:+.3f}" for name, found in report.get("abilities", {}).items()]
        made = str(about["made_at"])[:10]
        return f"  {made}  {', '.join(gains)}" + (f"  ({report['tickets']} tickets)" if "tickets" in report else "")
    except (OSError, orjson.JSONDecodeError, KeyError, TypeError, ValueError):
        return "  damaged"


def _show(report: LearnReport, console: Console) -> None:
    if report.resumed:
        console.print(f"{report.resumed} texts had been embedded by a run that was interrupted", highlight=False)
    if report.left_out:
        console.print(
            f"the oldest {report.left_out} tickets were left out: at most {MAX_TICKETS} are used, the newest",
            highlight=False,
        )
    console.print(
        f"{report.tickets} tickets, learnt from {report.learnt_from} older, measured on {report.measured_on} newer "
        f"({report.repeated} repetitions left out)",
        highlight=False,
    )
    if report.refused:
        named = "; ".join(f"line {number}: {reason}" for number, reason in report.refused[:_MAX_NAMED])
        more = f"; and {len(report.refused) - _MAX_NAMED} more" if len(report.refused) > _MAX_NAMED else ""
        console.print(f"{len(report.refused)} lines refused; {named}{more}", markup=False)
    console.print("learnt: " + ", ".join(f"{name} {count}" for name, count in report.learnt.items()), highlight=False)
    table = Table("ability", "before", "after", "gain", "95 % interval", "n", box=None, header_style="bold")
    for ability in report.abilities:
        table.add_row(
            _LABELS.get(ability.name, ability.name),
            f"{ability.before.value:.3f}",
            f"{ability.after.value:.3f}",
            f"{ability.gain.value:+.3f}",
            f"[{ability.gain.low:+.3f}, {ability.gain.high:+.3f}]".replace("[", r"\["),
            str(ability.gain.n),
        )
    console.print(table)
    if report.ece_before and report.ece_after:
        console.print(
            f"calibration error of the answer's probability: {report.ece_before.value:.3f} before, "
            f"{report.ece_after.value:.3f} after",
            highlight=False,
        )
    if report.parts:
        why = "used because of --force" if report.forced else "better, and so used"
        console.print(f"{why}: {', '.join(report.parts)}", highlight=False)
    if report.refitted_on:
        console.print(
            f"what is kept learnt the same again from all {report.refitted_on} tickets after this was measured",
            highlight=False,
        )
    if report.installed:
        console.print(f"in use from the next start on: {report.model_id} (back with `helpgraph learn --rollback`)")
    elif report.installed is None:
        console.print(f"kept, not used: {report.model_id} (use it with `helpgraph learn --use {report.model_id}`)")
    else:
        console.print(
            f"NOT used: what is in use ({report.before_id}) is better, or as good. Kept as {report.model_id}; "
            "--force uses it all the same"
        )
