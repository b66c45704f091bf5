"""Tickets made up by the thousand, with labels, for trying out metrics on agents."""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Literal

import numpy as np

from agent.types import Kind
from evals.labels.label import Label
from evals.replay.case import Found
from evals.scoring.stage import Seen
from evals.tickets.ticket import Entry, Ticket

_Sort = Literal["answered", "unanswered", "person", "bug", "courtesy"]
_SORTS: tuple[_Sort, ...] = ("answered", "unanswered", "person", "bug", "courtesy")
_PASSAGES, _ARTICLES, _BUGS = 8, 60, 25


@dataclass(frozen=True, slots=True)
class World:
    """How tickets are: the shares of those that an article answers, that none does, that need a person, of bugs, and of
    greetings; how often the right article is the best one found, and how often it is among those found at all; how
    sharp an agent's own probabilities are (from 0, useless); and how often a label says nothing of the articles.
    """

    shares: tuple[float, float, float, float, float] = (0.55, 0.09, 0.17, 0.16, 0.03)
    best: float = 0.8
    found: float = 0.93
    sharpness: float = 1.5
    unlabelled: float = 0.05


@dataclass(frozen=True, slots=True)
class Made:
    """A made-up ticket: as an agent sees it, the truth, and the label, which may say less than that."""

    seen: Seen
    truth: Label
    label: Label


def make_tickets(count: int, *, seed: int, world: World | None = None) -> list[Made]:
    """Make up tickets. The same seed gives the same."""
    world = world or World()
    random = np.random.default_rng(seed)
    made = []
    filed: dict[str, str] = {}
    answered, unanswered, person, bugs, _ = world.shares
    for number in range(count):
        sort = _SORTS[int(random.choice(5, p=world.shares))]
        truth = _label(f"S-{number}", sort, random)
        right = truth.articles[0] if truth.articles else None
        found = _found(right, world, random)
        hit = right is not None and found[0].article_id == right
        seen = Seen(
            ticket=_ticket(number, sort, random),
            found=found,
            sources={each.passage_id: f"{each.article_id} says how." for each in found},
            answers=_sense(hit, answered * world.best, world, random),
            person=_sense(truth.needs_person is True, person + unanswered, world, random),
            bug=_sense(sort == "bug", bugs, world, random),
            bug_id=filed.get(truth.bug_id or ""),
        )
        if truth.bug_id is not None:
            filed.setdefault(truth.bug_id, f"B-{seen.ticket.ticket_id}")
        hidden = sort == "answered" and random.random() < world.unlabelled
        made.append(Made(seen, truth, replace(truth, articles=None) if hidden else truth))
    return made


def _label(ticket_id: str, sort: _Sort, random: np.random.Generator) -> Label:
    kinds = {"bug": Kind.BUG, "courtesy": Kind.SMALL_TALK, "person": Kind.ACCOUNT_BILLING}
    article = int(random.integers(_ARTICLES))
    needs_person = sort in ("person", "unanswered")
    return Label(
        ticket_id=ticket_id,
        category=f"category {article % 6}",
        kind=kinds.get(sort, Kind.HOW_TO),
        articles=(f"article-{article}",) if sort == "answered" else (),
        needs_person=needs_person,
        needs_person_reason={"person": "money_dispute", "unanswered": "unanswered"}.get(sort),
        queue="general",
        is_bug=sort == "bug",
        bug_id=f"bug-{int(random.integers(_BUGS))}" if sort == "bug" else None,
        returned=bool(random.random() < 0.05),
        first_contact=bool(random.random() < 0.8) if needs_person else None,
    )


def _found(right: str | None, world: World, random: np.random.Generator) -> tuple[Found, ...]:
    others = [f"article-{int(number)}" for number in random.permutation(_ARTICLES)]
    articles = [article for article in others if article != right][:_PASSAGES]
    if right is not None and random.random() < world.found:
        place = 0 if random.random() < world.best / world.found else int(random.integers(1, _PASSAGES))
        articles[place] = right
    return tuple(
        Found(passage_id=f"{article}#1", article_id=article, rank=rank, score=1 - rank / 10)
        for rank, article in enumerate(articles)
    )


def _sense(true: bool, share: float, world: World, random: np.random.Generator) -> float:
    """How probable it is of this one, where it is true of `share` of all, by a signal of the world's sharpness."""
    raw = random.normal(world.sharpness if true else -world.sharpness)
    return round(float(1 / (1 + (1 - share) / share * np.exp(-2 * world.sharpness * raw))), 4)


def _ticket(number: int, sort: _Sort, random: np.random.Generator) -> Ticket:
    at = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=number)
    text = "Hello!" if sort == "courtesy" else f"How do I do what number {number} is about?"
    entries = [Entry("customer", text, at), Entry("agent", "Here is how.", at)]
    if random.random() < 0.6:
        entries.append(Entry("customer", "Thanks, that worked!", at))
    # Customers write one to five tickets each.
    return Ticket(f"S-{number}", at, tuple(entries), customer_key=f"c{int(random.integers(max(1, number // 2 + 1)))}")
