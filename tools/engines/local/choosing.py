"""Which pieces of an article answer a question."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from tools.engines.local.ears.features import Vectors
from tools.engines.local.pieces import Piece, Shape
from tools.engines.local.vectors import VectorMemory
from tools.engines.local.words import content_words

_FEWEST_WORDS = 40
_GOOD_SHARE = 0.62
_NEXT_BEST_SHARE = 0.4
_ROW_SHARE = 0.75
_STEPS_LIFT = 0.12
# A paragraph so short says one thing: "You can't do that for them. Send them the link."
_WHOLE_PARAGRAPH_WORDS = 35
_WHOLE_PARAGRAPH_SHARE = 0.7
_POSITION_COST = 0.015
_MOST_PIECES = 40
_MEANT = 0.7
_ASKED_ABOUT_WORDS = 50
_NUMBERED = re.compile(r"^\s*\d+[.)]\s", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Reading:
    """A question as its words (stems) and its vector, which is None when there is no embedder."""

    words: tuple[str, ...]
    vector: Vectors | None

    def fit(self, text: str, row: Vectors | None) -> float:
        """How well `text` (with its vector) fits, in about [0, 1.5]: meaning, and half as much shared words."""
        near = float(row @ self.vector) if row is not None and self.vector is not None else 0.0
        return max(0.0, near) + 0.5 * self.shared(text)

    def shared(self, text: str) -> float:
        """Which share of the words `text` has, in [0, 1]."""
        return len(set(self.words) & set(content_words(text))) / len(self.words) if self.words else 0.0


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked: in the customer's words and in English, for articles in either; and each question by itself.

    `memory` embeds what articles say; `titles` are vectors of the passages' articles' titles, by article id. `steps`
    tells that the customer asks how something is done. `behind` is a follow-up's own words, without what it hangs on.
    """

    readings: tuple[Reading, ...]
    memory: VectorMemory
    parts: tuple[Reading, ...] = ()
    titles: Mapping[str, Vectors] = field(default_factory=dict)
    steps: bool = False
    behind: Reading | None = None


async def choose(pieces: Sequence[Piece], wanted: Wanted, *, words: int, told: str = "") -> list[Piece]:
    """The best pieces up to about `words` words, in the article's order; one at least, however long it is.

    Behind an answer, whose words are `told`, a follow-up is given what that hasn't told, and of what it has the one
    paragraph that is asked about.
    """
    pieces = pieces[:_MOST_PIECES]
    if not pieces:
        return []
    kept = _kept(pieces, await _scores(pieces, wanted), wanted, words)
    again = {index for index, piece in enumerate(pieces) if told and " ".join(piece.text.split()) in told}
    if wanted.behind is not None and kept & again and (about := await _asked_about(pieces, wanted, wanted.behind)):
        kept = about.union(*(_with_support(pieces, index) for index in kept - again))
    return [pieces[index] for index in sorted(kept)]


async def _asked_about(pieces: Sequence[Piece], wanted: Wanted, behind: Reading) -> set[int]:
    """The short paragraph that a follow-up asks about by its own words; none when they say too little."""
    # Nobody asks how something is done: that is told again, as it was.
    own = await _scores(pieces, replace(wanted, readings=(behind,)), steps_lift=0.0)
    both = await _scores(pieces, wanted, steps_lift=0.0)
    best = max(range(len(pieces)), key=lambda index: own[index] + both[index])
    if own[best] < _MEANT:
        return set()
    return _with_support(pieces, best) | _short_paragraph(pieces, best, most=_ASKED_ABOUT_WORDS)


