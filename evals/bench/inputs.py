"""Reading what a benchmark's folder holds, with errors that say which file and what was expected."""

import csv
import json
import sys
from pathlib import Path
from typing import Any

from agent.errors import Misconfigured


def read_csv(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Read a CSV with a header.

    Raises:
        Misconfigured: it isn't there, lacks a column or has no row.
    """
    csv.field_size_limit(sys.maxsize)
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = list(csv.DictReader(file))
    except (OSError, UnicodeDecodeError, csv.Error) as exc:
        raise Misconfigured(f"{path}: can't be read as CSV ({_why(exc)})") from exc
    if not rows:
        raise Misconfigured(f"{path}: no row in it")
    missing = [column for column in columns if column not in rows[0]]
    if missing:
        raise Misconfigured(f"{path}: no column {', '.join(missing)}; it has {', '.join(rows[0])}")
    return [{column: row[column] or "" for column in columns} for row in rows]


def read_json(path: Path) -> Any:
    """Read a JSON file.

    Raises:
        Misconfigured: it isn't there or isn't JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as exc:
        raise Misconfigured(f"{path}: can't be read as JSON ({_why(exc)})") from exc


def read_json_lines(path: Path) -> list[dict[str, Any]]:
    """Read JSON Lines of objects.

    Raises:
        Misconfigured: it isn't there, or a line isn't a JSON object.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{path}: can't be read ({_why(exc)})") from exc
    objects = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            found = json.loads(line)
        except ValueError as exc:
            raise Misconfigured(f"{path}:{number}: not JSON ({exc})") from exc
        if not isinstance(found, dict):
            raise Misconfigured(f"{path}:{number}: not a JSON object")
        objects.append(found)
    return objects


def _why(exc: Exception) -> str:
    return exc.strerror or type(exc).__name__ if isinstance(exc, OSError) else str(exc)
