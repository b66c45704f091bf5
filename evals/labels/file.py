"""Labels by hand, in a file beside the tickets: one line a label, only ever appended to."""

import fcntl
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from agent.errors import Misconfigured
from agent.types import Kind
from agent.untrusted import clean

MAX_LABELLER_CHARS = 60
_Name = Annotated[str, StringConstraints(min_length=1, max_length=300)]
_MAX_LINE_BYTES = 1024 * 1024


class Hand(BaseModel):
    """What a person said about a ticket. None where they said nothing; `articles` is empty for "none answers it"."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    category: _Name | None = None
    kind: Kind | None = None
    articles: tuple[_Name, ...] | None = Field(default=None, max_length=20)
    needs_person: bool | None = None
    needs_person_reason: _Name | None = None
    complexity: Literal["simple", "moderate", "complex"] | None = None
    is_bug: bool | None = None
    bug_id: _Name | None = None


_NOTHING = Hand()
HAND_FIELDS: tuple[str, ...] = tuple(Hand.model_fields)


class _Line(BaseModel):
    model_config = ConfigDict(extra="ignore")

    format: Literal[1] = 1
    ticket_id: _Name
    labeller: Annotated[str, StringConstraints(min_length=1, max_length=MAX_LABELLER_CHARS)]
    at: datetime
    label: Hand | None = None
    undo: bool = False


@dataclass(slots=True)
class _Read:
    """What has been read so far. `said` holds, by labeller and ticket, every label that wasn't undone,
    oldest first; `order` holds the tickets that a labeller labelled, in order, with repetitions.
    """

    offset: int = 0
    lines: int = 0
    damaged: list[int] = field(default_factory=list)
    said: dict[str, dict[str, list[Hand]]] = field(default_factory=dict)
    order: dict[str, list[str]] = field(default_factory=dict)


class HandLabels:
    """The labels of one file. Several processes may write to it at once; each sees the others' after `refresh`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._read = _Read()

    @classmethod
    def open(cls, path: Path) -> "HandLabels":
        """Read a file; there needn't be one yet.

        Raises:
            Misconfigured: it can't be read.
        """
        labels = cls(path)
        labels.refresh()
        return labels

    @property
    def damaged(self) -> tuple[int, ...]:
        """Numbers of the lines that say nothing: cut off by a crash, or written by something else."""
        return tuple(self._read.damaged)

    @property
    def labellers(self) -> tuple[str, ...]:
        """Who has labelled something, by name."""
        return tuple(sorted(name for name in self._read.said if self.by(name)))

    def by(self, labeller: str) -> Mapping[str, Hand]:
        """What a labeller says now, by ticket id."""
        said = self._read.said.get(labeller, {})
        return {ticket_id: labels[-1] for ticket_id, labels in said.items() if labels[-1] != _NOTHING}

    def of(self, ticket_id: str, labeller: str) -> Hand | None:
        """What a labeller says now about a ticket."""
        labels = self._read.said.get(labeller, {}).get(ticket_id)
        return labels[-1] if labels and labels[-1] != _NOTHING else None

    def about(self, ticket_id: str) -> tuple[Hand, ...]:
        """What each labeller says now about a ticket."""
        said = (self.of(ticket_id, labeller) for labeller in self._read.said)
        return tuple(hand for hand in said if hand is not None)

    def last(self, labeller: str) -> str | None:
        """The ticket that a labeller labelled last, of those that `undo` hasn't taken back."""
        order = self._read.order.get(labeller)
        return order[-1] if order else None

    def disputed(self) -> dict[str, tuple[str, ...]]:
        """The tickets about which labellers differ, with the fields."""
        tickets = {ticket_id for labeller in self._read.said for ticket_id in self.by(labeller)}
        found = {ticket_id: agree(self.about(ticket_id)) for ticket_id in sorted(tickets)}
        return {one: agreed.disputed for one, agreed in found.items() if agreed is not None and agreed.disputed}

    def say(self, ticket_id: str, labeller: str, label: Hand) -> None:
        """Append a label; it is on disk when this returns.

        Raises:
            Misconfigured: it can't be written; nothing was said then.
        """
        self._append(_Line(ticket_id=ticket_id, labeller=labeller, at=datetime.now(UTC), label=label))

    def undo(self, ticket_id: str, labeller: str) -> Hand | None:
        """Take a labeller's last label on a ticket back; what they said before it counts again, and is returned.

        Raises:
            Misconfigured: it can't be written; nothing was taken back then.
        """
        self._append(_Line(ticket_id=ticket_id, labeller=labeller, at=datetime.now(UTC), undo=True))
        return self.of(ticket_id, labeller)

    def refresh(self) -> None:
        """Read what was appended since, by whomever.

        Raises:
            Misconfigured: the file can't be read.
        """
        try:
            with self.path.open("rb") as file:
                if os.fstat(file.fileno()).st_size < self._read.offset:
                    self._read = _Read()
                file.seek(self._read.offset)
                while (raw := file.readline(_MAX_LINE_BYTES)).endswith(b"\n"):
                    self._read.offset += len(raw)
                    self._take(raw)
                # The rest has no end yet: somebody is writing it, or died doing so.
                if len(raw) == _MAX_LINE_BYTES:
                    raise Misconfigured(f"{self.path}: line {self._read.lines + 1} is too long to be a label")
        except FileNotFoundError:
            self._read = _Read()
        except OSError as exc:
            raise Misconfigured(f"{self.path}: can't be read ({exc.strerror})") from exc

    def _take(self, raw: bytes) -> None:
        self._read.lines += 1
        if not raw.strip():
            return
        try:
            line = _Line.model_validate(orjson.loads(raw))
        except (orjson.JSONDecodeError, ValidationError):
            self._read.damaged.append(self._read.lines)
            return
        tickets = self._read.said.setdefault(line.labeller, {})
        order = self._read.order.setdefault(line.labeller, [])
        if not line.undo:
            tickets.setdefault(line.ticket_id, []).append(line.label or _NOTHING)
            order.append(line.ticket_id)
            return
        labels = tickets.get(line.ticket_id, [])
        if labels:
            labels.pop()
            del order[len(order) - 1 - order[::-1].index(line.ticket_id)]
        if not labels:
            tickets.pop(line.ticket_id, None)

    def _append(self, line: _Line) -> None:
        unsaid = {"label"} if line.undo else {"undo"}
        written = orjson.dumps(line.model_dump(mode="json", exclude_none=True, exclude=unsaid)) + b"\n"
        try:
            # O_APPEND and the lock together: lines of two processes neither mix nor overwrite each other.
            handle = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o644)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX)
                size = os.fstat(handle).st_size
                # What a process that died left of its last line becomes a line of its own.
                if size and os.pread(handle, 1, size - 1) != b"\n":
                    written = b"\n" + written
                if os.write(handle, written) != len(written):
                    os.ftruncate(handle, size)
                    raise Misconfigured(f"{self.path}: can't be written (the disk is full)")
                os.fsync(handle)
            finally:
                os.close(handle)
        except OSError as exc:
            raise Misconfigured(f"{self.path}: can't be written ({exc.strerror})") from exc
        self.refresh()


