"""Containment, in tiers that are never blended, and its costly opposite. See docs/scores.md."""

from dataclasses import dataclass

from agent.policy import Policy
from agent.types import Outcome
from evals.labels.label import Label
from evals.replay.case import Claim, Turn
from evals.scoring.known import Known, every, opposite, some
from evals.scoring.reading import Log, Rules, cited_articles, promised_falsely


@dataclass(frozen=True, slots=True)
class Containment:
    """How a conversation without a person ended, of a case with a request. None where it can't be known.

    `right`, `grounded`, `complete` and `false_promise` are the links of the chain behind `verified`; they are None
    too where nothing was answered. `open_question` cases ended on our question: what came of it isn't in the log.
    """

    went_quiet: bool
    confirmed: bool
    verified: Known
    durable: Known
    wrong: Known
    right: Known
    grounded: Known
    complete: Known
    false_promise: bool
    open_question: bool


def contain(log: Log, label: Label, needs_person: Known, policy: Policy, rules: Rules) -> Containment:
    """Score one case that has a request."""
    right, grounded = is_right(log, label, rules), is_grounded(log, policy)
    complete = is_complete(log)
    false_promise = promised_falsely(log, rules)
    alone = not log.handed_over
    honest = every(alone, not false_promise, opposite(needs_person), complete)
    # A bug filed of what is none spoils a right answer: the customer was told of a fault that there isn't.
    filed_none = opposite(label.is_bug) if log.bug is not None else False
    by_answer = every(bool(log.answers), honest, right, grounded, opposite(filed_none))
    by_bug = every(log.bug is not None, honest, label.is_bug)
    verified = some(by_answer, by_bug)
    mistaken = some(is_mistaken(log, label, right), needs_person, false_promise)
    return Containment(
        went_quiet=alone,
        confirmed=alone and bool(log.answers or log.bug) and log.last_word is True,
        verified=verified,
        durable=every(verified, opposite(label.returned)),
        wrong=every(alone, log.settled, opposite(verified), mistaken),
        right=right,
        grounded=grounded,
        complete=complete if log.settled else None,
        false_promise=false_promise,
        open_question=alone and bool(log.case.turns) and log.case.turns[-1].outcome == Outcome.ASKED,
    )


def is_right(log: Log, label: Label, rules: Rules) -> Known:
    """Whether what was answered is right: an article that answers it is cited, or the human said the same.

    None when nothing was answered, or nobody knows. A courtesy in answer to a request is wrong.
    """
    if not log.answered:
        return None
    if not log.answers:
        return False
    return some(*(turn_is_right(turn, label, rules) for turn in log.answers))


def turn_is_right(turn: Turn, label: Label, rules: Rules) -> Known:
    """Whether one answer is right."""
    if turn.same_article or (turn.agreement is not None and turn.agreement >= rules.agrees):
        return True
    cited = cited_articles(turn, rules)
    if label.articles is not None:
        if any(article in label.articles for article in cited):
            return True
        # The account's own facts are in no article: only the human's reply can tell.
        return None if not cited and all(claim.from_tool for claim in turn.claims) else False
    if turn.agreement is not None and turn.agreement < rules.differs:
        return False
    return None


def is_mistaken(log: Log, label: Label, right: Known) -> Known:
    """Whether the customer was told something wrong: a wrong answer, or a bug filed of what is none."""
    answered = opposite(right) if log.answered else False
    filed = opposite(label.is_bug) if log.bug is not None else False
    if answered and log.bug is not None and label.is_bug:
        # A courtesy or an attempt before the bug was filed doesn't stand.
        return False
    return some(answered, filed)


def is_grounded(log: Log, policy: Policy) -> Known:
    """Whether each claim of every answer has a source that supports it; None when nothing was claimed."""
    if not log.answers:
        return None
    return every(*(is_supported(claim, policy) for turn in log.answers for claim in turn.claims))


def is_supported(claim: Claim, policy: Policy) -> Known:
    """Whether the claim has a source, and it is found to support it."""
    if not claim.cites and claim.from_tool is None:
        return False
    return None if claim.support is None else claim.support >= policy.sentence_support


def is_complete(log: Log) -> bool:
    """Whether nothing was left open: no answer broken off, no question last, no "it still doesn't work" last."""
    if not log.case.turns or log.last_word is False:
        return False
    if any(turn.broken_off for turn in log.answers):
        return False
    return log.case.turns[-1].outcome != Outcome.ASKED
