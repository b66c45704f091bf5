"""Files for the operator's eyes alone."""

import os
from pathlib import Path

import orjson

from agent.errors import BadTurn, Misconfigured
from agent.wire import JsonObject


def refuse_existing(path: Path, *, force: bool) -> None:
    """Refuse before the work is done what would be refused after it.

    Raises:
        BadTurn: there is such a file already, or its folder isn't there.
    """
    if path.exists() and not (force and path.is_file()):
        raise BadTurn(f"{path} is there already: choose another name" + ("" if force else ", or --force"))
    if not path.absolute().parent.is_dir():
        raise BadTurn(f"there is no folder {path.absolute().parent}")


def write_private(path: Path, value: JsonObject, *, force: bool) -> None:
    """Write JSON to a file that only its owner can read.

    Raises:
        BadTurn: it is there already, and `force` isn't set.
        Misconfigured: it can't be written.
    """
    refuse_existing(path, force=force)
    try:
        if force:
            path.unlink(missing_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(orjson.dumps(value, option=orjson.OPT_INDENT_2) + b"\n")
    except OSError as exc:
        raise Misconfigured(f"{path} can't be written ({exc.strerror})") from exc
