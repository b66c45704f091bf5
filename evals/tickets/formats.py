"""Which helpdesk a file comes from, and its records whatever they are wrapped in."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import StrEnum
from typing import Any

from agent.errors import BadTurn
from evals.tickets import freshdesk, intercom, own, zendesk
from evals.tickets.draft import Draft, table, tables
from evals.tickets.source import is_page

_MAX_SHOWN_KEYS = 8
# Where a page of a helpdesk's API keeps its records.
_LISTS = ("tickets", "conversations", "results")


class Format(StrEnum):
    """The formats that are read."""

    OWN = "own"
    ZENDESK = "zendesk"
    INTERCOM = "intercom"
    FRESHDESK = "freshdesk"
    CSV = "csv"


DRAFTS: Mapping[Format, Callable[[Mapping[str, Any]], Draft]] = {
    Format.OWN: own.draft,
    Format.ZENDESK: zendesk.draft,
    Format.INTERCOM: intercom.draft,
    Format.FRESHDESK: freshdesk.draft,
}
_EXPECTED = {
    Format.OWN: "`ticket_id`, `created_at` and `messages`",
    Format.ZENDESK: "`id`, `requester_id`, a word as `status`, and `comments`",
    Format.INTERCOM: "`type: conversation`, `source` and `conversation_parts`",
    Format.FRESHDESK: "`id`, `requester_id`, a number as `status`, and `conversations`",
    Format.CSV: "a header, and a column each for id, time and question",
}


def recognise(record: Mapping[str, Any]) -> Format | None:
    """The format of a record by its fields; None for one that is nobody's."""
    if "ticket_id" in record and "messages" in record:
        return Format.OWN
    for found, is_mine in (
        (Format.INTERCOM, intercom.is_mine),
        (Format.FRESHDESK, freshdesk.is_mine),
        (Format.ZENDESK, zendesk.is_mine),
    ):
        if is_mine(record):
            return found
    return None


def unwrapped(data: Any) -> Iterator[Any]:
    """The records in a value: itself, those of a page or a list, or the one wrapped with what stands beside it."""
    if isinstance(data, list) and any(isinstance(each, dict) for each in data):
        yield from data
    elif is_page(data):
        beside = _beside(data)
        for key in _LISTS:
            for record in data[key] if isinstance(data.get(key), list) else ():
                yield zendesk.joined(record, beside) if isinstance(record, dict) and zendesk.is_mine(record) else record
    elif isinstance(data, dict) and isinstance(data.get("ticket"), dict) and "id" not in data:
        ticket = data["ticket"]
        if zendesk.is_mine(ticket):
            thread = data.get("comments")
            sides = {**data, "comments": [{"ticket_id": ticket.get("id"), "comments": thread}] if thread else []}
            ticket = zendesk.joined(ticket, _beside(sides))
        yield ticket
    else:
        yield data


def seen(records: Iterable[Any]) -> str:
    """What there was instead of a known format, for whoever gave the file. Names of fields alone, never a value."""
    for record in records:
        if isinstance(record, dict):
            if (format_ := recognise(record)) is not None:
                return f"a record of {format_.value}"
            keys = [key for key in record if key.isascii() and len(key) <= 40][:_MAX_SHOWN_KEYS]
            return "a record with the fields " + ", ".join(f"`{key}`" for key in keys) if keys else "an empty record"
        return f"a {type(record).__name__} where a record should be"
    return "no record"


def expected(format_: Format | None = None) -> str:
    """What a record of the format has, or what those of all formats have."""
    if format_ is not None:
        return f"{format_.value} has {_EXPECTED[format_]}"
    return "; ".join(f"{each.value} has {fields}" for each, fields in _EXPECTED.items())


def format_named(name: str | None) -> Format | None:
    """The format of this name; None for None.

    Raises:
        BadTurn: there is no such format.
    """
    try:
        return Format(name) if name is not None else None
    except ValueError as exc:
        raise BadTurn(f"there is no format {name!r}: {', '.join(Format)}") from exc


def _beside(page: Mapping[str, Any]) -> zendesk.Lookup:
    """Look up what a page has beside its tickets."""
    found: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for side in zendesk.SIDES:
        for record in tables(page.get(side)):
            if (key := zendesk.side_key(side, record)) is not None:
                found.setdefault((side, key), []).append(record)
    for key, thread in table(page.get("comments")).items():
        found.setdefault(("comments", key), []).append({"comments": thread_of(thread)})
    return lambda side, key: found.get((side, key), ())


def thread_of(value: Any) -> Any:
    """A ticket's comments, as a list or as the answer of the endpoint that lists them."""
    return value.get("comments") if isinstance(value, dict) else value
