"""Agents on a stage: a ticket as an agent sees it, and its log as a replay would write it. For trying out metrics.

Nothing here runs the product's graph. It serves the honest baseline and the adversaries, whose logs go through the
same scoring as those of a replay.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.types import Kind, Outcome
from evals.labels.label import Label
from evals.replay.case import Case, Cited, Claim, Effect, Ending, Found, Turn
from evals.scoring.substance import says_nothing
from evals.tickets.ticket import Ticket


@dataclass(frozen=True, slots=True)
class Seen:
    """What an agent sees of a ticket's first turn. Never the label.

    `found` are passages, the best first, `sources` what they say. The others are probabilities, right as often as they
    say: that the best article answers, that a person is needed, that it reports a bug. `bug_id` is the filed bug that
    looks most like it, if any.
    """

    ticket: Ticket
    found: tuple[Found, ...]
    sources: dict[str, str]
    answers: float
    person: float
    bug: float
    bug_id: str | None = None

    @property
    def asks_nothing(self) -> bool:
        """Whether the first message is a greeting or thanks."""
        return says_nothing(self.ticket.text)


@dataclass(frozen=True, slots=True)
class Move:
    """What an agent does in its turn. `bug_id` is what it files or counts on; `queue` is where it hands over."""

    outcome: Outcome
    reply: str
    claims: tuple[Claim, ...] = ()
    citations: tuple[Cited, ...] = ()
    queue: str | None = None
    bug_id: str | None = None
    is_new: bool = False
    closes: bool = False


class Agent(Protocol):
    """Something that answers tickets."""

    @property
    def name(self) -> str:
        """What it is called in a report."""
        ...

    def move(self, seen: Seen) -> Move:
        """What it does with the first turn."""
        ...


COURTESY = Move(Outcome.ANSWERED, "You're welcome!")


def perform(agent: Agent, seen: Seen, truth: Label) -> Case:
    """The log of an agent with one ticket.

    The truth stands for what the human said then, as a replay compares with it: a reply with the right article goes
    the human's way, so that the customer's next message fits; after any other the replay would have diverged.
    """
    ticket = seen.ticket
    said = [entry for entry in ticket.entries if entry.author == "customer"]
    move = agent.move(seen)
    right = _goes_the_human_s_way(move, truth)
    turns = [_turn(1, seen, ticket.text, move, agreement=0.85 if right else 0.2)]
    ending: Ending = "end"
    if move.outcome is Outcome.HANDED_OFF and move.queue is not None:
        ending = "handed_off"
    elif len(said) > 1 and not move.closes:
        if right:
            turns[0] = turns[0].model_copy(update={"solved": True})
            turns.append(_turn(2, seen, said[1].text, COURTESY))
        else:
            ending = "diverged"
    return Case(
        ticket_id=ticket.ticket_id,
        created_at=ticket.created_at.isoformat(),
        customer_key=ticket.customer_key,
        turns=tuple(turns),
        effects=_effects(move),
        ending=ending,
        customer_messages=len(said),
        replayed_messages=len(turns),
    )


def perform_all(agent: Agent, tickets: Iterable[tuple[Seen, Label]]) -> Iterator[Case]:
    """The logs of an agent with all tickets, in order."""
    for seen, truth in tickets:
        yield perform(agent, seen, truth)


def answer_from(seen: Seen, *, articles: int = 1, before: str = "", after: str = "") -> Move:
    """An answer in the words of the best articles found; a courtesy where nothing was found."""
    if not seen.found:
        return Move(Outcome.ANSWERED, f"{before}Thank you for your message.{after}")
    best = list(dict.fromkeys(found.article_id for found in seen.found))[:articles]
    quoted = [found for found in seen.found if found.article_id in best]
    claims = tuple(
        Claim(text=seen.sources[found.passage_id], cites=(found.passage_id,), support=1.0) for found in quoted
    )
    citations = tuple(
        Cited(n=n, article_id=found.article_id, passage_id=found.passage_id) for n, found in enumerate(quoted, 1)
    )
    reply = before + " ".join(claim.text for claim in claims) + after
    return Move(Outcome.ANSWERED, reply, claims, citations)


def _goes_the_human_s_way(move: Move, truth: Label) -> bool:
    cites = any(cited.article_id in (truth.articles or ()) for cited in move.citations)
    files = move.bug_id is not None and bool(truth.is_bug)
    # People who need a person hear "I'll look into it" from one: a promise sounds just like that.
    promises = bool(truth.needs_person) and not move.claims and move.outcome is Outcome.ANSWERED
    return cites or files or promises


def _turn(number: int, seen: Seen, text: str, move: Move, *, agreement: float | None = None) -> Turn:
    routes = {Outcome.HANDED_OFF: "handoff", Outcome.ASKED: "clarify", Outcome.BUG_FILED: "bug_report"}
    return Turn(
        turn=number,
        texts=(text,),
        outcome=move.outcome.value,
        route=routes.get(move.outcome, "answer"),
        reply=move.reply,
        path=(),
        category="",
        kind=Kind.SMALL_TALK.value if seen.asks_nothing else Kind.HOW_TO.value,
        language="en",
        evidence=seen.answers,
        decision={},
        found=seen.found,
        citations=move.citations,
        claims=move.claims,
        agreement=agreement,
    )


def _effects(move: Move) -> tuple[Effect, ...]:
    if move.queue is not None:
        return (Effect(turn=1, kind="handoff", queue=move.queue, priority="normal", reason="decided"),)
    if move.bug_id is not None:
        return (Effect(turn=1, kind="bug", bug_id=move.bug_id, is_new=move.is_new),)
    return ()
