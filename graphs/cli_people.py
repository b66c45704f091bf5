"""`helpgraph people`: who on the team may do what in the inbox."""

import sys
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from graphs.acts import act_by_command
from graphs.cli_output import AsJson, print_json
from tools.storage.people import ROLES

_Name = Annotated[str, typer.Argument(help="The name, as customers see it and as one signs in.")]
_Workspace = Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")]
_DataDir = Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Add, list and remove people on the team, with a role each.")
    group.command("add")(add_command)
    group.command("list")(list_command)
    group.command("remove")(remove_command)
    app.add_typer(group, name="people")


def add_command(
    name: _Name,
    role: Annotated[str, typer.Option(help="viewer reads, agent answers too, admin may do everything.")],
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from standard input instead of asking for it.")
    ] = False,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
) -> None:
    """Add somebody. The password is asked for; it has at least 12 characters, and only a hash of it is kept."""
    if role not in ROLES:
        raise typer.BadParameter(f"choose one of {', '.join(ROLES)}", param_hint="--role")
    if password_stdin:
        password = sys.stdin.readline().rstrip("\r\n")
    else:
        password = typer.prompt("Password", hide_input=True, confirmation_prompt=True)
    act_by_command("people", {"do": "add", "name": name, "role": role, "password": password}, workspace, data_dir)
    Console(highlight=False).print(f"{name} may sign in as {role}", markup=False)


def list_command(as_json: AsJson = False, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """List people with their roles. Whoever has HELPGRAPH_INBOX_PASSWORD is an admin and isn't among them."""
    found = act_by_command("people", {"do": "list"}, workspace, data_dir)["people"]
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    if not found:
        console.print("nobody was added")
        return
    table = Table("name", "role", "added", box=None)
    for person in found:
        table.add_row(person["name"], person["role"], person["created_at"][:10])
    console.print(table)


def remove_command(name: _Name, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """Remove somebody: they are out at once. What they wrote stays."""
    act_by_command("people", {"do": "remove", "name": name}, workspace, data_dir)
    Console(highlight=False).print(f"{name} can't sign in any more", markup=False)
