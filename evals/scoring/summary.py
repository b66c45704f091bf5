"""The scores of a whole run, as the numbers that a report shows."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from agent.policy import Policy
from agent.wire import JsonObject, to_json
from evals.labels.label import Label
from evals.replay.case import Case, Timing
from evals.scoring.bugs import BugBook
from evals.scoring.categories import CategorySummary, summarise_categories
from evals.scoring.curve import Curve, draw_curve
from evals.scoring.measures import MEASURES, Measure
from evals.scoring.metrics import Columns, Metric, matthews, measure_rate, measure_share
from evals.scoring.reading import Rules
from evals.scoring.score import CaseScore, score_case
from evals.scoring.worklist import Gap, Mistake, Worklist
from evals.statistics.clustered import clustered_mean
from evals.statistics.corrected import all_of

SUMMARY_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Counts:
    """Where the cases went. `scored` = `with_request` + `courtesies` + `unknown`; `cases` = `scored` + the two last.

    `diverged` ones are scored as far as they were replayed.
    """

    cases: int
    tickets: int
    scored: int
    with_request: int
    courtesies: int
    unknown: int
    diverged: int
    failed: int
    leaked: int


@dataclass(frozen=True, slots=True)
class TwoByTwo:
    """Handed over against needed a person, in cases; `unscored` ones of which nobody knows."""

    needed_and_handed: int
    needed_and_kept: int
    not_needed_and_handed: int
    not_needed_and_kept: int
    unscored: int


@dataclass(frozen=True, slots=True)
class ReasonRow:
    """Cases that needed a person for `needed` (None: needed none) and were handed over for `handed` (None: kept)."""

    needed: str | None
    handed: str | None
    cases: int


@dataclass(frozen=True, slots=True)
class Repeated:
    """The chance that all of `k` tries at a ticket are contained, over the tickets tried so often: pass^k."""

    k: int
    metric: Metric


@dataclass(frozen=True, slots=True)
class Summary:
    """All of it. `metrics` are by name, in docs/scores.md's order. `cost_at_best` is a bound, see `MistakeCost`."""

    counts: Counts
    metrics: dict[str, Metric]
    cost_at_best: float | None
    escalation: TwoByTwo
    reasons: tuple[ReasonRow, ...]
    categories: tuple[CategorySummary, ...]
    curve: Curve
    mistakes: tuple[Mistake, ...]
    gaps: tuple[Gap, ...]
    repeated: tuple[Repeated, ...]
    rules: Rules
    format: int = SUMMARY_FORMAT

    def to_json(self) -> JsonObject:
        """As JSON."""
        plain = {name: to_json(getattr(self, name)) for name in ("counts", "escalation", "curve", "rules", "format")}
        return plain | {
            "metrics": {name: metric.to_json() for name, metric in self.metrics.items()},
            "cost_at_best": None if self.cost_at_best is None else round(self.cost_at_best, 4),
            "reasons": [to_json(row) for row in self.reasons],
            "categories": [category.to_json() for category in self.categories],
            "mistakes": [to_json(mistake) for mistake in self.mistakes],
            "gaps": [to_json(gap) for gap in self.gaps],
            "repeated": [{"k": each.k, "metric": each.metric.to_json()} for each in self.repeated],
        }


