"""Tickets of an export of any size in the order of time, on disk.

SQLite, because it is in Python, sorts a million rows without holding them, finds any place at once, and replaces what
was written whole or not at all. The tickets in it are scrubbed, so the index tells nobody's name; it is read without
the export, which may be compressed, a single document, or gone.
"""

import hashlib
import os
import sqlite3
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import orjson

from agent.errors import Misconfigured
from agent.types import Kind
from evals.tickets.draft import utc
from evals.tickets.formats import Format
from evals.tickets.jsonl import is_newer
from evals.tickets.reading import Reading
from evals.tickets.sheet import Given
from evals.tickets.ticket import Entry, Gold, Ticket

OnProgress = Callable[[str, int, int], None]

STAGE = "reading tickets (MB)"
# Goes up when what is read, scrubbed or stored changes: an older index is then made anew.
_VERSION = 2
_BATCH = 256
_REPORT_BYTES = 4 << 20
_SCHEMA = """
CREATE TABLE about (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;
CREATE TABLE heads (row INTEGER PRIMARY KEY, ticket_id TEXT UNIQUE, created_at TEXT, updated_at TEXT);
CREATE TABLE bodies (row INTEGER PRIMARY KEY, body BLOB);
CREATE TABLE places (place INTEGER PRIMARY KEY, row INTEGER);
CREATE TEMP TABLE customers (customer BLOB PRIMARY KEY, number INTEGER) WITHOUT ROWID;
"""
_NEW_HEAD = "INSERT OR IGNORE INTO heads (ticket_id, created_at, updated_at) VALUES (?, ?, ?)"
_PLACES = """
INSERT INTO places (place, row) SELECT row_number() OVER (ORDER BY created_at, ticket_id) - 1, row FROM heads
"""


@dataclass(frozen=True, slots=True)
class Refusals:
    """Lines that are in no ticket: the first by number with the reason, and how many for each reason."""

    first: tuple[tuple[int, str], ...]
    reasons: Mapping[str, int]

    def __len__(self) -> int:
        return sum(self.reasons.values())


