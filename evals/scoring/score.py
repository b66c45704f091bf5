"""All scores of one replayed ticket."""

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import Literal

from agent.policy import Policy
from agent.types import Outcome
from agent.wire import JsonObject, to_json
from evals.labels.label import Label
from evals.replay.case import Case, Timing
from evals.scoring.bugs import BugBook, BugScore, Duplicate, score_bug
from evals.scoring.containment import Containment, contain, turn_is_right
from evals.scoring.escalation import Escalation, escalate, needs_a_person
from evals.scoring.known import Known, every, opposite
from evals.scoring.reading import Log, Rules, read
from evals.scoring.response import FirstResponse, first_response
from evals.scoring.sources import KnowledgeChain, Sourcing, chain, sourcing
from evals.scoring.spending import MistakeCost, Spending, price, price_courtesy, spend
from evals.scoring.substance import is_substantive

Status = Literal["scored", "failed", "leaked"]


@dataclass(frozen=True, slots=True)
class FirstTurn:
    """What the first turn was sure of, and whether an answer there is right.

    `right` is the answer's own where there was one; else it is whether the best article found answers, which is what
    would have been said. A person needed makes any answer wrong.
    """

    evidence: float
    answered: bool
    right: Known


@dataclass(frozen=True, slots=True)
class CaseScore:
    """One case's scores. All but the first lines are None unless `status` is "scored".

    `customer` says which cases belong together: those of one customer, else of one ticket. `label.category` alone
    gives the category, never our agent's own opinion. `contained` and `handed` are None for a case without a request;
    `substantive` None is a case of which nobody knows. `label` is a digest of the label: scores of one ticket under two
    labels can't be compared.
    """

    ticket_id: str
    run: int
    status: Status
    customer: str
    category: str | None
    language: str | None
    substantive: Known
    label: str = ""
    diverged: bool = False
    turns: int = 0
    questions: int = 0
    repeated_question: bool = False
    contained: Containment | None = None
    handed: Escalation | None = None
    chain: KnowledgeChain | None = None
    sourcing: Sourcing | None = None
    response: FirstResponse | None = None
    bug: BugScore | None = None
    duplicate: Duplicate | None = None
    spending: Spending | None = None
    mistake_cost: MistakeCost | None = None
    first_turn: FirstTurn | None = None

    def to_json(self) -> JsonObject:
        """As one JSON object."""
        return {field.name: to_json(getattr(self, field.name)) for field in dataclasses.fields(self)}


def score_case(
    case: Case, label: Label | None, timing: Timing | None, policy: Policy, rules: Rules, book: BugBook
) -> CaseScore:
    """Score one case; `book` remembers the bugs of the cases before it. Without a label hardly anything is known."""
    label = label or Label(case.ticket_id)
    substantive = is_substantive(case, label)
    status: Status = "failed" if case.ending == "failed" else "leaked" if case.ending == "leaked" else "scored"
    common = CaseScore(
        ticket_id=case.ticket_id,
        run=case.run,
        status=status,
        customer=f"c:{case.customer_key}" if case.customer_key else f"t:{case.ticket_id}",
        category=label.category,
        language=case.language,
        substantive=substantive,
        label=_digest(label),
    )
    if status != "scored":
        return common
    log, needs_person = read(case), needs_a_person(label, policy)
    scored = dataclasses.replace(
        common,
        diverged=case.ending == "diverged",
        turns=len(case.turns),
        questions=len(log.questions),
        repeated_question=len({turn.reply for turn in log.questions}) < len(log.questions),
        spending=spend(log),
    )
    if substantive is None:
        return scored
    if not substantive:
        return dataclasses.replace(scored, mistake_cost=price_courtesy(log, label, needs_person, policy))
    contained = contain(log, label, needs_person, policy, rules)
    handed = escalate(log, label, needs_person)
    return dataclasses.replace(
        scored,
        contained=contained,
        handed=handed,
        chain=chain(log, label, needs_person, policy),
        sourcing=sourcing(log, label, policy, rules),
        response=first_response(log, label, needs_person, timing, rules),
        bug=score_bug(log, label),
        duplicate=book.enter(log, label),
        mistake_cost=price(log, label, contained, handed, policy),
        first_turn=_first_turn(log, label, needs_person, rules),
    )


def _digest(label: Label) -> str:
    """The same for labels that say the same, wherever they come from."""
    said = repr(dataclasses.replace(label, known=()))
    return hashlib.blake2b(said.encode(errors="replace"), digest_size=6).hexdigest()


def _first_turn(log: Log, label: Label, needs_person: Known, rules: Rules) -> FirstTurn | None:
    if not log.case.turns:
        return None
    first = log.case.turns[0]
    answered = first.outcome == Outcome.ANSWERED
    right: Known
    if answered:
        right = turn_is_right(first, label, rules) if first.claims else False
    elif label.articles is None:
        right = None
    else:
        best = min(first.found, key=lambda found: found.rank, default=None)
        right = best is not None and best.article_id in label.articles
    return FirstTurn(first.evidence, answered, every(right, opposite(needs_person)))
