"""Whether a message reports a bug: by what it says, what it answers, and whether an article knows the trouble."""

from agent.dialogue import OFFERED_BUG, agrees
from agent.signals import Signals, asks, asks_how, asks_of_report, denies_fault, names_fault
from agent.types import Kind, Reason, Route

SURE_KIND = 0.9
"""From here on a kind is what the message is, whatever it may answer."""
DETAILS = 0.75
"""How likely a message gives details of a bug, when it comes behind our question for them and may be."""
UNSPECIFIC = 0.2
"""What is left of a report, and of an article's answer to it, that says nothing of what doesn't work."""
ANGRY = -0.6
"""Below this mood whoever tells of trouble isn't only telling."""
TOLD_FROM = 0.03
"""What weighs less isn't named among the reasons."""

_CLEAR_KIND = 0.7
_ASKED_ABOUT = 0.4
_DENIED = 0.1
_UPSET = -0.4
# From which evidence on an article is the remedy: of what may be a bug, and of trouble of an ordinary reason.
_REMEDY_FROM, _REMEDY_SURE = 0.65, 0.9
_ORDINARY_FROM, _ORDINARY_SURE = 0.2, 0.5
# The same of what comes behind a report.
_MEANT_FROM, _MEANT_SURE = 0.5, 0.8
# Which share of trouble of an ordinary reason is no bug where no article is found: a ticket about it helps nobody.
_ORDINARY = 0.7
_REMEDY_AT_BEST = 0.8


def bug_probability(signals: Signals, reasons: list[Reason]) -> float:
    """How likely there is a bug to report, in [0, 1], whatever articles are there; what moved it goes to `reasons`."""
    heard = signals.understanding
    probability = heard.kind_confidence if heard.kind is Kind.BUG else 0.0
    if heard.kind is Kind.BUG:
        reasons.append(Reason("kind_bug", heard.kind_confidence, round(probability, 4), Route.BUG_REPORT))
    if signals.history is not None:
        share = signals.history.trust
        probability = (1 - share) * probability + share * signals.history.bug
        if signals.history.bug >= TOLD_FROM:
            reasons.append(
                Reason("similar_bugs", signals.history.bug, round(share * signals.history.bug, 4), Route.BUG_REPORT)
            )
    if heard.kind is Kind.BUG and signals.page_errors:
        # The page itself reported trouble: that the customer is right becomes likelier.
        probability = 1 - (1 - probability) * 0.6
        reasons.append(Reason("page_errors", float(signals.page_errors), 0.4, Route.BUG_REPORT))
    if denies_fault(signals.newest_text):
        # It has the word, and says that it is none.
        probability *= _DENIED
        reasons.append(Reason("denies_bug", 1.0, round(1 - _DENIED, 4), Route.CLARIFY))
    elif remedy_failed(signals):
        probability = 0.95
        reasons.append(Reason("remedy_failed", heard.says_unsolved, 0.95, Route.BUG_REPORT))
    elif signals.last_bot_route == OFFERED_BUG and agrees(signals.newest_text):
        probability = 0.95
        reasons.append(Reason("agreed_to_report", 1.0, 0.95, Route.BUG_REPORT))
    elif asks_how(signals.newest_text) and heard.kind_confidence < SURE_KIND and not names_fault(signals.newest_text):
        # "How to turn on double opt-in" has words that are mostly said of what is broken.
        probability *= _ASKED_ABOUT
    elif says_nothing_of_what(signals):
        # A ticket that says "it doesn't work" helps nobody, and what fails is asked in a moment.
        probability *= UNSPECIFIC
        reasons.append(Reason("unspecific", 1.0, round(1 - UNSPECIFIC, 4), Route.CLARIFY))
    elif signals.last_bot_route == Route.BUG_REPORT and asks(signals.newest_text) and not answers_bug_question(signals):
        # It sounds like the bug that it is asked about.
        probability *= _DENIED if asks_of_report(signals.newest_text) else _ASKED_ABOUT
    elif (answers := answers_bug_question(signals)) > 0:
        # What it says and what it answers are two opinions.
        probability = 1 - (1 - probability) * (1 - answers)
        reasons.append(Reason("answers_bug_question", 1.0, round(probability, 4), Route.BUG_REPORT))
    elif signals.known >= 0.1 and probability:
        reasons.append(Reason("known_question", signals.known, round(probability * signals.known, 4), Route.ANSWER))
        probability *= 1 - signals.known
    return probability


