"""Tickets out of an export of any size and format, one at a time, and an account of what could not be used."""

import sqlite3
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, suppress
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import Any

import orjson

from agent.errors import BadTurn
from evals.tickets import zendesk
from evals.tickets.formats import DRAFTS, Format, expected, recognise, seen, thread_of, unwrapped
from evals.tickets.intake import Intake, Taken
from evals.tickets.sheet import Given, Sheet
from evals.tickets.source import CutOff, OnBytes, Source, Value

_LOOKED_AT = 50
_MAX_REFUSED_KEPT = 1000
_MAX_REASONS = 50
_OTHER = "other reasons"
REPAIRED = "bytes that are no UTF-8: read as Windows-1252"


class Refused:
    """The lines that were refused: how many for which reason, and the first thousand by number."""

    def __init__(self) -> None:
        self.first: list[tuple[int, str]] = []
        self.reasons: Counter[str] = Counter()

    def __len__(self) -> int:
        return self.reasons.total()

    def add(self, number: int, reason: str) -> None:
        """Count a line."""
        known = reason in self.reasons or len(self.reasons) < _MAX_REASONS
        self.reasons[reason if known else _OTHER] += 1
        if len(self.first) < _MAX_REFUSED_KEPT:
            self.first.append((number, reason))


class Reading:
    """One pass over an export. Iterate it once; what it says of the file is complete afterwards.

    `remarks` counts what was done to tickets or lines so that they could be used; `cut_off` says in which line or
    record the file broke off and how, None where it didn't.

    Raises:
        Misconfigured: the file can't be read.
        BadTurn: it holds no tickets; the message says what was seen and what was expected.
    """

    def __init__(
        self,
        path: Path,
        *,
        format_: Format | None = None,
        given: Given | None = None,
        customers: Callable[[str], str] | None = None,
        now: datetime | None = None,
        on_bytes: OnBytes | None = None,
    ) -> None:
        self._path = path
        self._source = Source(path, on_bytes=on_bytes)
        self._intake = Intake(now=now or datetime.now(UTC), customers=customers or Numbered())
        self._wanted = format_
        self._sheet = self._as_sheet(given)
        self.format = Format.CSV if self._sheet else format_ or self._recognised()
        self.refused = Refused()
        self.remarks: Counter[str] = Counter()
        self.cut_off: tuple[int, str] | None = None
        self.taken = 0

    @property
    def size_bytes(self) -> int:
        """Of the file."""
        return self._source.size_bytes

    @property
    def sha256(self) -> str:
        """Of the file, once it was read."""
        return self._source.sha256

    def __iter__(self) -> Iterator[Taken]:
        draft = self._sheet.draft if self._sheet else DRAFTS[self.format]
        try:
            for value in self._sheet.rows() if self._sheet else _records(self._source):
                if value.repaired:
                    self.remarks[REPAIRED] += 1
                taken = self._take(value, draft)
                if taken is not None:
                    self.taken += 1
                    self.remarks.update(taken.remarks)
                    yield taken
        except CutOff as exc:
            self.cut_off = (exc.number, str(exc))
        if not self.taken:
            raise BadTurn(self._empty())

    def _take(self, value: Value, draft: Callable[[Mapping[str, Any]], Any]) -> Taken | None:
        if value.wrong is not None:
            self.refused.add(value.number, value.wrong)
            return None
        if not isinstance(value.data, dict):
            self.refused.add(value.number, "not an object")
            return None
        try:
            return self._intake.take(draft(value.data))
        except ValueError as exc:
            other = recognise(value.data) if self._sheet is None else None
            foreign = other not in (None, self.format)
            self.refused.add(value.number, f"a record of {other}, not of {self.format}" if foreign else str(exc))
            return None

    def _as_sheet(self, given: Given | None) -> Sheet | None:
        is_table = self._source.layout == "table"
        if is_table != (self._wanted is Format.CSV) and self._wanted is not None:
            raise BadTurn(
                f"{self._path} is {'CSV' if is_table else 'no CSV'}; {self._wanted.value} was asked for: "
                f"{expected(self._wanted)}. docs/tickets.md describes the formats"
            )
        if given is not None and given.columns and not is_table:
            raise BadTurn(f"{self._path} is no CSV: it has no columns to name")
        return Sheet(self._source, str(self._path), given) if is_table else None

    def _recognised(self) -> Format:
        first = self._first()
        votes = Counter(found for data in first if isinstance(data, dict) and (found := recognise(data)) is not None)
        if votes:
            return votes.most_common(1)[0][0]
        raise BadTurn(
            f"{self._path} holds no ticket of a known format: there is {seen(first)}, and {expected()}. "
            "docs/tickets.md describes them"
        )

    def _first(self) -> list[Any]:
        """The first values that are JSON; cheap for a file of any size."""
        first: list[Any] = []
        with suppress(CutOff):
            for value in islice(_records(self._source, aside=False), _LOOKED_AT):
                if not value.wrong:
                    first.append(value.data)
        return first

    def _empty(self) -> str:
        why = f"; {self.cut_off[0]}: {self.cut_off[1]}" if self.cut_off else ""
        if self.refused.first:
            number, reason = self.refused.first[0]
            why = f"; {'row' if self._sheet else 'line'} {number}: {reason}{why}"
        said = "was asked for" if self._wanted is not None else "was recognised"
        if self._sheet:
            return f"{self._path} holds no ticket that can be used{why}. docs/tickets.md describes the formats"
        return (
            f"{self._path} holds no ticket that can be used{why}. {self.format.value} {said}: "
            f"{expected(self.format)}; there is {seen(self._first())}. docs/tickets.md describes the formats"
        )


