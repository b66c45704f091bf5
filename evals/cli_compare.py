"""`helpgraph compare`: two runs over the same tickets."""

from pathlib import Path
from typing import Annotated

import orjson
import typer

from agent.wire import to_json


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("compare")(compare_command)


def compare_command(
    before: Annotated[Path, typer.Argument(help="Folder of the run to compare with, scored.")],
    after: Annotated[Path, typer.Argument(help="Folder of the run that is to be judged, scored.")],
    gate: Annotated[Path | None, typer.Option(help="What may not get worse, as YAML: docs/compare.md.")] = None,
    min_shared: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Of different ticket files, the share that has to be in both.")
    ] = 0.9,
    as_json: Annotated[bool, typer.Option("--json", help="Print the comparison as JSON.")] = False,
) -> None:
    """Compare two scored runs over the same tickets, case by case.

    With --gate the exit code is 0 when nothing is worse than its margin allows, 1 when something surely dropped,
    and 3 when the tickets are not enough to tell.
    """
    # Imported here because every other command would wait for scipy too.
    from rich.console import Console

    from evals.compare.folders import compare_folders
    from evals.compare.gate import check_gate, exit_code, read_gate
    from evals.compare.show import show_comparison, show_gate

    rules = read_gate(gate) if gate else None
    compared = compare_folders(before, after, min_shared=min_shared)
    checked = check_gate(compared.comparison, rules) if rules else ()
    if as_json:
        shown = {"differs": to_json(compared.differs), "same_run": compared.same_run, **compared.comparison.to_json()}
        if rules:
            shown["gate"] = {"exit_code": exit_code(checked), "checks": to_json(checked)}
        typer.echo(orjson.dumps(shown, option=orjson.OPT_INDENT_2).decode())
    else:
        console = Console()
        show_comparison(compared.comparison, compared.differs, console, same_run=compared.same_run)
        show_gate(checked, console)
    if rules and exit_code(checked):
        raise typer.Exit(exit_code(checked))
