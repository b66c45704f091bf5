"""What happened then: how people fared with the very tickets that were replayed."""

import math
from array import array
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

import numpy as np
from scipy.special import bdtrik

from agent.wire import JsonObject
from evals.labels.label import Label
from evals.scoring.categories import UNLABELLED
from evals.statistics.clustered import clustered_mean, clustered_rate
from evals.statistics.measured import Measured
from evals.tickets.ticket import Ticket

Fact = Callable[[Ticket, Label], bool | None]
Length = Callable[[Ticket], timedelta | None]


@dataclass(frozen=True, slots=True)
class Span:
    """Hours: the median with its 95 % interval from `low` to `high`, and what nine in ten stay below, of `n`."""

    median: float
    low: float
    high: float
    p90: float
    n: int

    def to_json(self) -> JsonObject:
        """As JSON, rounded to hundredths."""
        hours = {name: round(getattr(self, name), 2) for name in ("median", "low", "high", "p90")}
        return {**hours, "n": self.n}


@dataclass(frozen=True, slots=True)
class Then:
    """How `tickets` tickets went. What the tickets don't tell of any of them is missing from `rates` and `hours`.

    `rates` are by the names in `FACTS`, each over the tickets that tell it; `hours` by the names in `LENGTHS`.
    `replies` is how many replies of people a ticket took.
    """

    tickets: int
    rates: dict[str, Measured]
    hours: dict[str, Span]
    replies: Measured | None

    def to_json(self) -> JsonObject:
        """As JSON."""
        return {
            "tickets": self.tickets,
            "rates": {name: rate.to_json() for name, rate in self.rates.items()},
            "hours": {name: span.to_json() for name, span in self.hours.items()},
            "replies": self.replies.to_json() if self.replies else None,
        }


@dataclass(frozen=True, slots=True)
class Baseline:
    """All tickets together, and by the label's category, the largest first."""

    all: Then
    categories: dict[str, Then]

    def to_json(self) -> JsonObject:
        """As JSON."""
        return {
            "all": self.all.to_json(),
            "categories": {name: then.to_json() for name, then in self.categories.items()},
        }


def _until_solved(ticket: Ticket) -> timedelta | None:
    return ticket.solved_at - ticket.created_at if ticket.solved_at is not None else None


def _replied(ticket: Ticket) -> list[timedelta]:
    return [entry.at - ticket.created_at for entry in ticket.entries if entry.author == "agent" and entry.at]


FACTS: dict[str, Fact] = {
    "resolved_by_person": lambda ticket, _: None if ticket.resolved_by is None else ticket.resolved_by == "agent",
    "resolved_by_customer": lambda ticket, _: None if ticket.resolved_by is None else ticket.resolved_by == "customer",
    "resolved_by_nobody": lambda ticket, _: None if ticket.resolved_by is None else ticket.resolved_by == "nobody",
    "reopened": lambda ticket, _: ticket.reopened,
    "came_back": lambda _, label: label.returned,
    "transferred": lambda ticket, _: None if ticket.transfers is None else ticket.transfers > 0,
    "first_contact": lambda _, label: label.first_contact,
    "rated": lambda ticket, _: ticket.satisfaction is not None,
    "satisfied": lambda ticket, _: None if ticket.satisfaction is None else ticket.satisfaction == "good",
}
LENGTHS: dict[str, Length] = {
    "first_reply": lambda ticket: min(_replied(ticket), default=None),
    "last_reply": lambda ticket: max(_replied(ticket), default=None),
    "solved": _until_solved,
}
_TOLD_NOTHING = -1
_HOUR_S = 3600.0


