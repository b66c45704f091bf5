"""An article's text in pieces that can be quoted: sentences, rows of tables, and lists that stay whole."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from agent.types import Passage
from tools.engines.local.words import words
from tools.knowledge.tables import is_row

_LIST_ITEM = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s")
_SENTENCE_END = re.compile(r"[.!?…][\"”»*_)]*\s+(?=[\"“„«¿¡*_(\[]*[A-ZÄÖÜÁÉÍÓÚÑ0-9])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|etc|vs|no|nr|z\.\s?B|d\.\s?h|bzw|ca|p\.\s?ej|Sr|Sra|núm)|\d)\.$", re.I)
# Half of it would be no markup any more: bold, code, a link. Each has an end to what is looked through for it.
_WHOLE = re.compile(
    r"(?P<bold>\*\*|__)(?=\S)(?:(?!(?P=bold)).){1,600}(?P=bold)|`[^`\n]{1,300}`|\[[^\[\]\n]{1,300}\]\([^()\s]{1,500}\)",
    re.DOTALL,
)
# "It is valid for an hour" says nothing without the sentence before it.
_LEANS_BACK = frozenset(
    """it its they them their this these those that then there he she also otherwise however if so both either
    er es sie diese dieser dieses dies dann dort dabei dadurch danach außerdem sonst beide
    este esta esto estos estas ese esa eso luego después además así allí ello ambos""".split()  # noqa: SIM905  # Words read as prose.
)


class Shape(StrEnum):
    """What a piece is."""

    SENTENCE = "sentence"
    LIST = "list"
    ROW = "row"


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a passage's text, `start` to `end`; `block` counts the paragraphs it comes from."""

    passage: Passage
    start: int
    end: int
    block: int
    shape: Shape

    @property
    def text(self) -> str:
        """The words themselves, exactly as they stand in the article."""
        return self.passage.text.render_plain()[self.start : self.end]

    @property
    def length(self) -> int:
        """In words."""
        return len(self.text.split())

    @property
    def leans_back(self) -> bool:
        """Whether it points at the sentence before it."""
        return self.shape is Shape.SENTENCE and leans_back(self.text)


@dataclass(frozen=True, slots=True)
class _Block:
    start: int
    end: int
    shape: Shape | None  # None: nothing to quote.


def leans_back(sentence: str) -> bool:
    """Whether a sentence begins with a word that points at the one before it."""
    return (words(sentence)[:1] or [""])[0] in _LEANS_BACK


def cut(passage: Passage) -> list[Piece]:
    """Cut a passage; headings, code and rules are left out, a line that introduces a list belongs to it."""
    text = passage.text.render_plain()
    pieces: list[Piece] = []
    for number, block in enumerate(_joined(text, list(_blocks(text)))):
        if block.shape is None:
            continue
        parts = {Shape.SENTENCE: _sentences, Shape.ROW: _lines}.get(block.shape)
        for start, end in parts(text, block.start, block.end) if parts else [(block.start, block.end)]:
            pieces.append(Piece(passage, start, end, number, block.shape))
    return pieces


def _blocks(text: str) -> Iterator[_Block]:
    """Stretches between blank lines; a fenced block of code is one, whatever it holds."""
    start: int | None = None
    fenced = False
    offset = 0
    for line in text.splitlines(keepends=True):
        if line.lstrip().startswith(("```", "~~~")):
            if fenced:
                yield _Block(start or 0, offset + len(line), None)
                start, fenced = None, False
            else:
                if start is not None:
                    yield _shaped(text, start, offset)
                start, fenced = offset, True
        elif not fenced and not line.strip():
            if start is not None:
                yield _shaped(text, start, offset)
                start = None
        elif start is None:
            start = offset
        offset += len(line)
    if start is not None:
        yield _Block(start, offset, None) if fenced else _shaped(text, start, offset)


def _shaped(text: str, start: int, end: int) -> _Block:
    body = text[start:end]
    start += len(body) - len(body.lstrip("\n"))
    end = start + len(text[start:end].rstrip())
    lines = text[start:end].split("\n")
    first = lines[0].lstrip()
    if first.startswith(("#", "<", "![")) or set("".join(lines).strip()) <= set("-*_= "):
        return _Block(start, end, None)
    if first.startswith("|") and len(lines) > 1:
        # Taken in before tables became rows: a citation behind it would be one more cell.
        return _Block(start, end, None)
    if all(is_row(line) for line in lines):
        return _Block(start, end, Shape.ROW)
    is_list = any(_LIST_ITEM.match(line) for line in lines)
    return _Block(start, end, Shape.LIST if is_list else Shape.SENTENCE)


def _joined(text: str, blocks: list[_Block]) -> list[_Block]:
    """Put a list's introduction, its parts and its indented notes together."""
    joined: list[_Block] = []
    for block in blocks:
        before = joined[-1] if joined else None
        introduces = (
            before is not None and before.shape is Shape.SENTENCE and text[before.start : before.end].endswith(":")
        )
        goes_on = (
            before is not None
            and before.shape is Shape.LIST
            and (block.shape is Shape.LIST or text[block.start : block.end].startswith(("  ", "\t")))
        )
        if before is not None and block.shape is not None and ((introduces and block.shape is Shape.LIST) or goes_on):
            joined[-1] = _Block(before.start, block.end, Shape.LIST)
        else:
            joined.append(block)
    return joined


def _lines(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    for line in text[start:end].split("\n"):
        yield start, start + len(line)
        start += len(line) + 1


def widened(text: str, start: int, end: int) -> tuple[int, int]:
    """A stretch of `text` with the rest of the markup that it would break off."""
    for whole in _WHOLE.finditer(text):
        if whole.start() < start < whole.end():
            start = whole.start()
        if whole.start() < end < whole.end():
            end = whole.end()
    return start, end


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    at = start
    wholes = [whole.span() for whole in _WHOLE.finditer(text, start, end)]
    for match in _SENTENCE_END.finditer(text, start, end):
        stop = match.start() + len(match.group().rstrip())
        if _ABBREVIATION.search(text[at:stop]) or any(first < stop < last for first, last in wholes):
            continue
        if _only_introduces(text[at:stop]):
            continue
        yield at, stop
        at = match.end()
    if text[at:end].strip():
        yield at, end


def _only_introduces(sentence: str) -> bool:
    """Whether a sentence names what the next one says: all of it in bold, or a question."""
    plain = sentence.strip()
    whole = _WHOLE.match(plain)
    in_bold = whole is not None and whole["bold"] is not None and not plain[whole.end() :].strip(" .:!?")
    return in_bold or plain.rstrip('*_"”»)').endswith("?")
