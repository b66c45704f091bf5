"""How commands print what programs are to read."""

from typing import Annotated, Any

import orjson
import typer

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


def print_json(found: Any) -> None:
    """Print a value that JSON can hold."""
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2).decode())
