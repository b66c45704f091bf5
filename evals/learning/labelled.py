"""Tickets with what people said of them by hand, as if it had come with the tickets; and how much they say at all."""

from collections.abc import Sequence
from dataclasses import replace

from agent.types import Kind
from evals.labels.file import HandLabels, agree
from evals.tickets.ticket import Ticket


def with_hand(ticket: Ticket, hand: HandLabels) -> Ticket:
    """Return the ticket with its labels by hand as gold labels; where people differ, the field is unknown."""
    agreed = agree(hand.about(ticket.ticket_id))
    if agreed is None:
        return ticket
    said, gold = agreed.label, ticket.gold
    kind = said.kind or (Kind.BUG if said.is_bug else None)
    gold = replace(
        gold,
        kind=kind or gold.kind,
        category=said.category or gold.category,
        needs_person=gold.needs_person if said.needs_person is None else said.needs_person,
        needs_person_reason=said.needs_person_reason or gold.needs_person_reason,
        complexity=said.complexity or gold.complexity,
    )
    if said.articles is not None:
        gold = replace(gold, article=next(iter(said.articles), None), labelled_article=True)
    if "kind" in agreed.disputed:
        gold = replace(gold, kind=None)
    if "category" in agreed.disputed:
        gold = replace(gold, category=None)
    if "needs_person" in agreed.disputed:
        gold = replace(gold, needs_person=None)
    if "articles" in agreed.disputed:
        gold = replace(gold, article=None, labelled_article=False)
    return replace(ticket, gold=gold)


def how_labelled(tickets: Sequence[Ticket]) -> str:
    """In words, how many tickets have labels of each sort that something can be learnt from."""
    counts = (
        (sum(ticket.gold.kind is not None for ticket in tickets), "their kind"),
        (sum(ticket.gold.category is not None for ticket in tickets), "their category"),
        (sum(ticket.gold.labelled_article or ticket.gold.article is not None for ticket in tickets), "the article"),
        (sum(ticket.gold.needs_person is not None for ticket in tickets), "whether a person was needed"),
    )
    return f"of {len(tickets)} tickets " + ", ".join(f"{count} say {what}" for count, what in counts)
