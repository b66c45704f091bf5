"""Tables of an article as lines: a row says by itself what its cells are, wherever it is read, searched or quoted.

| Plan | Price | Users |            - **Plan: Basic** · Price: 19 € · Users: 3
| --- | --- | --- |        ->
| Basic | 19 € | 3 |
"""

import re
from collections.abc import Iterator, Sequence

_BETWEEN = " · "
_ROW = re.compile(r"^- \*\*(?P<head>[^*\n]+)\*\* · (?P<cells>[^\n]+)$")
_YES = frozenset({"yes", "ja", "sí", "si", "✓", "✔", "✔️", "✅", "☑", "☑️"})
_NO = frozenset({"no", "nein", "✗", "✘", "✕", "✖", "✖️", "❌", "x", "-", "–", "—"})


def told(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Return a line of Markdown for each row that has any words; `header` and `rows` are the cells' Markdown."""
    lines = [_told(header, row) for row in rows]
    return [line for line in lines if line]


def is_row(line: str) -> bool:
    """Whether a line of an article's text is such a row."""
    return _ROW.match(line) is not None


def statements(line: str) -> Iterator[str]:
    """Yield what each cell of a row says, as a sentence of its own: beside a column's value stands no other's."""
    found = _ROW.match(line)
    if found is None:
        return
    # "Role: Owner" is the owner.
    head = found["head"].partition(": ")[2] or found["head"]
    for cell in found["cells"].split(_BETWEEN):
        column, named, value = cell.partition(": ")
        plain = value.strip().lower()
        if named and plain in _YES:
            yield f"{column}: {head}"
        elif named and plain in _NO:
            yield f"{column}: no {head}"
        else:
            yield f"{head}, {cell}"


def _told(header: Sequence[str], row: Sequence[str]) -> str:
    cells = [_named(column, cell) for column, cell in zip(header, row, strict=False) if cell.strip()]
    if not cells:
        return ""
    head, *others = cells
    return f"- **{head}**{_BETWEEN}{_BETWEEN.join(others)}" if others else f"- {head}"


def _named(column: str, cell: str) -> str:
    # Bold within bold ends it, and the sign that stands between cells is none of theirs.
    column, cell = (" ".join(text.replace("**", "").replace("·", ",").split()) for text in (column, cell))
    return f"{column}: {cell}" if column else cell
