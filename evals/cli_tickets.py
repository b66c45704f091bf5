"""`helpgraph tickets`: what to do with a file of historical tickets."""

import typer

from evals.labels import cli as labels


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tickets = typer.Typer(help="Historical tickets, and what should have happened.", no_args_is_help=True)
    labels.register(tickets)
    app.add_typer(tickets, name="tickets")
