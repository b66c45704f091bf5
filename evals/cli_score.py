"""`helpgraph score`: runs that were played, by the labels of now."""

import asyncio
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agent.errors import BadTurn, Misconfigured
from agent.wire import JsonObject
from evals.labels.file import labels_to_read
from evals.options import FormatOption, LabelsOption
from evals.progress import progress_of, said_when_stopped
from evals.replay.manifest import NAME, read_manifest
from evals.replay.record import CASES
from evals.report.lines import whole_lines
from evals.report.scored import score_and_report
from evals.scoring.show import show_summary
from evals.scoring.summary import Summary
from evals.tickets.formats import Format
from evals.tickets.indexed import index_of
from graphs.assembly import open_workspace
from graphs.settings import Settings, load_settings
from tools.observing.logs import set_up_logging


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("score")(score_command)


def score_command(
    tickets: Annotated[Path, typer.Argument(help="The historical tickets that were replayed.")],
    runs: Annotated[list[Path], typer.Argument(help="Folders of finished runs over these tickets.")],
    format_: FormatOption = None,
    labels: LabelsOption = None,
    workspace: Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of them as JSON.")] = False,
) -> None:
    """Score finished runs again, by the labels, rules and costs of now, and write their reports anew.

    Nothing is played, so it doesn't matter what has changed in the installation since. Score two runs together
    before you compare them. A server may run meanwhile.
    """
    set_up_logging("warning")
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    hand_labels = labels_to_read(labels, tickets)
    manifests = {folder: _finished(settings, folder) for folder in runs}
    with said_when_stopped(Console(stderr=True), "each run has its new scores whole, or those of before"):
        found = asyncio.run(_score(settings, tickets, manifests, format_, hand_labels))
    if as_json:
        shown = [
            {"folder": str(folder), "reports": [str(path) for path in paths], "summary": summary.to_json()}
            for folder, summary, paths in found
        ]
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
        return
    for folder, summary, paths in found:
        typer.echo(f"{folder} is scored")
        show_summary(summary, Console())
        typer.echo(f"the report: {paths[0]}")


async def _score(
    settings: Settings, tickets: Path, manifests: dict[Path, JsonObject], format_: Format | None, labels: Path
) -> list[tuple[Path, Summary, tuple[Path, ...]]]:
    with progress_of(Console(file=sys.stderr)) as on_progress:
        index = await asyncio.to_thread(index_of, settings, tickets, format_, on_progress)
        found = []
        for folder, manifest in manifests.items():
            cases = sum(1 for _ in whole_lines(folder / CASES))
            summary, paths = await score_and_report(
                settings, folder, manifest, index, labels, cases=cases, on_progress=on_progress
            )
            found.append((folder, summary, paths))
        return found


def _finished(settings: Settings, folder: Path) -> JsonObject:
    """What the run in a folder was made from, when there is a whole one of this workspace."""
    manifest = read_manifest(folder)
    if manifest is None:
        raise Misconfigured(f"{folder} is not a run's folder: there is no {NAME} in it")
    if manifest["finished_at"] is None:
        raise BadTurn(f"the run in {folder} isn't finished: `helpgraph replay` goes on with it")
    played_in, here = manifest["workspace"]["workspace_id"], open_workspace(settings).workspace_id
    if played_in != here:
        raise BadTurn(f"the run in {folder} is of the workspace {played_in!r}, not of {here!r}: give --workspace")
    return manifest