@dataclass
class _Group:
    """Of one category, a few numbers a ticket."""

    customers: "array[int]" = field(default_factory=lambda: array("q"))
    facts: "dict[str, array[int]]" = field(default_factory=lambda: {name: array("b") for name in FACTS})
    hours: "dict[str, array[float]]" = field(default_factory=lambda: {name: array("d") for name in LENGTHS})
    replies: "array[int]" = field(default_factory=lambda: array("q"))

    def add(self, ticket: Ticket, label: Label, customer: int) -> None:
        self.customers.append(customer)
        self.replies.append(len(ticket.replies))
        for name, fact in FACTS.items():
            told = fact(ticket, label)
            self.facts[name].append(_TOLD_NOTHING if told is None else int(told))
        for name, length in LENGTHS.items():
            # A source whose clocks contradict each other tells nothing.
            took = length(ticket)
            if took is not None and took >= timedelta(0):
                self.hours[name].append(took.total_seconds() / _HOUR_S)

    def then(self) -> Then:
        customers, rates = np.asarray(self.customers, dtype=np.int64), {}
        for name, told in self.facts.items():
            values = np.asarray(told, dtype=np.float64)
            known = values != _TOLD_NOTHING
            # Where no ticket was rated, nobody asked.
            if known.any() and not (name == "rated" and not values.any()):
                rates[name] = clustered_rate(values[known], customers[known])
        replies = np.asarray(self.replies, dtype=np.float64)
        return Then(
            tickets=len(self.customers),
            rates=rates,
            hours={name: _span(found) for name, found in self.hours.items() if len(found)},
            replies=clustered_mean(replies, customers) if len(replies) else None,
        )


class BaselineBook:
    """Takes in tickets with their labels one by one, keeping a few numbers of each."""

    def __init__(self) -> None:
        self._all = _Group()
        self._categories: dict[str, _Group] = {}
        self._customers: dict[str, int] = {}

    def add(self, ticket: Ticket, label: Label) -> None:
        """Take in a ticket."""
        key = f"c:{ticket.customer_key}" if ticket.customer_key else f"t:{ticket.ticket_id}"
        customer = self._customers.setdefault(key, len(self._customers))
        self._all.add(ticket, label, customer)
        self._categories.setdefault(label.category or UNLABELLED, _Group()).add(ticket, label, customer)

    def baseline(self) -> Baseline:
        """What the tickets taken in so far come to."""
        found = {name: group.then() for name, group in self._categories.items()}
        ordered = sorted(found.items(), key=lambda item: (-item[1].tickets, item[0]))
        return Baseline(self._all.then(), dict(ordered))


def measure_baseline(labelled: Iterable[tuple[Ticket, Label]], replayed: Iterable[str] | None = None) -> Baseline:
    """Measure how the tickets went then; nothing is held but a few numbers of each.

    Args:
        labelled: the tickets with their labels.
        replayed: ids of those that count, in the same order, repeated or not; all count when it isn't given.
    """
    book = BaselineBook()
    for ticket, label in labelled if replayed is None else _only(labelled, replayed):
        book.add(ticket, label)
    return book.baseline()


def _only(labelled: Iterable[tuple[Ticket, Label]], replayed: Iterable[str]) -> Iterator[tuple[Ticket, Label]]:
    tickets, last = iter(labelled), None
    for ticket_id in replayed:
        if ticket_id != last:
            found = next((pair for pair in tickets if pair[0].ticket_id == ticket_id), None)
            if found is not None:
                yield found
        last = ticket_id


def _span(hours: "array[float]") -> Span:
    """The interval of the median lies between two order statistics.

    Source: Conover, "Practical Nonparametric Statistics", 3rd edition, 1999, section 3.2.
    """
    values = np.sort(np.asarray(hours, dtype=np.float64))
    n = len(values)
    # The quantiles of a binomial with a half; `scipy.stats` has them too, and takes a second to import.
    low, high = (max(0, math.ceil(bdtrik(share, n, 0.5))) for share in (0.025, 0.975))
    return Span(
        median=float(np.median(values)),
        low=float(values[max(0, low - 1)]),
        high=float(values[min(n - 1, high)]),
        p90=float(np.quantile(values, 0.9)),
        n=n,
    )
