"""Codes that products show and people copy: "S10", "ERR_CONN_RST", "0x80004005", "SOC2"."""

import re
from collections.abc import Sequence

_CODE = re.compile(
    r"(?<![\w.@/-])(?:"
    r"(?=[A-Za-z_-]*\d)(?=[\d_-]*[A-Za-z])[A-Za-z0-9]+(?:[_-][A-Za-z0-9]+)*"
    r"|[A-Z]{2,}(?:_[A-Z0-9]+)+"
    r")(?![\w@])"
)
# Sizes, times, places in a row: "10min", "3x", "2nd", "5GB".
_AMOUNT = re.compile(r"\d+(?:[.,]\d+)?(?:[a-z]{1,4}|[KMGT]B)", re.IGNORECASE)
_FEWEST_CHARS = 3


def codes_in(text: str) -> list[str]:
    """The codes in a text, lower case, each once."""
    found = (match.group() for match in _CODE.finditer(text))
    return list(
        dict.fromkeys(code.lower() for code in found if len(code) >= _FEWEST_CHARS and not _AMOUNT.fullmatch(code))
    )


def names_code(text: str) -> bool:
    """Whether a text has one: nobody greets with it."""
    return bool(codes_in(text))


def are_explained(codes: Sequence[str], texts: Sequence[str]) -> bool:
    """Whether the texts have all the codes, as they are written."""
    there = {code for text in texts for code in codes_in(text)}
    return bool(codes) and there.issuperset(codes)
