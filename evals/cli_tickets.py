"""`helpgraph tickets`: what can be done with a file of historical tickets."""

import typer

from evals.labels import cli as labels
from evals.tickets import commands


def register(app: typer.Typer) -> None:
    """Add the commands."""
    tickets = typer.Typer(
        help="Historical tickets: what is in them, one form for all, and what should have happened.",
        no_args_is_help=True,
    )
    for part in (commands, labels):
        part.register(tickets)
    app.add_typer(tickets, name="tickets")