class TicketIndex:
    """The tickets of one export, ordered by `(created_at, ticket_id)`. Places count from 0.

    `remarks` counts what was done to tickets or lines so that they could be used, `duplicates` the versions that a
    newer one of the same ticket replaced; `cut_off` says in which line or record the export breaks off. `sha256` is
    the export's.
    """

    def __init__(self, index_path: Path) -> None:
        """Open an index that was built.

        Raises:
            Misconfigured: there is none, or not one of this version.
        """
        self.path = index_path
        # Read by one thread at a time; which one doesn't matter.
        self._lock = threading.Lock()
        try:
            self._db = sqlite3.connect(f"{index_path.absolute().as_uri()}?mode=ro", uri=True, check_same_thread=False)
            about = dict(self._db.execute("SELECT name, value FROM about").fetchall())
            told = orjson.loads(about["about"])
        except (sqlite3.Error, KeyError, orjson.JSONDecodeError) as exc:
            raise Misconfigured(f"{index_path} is no index of tickets that can be read") from exc
        if told["version"] != _VERSION:
            self._db.close()
            raise Misconfigured(f"{index_path} is an index of another version: build it again")
        self.sha256: str = told["sha256"]
        self.format = Format(told["format"])
        self.refused = Refusals(tuple((number, reason) for number, reason in told["refused"]), told["reasons"])
        self.remarks: Mapping[str, int] = told["remarks"]
        self.duplicates: int = told["duplicates"]
        self.cut_off: tuple[int, str] | None = tuple(told["cut_off"]) if told["cut_off"] else None
        self._told = told
        self._count: int = told["tickets"]

    @classmethod
    def build(
        cls,
        path: Path,
        index_path: Path,
        *,
        format_: Format | None = None,
        given: Given | None = None,
        now: datetime | None = None,
        on_progress: OnProgress | None = None,
    ) -> Self:
        """Index the export at `path`, or open the index of it that is there already.

        An index is used again when the export has the same size and time, or else the same bytes. One that is being
        built takes its name when it is whole: an interruption, also by an exception out of `on_progress`, leaves
        what was there before.

        Raises:
            Misconfigured: a file can't be read or written, or the disk is full.
            BadTurn: the export holds no tickets.
        """
        try:
            stat = path.stat()
        except OSError as exc:
            raise Misconfigured(f"{path}: can't be read ({exc.strerror})") from exc
        if (found := cls._of_before(path, index_path, stat, format_)) is not None:
            return found
        making = index_path.with_name(f"{index_path.name}.{os.getpid()}.tmp")
        try:
            index_path.parent.mkdir(parents=True, exist_ok=True)
            with suppress(FileNotFoundError):
                making.unlink()
            with closing(sqlite3.connect(making, isolation_level=None)) as db:
                _fill(db, path, stat, format_, given, now, on_progress or _quiet)
            making.replace(index_path)
        except (OSError, sqlite3.Error) as exc:
            raise Misconfigured(f"{index_path}: can't be written ({exc})") from exc
        finally:
            with suppress(OSError):
                making.unlink()
        return cls(index_path)

    @classmethod
    def _of_before(cls, path: Path, index_path: Path, stat: os.stat_result, format_: Format | None) -> Self | None:
        if not index_path.exists():
            return None
        try:
            found = cls(index_path)
        except Misconfigured:
            return None
        told = found._told
        if told["size"] == stat.st_size and (format_ is None or format_ == found.format):
            if told["mtime_ns"] == stat.st_mtime_ns:
                return found
            with path.open("rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() == found.sha256:
                    return found
        found.close()
        return None

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Ticket]:
        return self.tickets()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, exc: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def get(self, place: int) -> Ticket:
        """The ticket at a place.

        Raises:
            IndexError: there are fewer.
        """
        found = self._batch(place, 1)
        if place < 0 or not found:
            raise IndexError(f"there are {self._count} tickets, none at {place}")
        return found[0]

    def tickets(self, start: int = 0) -> Iterator[Ticket]:
        """The tickets from a place on."""
        while batch := self._batch(start, _BATCH):
            yield from batch
            start += len(batch)

    def place_of(self, ticket_id: str) -> int | None:
        """Where a ticket stands; None when there is none of this id."""
        query = "SELECT place FROM heads JOIN places USING (row) WHERE ticket_id = ?"
        with self._lock:
            row = self._db.execute(query, (ticket_id,)).fetchone()
        return row[0] if row else None

    def between(self, since: datetime | None, until: datetime | None) -> range:
        """The places of the tickets created at `since` or later and before `until`, as far as these are given."""
        start, end = (self._before(at) if at is not None else at for at in (since, until))
        return range(start or 0, self._count if end is None else end)

    def _before(self, at: datetime) -> int:
        with self._lock:
            row = self._db.execute("SELECT count(*) FROM heads WHERE created_at < ?", (_sortable(utc(at)),)).fetchone()
        return int(row[0])

    def _batch(self, start: int, most: int) -> list[Ticket]:
        query = "SELECT body FROM places JOIN bodies USING (row) WHERE place >= ? AND place < ? ORDER BY place"
        with self._lock:
            rows = self._db.execute(query, (start, start + most)).fetchall()
        return [_unpacked(row[0]) for row in rows]