def remedy_share(signals: Signals) -> float:
    """How likely what is wrong is no bug but what an article knows, in [0, 0.8]: "orders are missing" is both.

    Most of what doesn't work for a customer and has an article isn't broken, and the less it sounds like a fault the
    less of an article it takes: "the link says expired" is no bug either where none is found. "Error 500" is a fault's
    own word, and the team's own tickets know better. Behind a report that was offered or asked about it takes an
    article that is likely to answer: "can I hide the notes on it" asks something else.
    """
    faulty = signals.page_errors > 0 or names_fault(signals.newest_text)
    if signals.history is not None or faulty or signals.understanding.unspecific:
        return 0.0
    if signals.report_offered or signals.last_bot_route in (Route.BUG_REPORT, OFFERED_BUG):
        meant = _ramp(signals.evidence, _MEANT_FROM, _MEANT_SURE)
        return 0.0 if remedy_failed(signals) else _REMEDY_AT_BEST * (1 - signals.understanding.fault) * meant
    known = _REMEDY_AT_BEST * signals.remedy * _ramp(signals.evidence, _REMEDY_FROM, _REMEDY_SURE)
    found = _ramp(signals.evidence, _ORDINARY_FROM, _ORDINARY_SURE)
    ordinary = (1 - signals.understanding.fault) * (_ORDINARY + found * (_REMEDY_AT_BEST - _ORDINARY))
    return max(known, ordinary)


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))


def remedy_failed(signals: Signals) -> bool:
    """Whether what an article says was tried, and the customer says that it didn't help."""
    return signals.report_offered and signals.understanding.says_unsolved >= 0.5


def says_nothing_of_what(signals: Signals) -> bool:
    """Whether trouble is reported without a word of what it is, and nothing else tells."""
    asked = signals.last_bot_route == Route.BUG_REPORT
    return signals.understanding.unspecific and not signals.page_errors and not asked


def answers_bug_question(signals: Signals) -> float:
    """How likely the message gives the details of a bug that we asked for last; 0 when we didn't, or when it can't.

    "Safari" sounds like small talk and "I expected a file" like a complaint, to whoever doesn't know what was asked. So
    do those behind a remedy: what is as the article wants it, and doesn't work.
    """
    heard = signals.understanding
    if signals.report_offered:
        idle = heard.kind in (Kind.SMALL_TALK, Kind.WANTS_PERSON, Kind.ABUSE) or heard.says_solved >= 0.5
        return 0.0 if idle or not _states(signals) else DETAILS
    if signals.last_bot_route != Route.BUG_REPORT or heard.kind is Kind.WANTS_PERSON:
        return 0.0
    if heard.kind is Kind.SMALL_TALK:
        # Thanks stand alone, and "no idea" and "never mind" refuse.
        told = heard.is_follow_up and heard.says_solved < 0.5 and heard.dissatisfied < 0.5
        return DETAILS if told else 0.0
    if asks(signals.newest_text):
        # "How long do I have to wait?" wants an answer, if there is one, and is no detail of the bug.
        clear = heard.kind is not Kind.BUG and heard.kind_confidence >= _CLEAR_KIND
        clear = clear or asks_of_report(signals.newest_text)
        return 0.0 if clear or signals.evidence >= 0.5 else 0.4
    return DETAILS if _states(signals) or heard.is_follow_up or signals.evidence < 0.6 else 0.4


def _states(signals: Signals) -> bool:
    """Whether the message tells something, calmly, that is nothing of its own for sure."""
    heard = signals.understanding
    of_its_own = heard.kind is not Kind.BUG and heard.kind_confidence >= SURE_KIND
    return (
        not asks(signals.newest_text)
        and not of_its_own
        and heard.sentiment > (ANGRY if heard.kind is Kind.BUG else _UPSET)
    )
