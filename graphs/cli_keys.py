"""`helpgraph keys`: the keys by which bots are let in."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from graphs.acts import act_by_command
from graphs.cli_output import AsJson, print_json

_Name = Annotated[str, typer.Argument(help="What the key is called: letters, digits, dots, dashes.")]
_Workspace = Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")]
_DataDir = Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Add, list and revoke the keys by which bots are let in.")
    group.command("add")(add_command)
    group.command("list")(list_command)
    group.command("revoke")(revoke_command)
    app.add_typer(group, name="keys")


def add_command(name: _Name, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """Make a key and print it, this once: only its hash is kept."""
    typer.echo(act_by_command("keys", {"do": "add", "name": name}, workspace, data_dir)["key"])


def list_command(as_json: AsJson = False, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """List the keys, with the day each was last used. Those of HELPGRAPH_API_KEYS aren't among them."""
    found = act_by_command("keys", {"do": "list"}, workspace, data_dir)["keys"]
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    if not found:
        console.print("there are no keys")
        return
    table = Table("name", "made", "last used", "revoked", box=None)
    for key in found:
        table.add_row(
            key["name"], key["created_at"][:10], key["last_used_on"] or "never", (key["revoked_at"] or "")[:10]
        )
    console.print(table)


def revoke_command(name: _Name, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """Let a key open nothing from now on. Its conversations stay."""
    act_by_command("keys", {"do": "revoke", "name": name}, workspace, data_dir)
    Console(highlight=False).print(f"{name} opens nothing any more", markup=False)