def _fill(
    db: sqlite3.Connection,
    path: Path,
    stat: os.stat_result,
    format_: Format | None,
    given: Given | None,
    now: datetime | None,
    on_progress: OnProgress,
) -> None:
    # Nothing is lost with a half-made index, so it needs no journal and no waiting for the disk.
    db.executescript("PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF; PRAGMA cache_size = -65536;" + _SCHEMA)
    reading = Reading(
        path,
        format_=format_,
        given=given,
        customers=_Customers(db),
        now=now,
        on_bytes=_reporter(on_progress, stat.st_size),
    )
    duplicates = 0
    db.execute("BEGIN")
    for taken in reading:
        ticket = taken.ticket
        head = (ticket.ticket_id, _sortable(ticket.created_at), _sortable(taken.updated_at))
        stored = db.execute(_NEW_HEAD, head)
        if not stored.rowcount:
            duplicates += 1
            row = db.execute("SELECT row, updated_at FROM heads WHERE ticket_id = ?", head[:1]).fetchone()
            if not is_newer(taken.updated_at, datetime.fromisoformat(row[1]) if row[1] else None):
                continue
            db.execute("DELETE FROM heads WHERE row = ?", row[:1])
            db.execute("DELETE FROM bodies WHERE row = ?", row[:1])
            stored = db.execute(_NEW_HEAD, head)
        db.execute("INSERT INTO bodies VALUES (?, ?)", (stored.lastrowid, _packed(ticket)))
    db.execute(_PLACES)
    told = {
        "version": _VERSION,
        "size": stat.st_size,
        "mtime_ns": stat.st_mtime_ns,
        "sha256": reading.sha256,
        "format": reading.format,
        "refused": reading.refused.first,
        "reasons": reading.refused.reasons,
        "remarks": reading.remarks,
        "duplicates": duplicates,
        "cut_off": reading.cut_off,
        "tickets": reading.taken - duplicates,
    }
    db.execute("INSERT INTO about VALUES ('about', ?)", (orjson.dumps(told),))
    db.execute("COMMIT")
    on_progress(STAGE, _mb(stat.st_size), _mb(stat.st_size))


class _Customers:
    """Keys that count customers as they come, on disk while the index is made, and in it no longer."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._count = 0

    def __call__(self, customer: str) -> str:
        key = hashlib.sha256(customer.encode(errors="replace")).digest()[:16]
        row = self._db.execute("SELECT number FROM customers WHERE customer = ?", (key,)).fetchone()
        if row is None:
            self._count += 1
            self._db.execute("INSERT INTO customers VALUES (?, ?)", (key, self._count))
            return f"c{self._count}"
        return f"c{row[0]}"


def _reporter(on_progress: OnProgress, size_bytes: int) -> Callable[[int], None]:
    told = -_REPORT_BYTES

    def report(done_bytes: int) -> None:
        nonlocal told
        # A file is looked into before it is read, and a document is read once for each of its lists.
        if abs(done_bytes - told) >= _REPORT_BYTES:
            told = done_bytes
            on_progress(STAGE, _mb(done_bytes), _mb(size_bytes))

    return report


def _mb(size_bytes: int) -> int:
    return -(-size_bytes // 1_000_000)


def _quiet(stage: str, done: int, total: int) -> None:
    """No progress."""


def _sortable(at: datetime | None) -> str | None:
    return at.isoformat(timespec="microseconds") if at else None


def _packed(ticket: Ticket) -> bytes:
    # A ticket is small: clearing tables of the usual size takes zlib twice as long as everything else it does.
    packer = zlib.compressobj(1, memLevel=5)
    return packer.compress(orjson.dumps(ticket)) + packer.flush()


def _unpacked(body: bytes) -> Ticket:
    fields: dict[str, Any] = orjson.loads(zlib.decompress(body))
    gold = fields.pop("gold")
    kind = gold.pop("kind")
    return Ticket(
        **fields
        | {
            "created_at": utc(datetime.fromisoformat(fields["created_at"])),
            "solved_at": _at(fields["solved_at"]),
            "entries": tuple(
                Entry(each["author"], each["text"], _at(each["at"]), each["author_key"], tuple(each["links"]))
                for each in fields["entries"]
            ),
            "tags": tuple(fields["tags"]),
            "gold": Gold(kind=Kind(kind) if kind else None, **gold),
        }
    )


def _at(value: str | None) -> datetime | None:
    return utc(datetime.fromisoformat(value)) if value else None
