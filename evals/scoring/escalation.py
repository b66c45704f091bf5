"""Whether the right tickets went to a person, in time, and to the right place."""

from dataclasses import dataclass

from agent.policy import Policy
from evals.labels.label import Label
from evals.scoring.known import Known, every
from evals.scoring.reading import Log


@dataclass(frozen=True, slots=True)
class Escalation:
    """One case of the two-by-two table, and what came with it. None where it can't be known, or nothing is to know.

    `turns_late` counts the turns before the handoff of a ticket that needed a person from the first word;
    `after_answer` says that the customer was answered first. `right_queue` and `first_contact` are about tickets that
    needed a person and got one.
    """

    handed_over: bool
    needs_person: Known
    needed_for: str | None
    handed_for: str | None
    missed: Known
    needless: Known
    turns_late: int | None
    after_answer: bool | None
    right_queue: Known
    first_contact: Known


def needs_a_person(label: Label, policy: Policy) -> Known:
    """Whether a person is needed: as labelled; a category that the team reserved for people needs one anyway."""
    if label.needs_person is not None:
        return label.needs_person
    if label.category is not None and any(
        known.needs_person for known in policy.categories if known.category_id == label.category
    ):
        return True
    return None


def escalate(log: Log, label: Label, needs_person: Known) -> Escalation:
    """Score one case."""
    handoff = log.handoff
    handed_over = handoff is not None
    rightly = handed_over and needs_person is True
    return Escalation(
        handed_over=handed_over,
        needs_person=needs_person,
        needed_for=(label.needs_person_reason or "unsaid") if needs_person else None,
        handed_for=(handoff.reason or "unsaid") if handoff else None,
        missed=every(needs_person, not handed_over),
        needless=every(None if needs_person is None else not needs_person, handed_over),
        turns_late=handoff.turn - 1 if handoff and rightly else None,
        after_answer=any(turn.turn < handoff.turn for turn in log.answers) if handoff and rightly else None,
        right_queue=handoff.queue == label.queue if handoff and rightly and label.queue is not None else None,
        first_contact=label.first_contact if rightly else None,
    )
