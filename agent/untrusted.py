"""Text from outside, as a type that can't slip into a prompt or a page unnoticed."""

import re
import unicodedata
from dataclasses import dataclass
from enum import StrEnum

_KEPT_FORMAT_CHARS = {"\u200d", "\ufe0f"}  # Zero width joiner and emoji selector: emoji sequences need them.
_KEPT_CONTROL_CHARS = {"\n", "\t"}
# All that some reader takes for the end of a line: what begins after it must not look like a line of ours.
_LINE_ENDS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
# Letters, digits and marks of European languages: nothing of it is dropped or counted, so most texts need no more.
_PLAIN = re.compile("[\n\t -~\u00a1-\u00ac\u00ae-\u024f\u2010-\u2027\u2030-\u205e\u20a0-\u20bf\u2190-\u21ff]*")


class Source(StrEnum):
    """Where a text came from; tool arguments carry the union of their sources."""

    CUSTOMER = "customer"
    PAGE = "page"
    ARTICLE = "article"
    ACCOUNT = "account"
    TICKET = "ticket"
    PERSON = "person"
    MODEL = "model"


def clean(text: str, *, limit: int) -> str:
    """Return `text` as one safe, composed string of at most `limit` characters.

    NFC; control characters, lone surrogates, bidirectional overrides and tag characters are dropped, line ends
    become `\\n`. Emoji sequences survive. Everything a customer can read is kept.
    """
    text = text[: limit * 4]
    # Most texts are plain as they come, with line ends of one kind; others are once their line ends are.
    if _PLAIN.fullmatch(text) or _PLAIN.fullmatch(text := _LINE_ENDS.sub("\n", text)):
        return unicodedata.normalize("NFC", text)[:limit]
    kept: list[str] = []
    marks = 0
    for char in text:
        category = unicodedata.category(char)
        if category in ("Cc", "Cs", "Cf", "Co", "Cn") and char not in _KEPT_CONTROL_CHARS | _KEPT_FORMAT_CHARS:
            continue
        # A letter with ten thousand accents is an attack on whoever renders it.
        marks = marks + 1 if category == "Mn" else 0
        if marks <= 4:
            kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))[:limit]


@dataclass(frozen=True, slots=True)
class Untrusted:
    """A cleaned, bounded text with its source. It can't be formatted into another string by accident."""

    raw: str
    source: Source

    @classmethod
    def of(cls, text: str, source: Source, *, limit: int = 8_000) -> "Untrusted":
        """Clean and bound `text`; `limit` is in characters."""
        return cls(raw=clean(text, limit=limit), source=source)

    def render_plain(self) -> str:
        """The text itself, for ranking, classifying, storing, and for renderers that escape."""
        return self.raw

    def render_for_prompt(self, *, limit: int = 8_000) -> str:
        """The text marked as data: every line prefixed, so that an instruction in it can't pose as ours."""
        lines = self.raw[:limit].split("\n")
        return "\n".join(f"{self.source.value}| {line}" for line in lines)

    def __str__(self) -> str:
        raise TypeError("untrusted text is rendered with render_plain() or render_for_prompt()")

    def __format__(self, spec: str) -> str:
        raise TypeError("untrusted text is rendered with render_plain() or render_for_prompt()")

    def __bool__(self) -> bool:
        return bool(self.raw.strip())
