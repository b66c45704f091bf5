"""Tickets made ready for learning: split by time, without repetitions across the split, embedded once."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import BadTurn
from agent.ports import Embedder
from evals.tickets import Ticket
from tools.learned.texts import TicketText

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

MAX_TICKETS = 20_000
"""Of more tickets the newest are learnt from: they say most about the next ones, and it stays a matter of minutes."""

_CHUNK = 256
_SAME_MEANING = 0.98


@dataclass(frozen=True, slots=True)
class Lessons:
    """Tickets with their texts and meanings; `meanings` are embeddings of first lines and of gists, or nothing."""

    tickets: tuple[Ticket, ...]
    texts: tuple[TicketText, ...]
    meanings: tuple[NDArray[np.float32], ...]

    def __len__(self) -> int:
        return len(self.tickets)

    def take(self, places: Sequence[int] | NDArray[np.int64]) -> "Lessons":
        """Return those at `places`."""
        chosen = np.array(places, dtype=np.int64)
        return Lessons(
            tuple(self.tickets[place] for place in chosen),
            tuple(self.texts[place] for place in chosen),
            tuple(meaning[chosen] for meaning in self.meanings),
        )


@dataclass(frozen=True, slots=True)
class TimeSplit:
    """Older lessons to learn from, newer ones to measure on; `repeated` newer ones were left out as repetitions."""

    older: Lessons
    newer: Lessons
    repeated: int


async def prepare(
    tickets: Sequence[Ticket], embedder: Embedder | None, scratch: Path, on_progress: Progress
) -> Lessons:
    """Embed the newest tickets. What was embedded before an interruption is found in `scratch` and not done again.

    Raises:
        ConnectorError: the embedder failed.
    """
    chosen = tuple(tickets[-MAX_TICKETS:])
    texts = tuple(TicketText.of(ticket.text) for ticket in chosen)
    if embedder is None:
        return Lessons(chosen, texts, ())
    rows = []
    every = [*(text.first_line for text in texts), *(text.gist for text in texts)]
    await asyncio.to_thread(scratch.mkdir, parents=True, exist_ok=True)
    for start in range(0, len(every), _CHUNK):
        rows.append(await _embedded(every[start : start + _CHUNK], embedder, scratch))
        on_progress("reading tickets", min(start + _CHUNK, len(every)) // 2, len(texts))
    matrix = np.concatenate(rows)
    return Lessons(chosen, texts, (matrix[: len(texts)], matrix[len(texts) :]))


def split_by_time(lessons: Lessons, *, newer_share: float) -> TimeSplit:
    """Split so that the newest share is measured on, less what repeats an older ticket.

    Repetitions are tickets of the same words (whatever their numbers), or of all but the same meaning.

    Raises:
        BadTurn: one side would be empty.
    """
    border = round(len(lessons) * (1 - newer_share))
    if border == 0 or border == len(lessons):
        raise BadTurn(f"{len(lessons)} tickets are too few to learn from some and measure on others")
    older = lessons.take(range(border))
    seen = {ticket.likeness for ticket in older.tickets}
    kept = [
        place
        for place in range(border, len(lessons))
        if lessons.tickets[place].likeness not in seen and not _means_the_same(lessons, place, border)
    ]
    if not kept:
        raise BadTurn("every newer ticket repeats an older one: there is nothing to measure on")
    return TimeSplit(older, lessons.take(kept), len(lessons) - border - len(kept))


def _means_the_same(lessons: Lessons, place: int, border: int) -> bool:
    if not lessons.meanings:
        return False
    gists = lessons.meanings[-1]
    return bool((gists[:border] @ gists[place]).max(initial=0.0) >= _SAME_MEANING)


async def _embedded(texts: Sequence[str], embedder: Embedder, scratch: Path) -> NDArray[np.float32]:
    key = hashlib.sha256("\x1f".join([embedder.name, *texts]).encode(errors="replace")).hexdigest()[:32]
    path = scratch / f"{key}.npy"
    try:
        stored: NDArray[np.float32] = np.load(path, allow_pickle=False)
        if stored.shape == (len(texts), embedder.dimensions):
            return stored
    except (OSError, ValueError, EOFError):
        pass
    matrix = await embedder.embed(texts)
    partial = path.with_suffix(".tmp")
    with partial.open("wb") as file:
        np.save(file, matrix, allow_pickle=False)
    partial.replace(path)
    return matrix
