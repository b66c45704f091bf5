"""`helpgraph learn`: from the team's own tickets."""

import asyncio
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console
from rich.table import Table

from agent.errors import BadTurn
from evals.learning.run import NEWER_SHARE, LearnReport, learn
from evals.progress import progress_of
from graphs.assembly import open_runtime, open_workspace
from graphs.cli import set_up_logging
from graphs.settings import Settings, load_settings
from tools.learned.shelf import ModelShelf

_LABELS = {
    "kind": "kind of message",
    "category": "category",
    "right_article": "right article first",
    "answer_probability": "probability of an answer (Brier, more is better)",
}


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("learn")(learn_command)


def learn_command(
    tickets: Annotated[Path | None, typer.Argument(help="Historical tickets as JSON Lines: docs/tickets.md.")] = None,
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
        _manage(ModelShelf(settings.data_dir, open_workspace(settings).workspace_id), use, list_models=list_models)
        return
    report = asyncio.run(_learn(settings, tickets, newer_share, force=force, dry_run=dry_run, console=console))
    if as_json:
        shown = {"model_id": report.model_id, "installed": report.installed, **report.to_json()}
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        _show(report, Console())
    if report.installed is False:
        raise typer.Exit(1)


async def _learn(
    settings: Settings, tickets: Path, newer_share: float, *, force: bool, dry_run: bool, console: Console
) -> LearnReport:
    async with open_runtime(settings) as runtime:
        with progress_of(console) as on_progress:
            return await learn(
                runtime, tickets, on_progress=on_progress, newer_share=newer_share, force=force, dry_run=dry_run
            )


def _manage(shelf: ModelShelf, use: str | None, *, list_models: bool) -> None:
    if use is not None:
        shelf.use(use)
        typer.echo(f"from the next start on: {use}")
    elif list_models:
        current = shelf.in_use().model_id
        for model_id in ["shipped", *shelf.kept()]:
            typer.echo(f"{'*' if model_id == current else ' '} {model_id}")
    else:
        typer.echo(f"from the next start on: {shelf.rollback()}")


def _show(report: LearnReport, console: Console) -> None:
    console.print(
        f"{report.tickets} tickets, learnt from {report.learnt_from} older, measured on {report.measured_on} newer "
        f"({report.repeated} repetitions left out)",
        highlight=False,
    )
    if report.refused:
        number, reason = report.refused[0]
        console.print(f"{len(report.refused)} lines refused; line {number}: {reason}", markup=False)
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
    if report.installed:
        console.print(f"in use from the next start on: {report.model_id} (back with `helpgraph learn --rollback`)")
    elif report.installed is None:
        console.print(f"kept, not used: {report.model_id} (use it with `helpgraph learn --use {report.model_id}`)")
    else:
        console.print(
            f"NOT used: what is in use ({report.before_id}) is better, or as good. Kept as {report.model_id}; "
            "--force uses it all the same"
        )
