"""Bugs: whether a report was recognised, and whether reports of one bug were brought together."""

from dataclasses import dataclass, field

from evals.labels.label import Label
from evals.scoring.known import Known
from evals.scoring.reading import Log


@dataclass(frozen=True, slots=True)
class BugScore:
    """One case: whether it reports a bug, and whether one was filed or counted. None where nobody said."""

    is_bug: Known
    filed: bool


def score_bug(log: Log, label: Label) -> BugScore:
    """Score one case."""
    return BugScore(label.is_bug, log.bug is not None)


@dataclass(frozen=True, slots=True)
class Duplicate:
    """A report of a known bug, after another one was filed in this run: `found` when it was counted on that one.

    `merged_wrongly` when it was counted on a bug that only reports of another one had been counted on. Both are None
    where the label doesn't say which bug it is, or there was nothing to find.
    """

    found: Known = None
    merged_wrongly: Known = None


@dataclass
class BugBook:
    """Which labelled bugs stand behind each filed one, in the order of the log; one for each repetition of a run."""

    _behind: dict[tuple[int, str], set[str]] = field(default_factory=dict)
    _filed: dict[tuple[int, str], set[str]] = field(default_factory=dict)

    def enter(self, log: Log, label: Label) -> Duplicate:
        """Score the case against those before it, and remember it."""
        bug, run = log.bug, log.case.run
        if bug is None or bug.bug_id is None or label.bug_id is None:
            return Duplicate()
        behind = self._behind.setdefault((run, bug.bug_id), set())
        filed = self._filed.setdefault((run, label.bug_id), set())
        score = Duplicate(
            found=bug.bug_id in filed if filed else None,
            merged_wrongly=label.bug_id not in behind if behind else False,
        )
        behind.add(label.bug_id)
        filed.add(bug.bug_id)
        return score
