"""`helpgraph replay`: what would have happened on historical tickets."""

import asyncio
import hashlib
import os
import shutil
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, NoReturn

import orjson
import typer
from pydantic import SecretStr
from rich.console import Console

from agent.errors import BadTurn, Misconfigured
from agent.wire import JsonObject
from evals.labels.file import labels_to_read
from evals.options import FormatOption, LabelsOption
from evals.progress import progress_of
from evals.replay.manifest import NAME, read_manifest
from evals.replay.run import SNAPSHOT, Options, Replayed, replay
from evals.replay.snapshot import look_at
from evals.report.scored import score_and_report
from evals.scoring.show import show_summary
from evals.scoring.summary import Summary
from evals.tickets.formats import Format
from evals.tickets.index import TicketIndex
from evals.tickets.indexed import index_of
from graphs.cli import FAILED, INTERRUPTED
from graphs.settings import Settings, load_settings
from tools.observing.logs import set_up_logging


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("replay")(replay_command)


def replay_command(
    tickets: Annotated[
        Path, typer.Argument(help="Historical tickets: our JSON Lines, or an export of Zendesk, Intercom or Freshdesk.")
    ],
    out: Annotated[
        Path | None, typer.Option(help="Folder of the run. Unset: one in DATA_DIR/replays named after its inputs.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only tickets created on this day (UTC) or later.")
    ] = None,
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only tickets created before this day (UTC).")
    ] = None,
    sample: Annotated[int | None, typer.Option(min=1, help="Only so many of them, drawn at random.")] = None,
    seed: Annotated[int, typer.Option(help="Of the sample: the same seed draws the same tickets.")] = 0,
    repeats: Annotated[
        int, typer.Option(min=1, max=100, help="Play each ticket so many times, for models whose answers vary.")
    ] = 1,
    workers: Annotated[
        int | None, typer.Option(min=1, max=256, help="Processes. Unset: one a core; with a model one.")
    ] = None,
    in_flight: Annotated[
        int | None, typer.Option(min=1, max=512, help="Tickets at once in each. Unset: 1; with a model 32.")
    ] = None,
    format_: FormatOption = None,
    labels: LabelsOption = None,
    langsmith: Annotated[
        bool | None,
        typer.Option(
            "--langsmith/--no-langsmith", help="Send the run to LangSmith as an experiment. Unset: when its key is set."
        ),
    ] = None,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin anew: the run in the folder is removed.")] = False,
    workspace: Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came of it as JSON.")] = False,
) -> None:
    """Run historical tickets through the turn that serves customers, and record what would have happened.

    Nothing reaches anyone: bugs and handoffs are recorded, not filed. A ticket is replayed with the articles and the
    learnt model that were there on its day, where that is known. Scores are against labels: by hand, those that came
    with the tickets, or by rules from how they went; a report for your browser is in the folder. Stop it with Ctrl-C;
    the same command goes on from there. A server may run meanwhile.
    """
    set_up_logging("warning")
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    options = Options(
        since=since.replace(tzinfo=UTC) if since else None,
        until=until.replace(tzinfo=UTC) if until else None,
        sample=sample,
        seed=seed,
        repeats=repeats,
        workers=workers,
        in_flight=in_flight,
    )
    key = settings.trace_options().langsmith_key
    if langsmith and key is None:
        raise Misconfigured("--langsmith needs HELPGRAPH_LANGSMITH_KEY")
    hand_labels = labels_to_read(labels, tickets)
    # Held on to: LangSmith's runner prints of its own, and is silenced.
    console = Console(file=sys.stderr)
    try:
        replayed, summary, paths = asyncio.run(
            _replay(settings, tickets, out, options, format_, hand_labels, fresh=fresh, console=console)
        )
    except KeyboardInterrupt:
        _stop(console)
    if as_json:
        typer.echo(orjson.dumps(_json(replayed, summary, paths), option=orjson.OPT_INDENT_2).decode())
    else:
        _show(replayed, Console(highlight=False))
        show_summary(summary, Console())
        typer.echo(f"the report: {paths[0]}")
    if key is not None and langsmith is not False:
        asyncio.run(_send(settings, key, replayed, console))
    if replayed.cases and replayed.failed == replayed.cases:
        raise typer.Exit(FAILED)


