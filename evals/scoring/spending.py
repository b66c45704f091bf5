"""What a case cost: in tokens and money, and in mistakes at the team's own prices."""

from dataclasses import dataclass

from agent.policy import Costs, Policy
from evals.labels.label import Label
from evals.scoring.containment import Containment, is_mistaken
from evals.scoring.escalation import Escalation
from evals.scoring.known import Known
from evals.scoring.reading import Log


@dataclass(frozen=True, slots=True)
class Spending:
    """Tokens in and out together, and money in the currency of the price settings."""

    tokens: float
    money: float


def spend(log: Log) -> Spending:
    """Add up what models were paid; the local engine's turns cost nothing."""
    tokens = money = 0.0
    for turn in log.case.turns:
        tokens += _number(turn.engine.get("input_tokens")) + _number(turn.engine.get("output_tokens"))
        money += _number(turn.engine.get("cost"))
    return Spending(tokens, money)


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) else 0.0


@dataclass(frozen=True, slots=True)
class MistakeCost:
    """What the case cost in the policy's unit. `at_best` is what it cost if all that the log can't show went well.

    What that is: a conversation that ended on our question. The value charges it as if a person had to take it.
    `parts` says what it is for.
    """

    value: float
    at_best: float
    parts: tuple[str, ...]


def costs_of(label: Label, policy: Policy) -> Costs:
    """The category's own costs where it has some, else those of all."""
    own = next((known.costs for known in policy.categories if known.category_id == label.category), None)
    return own or policy.costs


def price(log: Log, label: Label, contained: Containment, handed: Escalation, policy: Policy) -> MistakeCost | None:
    """Price a case that has a request; None when something that costs isn't known.

    A wrong answer and a missed handoff are two mistakes; a handoff that was needed costs nothing. A conversation that
    nobody wronged and nothing settled still needs a person: that costs what a needless handoff does.
    """
    costs, parts, total = costs_of(label, policy), [], 0.0
    needed, mistaken = handed.needs_person, is_mistaken(log, label, contained.right)
    if needed is None or mistaken is None:
        return None
    total += len(log.questions) * costs.needless_question
    if log.questions:
        parts.append("needless_question")
    if mistaken:
        only_filed = not log.answered or contained.right is True
        total += costs.needless_ticket if only_filed else costs.wrong_answer
        parts.append("needless_ticket" if only_filed else "wrong_answer")
    elif contained.false_promise:
        total += costs.wrong_answer
        parts.append("wrong_answer")
    if handed.missed:
        total += costs.missed_handoff
        parts.append("missed_handoff")
    if handed.needless:
        total += costs.needless_handoff
        parts.append("needless_handoff")
    at_best = total
    if not handed.handed_over and not needed and not mistaken and not contained.false_promise:
        if contained.verified is None:
            return None
        if not contained.verified:
            total += costs.needless_handoff
            parts.append("left_open")
            at_best = total if log.settled else at_best
    return MistakeCost(total, at_best, tuple(parts))


def price_courtesy(log: Log, label: Label, needs_person: Known, policy: Policy) -> MistakeCost:
    """Price a case without a request: only a person called or a bug filed for nothing costs."""
    costs, parts, total = costs_of(label, policy), [], 0.0
    if log.handed_over and needs_person is not True:
        total += costs.needless_handoff
        parts.append("needless_handoff")
    if log.bug is not None:
        total += costs.needless_ticket
        parts.append("needless_ticket")
    return MistakeCost(total, total, tuple(parts))
