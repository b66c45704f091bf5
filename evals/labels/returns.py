"""Whether a customer came back about the same thing with another ticket."""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from evals.tickets.ticket import Ticket

WINDOW = timedelta(days=7)
# Two first messages are about the same thing when so much of the shorter one's words is in the other. docs/labels.md
# has what this finds and what it takes for the same by mistake.
ALIKE = 0.4
MIN_SHARED_WORDS = 3
# However many tickets a week has, no more wait for its end than these: the oldest go undecided.
MAX_WAITING = 200_000
_MAX_WORDS = 200
# Shorter ones say how, not what, in most languages.
_WORD = re.compile(r"[^\W\d_]{4,}")


@dataclass(slots=True)
class _Waiting:
    customer: str | None
    created_at: datetime
    words: frozenset[int]
    subjects: frozenset[str]
    returned: bool | None = None


@dataclass(slots=True)
class _Window:
    """The tickets of the last seven days: in order, and by customer."""

    all: deque[_Waiting] = field(default_factory=deque)
    by_customer: dict[str, deque[_Waiting]] = field(default_factory=dict)

    def admit(self, ticket: _Waiting) -> None:
        """Take a ticket in, and mark those of the same customer that it comes back about."""
        self.all.append(ticket)
        if ticket.customer is None:
            return
        earlier = self.by_customer.setdefault(ticket.customer, deque())
        for one in earlier:
            if ticket.created_at - one.created_at <= WINDOW and _alike(one, ticket):
                one.returned = True
        earlier.append(ticket)

    def release(self) -> _Waiting:
        """Let the oldest go."""
        oldest = self.all.popleft()
        if oldest.customer is not None:
            earlier = self.by_customer[oldest.customer]
            earlier.popleft()
            if not earlier:
                del self.by_customer[oldest.customer]
        return oldest


def came_back(tickets: Iterable[Ticket]) -> Iterator[bool | None]:
    """Say of each ticket, in order, whether its customer came back about the same thing within seven days.

    None where nobody can tell: the customer is unknown, or the tickets end before the seven days do. `tickets` come
    oldest first; one that is older than the one before counts as of the same time. What is kept is a few words of the
    tickets of seven days.
    """
    window = _Window()
    now: datetime | None = None
    for ticket in tickets:
        now = ticket.created_at if now is None else max(now, ticket.created_at)
        while window.all and now - window.all[0].created_at > WINDOW:
            gone = window.release()
            yield gone.returned or (False if gone.customer is not None else None)
        if len(window.all) >= MAX_WAITING:
            yield window.release().returned
        window.admit(_Waiting(ticket.customer_key, now, words_of(ticket.text), _subjects(ticket)))
    while window.all:
        yield window.release().returned


def words_of(text: str) -> frozenset[int]:
    """The words of a message by which it is compared with another, as numbers: what was written isn't kept."""
    words = dict.fromkeys(word.lower() for word in _WORD.findall(text))
    return frozenset(crc32(word.encode()) for word, _ in zip(words, range(_MAX_WORDS), strict=False))


def likeness(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of the shorter message's words that the other one has too, in [0, 1]; 0 with too few in common."""
    shared = len(one & other)
    return shared / min(len(one), len(other)) if shared >= MIN_SHARED_WORDS else 0.0


def _subjects(ticket: Ticket) -> frozenset[str]:
    """What a person said that the ticket is about: the bug, the article that answers it."""
    named = (("bug", ticket.bug_id), ("article", ticket.gold.article))
    return frozenset(f"{what} {name}" for what, name in named if name is not None)


def _alike(one: _Waiting, other: _Waiting) -> bool:
    return bool(one.subjects & other.subjects) or likeness(one.words, other.words) >= ALIKE
