"""A ticket as a conversation to be played: what the customer says in which turn, and what the human said then."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from agent.types import Outcome
from evals.replay.case import Turn
from evals.tickets.ticket import Entry, Ticket

# Messages that a customer sends in such a row are one thing said in pieces, which a turn answers together.
_BURST = timedelta(minutes=2)
_STEP = timedelta(minutes=1)
# Of replies to another question, one in twenty is as alike as this; of those to the same one, half (docs/replay.md).
AGREES = 0.5
MAX_EXCHANGES = 20
"""Of a longer ticket only the beginning is replayed."""


@dataclass(frozen=True, slots=True)
class Exchange:
    """What the customer said at one go, when, and what the human answered before they wrote again (None: nothing)."""

    said: tuple[Entry, ...]
    at: datetime
    answer: str | None
    links: tuple[str, ...]


def exchanges(ticket: Ticket) -> list[Exchange]:
    """The ticket in turns. What agents wrote before the customer did isn't there any more; a bot's words are dropped.

    A message without a time comes a minute after the one before it.
    """
    parts: list[Exchange] = []
    said: list[Entry] = []
    answers: list[Entry] = []
    now = begun = ticket.created_at
    for entry in ticket.entries:
        at = entry.at if entry.at is not None else now + _STEP if parts or said else ticket.created_at
        if entry.author == "customer":
            if said and (answers or at - now > _BURST):
                parts.append(_exchange(said, answers, begun))
                said, answers = [], []
            if not said:
                begun = at
            said.append(entry)
        elif entry.author == "agent":
            answers.append(entry)
        now = at
    if said:
        parts.append(_exchange(said, answers, begun))
    return parts


def _exchange(said: Sequence[Entry], answers: Sequence[Entry], at: datetime) -> Exchange:
    return Exchange(
        said=tuple(said),
        at=at,
        answer="\n".join(entry.text for entry in answers) or None,
        links=tuple(dict.fromkeys(link for entry in answers for link in entry.links)),
    )


def why_it_ends(turn: Turn, exchange: Exchange, ticket: Ticket) -> str | None:
    """Why the customer's next recorded message means nothing after what our agent said; None when it still fits.

    It answered what a human said. It fits when ours came to the same: an answer that agrees with theirs, a question
    where they asked as well, a bug that they knew of too.
    """
    if exchange.answer is None:
        return "the customer wrote on before anybody had answered; our agent had"
    alike = turn.agreement is not None and turn.agreement >= AGREES
    match turn.outcome:
        case Outcome.ANSWERED if turn.same_article or alike:
            return None
        case Outcome.ANSWERED:
            return "the human answered something else"
        case Outcome.ASKED if "?" in exchange.answer and alike:
            return None
        case Outcome.ASKED:
            return "our agent asked, the human answered" if "?" not in exchange.answer else "the human asked otherwise"
        case Outcome.BUG_FILED | Outcome.BUG_COUNTED if ticket.bug_id is not None:
            return None
        case Outcome.BUG_FILED | Outcome.BUG_COUNTED:
            return "our agent took it for a bug, the human didn't link one"
    return "our agent did something else than the human"
