"""Tables: CSV as helpdesks and spreadsheets write it, a ticket a row.

Helpdesks name their columns as they are set up, so only usual names are recognised; the others are given.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from agent.errors import BadTurn
from evals.tickets.dates import Order, order_of, read_time
from evals.tickets.draft import Draft, Message, names, required_id
from evals.tickets.source import MAX_LINE_BYTES, CutOff, Source, Value
from evals.tickets.ticket import Gold, Resolver, Satisfaction

DELIMITERS = ",;\t"
# What a ticket may have of a row, with the usual names of such columns: lower case, letters alone, the surest first.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "id": ("ticketid", "id", "ticketnumber", "conversationid", "caseid", "casenumber"),
    "created": ("createdat", "createdtime", "createddate", "datecreated", "created", "creationdate"),
    "question": ("description", "ticketdescription", "question", "firstmessage", "initialmessage", "customermessage"),
    "subject": ("subject", "ticketsubject", "title"),
    "answer": ("agentreply", "answer", "reply", "firstreply", "agentanswer", "firstagentreply", "agentresponse"),
    "customer": ("requesteremail", "customeremail", "requesterid", "customerid", "contactid", "userid", "email"),
    "name": ("requestername", "requester", "customername", "contactname", "fullname", "customer"),
    "agent": ("assignee", "agent", "agentname", "assigneename", "teammate"),
    "account": ("organizationid", "organization", "companyid", "companyname", "company", "accountid"),
    "status": ("status", "ticketstatus"),
    "updated": ("updatedat", "lastupdatetime", "lastupdatedtime", "updated", "lastupdated"),
    "solved": ("solvedat", "resolvedat", "resolvedtime", "solved", "closedat", "closedtime"),
    "satisfaction": ("satisfactionscore", "satisfactionrating", "satisfaction", "surveyresult", "surveyresults"),
    "tags": ("tags",),
    "channel": ("channel", "via", "source"),
    "language": ("language", "locale"),
    "page": ("page",),
    "category": ("category",),
    "article": ("articleslug",),
}
_DONE = frozenset(("solved", "closed", "resolved"))
_GIVEN = re.compile(rf",(?=\s*(?:{'|'.join(FIELDS)})\s*=)")
_MAX_SHOWN = 60
_MAX_HEAD_CHARS = 1 << 20
_DATES_LOOKED_AT = 100_000


@dataclass(frozen=True, slots=True)
class Given:
    """What whoever gave the file says of it: columns by field (empty for none), and which number is the day."""

    columns: Mapping[str, str]
    order: Order | None = None

    @classmethod
    def parse(cls, columns: Iterable[str], order: Order | None) -> "Given":
        """Read `field=Column,field=Column`.

        Raises:
            BadTurn: it isn't that, or there is no such field.
        """
        found = {}
        for part in (part for each in columns for part in _GIVEN.split(each)):
            field, is_pair, column = part.partition("=")
            if not is_pair or field.strip() not in FIELDS:
                raise BadTurn(f"--columns takes FIELD=COLUMN,...; a field is one of {', '.join(FIELDS)}")
            found[field.strip()] = column.strip()
        return cls(found, order)


class Sheet:
    """The rows of a table as tickets.

    Raises:
        BadTurn: it isn't certain which columns a ticket is in, or how its dates are meant.
    """

    def __init__(self, source: Source, name: str, given: Given | None) -> None:
        given = given or Given({})
        self._source = source
        self._head = _head(source)
        self._columns = _columns(name, self._head.columns, given)
        self._order = given.order or self._guessed(name)

    def rows(self) -> Iterator[Value]:
        """Each row's cells by column. The header is row 1, as a spreadsheet counts.

        Raises:
            CutOff: the file breaks off.
        """
        yield from _rows(self._source, self._head)

    def draft(self, record: Mapping[str, Any]) -> Draft:
        """A row in our terms.

        Raises:
            ValueError: it has no id, or a time that can't be read.
        """

        def cell(field: str) -> str:
            return str(record.get(self._columns.get(field, ""), "")).strip()

        status = cell("status").lower() or None
        answered = cell("answer")
        customer = cell("name") or None
        created_at = self._time("created", cell("created"))
        if created_at is None:
            raise ValueError(f"{self._columns['created']}: missing")
        return Draft(
            ticket_id=required_id(cell("id")),
            created_at=created_at,
            updated_at=self._time("updated", cell("updated")),
            messages=tuple(_messages(cell("question") or cell("subject"), answered, created_at, cell("agent"))),
            subject=cell("subject") if cell("question") else None,
            channel=cell("channel").lower() or None,
            language=cell("language")[:2].lower() or None,
            page=cell("page") or None,
            account_id=cell("account") or None,
            customer=cell("customer") or customer,
            people=names(customer, cell("agent")),
            status=status,
            resolved_by=_resolver(status, answered),
            solved_at=self._time("solved", cell("solved")) if status in _DONE else None,
            satisfaction=_satisfaction(cell("satisfaction")),
            tags=tuple(tag for tag in re.split(r"[,; ]+", cell("tags")) if tag),
            gold=Gold(
                category=cell("category") or None,
                article=cell("article") or None,
                labelled_article=bool(cell("article")),
            ),
            threaded=bool(answered),
        )

    def _time(self, field: str, text: str) -> datetime | None:
        try:
            return read_time(text, self._order)
        except ValueError as exc:
            raise ValueError(f"{self._columns[field]}: {exc}") from exc

    def _guessed(self, name: str) -> Order | None:
        columns = [self._columns[field] for field in ("created", "updated", "solved") if field in self._columns]
        rows = islice(_rows(self._source, self._head), _DATES_LOOKED_AT)
        try:
            return order_of(row.data[column] for row in rows if row.data for column in columns)
        except CutOff:
            # Said once the tickets themselves are read.
            return None
        except ValueError as exc:
            raise BadTurn(
                f"{name}: its dates don't tell {exc}: say `--dates dmy` for 31/07/2026, `--dates mdy` for 07/31/2026"
            ) from exc


@dataclass(frozen=True, slots=True)
class _Head:
    """What parts a table's cells, and its columns, each under a name of its own."""

    delimiter: str
    columns: tuple[str, ...]


