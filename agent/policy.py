"""The thresholds and rules that shape behaviour, as data, so that an eval log can record them whole."""

from dataclasses import dataclass, field
from datetime import time
from typing import Literal

Scope = Literal["off", "suggest", "answer"]


@dataclass(frozen=True, slots=True)
class Queue:
    """A place where people take over. A queue without categories takes what no other does."""

    queue_id: str
    name: str
    categories: tuple[str, ...] = ()
    tiers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Costs:
    """What each mistake costs, in the same unit (a needless question is about 1). The threshold follows from these."""

    wrong_answer: float = 10.0
    needless_handoff: float = 3.0
    missed_handoff: float = 12.0
    needless_question: float = 1.5
    needless_ticket: float = 4.0

    def blend(self, other: "Costs", share: float) -> "Costs":
        """The costs to expect when `other` applies with the probability `share` in [0, 1], and these do otherwise."""
        pairs = [(getattr(self, name), getattr(other, name)) for name in Costs.__slots__]
        return Costs(*(mine + share * (theirs - mine) for mine, theirs in pairs))


@dataclass(frozen=True, slots=True)
class CategoryPolicy:
    """What the agent may do in a category, and what is expected of it there (containment as a range).

    `costs` are the category's own, complete; None means that mistakes cost there what they cost everywhere.
    """

    category_id: str
    name: str
    description: str = ""
    scope: Scope = "answer"
    needs_person: bool = False
    queue: str | None = None
    target_containment: tuple[float, float] | None = None
    examples: tuple[str, ...] = ()
    costs: Costs | None = None


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """When people are there. `days` maps 0 (Monday) to 6 to spans of local time; `holidays` are ISO dates."""

    timezone: str = "UTC"
    days: dict[int, tuple[tuple[time, time], ...]] = field(
        default_factory=lambda: {day: ((time(9), time(17)),) for day in range(5)}
    )
    holidays: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Defences:
    """The rules that hold whatever a model says. All are on; a test switches one off to see that it was the one."""

    sources_support: bool = True
    promises_are_kept: bool = True
    links_are_cited: bool = True
    effects_need_consent: bool = True
    pointers_are_named: bool = True


@dataclass(frozen=True, slots=True)
class Policy:
    """All of it. Probabilities and scores lie in [0, 1]."""

    categories: tuple[CategoryPolicy, ...] = ()
    queues: tuple[Queue, ...] = (Queue("general", "General"),)
    costs: Costs = Costs()
    business_hours: BusinessHours = BusinessHours()
    reply_promise_minutes: int = 15
    passages_per_turn: int = 8
    sentence_support: float = 0.5
    explicit_wish: float = 0.6
    bug_confidence: float = 0.5
    max_failed_attempts: int = 2
    max_clarifications: int = 2
    high_tiers: tuple[str, ...] = ("strategic",)
    link_hosts: tuple[str, ...] = ()
    tool_rounds: int = 3
    calls_per_round: int = 4
    rewrites_per_turn: int = 8
    borderline_cost: float = 0.6
    consent: float = 0.3
    node_timeout_s: float = 10.0
    turn_timeout_s: float = 30.0
    burst_hold_s: float = 1.5
    account_lookup_timeout_s: float = 1.0
    same_bug_similarity: float = 0.62
    defences: Defences = Defences()

    def category(self, category_id: str) -> CategoryPolicy:
        """Return the category's policy; an unknown one isn't automated, unless the team named no categories at all."""
        if not self.categories:
            return CategoryPolicy(category_id=category_id, name=category_id)
        for known in self.categories:
            if known.category_id == category_id:
                return known
        return CategoryPolicy(category_id=category_id, name=category_id, scope="off")
