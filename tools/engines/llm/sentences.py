"""A model's stream of text, cut into sentences with the marks of their sources."""

import re
from dataclasses import dataclass
from typing import Literal

# How models write the number of a source: [1], [1, 2], [1-3], 【1†L4】, [Source 1], (Source 1), [^1], [[1]](address),
# *[1]*, with strokes before the brackets; raised behind a sentence: ¹, ^1, <sup>1</sup>.
_NAME = r"(?:(?:sources?|refs?|cite|quellen?|fuentes?)[:\s]\s*)?\^?T?\d{1,3}(?:†[^\[\]【】\n]{0,40})?"
_NAMES = rf"{_NAME}(?:\s*(?:[,;&–-]|and|und|y)\s*{_NAME}){{0,8}}"
_BRACKETS = rf"\\?[\[【]{{1,2}}\s*{_NAMES}\s*\\?[\]】]{{1,2}}(?:\([^()\s]{{0,300}}\))?"
_IN_WORDS = rf"\((?:source|quelle|fuente)s?[:\s]\s*\[?{_NAMES}\]?\)|\(T\d{{1,3}}\)"
_RAISED = r"<sup>\s*\[?\d{1,3}\]?\s*</sup>|(?<=[.!?…*_\"'”“»«’)])(?:\^\[?\d{1,3}\]?(?!\w)|[¹²³⁴⁵⁶⁷⁸⁹⁰]{1,3})"
_ANY_MARK = rf"\s{{0,3}}(?:{_BRACKETS}|\*{_BRACKETS}\*|\*\*{_BRACKETS}\*\*|_{_BRACKETS}_|{_IN_WORDS}|{_RAISED})"
_MARK = re.compile(_ANY_MARK, re.IGNORECASE)
_BARE_NAME = re.compile(r"T?\d{1,3}", re.IGNORECASE)
_RANGE = re.compile(r"(\d{1,3})\s*[–-]\s*(\d{1,3})")
_NOT_A_NAME = re.compile(r"†[^\[\]【】,;]*|(?<=[\]】])\([^()]*\)$|\s+")
_RAISED_DIGITS = str.maketrans("¹²³⁴⁵⁶⁷⁸⁹⁰", "1234567890")
# A sentence ends where another begins, and what stands between them is no mark, nor the beginning of one.
_OPENERS = ("<sup", "(source", "(quelle", "(fuente")
_BEGUN = "|".join(rf"{re.escape(opener[:n])}$" for opener in _OPENERS for n in range(1, len(opener)))
_NO_MARK_NEXT = rf"(?!{'|'.join(map(re.escape, _OPENERS))}|{_BEGUN}|\(t(?:\d|$))[*_]{{0,3}}[^\s\[【*_\\]"
_CLOSERS = r"[\"'”“»«’*_)]*"
_END = re.compile(
    rf"[.!?…:]{_CLOSERS}(?:{_ANY_MARK})*[.!?]?(?=\s+{_NO_MARK_NEXT})"
    rf"|[.!?…]{_CLOSERS}(?:{_ANY_MARK})+(?=[^\W\d_])"
    rf"|[。！？][」』”）]*(?:{_ANY_MARK})*(?=\s*[^\s\[【*_<\\」』”）。！？])",
    re.IGNORECASE,
)
_ABBREVIATION = re.compile(
    r"\b(?:e\.g|i\.e|etc|vs|no|nr|z\.\s?B|d\.\s?h|bzw|ca|p\.\s?ej|Sr|Sra|núm|[zdupie]"
    r"|approx|max|min|incl|excl|Dr|Mrs?|Ms|inkl|zzgl|ggf|evtl|usw|aprox|máx|mín)\.$",
    re.IGNORECASE,
)
_LONGEST_ABBREVIATION = 12
_FIRST = re.compile(r"[^\s*_]")
_NUMBER = re.compile(r"\s*\d{1,3}\.")
_FENCE = re.compile(r"\s*(?:```|~~~)")
_CALL = re.compile(r"\s*<(tool_call|function_call)>")
_ITEM = re.compile(r"\s*(?:[-*+•]|\d{1,3}[.)])\s")
_HEADING = re.compile(r"\s*#{1,6}\s")
# What some models begin a list's item with; a list that a browser shows as one begins with these.
_BULLET = re.compile(r"\A[•◦‣▪●○・]\s*")
_KEYCAP = re.compile(r"\A(\d)\ufe0f?\u20e3\s*")
# The list of sources that some models write below an answer: who reads it has it anyway.
_REFERENCES = re.compile(
    r"\W*(?:(?:sources?|references?|citations?|footnotes?)(?: used| cited)?"
    r"|quellen?(?:angaben?)?|belege?|fuentes?|referencias?)\W*",
    re.IGNORECASE,
)
_JOINS = ("and", "und", "y")
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
        self._looked_to = 0
        self._paragraph = False
        self._started = False
        self._leaves_out: Literal["line", "rest"] | None = None

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
        call = _CALL.match(text)
        if call is not None:
            closer = f"</{call.group(1)}>"
            return text.index(closer) + len(closer) if closer in text else None
        line_end = text.find("\n")
        for match in _END.finditer(text, self._looked_to, line_end + 1 if line_end >= 0 else len(text)):
            if not _is_abbreviation(text, match.start() + 1) and not _goes_on(match):
                return match.end()
            # What was no end once never is.
            self._looked_to = match.end()
        # A mark may stand on the next line's beginning, but then it is that line's.
        return line_end + 1 if line_end >= 0 else None

    def _take(self, end: int, pieces: list[Piece]) -> None:
        raw, self._buffer, self._looked_to = self._buffer[:end], self._buffer[end:], 0
        if not raw.strip():
            self._paragraph = self._paragraph or (self._started and "\n" in raw)
            return
        if self._is_left_out(raw):
            return
        if _HEADING.match(raw):
            self._paragraph = True
            return
        whole = _FENCE.match(raw) is not None or _CALL.match(raw) is not None
        marks = [] if whole else [m for found in _MARK.finditer(raw) for m in _names(found.group())]
        text = raw.strip() if whole else _without_marks(raw)
        if text.startswith("|") and not whole:
            # A row of a table whose other rows may not be said: a line of its own.
            text = " – ".join(cell.strip() for cell in text.split("|") if cell.strip())
            self._paragraph = self._paragraph or self._started
        if not any(char.isalnum() for char in text) or text in _JOINS:
            if marks and pieces:
                pieces[-1] = Piece(pieces[-1].text, (*pieces[-1].marks, *marks))
            return
        pieces.append(Piece(("\n" if self._paragraph else "") + text, tuple(dict.fromkeys(marks))))
        self._paragraph, self._started = False, True

    def _is_left_out(self, raw: str) -> bool:
        """Whether it belongs to a list of sources: a line that begins so, or all that follows a heading of one."""
        line_ends = raw.endswith("\n")
        if self._leaves_out is not None:
            if self._leaves_out == "line" and line_ends:
                self._leaves_out = None
            return True
        if not _REFERENCES.fullmatch(_MARK.sub("", raw)):
            return False
        if not line_ends:
            self._leaves_out = "line"
        elif not _MARK.search(raw):
            self._leaves_out = "rest"
        return True