def _head(source: Source) -> _Head:
    with source.opened_text() as file:
        begun = file.read(_MAX_HEAD_CHARS)
    found = {each: next(_reader(io.StringIO(begun, newline=""), each), []) for each in DELIMITERS}
    delimiter = max(DELIMITERS, key=lambda each: len(found[each]))
    columns: dict[str, None] = {}
    for cell in found[delimiter]:
        name = " ".join(cell.split())
        again = sum(column == name or column.startswith(f"{name} (") for column in columns)
        columns[f"{name} ({again + 1})" if name in columns else name] = None
    return _Head(delimiter, tuple(columns))


def _rows(source: Source, head: _Head) -> Iterator[Value]:
    number = 1
    with source.opened_text() as file:
        reader = _reader(file, head.delimiter)
        next(reader, None)
        try:
            for number, cells in enumerate(reader, 2):
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) != len(head.columns):
                    wrong = f"{len(cells)} cells, the header has {len(head.columns)}: is a quotation mark missing?"
                    yield Value(number, wrong=wrong)
                    continue
                yield Value(number, dict(zip(head.columns, cells, strict=True)))
        except csv.Error as exc:
            raise CutOff("the table can't be read on from here", number + 1) from exc
        source.check_unzipped(number)


def _reader(lines: Iterable[str], delimiter: str) -> Iterator[list[str]]:
    # A cell is as long as a ticket may be; the limit is the process's own, and nothing else here reads tables.
    csv.field_size_limit(MAX_LINE_BYTES)
    return csv.reader(lines, delimiter=delimiter)


def _columns(name: str, header: Sequence[str], given: Given) -> dict[str, str]:
    by_name: dict[str, str] = {}
    for column in header:
        by_name.setdefault(re.sub(r"[^a-z]", "", column.lower()), column)
    known = {
        field: next(by_name[usual] for usual in usuals if usual in by_name)
        for field, usuals in FIELDS.items()
        if any(usual in by_name for usual in usuals)
    }
    shown = ", ".join(f"`{column[:_MAX_SHOWN]}`" for column in header[:_MAX_SHOWN] if column)
    for field, column in given.columns.items():
        if column and column not in header:
            raise BadTurn(f"{name} has no column {column!r}: it has {shown}")
        known[field] = column
    found = {field: column for field, column in known.items() if column}
    missing = [field for field in ("id", "created") if field not in found]
    if "question" not in found and "subject" not in found:
        missing.append("question")
    if missing:
        example = ",".join(
            f"{field}={found.get(field, 'COLUMN')}" for field in ("id", "created", "subject", "question", "answer")
        )
        raise BadTurn(
            f"{name} holds no tickets yet: it is CSV, and which column is {' and which is '.join(missing)} "
            f"isn't certain: it has {shown}. "
            f'Say it: helpgraph tickets convert {name} --columns "{example}" --out tickets.jsonl (docs/tickets.md)'
        )
    return found


def _messages(question: str, answer: str, at: datetime, agent: str) -> Iterator[Message]:
    yield Message("customer", question, at, "customer", markup=True)
    if answer:
        yield Message("agent", answer, None, agent or "agent", markup=True)


def _resolver(status: str | None, answer: str) -> Resolver | None:
    if status in _DONE:
        return "agent" if answer else None
    return "nobody" if status else None


def _satisfaction(said: str) -> Satisfaction | None:
    said = said.lower()
    return "good" if said.startswith("good") else "bad" if said.startswith("bad") else None