async def _replay(
    settings: Settings,
    tickets: Path,
    out: Path | None,
    options: Options,
    format_: Format | None,
    labels: Path,
    *,
    fresh: bool,
    console: Console,
) -> tuple[Replayed, Summary, tuple[Path, ...]]:
    with progress_of(console) as on_progress:
        index = await asyncio.to_thread(index_of, settings, tickets, format_, on_progress)
        folder = out or await _own_folder(settings, tickets, index, options)
        if fresh:
            _clear(folder)
        elif not _is_free(folder):
            raise BadTurn(f"{folder} holds files and no run: name an empty folder, or one that isn't there yet")
        replayed = await replay(settings, index, folder, options, on_progress=on_progress)
        summary, paths = await score_and_report(
            settings,
            folder,
            replayed.manifest,
            index,
            labels,
            cases=replayed.cases,
            on_progress=on_progress,
        )
        return replayed, summary, paths


async def _send(settings: Settings, key: SecretStr, replayed: Replayed, console: Console) -> None:
    # LangSmith's runner takes a second to load, which no other command should wait for.
    from evals.langsmith.experiment import send_experiment

    with progress_of(console) as on_progress:
        sent = await send_experiment(settings, key, replayed.folder, replayed.manifest, on_progress)
    if sent is None:
        console.print("nothing was sent to LangSmith: no ticket could be played")
        return
    left_out = f" ({sent.left_out} are left out)" if sent.left_out else ""
    console.print(
        f"LangSmith has {sent.cases} cases{left_out} as experiment {sent.experiment!r} of dataset {sent.dataset!r}",
        soft_wrap=True,
        highlight=False,
        markup=False,
    )


async def _own_folder(settings: Settings, tickets: Path, index: TicketIndex, options: Options) -> Path:
    """A folder that the same command finds again, and another one doesn't."""
    installed = await look_at(settings, settings.data_dir / "none")
    parts = (
        index.sha256,
        installed.generation_id,
        installed.history[-1],
        settings.model or "local",
        orjson.dumps(options.to_json(), option=orjson.OPT_SORT_KEYS).decode(),
    )
    digest = hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]
    return settings.data_dir / "replays" / "-".join((tickets.name.partition(".")[0][:40], digest))


def _clear(folder: Path) -> None:
    """Remove a run. What isn't one is never removed."""
    if not _is_free(folder):
        raise BadTurn(f"{folder} holds no run ({NAME} is missing), so --fresh won't empty it")
    if folder.exists():
        shutil.rmtree(folder)


def _is_free(folder: Path) -> bool:
    """Whether nothing is lost if the folder holds a run: it is empty, or not there, or holds one."""
    empty = not folder.exists() or not any(folder.iterdir())
    return empty or read_manifest(folder) is not None or (folder / SNAPSHOT).exists()


def _stop(console: Console) -> NoReturn:
    console.print("stopped: what was replayed is kept, the same command goes on from there", soft_wrap=True)
    sys.stdout.flush()
    sys.stderr.flush()
    # Reading a file can't be stopped in its thread; everything else is closed by now.
    os._exit(INTERRUPTED)


def _json(replayed: Replayed, summary: Summary, paths: tuple[Path, ...]) -> JsonObject:
    return {
        "folder": str(replayed.folder),
        "cases": replayed.cases,
        "resumed": replayed.resumed,
        "failed": replayed.failed,
        "seconds": round(replayed.seconds, 1),
        "reports": [str(path) for path in paths],
        "summary": summary.to_json(),
    }


def _show(replayed: Replayed, console: Console) -> None:
    fresh = replayed.cases - replayed.resumed
    rate = f", {fresh / replayed.seconds:.0f} a second" if fresh and replayed.seconds else ""
    console.print(f"{replayed.cases} tickets replayed ({replayed.resumed} of them before){rate}", soft_wrap=True)
    _show_file(replayed.manifest["tickets"], console)
    if replayed.failed:
        console.print(f"{replayed.failed} failed on our side and say nothing about the agent", soft_wrap=True)
    console.print(f"the run is in {replayed.folder}", soft_wrap=True, markup=False)


def _show_file(file: JsonObject, console: Console) -> None:
    """What of the file is in no ticket, or was mended."""
    if file["cut_off"]:
        number, reason = file["cut_off"]
        console.print(
            f"the file breaks off at {number}: {reason}; what came before counts", soft_wrap=True, markup=False
        )
    for reason, count in file["refused"].items():
        console.print(f"{count} refused: {reason}", soft_wrap=True, markup=False)
    if file["refused"]:
        console.print("`helpgraph tickets convert` names the lines that were refused", soft_wrap=True, markup=False)
    for remark, count in file["remarks"].items():
        console.print(f"{count} tickets: {remark}", soft_wrap=True, markup=False)
    if file["duplicates"]:
        console.print(f"{file['duplicates']} older versions of tickets left out", soft_wrap=True)
