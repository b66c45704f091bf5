"""`helpgraph export` and `helpgraph erase`: what is held about somebody, out to a file or gone."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from agent.wire import JsonObject
from graphs.acts import act_by_command
from graphs.private_file import refuse_existing, write_private

_User = Annotated[str | None, typer.Option(help="The product's id of the user, as in the identity that it signs.")]
_Visitor = Annotated[str | None, typer.Option(help="A visitor who wasn't signed in: the owner that an export names.")]
_Conversation = Annotated[str | None, typer.Option(help="One conversation, by the id in the inbox's address.")]
_Workspace = Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")]
_DataDir = Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")]
_Force = Annotated[bool, typer.Option("--force", help="Overwrite a file that is there.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("export")(export_command)
    app.command("erase")(erase_command)


def export_command(
    user: _User = None,
    visitor: _Visitor = None,
    conversation: _Conversation = None,
    out: Annotated[Path, typer.Option(help="The file to write; only you can read it.")] = Path("helpgraph-export.json"),
    force: _Force = False,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
) -> None:
    """Write everything that is held about a user, a visitor or a conversation to one JSON file.

    Beside a running server this goes through it. docs/privacy.md says what is in the file.
    """
    whose = _whose(user, visitor, conversation)
    refuse_existing(out, force=force)
    found = act_by_command("export", whose, workspace, data_dir)
    write_private(out, found, force=force)
    rows = sum(len(rows) for rows in found["tables"].values()) + len(found["checkpoints"])
    Console(highlight=False).print(f"{rows} rows written to {out}", markup=False, soft_wrap=True)


def erase_command(
    user: _User = None,
    visitor: _Visitor = None,
    conversation: _Conversation = None,
    older_than: Annotated[
        int | None, typer.Option(min=1, max=36_500, metavar="DAYS", help="All that have been over for so many days.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do it. Without this it is only counted.")] = False,
    proof: Annotated[
        Path | None, typer.Option(help="Write to this file what was removed, and what looking again found.")
    ] = None,
    force: _Force = False,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
) -> None:
    """Remove everything that is held about a user, a visitor, a conversation, or about whatever is old. For good.

    Without --yes it says what would go. Exit code 1 when something is left, or nothing is held about them. Beside a
    running server this goes through it. docs/privacy.md says what is out of reach.
    """
    if older_than is not None and (user, visitor, conversation) == (None, None, None):
        name, whose = "retire", {"older_than_days": older_than}
    elif older_than is None:
        name, whose = "erase", _whose(user, visitor, conversation, or_else=", or --older-than")
    else:
        raise typer.BadParameter("--older-than stands alone")
    if proof is not None:
        if not yes:
            raise typer.BadParameter("there is nothing to prove without --yes", param_hint="--proof")
        refuse_existing(proof, force=force)
    console = Console(highlight=False)
    with console.status("erasing" if yes else "counting"):
        report = act_by_command(name, {**whose, "yes": yes}, workspace, data_dir)
    if proof is not None:
        write_private(proof, report, force=force)
    nobody = name == "erase" and not report["erased"] and not any(report["found"].values())
    left = 0
    if nobody:
        console.print("nothing is held about them, so there is nothing to erase in this workspace")
    elif not yes:
        _show_found(console, report["found"])
    else:
        left = _show_gone(console, report)
    if proof is not None:
        console.print(f"proof in {proof}", markup=False, soft_wrap=True)
    if left or nobody:
        raise typer.Exit(1)


def _whose(user: str | None, visitor: str | None, conversation: str | None, *, or_else: str = "") -> JsonObject:
    given = {"user": user, "visitor": visitor, "conversation": conversation}
    named = {name: value for name, value in given.items() if value is not None}
    if len(named) != 1 or not all(named.values()):
        raise typer.BadParameter(f"name exactly one of --user, --visitor and --conversation{or_else}")
    return dict(named)


def _show_found(console: Console, found: dict[str, int]) -> None:
    if not any(found.values()):
        console.print("there is nothing to erase in this workspace")
        return
    table = Table("place", "rows", box=None)
    for name, number in found.items():
        table.add_row(name, str(number))
    console.print(table)
    console.print("Nothing was changed. --yes erases it.")


def _show_gone(console: Console, report: JsonObject) -> int:
    """Say what went and what is left, and return how much is."""
    again = report["looked_again"]
    table = Table("place", "rows", "how", "left", box=None)
    for name, gone in report["gone"].items():
        table.add_row(name, str(gone["rows"]), gone["how"], str(again["rows"][name]))
    console.print(table)
    left = sum(int(number) for number in again["rows"].values())
    if again["bytes"] is not None:
        left += int(again["bytes"]["ids_found"])
        console.print(
            f"{again['bytes']['ids_sought']} ids sought in {again['bytes']['bytes_read']} bytes of "
            f"{', '.join(again['bytes']['files'])}: {again['bytes']['ids_found']} found",
            markup=False,
        )
    console.print("Out of reach from here:")
    for place in report["not_reached"]:
        console.print(f"  {place}", markup=False)
    return left