@dataclass(frozen=True, slots=True)
class Agreed:
    """What people say about a ticket together: where they differ, the field is unknown and `disputed`."""

    label: Hand
    disputed: tuple[str, ...] = ()


def agree(hands: Iterable[Hand]) -> Agreed | None:
    """Put together what several people said; None when nobody said anything."""
    said = [_in_order(hand) for hand in hands]
    if not said:
        return None
    values = {name: {value for hand in said if (value := getattr(hand, name)) is not None} for name in HAND_FIELDS}
    one = {name: next(iter(found)) for name, found in values.items() if len(found) == 1}
    return Agreed(Hand(**one), tuple(name for name, found in values.items() if len(found) > 1))


def _in_order(hand: Hand) -> Hand:
    """Which article came first says nothing."""
    return hand.model_copy(update={"articles": tuple(sorted(hand.articles))}) if hand.articles else hand


def labels_path(tickets: Path) -> Path:
    """Where the labels of a file of tickets are: `NAME.labels.jsonl` beside `NAME.jsonl` (or `NAME.jsonl.gz`)."""
    name = tickets.name
    for suffix in (".gz", ".jsonl", ".ndjson", ".json", ".csv"):
        name = name.removesuffix(suffix)
    return tickets.with_name(f"{name or tickets.name}.labels.jsonl")


def labels_to_read(given: Path | None, tickets: Path) -> Path:
    """The file of labels of some tickets: the one that was given, or the one beside them, which needn't be there.

    Raises:
        Misconfigured: the one that was given isn't there.
    """
    if given is not None and not given.is_file():
        raise Misconfigured(f"{given}: there is no such file of labels; `helpgraph tickets review --labels` begins one")
    return given or labels_path(tickets)


def labeller_name(name: str) -> str:
    """A labeller's name as it is kept: one line, bounded.

    Raises:
        Misconfigured: nothing is left of it.
    """
    kept = " ".join(clean(name, limit=MAX_LABELLER_CHARS).split())
    if not kept:
        raise Misconfigured("--labeller is empty: give the name of who labels")
    return kept
