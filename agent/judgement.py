"""The decision of a turn, as a plain function of plain values.

Each signal moves one of three probabilities (a person is needed, this is a bug, the evidence answers), and the route
with the lowest expected cost wins. No signal decides alone, but two have a floor of their own: an explicit wish for a
person is always honoured, and a category that the team reserved for people goes to people.

Source of the rule: Chow, "On optimum recognition error and reject tradeoff", IEEE Trans. Inf. Theory 16 (1970), 41-46.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from agent.dialogue import OFFERED_PERSON, agrees
from agent.policy import Costs, Policy
from agent.signals import Signals, asks_for_information, asks_in_the_end
from agent.trouble import (
    ANGRY,
    DETAILS,
    SURE_KIND,
    TOLD_FROM,
    UNSPECIFIC,
    answers_bug_question,
    bug_probability,
    remedy_failed,
    remedy_share,
    says_nothing_of_what,
)
from agent.types import Kind, Reason, Route, Understanding, Verdict

_Cause = tuple[str, float | str, float]

_CONFIRMED = 0.95
# What an article says of a bug costs a moment: it is reported as soon as that doesn't help.
_TRIED_FIRST = 0.25
_GRAVE = 0.8
_CASE = 0.7
# From here on articles speak of what a message says, whatever it sounds like.
_NEAR = {Kind.SMALL_TALK: 0.55, Kind.ABUSE: 0.65}
_CALM = -0.4
_EXPLAINED = 0.7
_TELLING = 0.25
_TOLD = 0.4
_STEEPER, _BORDER = 1.3, -1.9
# Danger that is sure needs a person; of what only hints at it, more is asked about than handed over.
_DANGER, _SLIGHT = 0.95, 1.5


def is_borderline(verdict: Verdict, policy: Policy) -> bool:
    """Whether handing over and not doing so are expected to cost nearly the same."""
    others = [cost for route, cost in verdict.expected_cost.items() if route != Route.HANDOFF]
    handoff = verdict.expected_cost.get(Route.HANDOFF)
    return handoff is not None and bool(others) and abs(min(others) - handoff) <= policy.borderline_cost


@dataclass(frozen=True, slots=True)
class _Chances:
    """What the signals come to, whatever mistakes cost."""

    answerable: float
    person: float
    bug: float
    wish: float
    courtesy: bool


def decide(signals: Signals, policy: Policy) -> Verdict:
    """Pick the route with the lowest expected cost; the reasons say what moved it.

    The costs are those of the category heard, as far as it was heard: every expected cost is a sum of costs times
    probabilities, so blending the costs by the category's confidence takes the expectation over the category too.
    """
    heard = signals.understanding
    reasons: list[Reason] = []
    wish = _wish(signals, policy)
    courtesy = is_courtesy(heard, signals.evidence, signals.known) and wish < policy.explicit_wish
    if courtesy and signals.history is not None and not signals.history.courtesies:
        # A greeting is a greeting, also for a team whose tickets hold none.
        signals = replace(signals, history=None)
    chances = _Chances(
        person=_needs_person(signals, policy, wish, reasons),
        bug=bug_probability(signals, reasons),
        answerable=_answerable(signals, reasons),
        wish=wish,
        courtesy=courtesy,
    )
    own = signals.category.costs
    costs = policy.costs.blend(own, heard.category_confidence) if own is not None else policy.costs
    chances = _with_remedy(chances, signals, policy, costs, reasons)
    expected = _expected_cost(chances, signals, policy, costs)
    route = _cheapest(expected)
    causes = reasons if _needed(chances.person, expected, costs) else ()
    handoff_reason = _handoff_reason(wish, policy, causes) if route is Route.HANDOFF else None
    if own is not None and _cheapest(_expected_cost(chances, signals, policy, policy.costs)) is not route:
        # Said last: why the route is another one, not why a person is needed.
        reasons.append(
            Reason("category_costs", signals.category.category_id, round(heard.category_confidence, 4), route)
        )
    return Verdict(
        route=route,
        reasons=tuple(sorted(reasons, key=lambda reason: -abs(reason.weight))),
        expected_cost={name.value: round(cost, 4) for name, cost in expected.items()},
        handoff_reason=handoff_reason,
        clarify_reason="thin_evidence" if route is Route.CLARIFY else None,
    )


def _expected_cost(chances: _Chances, signals: Signals, policy: Policy, costs: Costs) -> dict[Route, float]:
    person, bug = chances.person, chances.bug
    # Anybody would ask what fails.
    question = costs.needless_question * (UNSPECIFIC if says_nothing_of_what(signals) else 1.0)
    expected = {
        Route.ANSWER: _wrong(chances, signals) * costs.wrong_answer * (0.05 if chances.courtesy else 1.0)
        + person * costs.missed_handoff
        + bug * costs.wrong_answer * _TRIED_FIRST * (1 - _by_history(signals)),
        Route.CLARIFY: question * (1 + signals.clarifications)
        + person * costs.missed_handoff
        + bug * question
        + (signals.clarifications >= policy.max_clarifications) * costs.missed_handoff,
        Route.BUG_REPORT: (1 - bug) * costs.needless_ticket + person * costs.missed_handoff * 0.8,
        Route.HANDOFF: (1 - person) * costs.needless_handoff,
    }
    if chances.wish >= policy.explicit_wish:
        # Honoured whatever it costs: a bot that keeps people is worse than one that hands over.
        expected = {route: cost + costs.missed_handoff for route, cost in expected.items()}
        expected[Route.HANDOFF] = 0.0
    if signals.category.scope == "off" and not chances.courtesy:
        expected[Route.ANSWER] += costs.wrong_answer
    return expected


def _wrong(chances: _Chances, signals: Signals) -> float:
    """The probability that an answer is wrong and nothing worse.

    Going by the team's tickets, a message that needs a person or reports a bug is told apart from one that another
    article answers, and its cost is counted where that is counted.
    """
    if signals.history is None:
        return 1 - chances.answerable
    elsewhere = signals.history.trust * (signals.history.person + signals.history.bug)
    return max(0.0, 1 - chances.answerable - elsewhere)


def _cheapest(expected: dict[Route, float]) -> Route:
    """On a tie the more careful route wins."""
    order = [Route.HANDOFF, Route.BUG_REPORT, Route.CLARIFY, Route.ANSWER]
    return min(order, key=lambda candidate: expected[candidate])


def _wish(signals: Signals, policy: Policy) -> float:
    if signals.pressed_for_person:
        return 1.0
    if not signals.confirmed and signals.last_bot_route in ("clarify", OFFERED_PERSON) and agrees(signals.newest_text):
        return 1.0
    wish = signals.understanding.wish_for_person
    if signals.last_bot_route is None and signals.known >= 0.5:
        # The team answers such messages with an article ("How do I reach you?"). Who asks again is taken at their word.
        wish *= 1 - signals.known
    return wish


def _needs_person(signals: Signals, policy: Policy, wish: float, reasons: list[Reason]) -> float:
    """Combine what speaks for a person as independent causes (noisy-or), each with its own strength."""
    heard = signals.understanding
    sure_category = heard.category_confidence
    # What history says of such messages has their mood and their danger in it: counting those again would count twice.
    open_question = 1 - _by_history(signals)
    # Whoever tells what goes wrong, because we asked, speaks of unhappy things.
    told = answers_bug_question(signals) >= DETAILS or remedy_failed(signals)
    telling = _TOLD if told and heard.sentiment > ANGRY else 1.0
    # New trouble after a friendly word is no trend.
    reporting = heard.kind is Kind.BUG and not heard.is_follow_up and heard.sentiment > ANGRY
    darkening = 0.0 if reporting else telling
    unhappy = max(0.0, -heard.sentiment)
    heard_causes: list[_Cause] = [
        (
            "category_not_automated",
            signals.category.scope,
            0.5 * sure_category * (signals.category.scope == "off"),
        ),
        ("sentiment", heard.sentiment, 0.7 * unhappy**3 * open_question * telling),
        ("dissatisfied", heard.dissatisfied, 0.4 * max(0.0, heard.dissatisfied - 0.5) * open_question * telling),
        ("complaint", heard.kind_confidence, _complaint_weight(signals)),
        # A plain question after thanks is less friendly, and no trend.
        ("sentiment_trend", heard.sentiment_trend, 0.3 * min(-heard.sentiment_trend, 2 * unhappy) * darkening),
    ]
    # What a message sounds like, and what the team's tickets like it came to, are two opinions on the same thing.
    sounds_share = 1 - signals.history.trust if signals.history is not None else 1.0
    causes: list[_Cause] = [
        ("risk", heard.risk, sounds_share * _risk_weight(signals)),
        ("explicit_wish", wish, _wish_weight(signals, policy, wish)),
        (
            "category_needs_person",
            signals.category.category_id,
            0.85 * sure_category * signals.category.needs_person,
        ),
        ("failed_attempts", float(signals.failed_attempts), _attempts_weight(signals, policy)),
        ("account_tier", signals.tier or "", 0.35 * unhappy * (signals.tier in policy.high_tiers)),
        (
            "account_health",
            signals.health or 1.0,
            0.2 * unhappy * max(0.0, 0.5 - (signals.health or 1.0)) * 2,
        ),
        ("knowledge_down", float(signals.knowledge_down), 0.6 * signals.knowledge_down),
        # An opinion only adds: no model can talk a customer out of a person.
        ("second_opinion", signals.opinion or 0.0, 0.6 * max(0.0, (signals.opinion or 0.0) - 0.5) * 2),
    ]
    if signals.history is not None:
        causes.append(("similar_tickets", signals.history.person, signals.history.trust * signals.history.person))
    sounds = _any_of([(name, value, sounds_share * weight) for name, value, weight in heard_causes], reasons)
    return 1 - (1 - _calibrated(sounds)) * (1 - _any_of(causes, reasons))


def _calibrated(sounds: float) -> float:
    """How often a person is needed where a message sounds like that, danger aside.

    A logistic calibration (Platt, "Probabilistic outputs for support vector machines", 1999), drawn with 577 turns to
    three invented help centres: of those that sound like 0.3 to 0.6 hardly one in ten had to be handed over.
    """
    if sounds <= 0.0:
        return 0.0
    return 1 / (1 + math.exp(-(_STEEPER * math.log(sounds / (1 - sounds)) + _BORDER)))


def _any_of(causes: Sequence[_Cause], reasons: list[Reason]) -> float:
    not_needed = 1.0
    for name, value, weight in causes:
        weight = min(max(weight, 0.0), 0.99)
        not_needed *= 1 - weight
        if weight >= TOLD_FROM:
            reasons.append(Reason(name, value, round(weight, 4), Route.HANDOFF))
    return 1 - not_needed


def _wish_weight(signals: Signals, policy: Policy, wish: float) -> float:
    if wish >= policy.explicit_wish:
        return wish
    return (wish if wish >= 0.3 else wish * 0.3) * (1 - max(_by_history(signals), _only_asks(signals)))


def _risk_weight(signals: Signals) -> float:
    """Risk is a probability already; it counts little in a question for information that an article answers.

    Drawn, as what a message sounds like, with turns to four invented help centres and 429 tickets of another product.
    """
    heard = signals.understanding
    weight = _DANGER * math.pow(heard.risk, _SLIGHT)
    if heard.risk < _GRAVE:
        weight *= 1 - _by_history(signals)
        # Details of what is broken sound like danger now and then.
        weight *= _TOLD if answers_bug_question(signals) >= DETAILS else 1.0
    return weight * (1 - _only_asks(signals))


def _by_history(signals: Signals) -> float:
    """Which share of the evidence is the team's own history with such messages, in [0, 1]; all of it from 1/4 on."""
    if not signals.known:
        return 0.0
    return signals.known / max(signals.evidence, signals.known) * min(1.0, signals.known / _TELLING)


