"""Personal data out of tickets' texts, for good: what it was can't be had back from what is left."""

from collections.abc import Iterable

from tools.tracing.masking import Masker


class Scrubber:
    """Scrubs the texts of one ticket; `names` are the people it knows of."""

    def __init__(self, names: Iterable[str] = (), *, language: str | None = None) -> None:
        whole = list(names)
        self._masker = Masker([*whole, *(part for name in whole for part in name.split() if len(part) > 2)])

    def text(self, text: str) -> str:
        """The text with `[email]`, `[phone]` and the like in place of what was somebody's."""
        return self._masker.text(text)

    def address(self, path: str) -> str:
        """A page's path without what is somebody's in it."""
        return self._masker.text(path)


def link(address: str) -> str:
    """An address without who signs in, and without secrets in its path."""
    return Masker().text(address)
