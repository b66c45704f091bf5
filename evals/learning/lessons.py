"""Tickets made ready for learning: split by time, without repetitions across the split, embedded once."""

import asyncio
import hashlib
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import BadTurn, ConnectorError
from agent.ports import Embedder
from evals.tickets.ticket import Ticket
from tools.embedding.sentences import PairedEmbedder
from tools.knowledge.known import for_questions
from tools.learned.texts import TicketText

logger = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]

MAX_TICKETS = 20_000
"""Of more tickets the newest are learnt from: they say most about the next ones, and it stays a matter of minutes."""

_CHUNK = 256
# Batches handed to the embedder at a time: one core tokenizes and copies while the other multiplies.
_AT_ONCE = 2
_SAME_MEANING = 0.98
_COMPARED_AT_ONCE = 256


@dataclass(frozen=True, slots=True)
class Lessons:
    """Tickets with their texts and meanings; `meanings` are embeddings of first lines and of gists, or nothing.

    `resumed` of the tickets' texts had been embedded by a run that was interrupted.
    """

    tickets: tuple[Ticket, ...]
    texts: tuple[TicketText, ...]
    meanings: tuple[NDArray[np.float32], ...]
    resumed: int = 0

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
    await asyncio.to_thread(scratch.mkdir, parents=True, exist_ok=True)
    # A ticket of one line is its own first line and its own gist: half of the texts or more are there twice.
    distinct = {text: place for place, text in enumerate(dict.fromkeys(_embeddable(texts)))}
    matrix, resumed = await _embed_all(list(distinct), embedder, scratch, "embedding texts", on_progress)
    first_lines = np.array([distinct[text.first_line] for text in texts], dtype=np.int64)
    gists = np.array([distinct[text.gist] for text in texts], dtype=np.int64)
    return Lessons(chosen, texts, (matrix[first_lines], matrix[gists]), resumed)


async def embed_questions(
    lessons: Lessons, answers: Mapping[str, str], embedder: Embedder, scratch: Path, on_progress: Progress
) -> dict[str, NDArray[np.float32]]:
    """The vectors of the gists that one of `answers` is known to answer, as known questions are embedded; by gist.

    Raises:
        ConnectorError: the embedder failed.
    """
    first = {
        text.gist: lessons.meanings[-1][place]
        for place, (ticket, text) in enumerate(zip(lessons.tickets, lessons.texts, strict=True))
        if ticket.gold.article in answers
    }
    if not first:
        return {}
    beside = _Beside(for_questions(embedder), first)
    matrix, _ = await _embed_all(list(first), beside, scratch, "embedding known questions", on_progress)
    return dict(zip(first, matrix, strict=True))


class _Beside:
    """The embedder of known questions, for texts whose rows of the first one are there already."""

    def __init__(self, paired: PairedEmbedder, first: Mapping[str, NDArray[np.float32]]) -> None:
        self.name = paired.name
        self.dimensions = paired.dimensions
        self._paired = paired
        self._first = first

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return await self._paired.beside(np.stack([self._first[text] for text in texts]), texts)


def split_by_time(lessons: Lessons, *, newer_share: float) -> TimeSplit:
    """Split so that the newest share is measured on, less what repeats an older ticket.

    Repetitions are tickets of the same words (whatever their numbers), or of all but the same meaning.

    Raises:
        BadTurn: one side would be empty.
    """
    border = round(len(lessons) * (1 - newer_share))
    if border == 0 or border == len(lessons):
        raise BadTurn(f"{len(lessons)} tickets are too few to learn from some and measure on others")
    newer = without_repeats(lessons, border)
    if not len(newer):
        raise BadTurn("every newer ticket repeats an older one: there is nothing to measure on")
    return TimeSplit(lessons.take(range(border)), newer, len(lessons) - border - len(newer))


def without_repeats(lessons: Lessons, border: int) -> Lessons:
    """Return the lessons from `border` on that repeat none before it."""
    seen = {ticket.likeness for ticket in lessons.tickets[:border]}
    repeats = _mean_the_same(lessons, border)
    return lessons.take(
        [
            border + offset
            for offset, ticket in enumerate(lessons.tickets[border:])
            if ticket.likeness not in seen and not repeats[offset]
        ]
    )


def _mean_the_same(lessons: Lessons, border: int) -> NDArray[np.bool_]:
    """Which of the lessons from `border` on mean all but the same as one before it."""
    repeats = np.zeros(len(lessons) - border, dtype=np.bool_)
    if lessons.meanings:
        older, newer = lessons.meanings[-1][:border], lessons.meanings[-1][border:]
        for start in range(0, len(newer), _COMPARED_AT_ONCE):
            block = slice(start, start + _COMPARED_AT_ONCE)
            repeats[block] = (newer[block] @ older.T).max(axis=1) >= _SAME_MEANING
    return repeats


def _embeddable(texts: Sequence[TicketText]) -> Iterator[str]:
    for text in texts:
        yield text.first_line
        yield text.gist


async def _embed_all(
    texts: Sequence[str], embedder: Embedder, scratch: Path, stage: str, on_progress: Progress
) -> tuple[NDArray[np.float32], int]:
    """One row per text, and how many of them were found in `scratch`."""
    parts: dict[int, NDArray[np.float32]] = {}
    done = resumed = 0
    starts = iter(range(0, len(texts), _CHUNK))

    async def work() -> None:
        nonlocal done, resumed
        for start in starts:
            chunk = texts[start : start + _CHUNK]
            path = scratch / f"{_key(embedder.name, chunk)}.npy"
            rows = await asyncio.to_thread(_stored, path, len(chunk))
            if rows is None:
                rows = await embedder.embed(chunk)
                await asyncio.to_thread(_store, path, rows)
            else:
                resumed += len(chunk)
            parts[start] = rows
            done += len(chunk)
            on_progress(stage, done, len(texts))

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(_AT_ONCE):
                group.create_task(work())
    except* ConnectorError as failed:
        raise failed.exceptions[0] from failed
    return np.concatenate([parts[start] for start in sorted(parts)]), resumed


def _key(name: str, texts: Sequence[str]) -> str:
    return hashlib.sha256("\x1f".join([name, *texts]).encode(errors="replace")).hexdigest()[:32]


def _stored(path: Path, count: int) -> NDArray[np.float32] | None:
    try:
        stored: NDArray[np.float32] = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        return None
    return stored if stored.ndim == 2 and len(stored) == count else None


def _store(path: Path, rows: NDArray[np.float32]) -> None:
    partial = path.with_suffix(".tmp")
    with partial.open("wb") as file:
        np.save(file, rows, allow_pickle=False)
    partial.replace(path)