def _complaint_weight(signals: Signals) -> float:
    heard = signals.understanding
    if heard.kind is not Kind.COMPLAINT:
        return 0.0
    answered = answers_bug_question(signals) if heard.kind_confidence < SURE_KIND else 0.0
    answered = DETAILS if remedy_failed(signals) else answered
    if heard.sentiment > _CALM:
        # "It is greyed out", said calmly: what an article explains is no grievance.
        answered = max(answered, _EXPLAINED * signals.evidence)
    return 0.45 * heard.kind_confidence * (1 - max(_only_asks(signals), _by_history(signals), answered))


def _only_asks(signals: Signals) -> float:
    """How sure it is that the message asks for information that is there, and reports no case of its own, in [0, 1].

    "How do I dispute a charge?" is answered; "I dispute this charge" is a case. "Why was I charged twice?" asks, but
    about a case, so the words that ask for reasons are not among these.
    """
    heard = signals.understanding
    known = 0.95 * signals.known
    if heard.kind is Kind.HOW_TO:
        return max(known, 0.95 * signals.evidence * min(1.0, heard.kind_confidence + 0.2))
    # "My payment failed. What now?" asks about a case, and no grave one.
    case = heard.risk < _CASE and asks_in_the_end(signals.newest_text)
    return max(known, 0.9 * signals.evidence if case or asks_for_information(signals.newest_text) else 0.0)