class Collector:
    """Takes in cases one by one, keeping a few numbers of each, and gives the summary of what it has."""

    def __init__(self, policy: Policy, rules: Rules | None = None) -> None:
        self._policy = policy
        self._rules = rules or Rules()
        self._book = BugBook()
        self._columns = Columns()
        self._worklist = Worklist()
        self._counts: Counter[str] = Counter()
        self._failed: Counter[str | None] = Counter()
        self._reasons: Counter[tuple[str | None, str | None]] = Counter()

    def add(self, case: Case, label: Label | None, timing: Timing | None) -> CaseScore:
        """Score a case and take it in; the score is returned for whoever keeps it."""
        score = score_case(case, label, timing, self._policy, self._rules, self._book)
        self.take(score, label)
        return score

    def take(self, score: CaseScore, label: Label | None) -> None:
        """Take in a case that was scored elsewhere."""
        self._counts["cases"] += 1
        self._counts[score.status] += 1
        if score.status != "scored":
            # In the worst case it was a request that went wrong.
            if score.status == "failed" and score.substantive is not False:
                self._failed[score.category] += 1
            return
        kind = {True: "with_request", False: "courtesies", None: "unknown"}[score.substantive]
        self._counts[kind] += 1
        self._counts["diverged"] += score.diverged
        self._columns.add(score)
        self._worklist.add(score, label)
        if score.handed is not None and score.handed.needs_person is not None:
            self._reasons[score.handed.needed_for, score.handed.handed_for] += 1

    def summary(self) -> Summary:
        """Summarise what was taken in so far."""
        columns = self._columns
        metrics = {measure.name: self._measure(measure) for measure in MEASURES}
        metrics |= self._shares()
        at_best = columns.column("cost_at_best")
        at_best = at_best[np.isfinite(at_best)]
        counts = self._counts
        return Summary(
            counts=Counts(
                cases=counts["cases"],
                tickets=len(columns.ticket_ids),
                scored=counts["scored"],
                with_request=counts["with_request"],
                courtesies=counts["courtesies"],
                unknown=counts["unknown"],
                diverged=counts["diverged"],
                failed=counts["failed"],
                leaked=counts["leaked"],
            ),
            metrics=metrics,
            cost_at_best=float(at_best.mean()) if len(at_best) else None,
            escalation=self._two_by_two(),
            reasons=tuple(
                ReasonRow(needed, handed, cases)
                for (needed, handed), cases in sorted(self._reasons.items(), key=lambda item: (-item[1], str(item[0])))
            ),
            categories=tuple(summarise_categories(columns, dict(self._failed), self._policy)),
            curve=draw_curve(columns),
            mistakes=self._worklist.mistakes(),
            gaps=self._worklist.gaps(),
            repeated=self._repeated(),
            rules=self._rules,
        )

    def _measure(self, measure: Measure) -> Metric:
        columns = self._columns
        failed = self._failed.total()
        return measure_rate(measure, columns.column(measure.name), columns.customers(), failed=failed)

    def _shares(self) -> dict[str, Metric]:
        columns, keys = self._columns, self._columns.customers()
        of = columns.column
        unjudged = int((of("claims") - of("judged")).sum())
        return {
            "escalation_mcc": matthews(of("handed_over"), of("needs_person"), keys),
            "groundedness": measure_share("groundedness", of("supported"), of("judged"), keys, unscored=unjudged),
            "dangling_citations": measure_share("dangling_citations", of("dangling"), of("claims"), keys),
            "citation_precision": measure_share("citation_precision", of("cited_known"), of("cited"), keys),
        }

    def _two_by_two(self) -> TwoByTwo:
        handed, needed = self._columns.column("handed_over"), self._columns.column("needs_person")
        known = np.isfinite(handed) & np.isfinite(needed)
        yes, handed = needed == 1, handed == 1
        return TwoByTwo(
            needed_and_handed=int((known & yes & handed).sum()),
            needed_and_kept=int((known & yes & ~handed).sum()),
            not_needed_and_handed=int((known & ~yes & handed).sum()),
            not_needed_and_kept=int((known & ~yes & ~handed).sum()),
            unscored=int(np.isnan(needed).sum()),
        )

    def _repeated(self) -> tuple[Repeated, ...]:
        """For each k that at least half of the tickets were tried."""
        passed = self._columns.column("containment")
        known = np.isfinite(passed)
        tickets = np.asarray(self._columns.tickets, dtype=np.int64)[known]
        if not len(tickets):
            return ()
        tries = np.bincount(tickets)
        hits = np.bincount(tickets, weights=passed[known])
        customers = np.zeros(len(tries), dtype=np.int64)
        customers[tickets] = self._columns.customers()[known]
        found = []
        for k in range(2, int(tries.max()) + 1):
            enough = tries >= k
            if enough.sum() * 2 < (tries > 0).sum():
                break
            chances = np.array([all_of(round(h), int(t), k) for h, t in zip(hits[enough], tries[enough], strict=True)])
            measured = clustered_mean(chances, customers[enough])
            metric = Metric(f"containment_pass_{k}", measured.value, measured.low, measured.high, measured.n)
            found.append(Repeated(k, metric))
        return tuple(found)


def summarise(
    cases: Iterable[Case],
    labels: Mapping[str, Label],
    timings: Iterable[Timing],
    policy: Policy,
    rules: Rules | None = None,
) -> Summary:
    """Score and summarise a run: `cases` are read once and not kept."""
    clocks = {(timing.ticket_id, timing.run): timing for timing in timings}
    collector = Collector(policy, rules)
    for case in cases:
        collector.add(case, labels.get(case.ticket_id), clocks.get((case.ticket_id, case.run)))
    return collector.summary()
