"""`helpgraph tickets convert` and `profile`."""

import asyncio
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.console import Console

from agent.errors import BadTurn, Misconfigured, SupportError
from evals.progress import OnProgress, progress_of, said_when_stopped
from evals.tickets.dates import Order
from evals.tickets.formats import Format, format_named
from evals.tickets.index import TicketIndex
from evals.tickets.own import line_of
from evals.tickets.profile import Profile, profile
from evals.tickets.profile_shown import show
from evals.tickets.sheet import Given
from graphs.assembly import Runtime, open_runtime
from graphs.settings import load_settings
from tools.observing.logs import set_up_logging

_FORMAT_HELP = "own, zendesk, intercom, freshdesk or csv; recognised when absent."
_REPORT_EVERY = 1000
_MAX_NAMED = 50


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("convert")(convert_command)
    app.command("profile")(profile_command)


def convert_command(
    tickets: Annotated[Path, typer.Argument(help="An export of tickets: docs/tickets.md has the formats.")],
    out: Annotated[Path, typer.Option(help="Write our own JSON Lines to this file.")],
    format_name: Annotated[str | None, typer.Option("--format", help=_FORMAT_HELP)] = None,
    columns: Annotated[
        list[str] | None,
        typer.Option(help='Which columns of a CSV file are what: "id=Ticket ID,question=Description,answer=Reply".'),
    ] = None,
    dates: Annotated[
        Order | None, typer.Option(help="Of dates in a CSV file such as 07/08/2026: whether the day comes first.")
    ] = None,
) -> None:
    """Write an export of any format as scrubbed JSON Lines, oldest ticket first.

    Says what was refused and why. The file takes its name when it is whole: stop it at any time.
    """
    set_up_logging("warning")
    console = Console(stderr=True, highlight=False)
    if out.exists() and out.samefile(tickets):
        raise BadTurn("--out is the export itself: name another file")
    given = Given.parse(columns or (), dates)
    with (
        said_when_stopped(console, "nothing was written"),
        progress_of(console) as on_progress,
        _indexed(tickets, format_name, given, on_progress) as index,
    ):
        _write(index, out, on_progress)
        told = account(index)
        count, refused = len(index), len(index.refused)
    console.print(f"{count} tickets written to {out}", markup=False)
    if refused:
        records = count + refused + index.duplicates
        console.print(f"{refused} of {records} records are in none of them", markup=False)
    for line in told:
        console.print(line, markup=False)


def profile_command(
    tickets: Annotated[Path, typer.Argument(help="An export of tickets: docs/tickets.md has the formats.")],
    format_name: Annotated[str | None, typer.Option("--format", help=_FORMAT_HELP)] = None,
    workspace: Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the profile as JSON.")] = False,
) -> None:
    """Show what historical tickets are about, and which categories to begin with.

    Volume by category and complexity, how repeatable the human answers are, what has no category, languages and hours.
    Categories are those of the tickets; where they have none, what the engine hears in a sample. Needs the data folder
    for itself, so not beside a running server. Changes nothing.
    """
    set_up_logging("warning")
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    console = Console(stderr=True, highlight=False)

    async def run() -> Profile:
        async with open_runtime(settings) as runtime:
            with progress_of(console) as on_progress:
                return await _profile(runtime, tickets, format_name, on_progress)

    with said_when_stopped(console, "a profile writes nothing"):
        found = asyncio.run(run())
    if as_json:
        typer.echo(orjson.dumps(found.to_json(), option=orjson.OPT_INDENT_2).decode())
    else:
        show(found, Console())


def account(index: TicketIndex) -> list[str]:
    """What could not be used of an export, or only after a change: a line for each reason."""
    told = [f"refused: {count} x {reason}" for reason, count in index.refused.reasons.items()]
    told += [f"  {_unit(index)} {number}: {reason}" for number, reason in index.refused.first[:_MAX_NAMED]]
    if len(index.refused) > _MAX_NAMED:
        told.append(f"  and {len(index.refused) - _MAX_NAMED} more")
    told += [f"{count} x {remark}" for remark, count in index.remarks.items()]
    if index.duplicates:
        told.append(f"{index.duplicates} older versions of tickets left out")
    if index.cut_off:
        number, how = index.cut_off
        told.append(f"{_unit(index)} {number}: {how}; what was before is used")
    return told


def _unit(index: TicketIndex) -> str:
    return "row" if index.format is Format.CSV else "line"


async def _profile(runtime: Runtime, path: Path, format_name: str | None, on_progress: OnProgress) -> Profile:
    stopped = threading.Event()

    def report(stage: str, done: int, total: int) -> None:
        if stopped.is_set():
            raise _Stopped
        on_progress(stage, done, total)

    def build(folder: str) -> TicketIndex:
        index_path = Path(folder) / "tickets.index"
        return TicketIndex.build(path, index_path, format_=format_named(format_name), on_progress=report)

    with tempfile.TemporaryDirectory(prefix="helpgraph-tickets-") as folder:
        building = asyncio.ensure_future(asyncio.to_thread(build, folder))
        try:
            index = await asyncio.shield(building)
        except asyncio.CancelledError:
            # A thread can't be cancelled: it stops when it next reports, and only then can its folder go.
            stopped.set()
            with suppress(_Stopped, SupportError):
                (await building).close()
            raise
        with index:
            try:
                return await profile(runtime, index, told=account(index), on_progress=report)
            finally:
                stopped.set()


class _Stopped(Exception):
    """Somebody pressed Ctrl-C."""


@contextmanager
def _indexed(path: Path, format_name: str | None, given: Given, on_progress: OnProgress) -> Iterator[TicketIndex]:
    """An index of the export for as long as the command takes."""
    with (
        tempfile.TemporaryDirectory(prefix="helpgraph-tickets-") as folder,
        TicketIndex.build(
            path,
            Path(folder) / "tickets.index",
            format_=format_named(format_name),
            given=given,
            on_progress=on_progress,
        ) as index,
    ):
        yield index


def _write(index: TicketIndex, out: Path, on_progress: OnProgress) -> None:
    making = out.with_name(f"{out.name}.{os.getpid()}.tmp")
    try:
        with making.open("wb") as file:
            for done, ticket in enumerate(index, 1):
                file.write(line_of(ticket))
                if done % _REPORT_EVERY == 0 or done == len(index):
                    on_progress("writing tickets", done, len(index))
        making.replace(out)
    except OSError as exc:
        raise Misconfigured(f"{out}: can't be written ({exc.strerror or exc})") from exc
    finally:
        with suppress(OSError):
            making.unlink()
