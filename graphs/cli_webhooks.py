"""`helpgraph webhooks`: where the team's own systems are told of what happens."""

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Column, Table

from graphs.acts import act_by_command
from graphs.cli_output import AsJson, print_json

_Name = Annotated[str, typer.Argument(help="What the webhook is called: letters, digits, dots, dashes.")]
_Workspace = Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")]
_DataDir = Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    group = typer.Typer(no_args_is_help=True, help="Tell the team's own systems what happens: add, try and watch.")
    group.command("add")(add_command)
    group.command("list")(list_command)
    group.command("test")(try_command)
    group.command("secret")(secret_command)
    group.command("remove")(remove_command)
    group.command("deliveries")(deliveries_command)
    group.command("retry")(retry_command)
    app.add_typer(group, name="webhooks")


def add_command(
    name: _Name,
    url: Annotated[str, typer.Argument(help="Where to post to: https://...")],
    kind: Annotated[
        list[str] | None,
        typer.Option(help="Tell of this kind; may be repeated. Otherwise of all but message.created."),
    ] = None,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
) -> None:
    """Tell an address of what happens from now on, and print the secret that its receiver checks signatures with."""
    body = {"do": "add", "name": name, "url": url, "kinds": kind or []}
    typer.echo(act_by_command("webhooks", body, workspace, data_dir)["secret"])


def list_command(as_json: AsJson = False, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """List the webhooks, what waits for them and what was given up."""
    found = act_by_command("webhooks", {"do": "list"}, workspace, data_dir)["webhooks"]
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    if not found:
        console.print("there are no webhooks")
        return
    table = Table(*map(_column, ("name", "address", "told of", "waiting", "given up", "last error")), box=None)
    for hook in found:
        numbers = (str(hook["waiting"]), str(hook["given_up"]))
        table.add_row(hook["name"], hook["url"], " ".join(hook["kinds"]), *numbers, hook["last_error"] or "")
    console.print(table)


def try_command(name: _Name, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """Post a `webhook.test` to it now, and say what came of it. Fails unless it was taken."""
    came = act_by_command("webhooks", {"do": "test", "name": name}, workspace, data_dir)
    typer.echo(came["result"] + (f": {came['error']}" if came["error"] else ""))
    if came["result"] != "delivered":
        raise typer.Exit(1)


def secret_command(name: _Name, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """Print the secret that its receiver checks signatures with."""
    typer.echo(act_by_command("webhooks", {"do": "secret", "name": name}, workspace, data_dir)["secret"])


def remove_command(name: _Name, workspace: _Workspace = None, data_dir: _DataDir = None) -> None:
    """Tell it of nothing more. What waits for it is forgotten."""
    act_by_command("webhooks", {"do": "remove", "name": name}, workspace, data_dir)
    Console(highlight=False).print(f"{name} is told of nothing any more", markup=False)


def deliveries_command(
    unsettled: Annotated[bool, typer.Option("--unsettled", help="Only what waits and what was given up.")] = False,
    as_json: AsJson = False,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
) -> None:
    """List the newest 200 deliveries, two lines each. They are kept for 30 days."""
    body = {"do": "deliveries", "unsettled": unsettled}
    found = act_by_command("webhooks", body, workspace, data_dir)["deliveries"]
    if as_json:
        print_json(found)
        return
    console = Console(highlight=False)
    if not found:
        console.print("there are no deliveries")
        return
    # Two lines each: in a table of 80 columns ids and dates would be broken.
    for each in found:
        when = each["created_at"][:19].replace("T", " ")
        console.print(f"{when}  {each['status']:<9}  {each['webhook']}  {each['type']}", markup=False, soft_wrap=True)
        refused = f"  refused {each['refusals']} times" if each["refusals"] else ""
        last = f"  last error: {each['last_error']}" if each["last_error"] else ""
        console.print(f"    {each['event']}{refused}{last}", markup=False, soft_wrap=True)


def retry_command(
    name: Annotated[str | None, typer.Argument(help="Of this webhook alone.")] = None,
    workspace: _Workspace = None,
    data_dir: _DataDir = None,
) -> None:
    """Try again what was given up, and what waits because its receiver was away, now."""
    again = act_by_command("webhooks", {"do": "retry", "name": name}, workspace, data_dir)["again"]
    Console(highlight=False).print(f"{again} that were given up are tried again")


def _column(title: str) -> Column:
    """A column that is folded where the terminal is narrow: half an id is none."""
    return Column(title, overflow="fold")
