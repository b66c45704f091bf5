"""A model's stream of text, cut into sentences with the marks of their sources."""

import re
from dataclasses import dataclass

_MARK = re.compile(r"\s*[\[【]\s*((?:source\s+)?T?\d{1,3}(?:\s*[,;]\s*T?\d{1,3})*)\s*[\]】]", re.IGNORECASE)
_END = re.compile(r"[.!?…:][\"”»*_)]*(?:\s*[\[【][^\]】\n]{1,24}[\]】])*[.!?]?(?=\s+[^\s\[【])")
_ABBREVIATION = re.compile(
    r"(?:\b(?:e\.g|i\.e|etc|vs|no|nr|z\.\s?B|d\.\s?h|bzw|ca|p\.\s?ej|Sr|Sra|núm|[zdupie])|(?:^|\n)\s*\d{1,3})\.$",
    re.IGNORECASE,
)
_FENCE = re.compile(r"\s*(?:```|~~~)")
_HEADING = re.compile(r"\s*#{1,6}\s")
_MOST_CHARS = 4_000


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence, a list item or a fenced block, without its marks. `marks` are as written: `1`, `T1`.

    `text` begins with a line end when a new paragraph begins with it.
    """

    text: str
    marks: tuple[str, ...]


class Splitter:
    """Takes text as it comes and gives pieces as soon as they are whole; memory is bounded."""

    def __init__(self) -> None:
        self._buffer = ""
        self._paragraph = False
        self._started = False

    def feed(self, text: str) -> list[Piece]:
        """Take more text; return the pieces that it completes."""
        self._buffer += text
        pieces: list[Piece] = []
        while (end := self._next_end()) is not None:
            self._take(end, pieces)
        if len(self._buffer) > _MOST_CHARS:
            # No sentence is this long: what it is, it isn't an answer.
            self._take(len(self._buffer), pieces)
        return pieces

    def finish(self) -> list[Piece]:
        """Return what is left when the stream has ended."""
        pieces: list[Piece] = []
        self._take(len(self._buffer), pieces)
        return pieces

    @property
    def is_torn(self) -> bool:
        """Whether what is left ends in the middle of a sentence."""
        left = _MARK.sub("", self._buffer).rstrip().rstrip('*_"”»)`')
        return bool(left) and not left.endswith((".", "!", "?", "…", ":"))

    def _next_end(self) -> int | None:
        """Where the first whole piece ends, or None when it isn't whole yet."""
        text = self._buffer
        if _FENCE.match(text):
            opening = text.index("\n") + 1 if "\n" in text else None
            closing = re.compile(r"^\s*(?:```|~~~)\s*$\n?", re.MULTILINE).search(text, opening) if opening else None
            return closing.end() if closing and closing.group().endswith("\n") else None
        line_end = text.find("\n")
        for match in _END.finditer(text, 0, line_end + 1 if line_end >= 0 else len(text)):
            if not _ABBREVIATION.search(text[: match.start() + 1]):
                return match.end()
        # A mark may stand on the next line's beginning, but then it is that line's.
        return line_end + 1 if line_end >= 0 else None

    def _take(self, end: int, pieces: list[Piece]) -> None:
        raw, self._buffer = self._buffer[:end], self._buffer[end:]
        if not raw.strip():
            self._paragraph = self._paragraph or (self._started and "\n" in raw)
            return
        if _HEADING.match(raw):
            self._paragraph = True
            return
        fenced = _FENCE.match(raw) is not None
        marks = [] if fenced else [m for found in _MARK.finditer(raw) for m in _names(found.group(1))]
        text = raw.strip() if fenced else " ".join(_MARK.sub("", raw).split())
        text = re.sub(r"\s+([.!?])", r"\1", text)
        if not any(char.isalnum() for char in text):
            if marks and pieces:
                pieces[-1] = Piece(pieces[-1].text, (*pieces[-1].marks, *marks))
            return
        pieces.append(Piece(("\n" if self._paragraph else "") + text, tuple(dict.fromkeys(marks))))
        self._paragraph, self._started = False, True


def _names(found: str) -> list[str]:
    plain = re.sub(r"source\s+", "", found, flags=re.IGNORECASE).upper()
    return [name.strip() for name in re.split(r"[,;]", plain)]
