"""Which words of a sentence stand for which words of a source, and the stretch of the source that it draws on."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from tools.engines.local.support.wording import Sort, Token, Worded, worded
from tools.knowledge.tables import statements

_HEADING = re.compile(r"^\s*#{1,6}\s+(.*)$")
_SPLIT = re.compile(r"(?<=[.!?])[\"”»*_)]*\s+(?=[^a-z])|\n+")
_WINDOW = 3
_REACH = 2
_UNIT_COST = 0.75
_CLAUSE_COST = 2


@dataclass(frozen=True, slots=True)
class Window:
    """The units from `first` to `last` of a source, with the roots and forms of all their content."""

    first: int
    last: int
    roots: frozenset[str]
    forms: frozenset[str]


@dataclass(frozen=True, slots=True)
class Source:
    """A source in units with their tokens; `forms` are all it has, headings included.

    A unit is a sentence, an item of a list, or what a cell of a table says; `stands` is where it stands: the text of
    the unit itself, or the row of the cell.
    """

    units: tuple[str, ...]
    stands: tuple[str, ...]
    read: tuple[Worded, ...]
    forms: frozenset[str]
    windows: tuple[Window, ...]


@dataclass(frozen=True, slots=True)
class Placed:
    """A content token of the source window: its unit, and its clause and place counted through the window."""

    token: Token
    unit: int
    clause: int
    at: int


@dataclass(frozen=True, slots=True)
class Alignment:
    """A sentence beside a window of a source. `to` has a place, or -1, for each content token of the sentence."""

    said: tuple[Token, ...]
    window: tuple[Placed, ...]
    marks: tuple[Placed, ...]
    to: tuple[int, ...]
    first: int
    last: int

    @property
    def aligned(self) -> int:
        """How many content tokens found their like."""
        return sum(place >= 0 for place in self.to)

    def distance(self, one: int, other: int) -> int:
        """How far two places of the window lie apart; the border of a clause counts like words."""
        return abs(one - other) + _CLAUSE_COST * abs(self.window[one].clause - self.window[other].clause)


@lru_cache(maxsize=512)
def read_source(text: str, headings: tuple[str, ...] = ()) -> Source:
    """Cut a source's Markdown."""
    units: list[str] = []
    stands: list[str] = []
    heads = list(headings)
    for line in text.split("\n"):
        told = list(statements(line))
        units += told
        stands += [line] * len(told)
        for part in _SPLIT.split(line) if not told else ():
            heading = _HEADING.match(part)
            if heading:
                heads.append(heading.group(1))
            elif any(char.isalnum() for char in part):
                units.append(part.strip())
                stands.append(units[-1])
    read = tuple(worded(unit) for unit in units)
    forms = frozenset[str]().union(*(worded(head).forms for head in heads), *(unit.forms for unit in read))
    return Source(tuple(units), tuple(stands), read, forms, tuple(_windows(read)))


def _windows(read: Sequence[Worded]) -> Iterator[Window]:
    """Every stretch of up to three units that follow each other."""
    for first in range(len(read)):
        for last in range(first, min(first + _WINDOW, len(read))):
            units = read[first : last + 1]
            roots = frozenset[str]().union(*(unit.roots for unit in units))
            forms = frozenset[str]().union(*(unit.forms for unit in units))
            yield Window(first, last, roots, forms)


def align(said: Sequence[Token], source: Source) -> Alignment:
    """Align content tokens with the window (up to three units that follow each other) that has the most of them."""
    first = last = 0
    best_value = -1.0
    weighed = [(token.text, token.forms, _weight(token)) for token in said]
    for stretch in source.windows:
        found = 0.0
        for text, forms, weight in weighed:
            if not forms.isdisjoint(stretch.forms):
                found += weight * (1.0 if text in stretch.roots else 0.6)
        value = found - _UNIT_COST * (stretch.last - stretch.first) - 0.001 * stretch.first
        if value > best_value:
            best_value, first, last = value, stretch.first, stretch.last
    window, marks = _placed(source, first, last)
    return Alignment(tuple(said), window, marks, _places(said, window), first, last)


def _weight(token: Token) -> float:
    return 1.5 if token.sort in (Sort.NAME, Sort.AMOUNT) else 1.0


def _placed(source: Source, first: int, last: int) -> tuple[tuple[Placed, ...], tuple[Placed, ...]]:
    content: list[Placed] = []
    marks: list[Placed] = []
    base = at = 0
    for unit in range(first, last + 1) if source.units else ():
        top = base
        for token in source.read[unit].tokens:
            placed = Placed(token, unit, base + token.clause, at)
            at += 1
            top = max(top, placed.clause)
            (marks if token.sort is Sort.MARK else content).append(placed)
        base = top + 1
    return tuple(content), tuple(marks)


def _places(said: Sequence[Token], window: Sequence[Placed]) -> tuple[int, ...]:
    """For each token the like of it that has most of its neighbours beside it."""
    likes = [[j for j, placed in enumerate(window) if token.forms & placed.token.forms] for token in said]
    places: list[int] = []
    for i, options in enumerate(likes):
        near = range(max(0, i - _REACH), min(len(said), i + _REACH + 1))

        def value(j: int, i: int = i, near: range = near) -> float:
            root = 1.0 if said[i].text == window[j].token.text else 0.0
            beside = sum(1.0 for n in near if n != i and any(0 < abs(j - o) <= _REACH + 1 for o in likes[n]))
            follows = 0.5 if places and places[-1] >= 0 and j == places[-1] + 1 else 0.0
            taken = -0.75 if j in places else 0.0
            return 1.5 * root + beside + follows + taken

        places.append(max(options, key=value, default=-1))
    return tuple(places)
