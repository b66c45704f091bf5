"""Options that several commands over tickets have."""

from pathlib import Path
from typing import Annotated

import typer

from evals.tickets.formats import Format

FormatOption = Annotated[Format | None, typer.Option("--format", help="The tickets' format, when it isn't recognised.")]
LabelsOption = Annotated[
    Path | None, typer.Option(help="The file of hand labels; NAME.labels.jsonl beside the tickets unless given.")
]
