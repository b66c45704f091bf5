"""What should have become of a ticket, and what a decision would have cost there."""

from collections.abc import Container

from agent.policy import Costs
from agent.types import Kind, Route
from evals.tickets.ticket import Ticket
from tools.learned.outcomes import ARTICLE, BUG, COURTESY, PERSON


def outcome_of(ticket: Ticket, articles: Container[str]) -> str | None:
    """Which outcome the labels speak for, or None when they don't tell.

    Without a label that a person was needed, it was when nothing else helps: it is known that no article answers, and
    the ticket is no bug and no small talk.
    """
    gold = ticket.gold
    if gold.needs_person:
        return PERSON
    if gold.article is not None:
        return ARTICLE if gold.article in articles else None
    if gold.kind is Kind.BUG:
        return BUG
    if gold.kind in (Kind.SMALL_TALK, Kind.ABUSE):
        return COURTESY
    return PERSON if gold.labelled_article and gold.kind is not None else None


def cost_of(route: str, outcome: str, *, right: bool, costs: Costs) -> float:
    """What this decision costs when that outcome was wanted; `right` says whether the best article is the right one."""
    if outcome == PERSON:
        return {Route.HANDOFF: 0.0, Route.BUG_REPORT: 0.8 * costs.missed_handoff}.get(
            Route(route), costs.missed_handoff
        )
    if route == Route.HANDOFF:
        return costs.needless_handoff
    if route == Route.CLARIFY:
        return costs.needless_question
    if route == Route.BUG_REPORT:
        return 0.0 if outcome == BUG else costs.needless_ticket
    if outcome == BUG:
        return 0.5 * costs.wrong_answer
    return 0.0 if outcome == COURTESY or right else costs.wrong_answer
