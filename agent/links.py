"""Where a piece of an answer would lead a browser: links, images, markup."""

import re

_TARGETS = (
    re.compile(r"\]\(\s*<?([^)\s>]+)"),  # [text](target), ![image](target)
    re.compile(r"\]:\s*<?(\S+?)>?(?:\s|$)"),  # [name]: target
    re.compile(r"((?:\b[a-z][a-z0-9+.-]{1,20}:)?//[^\s)>\]\"'`]+)", re.IGNORECASE),
    re.compile(r"\b((?:javascript|data|vbscript|file|mailto|tel):[^\s)>\]\"'`]+)", re.IGNORECASE),
    re.compile(r"(?<![\w@])(www\.[^\s)>\]\"'`]+)", re.IGNORECASE),
    re.compile(r"(<[a-z!/?][^>]*>?)", re.IGNORECASE),  # Markup of any kind, closed or not.
    re.compile(r"(!\[)"),  # An image asks for something to be fetched.
)

# An address that has more to come after this; a slash at the end makes no other page.
_GOES_ON = re.compile(r"[/.,;:!?@&=+-]*[\w%#&~$]")


def targets(text: str) -> list[str]:
    """Every address, tag and image mark in `text`, in no particular order."""
    return [match.group(1).rstrip(".,;:!?") for pattern in _TARGETS for match in pattern.finditer(text)]


def all_cited(text: str, sources: list[str]) -> bool:
    """Whether each of them stands, letter for letter and whole, in one of the sources."""
    return all(any(_stands(target, source) for source in sources) for target in targets(text))


def _stands(target: str, source: str) -> bool:
    """Whether the target is all of an address there: the beginning of a host, or of a path, leads somewhere else."""
    if target.endswith(("[", ">")):
        return target in source
    start = source.find(target)
    while start >= 0:
        before, after = source[start - 1 : start], source[start + len(target) :]
        if not (before.isalnum() and target[0].isalnum()) and _GOES_ON.match(after) is None:
            return True
        start = source.find(target, start + 1)
    return False
