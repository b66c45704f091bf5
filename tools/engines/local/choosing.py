"""Which pieces of an article answer a question."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from tools.engines.local.features import Vectors
from tools.engines.local.pieces import Piece, Shape
from tools.engines.local.vectors import VectorMemory
from tools.engines.local.words import content_words

_FEWEST_WORDS = 40
_GOOD_SHARE = 0.62
_NEXT_BEST_SHARE = 0.4
_ROW_SHARE = 0.75
_STEPS_LIFT = 0.12
_POSITION_COST = 0.015
_MOST_PIECES = 40


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

    `memory` embeds what articles say; `titles` are vectors of the passages' articles' titles, by article id.
    """

    readings: tuple[Reading, ...]
    memory: VectorMemory
    parts: tuple[Reading, ...] = ()
    titles: Mapping[str, Vectors] = field(default_factory=dict)


async def choose(pieces: Sequence[Piece], wanted: Wanted, *, words: int) -> list[Piece]:
    """The best pieces up to about `words` words, in the article's order; one at least, however long it is."""
    pieces = pieces[:_MOST_PIECES]
    if not pieces:
        return []
    scores = await _scores(pieces, wanted)
    order = sorted(range(len(pieces)), key=lambda index: -scores[index])
    top = scores[order[0]]
    kept: set[int] = set()
    length = 0
    for index in order:
        needed = _with_support(pieces, index) - kept
        cost = sum(pieces[one].length for one in needed)
        share = _GOOD_SHARE if length >= _FEWEST_WORDS else _NEXT_BEST_SHARE
        if pieces[index].shape is Shape.ROW:
            # All rows have the columns' names: nearly as good is only what is asked about as well.
            share = _ROW_SHARE
        good = scores[index] >= share * top
        if kept and (not good or length + cost > words):
            continue
        kept |= needed
        length += cost
    return [pieces[index] for index in sorted(kept)]


def merged(pieces: Sequence[Piece]) -> list[list[Piece]]:
    """Group sentences that stand side by side in one paragraph: they are quoted as one stretch."""
    groups: list[list[Piece]] = []
    for piece in pieces:
        before = groups[-1][-1] if groups else None
        if (
            before is not None
            and before.passage is piece.passage
            and before.block == piece.block
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


async def _scores(pieces: Sequence[Piece], wanted: Wanted) -> list[float]:
    """How well each piece answers: by the reading that it fits best, a little for steps and for coming first."""
    texts = [f"{piece.passage.section}: {piece.text}" for piece in pieces]
    known = any(reading.vector is not None for reading in wanted.readings)
    rows = await wanted.memory.embed(texts) if known else None
    scores = []
    for place, (piece, text) in enumerate(zip(pieces, texts, strict=True)):
        row = rows[place] if rows is not None else None
        fit = max(reading.fit(text, row) for reading in wanted.readings)
        steps = _STEPS_LIFT if piece.shape is Shape.LIST else 0.0
        scores.append(max(0.01, fit + steps - _POSITION_COST * place))
    return scores