def _kept(pieces: Sequence[Piece], scores: Sequence[float], wanted: Wanted, words: int) -> set[int]:
    """The places of the best pieces up to about `words` words."""
    order = sorted(range(len(pieces)), key=lambda index: -scores[index])
    top = scores[order[0]]
    if wanted.steps:
        order = _steps_first(order, pieces, scores, words)
    best = pieces[order[0]]
    kept: set[int] = set()
    length = 0
    for index in order:
        piece = pieces[index]
        needed = _with_support(pieces, index) - kept
        cost = sum(pieces[one].length for one in needed)
        # Another section answers another question, unless it is nearly as good, or several are asked. What stands in
        # none is about all of them.
        own = best.passage.section in ("", piece.passage.section) or bool(wanted.parts)
        more = length < _FEWEST_WORDS and own
        share = _NEXT_BEST_SHARE if more else _GOOD_SHARE
        if piece.shape is Shape.ROW:
            # All rows have the columns' names: nearly as good is only what is asked about as well.
            share = _ROW_SHARE
        good = scores[index] >= share * top
        if kept and (not good or length + cost > words):
            continue
        kept |= needed
        length += cost
        if scores[index] >= _WHOLE_PARAGRAPH_SHARE * top:
            rest = _short_paragraph(pieces, index) - kept
            cost = sum(pieces[one].length for one in rest)
            if length + cost <= words:
                kept |= rest
                length += cost
    return kept


def merged(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Group sentences that stand side by side in one paragraph: they are quoted as one stretch."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        before = groups[-1][-1] if groups else None
        if (
            before is not None
            and _side_by_side(before, piece)
            and not before.passage.text.render_plain()[before.end : piece.start].strip()
        ):
            groups[-1].append(piece)
        else:
            groups.append([piece])
    return groups


def _with_support(pieces: Sequence[Piece], index: int) -> set[int]:
    """A piece with the sentences before it that it leans on."""
    needed = {index}
    while index > 0 and pieces[index].leans_back and pieces[index - 1].passage is pieces[index].passage:
        index -= 1
        needed.add(index)
        if pieces[index].shape is not Shape.SENTENCE:
            break
    return needed


def _steps_first(order: list[int], pieces: Sequence[Piece], scores: Sequence[float], words: int) -> list[int]:
    """The order with the steps that fit best first, where there is room for them beside what fits best of all.

    How something is done is said by its steps, in whatever words they are.
    """
    best = order[0]
    room = words - pieces[best].length
    for index in order:
        near = scores[index] >= _NEXT_BEST_SHARE * scores[best]
        if index != best and near and _is_steps(pieces[index]) and pieces[index].length <= room:
            return [index, *(other for other in order if other != index)]
        if _is_steps(pieces[index]):
            break
    return order


def _short_paragraph(pieces: Sequence[Piece], index: int, most: int = _WHOLE_PARAGRAPH_WORDS) -> set[int]:
    """The sentences of the paragraph that a sentence stands in, if they are few words together."""
    piece = pieces[index]
    if piece.shape is not Shape.SENTENCE:
        return set()
    whole = {place for place, other in enumerate(pieces) if _side_by_side(piece, other)}
    return whole if sum(pieces[one].length for one in whole) <= most else set()


async def _scores(pieces: Sequence[Piece], wanted: Wanted, *, steps_lift: float = _STEPS_LIFT) -> list[float]:
    """How well each piece answers: by the reading that it fits best, a little for steps and for coming first."""
    texts = [f"{piece.passage.section}: {text}" for piece, text in zip(pieces, _understood(pieces), strict=True)]
    known = any(reading.vector is not None for reading in wanted.readings)
    rows = await wanted.memory.embed(texts) if known else None
    scores = []
    for place, (piece, text) in enumerate(zip(pieces, texts, strict=True)):
        row = rows[place] if rows is not None else None
        fit = max(reading.fit(text, row) for reading in wanted.readings)
        steps = steps_lift if _is_steps(piece) else 0.0
        scores.append(max(0.01, fit + steps - _POSITION_COST * place))
    return scores


def _understood(pieces: Sequence[Piece]) -> list[str]:
    """What each piece says; "It can't be removed" says it with the sentences of its paragraph that it leans on."""
    said: list[str] = []
    for place, piece in enumerate(pieces):
        leans = piece.leans_back and place > 0 and _side_by_side(pieces[place - 1], piece)
        said.append(f"{said[-1]} {piece.text}" if leans else piece.text)
    return said


def _side_by_side(one: Piece, other: Piece) -> bool:
    return one.passage is other.passage and one.block == other.block


def _is_steps(piece: Piece) -> bool:
    return piece.shape is Shape.LIST and _NUMBERED.search(piece.text) is not None
