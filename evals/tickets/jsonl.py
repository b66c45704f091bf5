"""A file of tickets as a whole, in memory: for learning, which holds them anyway. docs/tickets.md has the formats."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from evals.tickets.formats import Format
from evals.tickets.intake import Taken
from evals.tickets.reading import Reading
from evals.tickets.ticket import Ticket


@dataclass(frozen=True, slots=True)
class TicketFile:
    """What a file held: tickets, oldest first, and the lines that were refused, with reasons."""

    tickets: tuple[Ticket, ...]
    refused: tuple[tuple[int, str], ...]


def read_tickets(path: Path, *, format_: Format | None = None) -> TicketFile:
    """Read a file of any format that is known; it is recognised unless one is given.

    Texts are cut at 20,000 characters; of tickets with the same id the newest version wins.

    Raises:
        Misconfigured: the file can't be read.
        BadTurn: no line of it is a ticket.
    """
    reading = Reading(path, format_=format_)
    by_id: dict[str, Taken] = {}
    for taken in reading:
        known = by_id.get(taken.ticket.ticket_id)
        if known is None or is_newer(taken.updated_at, known.updated_at):
            by_id[taken.ticket.ticket_id] = taken
    tickets = sorted((each.ticket for each in by_id.values()), key=lambda each: (each.created_at, each.ticket_id))
    refused = list(reading.refused.first)
    if reading.cut_off:
        refused.append(reading.cut_off)
    return TicketFile(tuple(tickets), tuple(refused))


def is_newer(updated_at: datetime | None, known: datetime | None) -> bool:
    """Whether a version replaces the one before it in the file. Where one has no time, the later in the file wins."""
    return updated_at is None or known is None or updated_at >= known