def _attempts_weight(signals: Signals, policy: Policy) -> float:
    if remedy_failed(signals):
        # What is left to try is the report that was offered.
        return 0.0
    return min(0.9, 0.45 * signals.failed_attempts / max(1, policy.max_failed_attempts) * 2)


def _with_remedy(chances: _Chances, signals: Signals, policy: Policy, costs: Costs, reasons: list[Reason]) -> _Chances:
    """The same, where what is wrong may be no bug but what an article knows.

    That counts where it leads to the article: trouble that isn't answered is reported, and not handed over because it
    may be none.
    """
    helped = replace(chances, bug=chances.bug * (1 - remedy_share(signals)))
    if _cheapest(_expected_cost(helped, signals, policy, costs)) not in (Route.ANSWER, Route.CLARIFY):
        return chances
    if chances.bug - helped.bug >= TOLD_FROM:
        reasons.append(Reason("remedy", signals.evidence, round(chances.bug - helped.bug, 4), Route.ANSWER))
    return helped


def is_courtesy(heard: Understanding, evidence: float, known: float = 0.0) -> bool:
    """Small talk or abuse is met with a courtesy, unless that is unsure or an article answers it all the same."""
    if heard.kind not in (Kind.SMALL_TALK, Kind.ABUSE):
        return False
    sure = heard.kind_confidence * (1 - known)
    return sure >= 0.8 or (sure >= 0.55 and evidence < _NEAR[heard.kind] and known < _TELLING)


