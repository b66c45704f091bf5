"""Cases and labels made by hand, for tests of scores."""

from typing import Any

from agent.policy import CategoryPolicy, Policy
from agent.types import Kind
from evals.labels.label import Label
from evals.replay.case import Case, Cited, Claim, Effect, Ending, Found, Turn
from evals.scoring.bugs import BugBook
from evals.scoring.reading import Rules
from evals.scoring.score import CaseScore, score_case

POLICY = Policy(
    categories=(
        CategoryPolicy("login", "Sign-in", target_containment=(0.5, 0.9)),
        CategoryPolicy("legal", "Legal", needs_person=True),
        CategoryPolicy("bug", "Broken"),
    )
)


def turn(number: int = 1, outcome: str = "answered", **changed: Any) -> Turn:
    """A turn; without more it is a question of the customer that was answered with a courtesy."""
    given: dict[str, Any] = {
        "turn": number,
        "texts": ("How do I reset my password?",),
        "outcome": outcome,
        "route": "answer",
        "reply": "Hello!",
        "path": ("page_context", "understand", "judge", "answer", "finish"),
        "category": "login",
        "kind": "how_to",
        "language": "en",
        "evidence": 0.8,
        "decision": {},
    }
    return Turn(**(given | changed))


def answer(article: str = "reset", number: int = 1, *, support: float | None = 0.9, **changed: Any) -> Turn:
    """A turn that was answered from one article."""
    given: dict[str, Any] = {
        "reply": "Choose Forgot password on the sign-in page.",
        "found": (Found(passage_id=f"{article}#1", article_id=article, rank=0, score=0.9),),
        "citations": (Cited(n=1, article_id=article, passage_id=f"{article}#1"),),
        "claims": (
            Claim(text="Choose Forgot password on the sign-in page.", cites=(f"{article}#1",), support=support),
        ),
    }
    return turn(number, **(given | changed))


def question(number: int = 1, **changed: Any) -> Turn:
    """A turn that ended in a question back."""
    return turn(number, "asked", **({"reply": "Which page are you on?", "route": "clarify"} | changed))


def handoff(number: int = 1, *, queue: str = "general", reason: str = "money_dispute") -> tuple[Turn, Effect]:
    """A turn that was handed over, with its side effect."""
    said = turn(number, "handed_off", reply="I've passed your conversation to the team.", route="handoff")
    return said, Effect(turn=number, kind="handoff", queue=queue, priority="normal", reason=reason)


def filed(bug_id: str = "B-1", number: int = 1, *, is_new: bool = True) -> tuple[Turn, Effect]:
    """A turn in which a bug was filed or counted."""
    outcome = "bug_filed" if is_new else "bug_counted"
    said = turn(number, outcome, reply=f"I've filed it as {bug_id}.", route="bug_report")
    return said, Effect(turn=number, kind="bug", bug_id=bug_id, is_new=is_new, title="It doesn't work")


def case(
    *turns: Turn,
    ticket_id: str = "T-1",
    effects: tuple[Effect, ...] = (),
    ending: Ending = "end",
    **changed: Any,
) -> Case:
    """A case of these turns."""
    given: dict[str, Any] = {
        "ticket_id": ticket_id,
        "created_at": "2026-08-01T09:00:00Z",
        "turns": turns,
        "effects": effects,
        "ending": ending,
        "customer_messages": max(1, len(turns)),
        "replayed_messages": len(turns),
    }
    return Case(**(given | changed))


def how_to(ticket_id: str = "T-1", **changed: Any) -> Label:
    """A question that the article `reset` answers, of which everything is known."""
    given: dict[str, Any] = {
        "category": "login",
        "kind": Kind.HOW_TO,
        "articles": ("reset",),
        "needs_person": False,
        "is_bug": False,
        "queue": "general",
        "returned": False,
    }
    return Label(ticket_id, **(given | changed))


def for_person(ticket_id: str = "T-1", **changed: Any) -> Label:
    """A ticket that needed a person."""
    given: dict[str, Any] = {
        "kind": Kind.ACCOUNT_BILLING,
        "articles": (),
        "needs_person": True,
        "needs_person_reason": "money_dispute",
        "queue": "billing",
        "first_contact": True,
    }
    return how_to(ticket_id, **(given | changed))


def bug(ticket_id: str = "T-1", bug_id: str = "known-1", **changed: Any) -> Label:
    """A report of a bug that needs no person."""
    return how_to(
        ticket_id, **({"kind": Kind.BUG, "category": "bug", "articles": (), "is_bug": True, "bug_id": bug_id} | changed)
    )


def scored(made: Case, label: Label | None = None, **changed: Any) -> CaseScore:
    """Score one case alone."""
    return score_case(made, label, changed.get("timing"), POLICY, Rules(), changed.get("book") or BugBook())
