"""What a record of a helpdesk says, before it is cleaned, scrubbed and bounded."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from evals.tickets.ticket import Gold, Resolver, Satisfaction

Author = Literal["customer", "agent", "bot"]

# Milliseconds from here on: as seconds this would be the year 5138.
_MILLISECONDS = 10**11


@dataclass(frozen=True, slots=True)
class Message:
    """A message as it stands in the record. `person` tells authors apart; `markup` says that the text may be HTML."""

    author: Author
    text: str
    at: datetime | None = None
    person: str | None = None
    markup: bool = False
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Draft:
    """A record in our terms. Nothing of it is scrubbed yet, so it goes nowhere but into `intake`.

    `people` are the names that must not stay in any text; `threaded` is false where the record came without the
    messages that followed the first one.
    """

    ticket_id: str
    created_at: datetime
    messages: tuple[Message, ...]
    updated_at: datetime | None = None
    subject: str | None = None
    channel: str | None = None
    language: str | None = None
    page: str | None = None
    account_id: str | None = None
    customer: str | None = None
    people: tuple[str, ...] = ()
    status: str | None = None
    resolved_by: Resolver | None = None
    solved_at: datetime | None = None
    reopened: bool | None = None
    transfers: int | None = None
    satisfaction: Satisfaction | None = None
    bug_id: str | None = None
    tags: tuple[str, ...] = ()
    gold: Gold = field(default_factory=Gold)
    threaded: bool = True


def instant(value: object) -> datetime | None:
    """The time that a record gives as ISO 8601 or as seconds or milliseconds since 1970; None where it gives none.

    Raises:
        ValueError: it gives something else.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, bool):
            raise ValueError
        if isinstance(value, int | float):
            return datetime.fromtimestamp(value / 1000 if abs(value) >= _MILLISECONDS else value, UTC)
        if isinstance(value, str):
            return utc(datetime.fromisoformat(value))
    except (ValueError, OverflowError, OSError):
        pass
    raise ValueError("a time that can't be read")


def moment(value: object) -> datetime | None:
    """As `instant`, for a time that orders nothing: left out when it can't be read."""
    try:
        return instant(value)
    except ValueError:
        return None


def created(value: object) -> datetime:
    """The time a record was created at.

    Raises:
        ValueError: it has none that can be read.
    """
    try:
        found = instant(value)
    except ValueError as exc:
        raise ValueError("created_at: a time that can't be read") from exc
    if found is None:
        raise ValueError("created_at: missing")
    return found


def utc(at: datetime) -> datetime:
    """The same moment in UTC; without a zone it is taken for UTC."""
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)


def text_of(value: object) -> str | None:
    """A record's id or name as text: helpdesks write ids as numbers and as strings. None for anything else."""
    if isinstance(value, str):
        return value.strip() or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def string(value: object) -> str:
    """A text of the record; empty where it holds none."""
    return value if isinstance(value, str) else ""


def table(value: object) -> Mapping[str, Any]:
    """An object of the record; empty where it holds none."""
    return value if isinstance(value, dict) else {}


def tables(value: object) -> Iterator[Mapping[str, Any]]:
    """The objects in a list of the record."""
    return (each for each in value if isinstance(each, dict)) if isinstance(value, list) else iter(())


def strings(value: object) -> tuple[str, ...]:
    """The texts in a list of the record."""
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def count(value: object) -> int | None:
    """A number of times; None where the record has none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def required_id(value: object) -> str:
    """The record's id.

    Raises:
        ValueError: it has none, or one that is no id.
    """
    found = text_of(value)
    if not found or len(found) > 300:
        raise ValueError("id: missing, or not an id")
    return found


def names(*values: object) -> tuple[str, ...]:
    """What of these names somebody."""
    return tuple(dict.fromkeys(value for value in values if isinstance(value, str) and value.strip()))