def _answerable(signals: Signals, reasons: list[Reason]) -> float:
    heard = signals.understanding
    if is_courtesy(heard, signals.evidence, signals.known):
        reasons.append(Reason("courtesy", heard.kind.value, heard.kind_confidence, Route.ANSWER))
        return max(signals.evidence, heard.kind_confidence)
    reasons.append(Reason("evidence", signals.evidence, round(signals.evidence, 4), Route.ANSWER))
    answerable = signals.evidence
    if signals.confirmed:
        reasons.append(Reason("confirmed_article", 1.0, _CONFIRMED, Route.ANSWER))
        answerable = max(answerable, _CONFIRMED)
    elif says_nothing_of_what(signals):
        # Some article is always near; which one is meant nobody knows.
        answerable *= UNSPECIFIC
    if heard.kind is Kind.FEATURE_REQUEST:
        # "Merge 2 lists" sounds like a wish; where an article is sure to tell how, it is none.
        missing = 1 - signals.evidence**4
        answerable *= 1 - 0.5 * heard.kind_confidence * missing * (1 - _by_history(signals))
    return answerable


def _needed(person: float, expected: Mapping[Route, float], costs: Costs) -> bool:
    """Whether it is that a person may be needed that makes the best other route dear, and not doubt of an answer."""
    others = min(cost for route, cost in expected.items() if route is not Route.HANDOFF)
    return person * costs.missed_handoff >= others / 2


def _handoff_reason(wish: float, policy: Policy, reasons: Sequence[Reason]) -> str:
    if wish >= policy.explicit_wish:
        return "explicit_wish"
    causes = [reason for reason in reasons if reason.towards is Route.HANDOFF]
    return max(causes, key=lambda reason: reason.weight).name if causes else "no_answer"
