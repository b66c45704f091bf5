"""`helpgraph ingest`: articles into the knowledge base, whole or not at all."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from agent.errors import BadTurn, SupportError
from graphs.assembly import find_server, open_knowledge
from graphs.running import RunningServer
from graphs.settings import Settings, load_settings
from tools.observing.logs import set_up_logging

Report = dict[str, Any]
OnProgress = Callable[[str, int, int], None]
_REFUSALS_SHOWN = 20


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("ingest")(ingest_command)


def ingest_command(
    path: Annotated[
        Path,
        typer.Argument(
            help="A folder of Markdown or HTML, a zip of either, or JSON Lines of {id, title, content, url?}."
        ),
    ],
    workspace: Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
    force: Annotated[
        bool, typer.Option("--force", help="Go on although more than half was refused, or would be removed.")
    ] = False,
) -> None:
    """Bring the knowledge base to exactly what PATH holds.

    Unchanged articles are left alone, new ones added, gone ones removed. The old base answers until the new one is
    whole and checked; an interruption leaves the old one in place. Whatever would remove more than half of ten or more
    articles is refused without --force. Beside a running server this goes through it.
    """
    set_up_logging("warning")
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    console = Console()
    with Progress(
        TextColumn("{task.description:<10}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=console,
        transient=True,
    ) as progress:
        tasks: dict[str, Any] = {}

        def on_progress(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total)
            progress.update(tasks[stage], completed=done, total=total)

        report = asyncio.run(ingest(settings, path.resolve(), on_progress, force=force))
    show_report(report, console)


async def ingest(settings: Settings, path: Path, on_progress: OnProgress, *, force: bool) -> Report:
    """Ingest `path`, through the running server if there is one; return the report as JSON."""
    server: RunningServer | None = find_server(settings)
    if server is None:
        async with open_knowledge(settings) as knowledge:
            report = await knowledge.ingest(path, on_progress, force=force)
            return report.to_json()
    async for line in server.stream("/v1/admin/ingest", {"path": str(path), "force": force}):
        if "report" in line:
            return dict(line["report"])
        if "error" in line:
            raise (BadTurn if line["usage"] else SupportError)(str(line["error"]))
        on_progress(line["stage"], line["done"], line["total"])
    raise SupportError("the server stopped before it was done; the old knowledge base is still in place")


def show_report(report: Report, console: Console) -> None:
    """Say what changed, and what was refused and why."""
    if report["unchanged"] and not (report["added"] or report["changed"] or report["removed"]):
        console.print(f"nothing changed: {report['unchanged']} articles, {report['passages']} passages", markup=False)
    else:
        console.print(
            f"{report['added']} added, {report['changed']} changed, {report['removed']} removed, "
            f"{report['unchanged']} unchanged: {report['passages']} passages in {report['seconds']:.1f} s",
            markup=False,
        )
    if not report["dense"]:
        console.print("no embedding model: search is by words alone (see HELPGRAPH_EMBEDDING)", markup=False)
    refused = report["refused"]
    if refused:
        console.print(f"{len(refused)} refused:", style="yellow")
        for refusal in refused[:_REFUSALS_SHOWN]:
            console.print(f"  {refusal['source']}: {refusal['reason']}", markup=False)
        if len(refused) > _REFUSALS_SHOWN:
            console.print(f"  ... and {len(refused) - _REFUSALS_SHOWN} more", markup=False)
