"""When the customer first heard something that helps. A greeting or a question isn't that."""

from dataclasses import dataclass

from evals.labels.label import Label
from evals.replay.case import Timing
from evals.scoring.containment import turn_is_right
from evals.scoring.known import Known, some
from evals.scoring.reading import Log, Rules


@dataclass(frozen=True, slots=True)
class FirstResponse:
    """The first relevant response: in which turn, and how many seconds of our own time it took until its first words.

    `came` is None where it can't be known; the others are None unless it came (`seconds` also without timings).
    """

    came: Known
    turn: int | None = None
    seconds: float | None = None


def first_response(log: Log, label: Label, needs_person: Known, timing: Timing | None, rules: Rules) -> FirstResponse:
    """Find the first response that is a right answer, a needed handoff, or a bug filed of what is one.

    A turn of which nobody knows hides those after it: then nobody knows which was the first.
    """
    answers = {turn.turn: turn_is_right(turn, label, rules) for turn in log.answers}
    for turn in log.case.turns:
        here = [effect for effect in log.case.effects if effect.turn == turn.turn]
        relevant = some(
            answers.get(turn.turn, False),
            *(needs_person for effect in here if effect.kind == "handoff"),
            *(label.is_bug for effect in here if effect.kind == "bug"),
        )
        if relevant is None:
            return FirstResponse(None)
        if relevant:
            return FirstResponse(True, turn.turn, _seconds(timing, turn.turn))
    return FirstResponse(False)


def _seconds(timing: Timing | None, turn: int) -> float | None:
    if timing is None or len(timing.turn_s) < turn or len(timing.first_words_s) < turn:
        return None
    words = timing.first_words_s[turn - 1]
    return None if words is None else sum(timing.turn_s[: turn - 1]) + words
