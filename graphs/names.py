"""Names that operators give to what they add."""

import re

from agent.errors import BadTurn

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


def usable_name(name: str | None, *, of: str) -> str:
    """Return the name.

    Raises:
        BadTurn: there is none, or it can't be used.
    """
    if name is None or not _NAME.fullmatch(name):
        raise BadTurn(f"{of} name has 1 to 100 letters, digits, dots, dashes and underscores", field="name")
    return name