def _is_abbreviation(text: str, end: int) -> bool:
    """Whether the full stop before `end` is an abbreviation's, or that of a list's number."""
    near = text[max(0, end - _LONGEST_ABBREVIATION) : end]
    return _ABBREVIATION.search(near) is not None or _NUMBER.fullmatch(text, 0, end) is not None


def _goes_on(end: re.Match[str]) -> bool:
    """Whether what looks like a sentence's end is none: a full stop or a colon before a small letter, a colon before a
    number or in a list's item ("- **Seats:** 10").
    """
    sign, following = end.group()[0], _FIRST.search(end.string, end.end())
    begins = following.group() if following is not None else ""
    if sign == ":" and (begins.isdigit() or _ITEM.match(end.string)):
        return True
    return sign in ".…:" and begins.islower() and not _MARK.search(end.group())


def _without_marks(raw: str) -> str:
    text = " ".join(_MARK.sub("", raw).split())
    if text.count("**") % 2:
        # Bold type that spans sentences: whichever of them is left out, nothing else shall be bold for it.
        text = text.replace("**", "")
    return re.sub(r"\s+([.!?])", r"\1", _KEYCAP.sub(r"\1. ", _BULLET.sub("- ", text)))


def _names(found: str) -> list[str]:
    """The names in a mark, upper case; a range is all that it spans."""
    plain = _NOT_A_NAME.sub("", found).translate(_RAISED_DIGITS).upper()
    spans = [range(int(first), int(last) + 1) for first, last in _RANGE.findall(plain)]
    return [*_BARE_NAME.findall(_RANGE.sub(" ", plain)), *(str(n) for span in spans for n in span[:8])]
