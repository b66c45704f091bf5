"""What is measured over all cases: for each measure what it says of one case, which way is better, and its partners."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from evals.scoring.containment import Containment
from evals.scoring.escalation import Escalation
from evals.scoring.known import Known, every, opposite
from evals.scoring.score import CaseScore
from evals.scoring.sources import KnowledgeChain

ABSENT = math.inf
"""The case is not in the measure's denominator."""
UNKNOWN = math.nan
"""It is, but what it says isn't known: unscored."""

Better = Literal["more", "less", "neither"]
Form = Literal["rate", "mean"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure. `of` gives a case's value, `UNKNOWN` or `ABSENT`.

    `partners` are the measures that have to hold when this one gets better: a gain here with a loss there is no gain.
    `headline` ones are what a reader may compare agents by. `for_all` is true where a case that broke down would have
    been in the denominator, so that it can be counted as a failure in the worst case.
    """

    name: str
    title: str
    of: Callable[[CaseScore], float]
    better: Better = "more"
    form: Form = "rate"
    headline: bool = False
    partners: tuple[str, ...] = ()
    for_all: bool = False


def _value(known: Known) -> float:
    return UNKNOWN if known is None else float(known)


def _contained(read: Callable[[Containment], Known]) -> Callable[[CaseScore], float]:
    """Of all cases with a request."""

    def of(score: CaseScore) -> float:
        if score.contained is None:
            return ABSENT if score.substantive is False else UNKNOWN
        return _value(read(score.contained))

    return of


def _handed(read: Callable[[Escalation], Known], among: Callable[[Escalation], Known]) -> Callable[[CaseScore], float]:
    """Of the cases with a request for which `among` holds; unknown where that is."""

    def of(score: CaseScore) -> float:
        if score.handed is None:
            return ABSENT if score.substantive is False else UNKNOWN
        inside = among(score.handed)
        if inside is None:
            return UNKNOWN
        return _value(read(score.handed)) if inside else ABSENT

    return of


def _chained(step: Callable[[KnowledgeChain], Known]) -> Callable[[CaseScore], float]:
    """Of the cases with a request that an article could answer."""

    def of(score: CaseScore) -> float:
        if score.chain is None:
            return UNKNOWN if score.substantive is None else ABSENT
        return _value(step(score.chain))

    return of


def _silent(contained: Containment) -> Known:
    return every(
        contained.went_quiet,
        not contained.open_question,
        not contained.confirmed,
        opposite(contained.verified),
        opposite(contained.wrong),
    )


def _needed_and_got(handed: Escalation) -> Known:
    return every(handed.handed_over, handed.needs_person)


def _citation_right(score: CaseScore) -> float:
    if score.sourcing is None or score.sourcing.cited_right is None:
        return ABSENT
    return float(score.sourcing.cited_right)


def _responded(score: CaseScore) -> float:
    if score.response is None:
        return ABSENT if score.substantive is False else UNKNOWN
    return _value(score.response.came)


def _response_turn(score: CaseScore) -> float:
    return ABSENT if score.response is None or score.response.turn is None else float(score.response.turn)


def _response_seconds(score: CaseScore) -> float:
    if score.response is None or score.response.turn is None:
        return ABSENT
    return UNKNOWN if score.response.seconds is None else score.response.seconds


def _bug_recall(score: CaseScore) -> float:
    if score.bug is None or score.bug.is_bug is None:
        return ABSENT if score.bug is None else UNKNOWN
    return float(score.bug.filed) if score.bug.is_bug else ABSENT


def _bug_precision(score: CaseScore) -> float:
    if score.bug is None or not score.bug.filed:
        return ABSENT
    return _value(score.bug.is_bug)


def _duplicate_found(score: CaseScore) -> float:
    found = score.duplicate.found if score.duplicate else None
    return ABSENT if found is None else float(found)


def _merged_wrongly(score: CaseScore) -> float:
    wrongly = score.duplicate.merged_wrongly if score.duplicate else None
    return ABSENT if wrongly is None else float(wrongly)


def _asked(score: CaseScore) -> float:
    return ABSENT if score.contained is None else float(score.questions > 0)


def _asked_again(score: CaseScore) -> float:
    return ABSENT if score.contained is None or not score.questions else float(score.repeated_question)


def _cost(score: CaseScore) -> float:
    if score.status != "scored":
        return ABSENT
    return UNKNOWN if score.mistake_cost is None else score.mistake_cost.value


def _tokens(score: CaseScore) -> float:
    return ABSENT if score.spending is None else score.spending.tokens


def _money(score: CaseScore) -> float:
    return ABSENT if score.spending is None else score.spending.money


def _late(score: CaseScore) -> float:
    late = score.handed.turns_late if score.handed else None
    return ABSENT if late is None else float(late)


_HELD = ("wrong_containment", "escalation_recall")

MEASURES: tuple[Measure, ...] = (
    Measure("containment", "Contained: verified", _contained(lambda c: c.verified),
            headline=True, partners=_HELD, for_all=True),
    Measure("durable_containment", "Contained, and it lasted", _contained(lambda c: c.durable),
            headline=True, partners=_HELD, for_all=True),
    Measure("confirmed", "The customer said that it is solved", _contained(lambda c: c.confirmed),
            partners=_HELD, for_all=True),
    Measure("went_quiet", "Ended without a person", _contained(lambda c: c.went_quiet), "neither", for_all=True),
    Measure("silent_end", "Ended in silence: nothing shows whether it helped", _contained(_silent), "less",
            for_all=True),
    Measure("open_question", "Ended on our question", _contained(lambda c: c.open_question), "less", partners=_HELD,
            for_all=True),
    Measure("wrong_containment", "Ended without a person, and wrong", _contained(lambda c: c.wrong), "less",
            headline=True, partners=("containment", "escalation_recall"), for_all=True),
    Measure("false_promise", "Was promised what nobody does", _contained(lambda c: c.false_promise), "less",
            for_all=True),
    Measure("handed_over", "Handed to a person", _handed(lambda h: h.handed_over, lambda h: True), "neither"),
    Measure("escalation_recall", "Of those who needed a person, got one",
            _handed(lambda h: h.handed_over, lambda h: h.needs_person),
            headline=True, partners=("containment", "escalation_precision")),
    Measure("escalation_precision", "Of those handed over, needed a person",
            _handed(lambda h: h.needs_person, lambda h: h.handed_over),
            headline=True, partners=("escalation_recall",)),
    Measure("escalation_accuracy", "Rightly handed over or rightly kept",
            _handed(lambda h: None if h.needs_person is None else h.handed_over is h.needs_person, lambda h: True),
            headline=True, partners=_HELD, for_all=True),
    Measure("needless_handoff", "Of those who needed no person, handed over",
            _handed(lambda h: h.handed_over, lambda h: opposite(h.needs_person)), "less",
            partners=("escalation_recall", "wrong_containment")),
    Measure("handed_over_at_once", "Of needed handoffs, in the first turn",
            _handed(lambda h: h.turns_late == 0, _needed_and_got), partners=("escalation_precision",)),
    Measure("answered_before_handoff", "Of needed handoffs, answered first",
            _handed(lambda h: h.after_answer, _needed_and_got), "less"),
    Measure("turns_late", "Turns before a needed handoff", _late, "less", "mean"),
    Measure("right_queue", "Of needed handoffs, to the right queue",
            _handed(lambda h: h.right_queue, _needed_and_got), partners=("escalation_recall",)),
    Measure("first_contact_resolution", "Of needed handoffs, solved by the first person",
            _handed(lambda h: h.first_contact, _needed_and_got),
            partners=("escalation_recall", "escalation_precision")),
    Measure("article_exists", "An article answers it", _chained(lambda c: c.exists), "neither"),
    Measure("article_retrieved", "... and was found", _chained(lambda c: c.retrieved),
            partners=("wrong_containment",)),
    Measure("article_used", "... and was used: the knowledge hit rate",
            _chained(lambda c: c.used), headline=True, partners=_HELD),
    Measure("article_missing", "No article: to be written",
            _chained(lambda c: opposite(c.exists)), "neither"),
    Measure("article_not_retrieved", "An article, but not found",
            _chained(lambda c: every(c.exists, opposite(c.retrieved))), "less"),
    Measure("article_not_used", "Found, but not used",
            _chained(lambda c: every(c.retrieved, opposite(c.used))), "less", partners=_HELD),
    Measure("citation_right", "Of cases answered with citations, the right article among them", _citation_right,
            partners=("containment", "escalation_recall")),
    Measure("responded", "Heard something that helps",
            _responded, headline=True, partners=_HELD, for_all=True),
    Measure("response_turns", "Turns until then", _response_turn, "less", "mean", partners=("responded",)),
    Measure("response_seconds", "Seconds until then", _response_seconds, "less", "mean", partners=("responded",)),
    Measure("bug_recall", "Of bug reports, filed or counted", _bug_recall, partners=("bug_precision",)),
    Measure("bug_precision", "Of bugs filed or counted, a bug", _bug_precision, partners=("bug_recall",)),
    Measure("duplicate_found", "Of reports of a bug filed before, counted on it", _duplicate_found,
            partners=("merged_wrongly",)),
    Measure("merged_wrongly", "Of bugs filed, counted on another one", _merged_wrongly, "less",
            partners=("duplicate_found",)),
    Measure("question_rate", "Was asked something back", _asked, "less", partners=_HELD),
    Measure("repeated_question", "Of those asked, the same question twice", _asked_again, "less",
            partners=("question_rate",)),
    Measure("expected_cost", "Cost of mistakes per ticket, in the policy's unit", _cost, "less", "mean", headline=True),
    Measure("tokens", "Tokens per ticket", _tokens, "less", "mean"),
    Measure("money", "Money for models per ticket", _money, "less", "mean"),
)  # fmt: skip

BY_NAME = {measure.name: measure for measure in MEASURES}


@dataclass(frozen=True, slots=True)
class Headline:
    """A metric that agents may be compared by, and those that have to hold when it gets better."""

    name: str
    better: Literal["more", "less"]
    partners: tuple[str, ...] = ()


def _headlines() -> tuple[Headline, ...]:
    found = [
        Headline(measure.name, "less" if measure.better == "less" else "more", measure.partners)
        for measure in MEASURES
        if measure.headline
    ]
    shares = (
        Headline("escalation_mcc", "more"),
        Headline("groundedness", "more", ("containment", *_HELD)),
        Headline("citation_precision", "more", ("containment", *_HELD)),
    )
    return (*found, *shares)


HEADLINES = _headlines()


def better_of(name: str) -> Better:
    """Which way a metric is better."""
    if name in BY_NAME:
        return BY_NAME[name].better
    return "less" if name == "dangling_citations" else "more"


def prefers(headline: Headline, ours: Mapping[str, float | None], theirs: Mapping[str, float | None]) -> bool:
    """Whether `ours` is better than `theirs` by this headline: its value is, and no partner is worse.

    What isn't known is never better; a partner that isn't known on our side, but on theirs, is worse.
    """
    mine, other = ours.get(headline.name), theirs.get(headline.name)
    if mine is None or (other is not None and not _is_better(headline.better, mine, other)):
        return False
    for name in headline.partners:
        held, had = ours.get(name), theirs.get(name)
        if had is not None and (held is None or _is_better(better_of(name), had, held)):
            return False
    return True


def _is_better(better: Better, mine: float, other: float) -> bool:
    return mine > other if better == "more" else mine < other if better == "less" else False