class Numbered:
    """Keys that count customers as they come. Holds them all: for files that are held anyway."""

    def __init__(self) -> None:
        self._keys: dict[str, str] = {}

    def __call__(self, customer: str) -> str:
        return self._keys.setdefault(customer, f"c{len(self._keys) + 1}")


def _records(source: Source, *, aside: bool = True) -> Iterator[Value]:
    """Every record of the file. Without `aside`, a document's records come without what stands beside them."""
    if source.layout == "lines":
        for line in source.lines():
            if line.wrong is not None:
                yield line
                continue
            for record in unwrapped(line.data):
                yield Value(line.number, record, repaired=line.repaired)
        return
    if source.layout == "array":
        for value in source.records("item"):
            for record in unwrapped(value.data):
                yield Value(value.number, record)
        return
    yield from _page(source, aside=aside)


def _page(source: Source, *, aside: bool) -> Iterator[Value]:
    """The records of one document with its lists beside each other: a pass for each list, so that none is held."""
    with closing(_Beside()) as beside:
        if aside:
            beside.fill(source)
        found = False
        for prefix in ("tickets.item", "conversations.item", "results.item", ""):
            for value in source.records(prefix):
                found = True
                data = value.data
                if isinstance(data, dict) and zendesk.is_mine(data):
                    data = zendesk.joined(data, beside.lookup)
                yield Value(value.number, data)
            if found:
                return


class _Beside:
    """What stands beside a document's tickets, on disk while it is read."""

    def __init__(self) -> None:
        # An empty name is a file of SQLite's own that is gone when it is closed.
        self._db = sqlite3.connect("", isolation_level=None)
        self._db.execute("CREATE TABLE beside (side TEXT, key TEXT, record BLOB)")

    def fill(self, source: Source) -> None:
        for side in zendesk.SIDES:
            try:
                rows = (
                    (side, key, orjson.dumps(value.data))
                    for value in source.records(f"{side}.item")
                    if isinstance(value.data, dict) and (key := zendesk.side_key(side, value.data)) is not None
                )
                self._db.executemany("INSERT INTO beside VALUES (?, ?, ?)", rows)
                if side == "comments":
                    pairs = (
                        (side, value.data[0], orjson.dumps({"comments": thread_of(value.data[1])}))
                        for value in source.pairs(side)
                    )
                    self._db.executemany("INSERT INTO beside VALUES (?, ?, ?)", pairs)
            except CutOff:
                # Said once the tickets themselves are read.
                continue
        self._db.execute("CREATE INDEX beside_key ON beside (key, side)")

    def lookup(self, side: str, key: str) -> Iterator[Mapping[str, Any]]:
        rows = self._db.execute("SELECT record FROM beside WHERE key = ? AND side = ? ORDER BY rowid", (key, side))
        return (orjson.loads(row[0]) for row in rows.fetchall())

    def close(self) -> None:
        self._db.close()
