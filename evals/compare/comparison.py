"""What changed between two runs over the same tickets, and whether the tickets are enough to say so."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from agent.errors import BadTurn
from agent.wire import JsonObject, to_json
from evals.compare.pairs import SHARES, Side, read_side
from evals.scoring.measures import HEADLINES, MEASURES, Better, better_of
from evals.scoring.metrics import Keys
from evals.scoring.score import CaseScore
from evals.statistics.clustered import Floats
from evals.statistics.paired import Difference, holm, mcnemar, paired_difference, ratio_difference

MIN_SHARED = 0.9
_SIGNIFICANT = 0.05
_ALIKE = 1e-9

Verdict = Literal["better", "worse", "bought", "cannot_tell"]


@dataclass(frozen=True, slots=True)
class Change:
    """One metric of both runs.

    `before` and `after` are over the tickets that both have scored; the difference is after minus before. `gained` and
    `lost` tickets changed for the better and for the worse, `mcnemar` is the exact p-value of the two (yes or no
    only). `p_value` is raised for the number of headlines; only headlines have one. `one_sided` tickets are scored in
    one run only and left out. `bought` is a gain beside which a partner got worse: `price` names those.
    """

    name: str
    better: Better
    before: float
    after: float
    difference: Difference
    gained: int
    lost: int
    mcnemar: float | None
    one_sided: int
    headline: bool
    p_value: float | None = None
    verdict: Verdict | None = None
    price: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class TicketChange:
    """A ticket of which something else became; `cost` is what its mistakes cost more (or less) than before."""

    ticket_id: str
    before: str
    after: str
    cost: float


@dataclass(frozen=True, slots=True)
class Comparison:
    """All of it. `tickets` are in both runs, `left_out` of them broke down or leaked in one.

    `better` and `worse` are tickets whose mistakes cost less and more, the largest change first. `newly_missed` needed
    a person, got one before and none after; `no_longer_missed` the other way round.
    """

    tickets: int
    only_before: int
    only_after: int
    left_out: int
    customers: int
    changes: tuple[Change, ...]
    better: tuple[TicketChange, ...]
    worse: tuple[TicketChange, ...]
    newly_missed: tuple[str, ...]
    no_longer_missed: tuple[str, ...]
    verdict: Literal["better", "worse", "mixed", "cannot_tell"]

    def change(self, name: str) -> Change | None:
        """The change of one metric; None where it could not be compared."""
        return next((change for change in self.changes if change.name == name), None)

    def to_json(self) -> JsonObject:
        """As JSON."""
        return {name: to_json(getattr(self, name)) for name in self.__slots__}


def compare(
    before: Iterable[CaseScore], after: Iterable[CaseScore], *, same_file: bool = True, min_shared: float = MIN_SHARED
) -> Comparison:
    """Compare two scored runs.

    Raises:
        BadTurn: they share no ticket; they are over different ticket files (`same_file` is false) and share fewer
            than `min_shared` of the larger one's; or the shared ones were scored by different labels.
    """
    one, other = read_side(before), read_side(after)
    shared = [ticket_id for ticket_id in one.places if ticket_id in other.places]
    largest = max(len(one.places), len(other.places))
    if not shared or (not same_file and len(shared) < min_shared * largest):
        raise BadTurn(
            f"the runs are over different tickets: {len(shared)} of {largest} are in both"
            + (f", {min_shared:.0%} are needed" if shared else "")
        )
    relabelled = sum(one.labels[one.places[t]] != other.labels[other.places[t]] for t in shared)
    if relabelled:
        raise BadTurn(
            f"{relabelled} tickets have other labels in the second run: score both again by the same labels "
            "(`helpgraph score TICKETS BEFORE AFTER`)"
        )
    usable = [t for t in shared if one.usable[one.places[t]] and other.usable[other.places[t]]]
    changes = _judged(_changes(one, other, usable))
    tickets = _ticket_changes(one, other, usable)
    missed = _missed(one, other, usable)
    return Comparison(
        tickets=len(shared),
        only_before=len(one.places) - len(shared),
        only_after=len(other.places) - len(shared),
        left_out=len(shared) - len(usable),
        customers=len({one.customers[one.places[t]] for t in usable}),
        changes=changes,
        better=tuple(sorted((t for t in tickets if t.cost < 0), key=lambda t: (t.cost, t.ticket_id))),
        worse=tuple(sorted((t for t in tickets if t.cost > 0), key=lambda t: (-t.cost, t.ticket_id))),
        newly_missed=missed[0],
        no_longer_missed=missed[1],
        verdict=_overall(changes),
    )


def _places(side: Side, tickets: Sequence[str]) -> Floats:
    return np.array([side.places[ticket_id] for ticket_id in tickets], dtype=np.float64)


def _changes(one: Side, other: Side, tickets: Sequence[str]) -> list[Change]:
    at_one, at_other = _places(one, tickets), _places(other, tickets)
    customers = [one.customers[one.places[ticket_id]] for ticket_id in tickets]
    known: dict[str, int] = {}
    keys = np.array([known.setdefault(customer, len(known)) for customer in customers], dtype=np.int64)
    headlines = {headline.name for headline in HEADLINES}
    found = []
    for measure in MEASURES:
        a, b = one.column(measure.name, at_one), other.column(measure.name, at_other)
        both = (a.scored > 0) & (b.scored > 0)
        inside_a, inside_b = a.scored + a.unscored > 0, b.scored + b.unscored > 0
        one_sided = int((inside_a & inside_b & ((a.scored > 0) != (b.scored > 0))).sum())
        headline = measure.name in headlines
        if (inside_a == inside_b).all():
            if not both.any():
                continue
            was, is_now = a.sums[both] / a.scored[both], b.sums[both] / b.scored[both]
            apart = np.where(np.abs(is_now - was) > _ALIKE, is_now - was, 0.0)
            scale = 1.0 if measure.form == "rate" else float(max(was.max(), is_now.max(), 1.0))
            difference = paired_difference(apart, keys[both], scale=scale)
            sign = -1 if measure.better == "less" else 1
            up, down = int((sign * apart > 0).sum()), int((sign * apart < 0).sum())
            exact = mcnemar(up, down) if measure.form == "rate" and np.isin(apart, (-1, 0, 1)).all() else None
            values = float(was.mean()), float(is_now.mean())
            difference = _possible(difference) if measure.form == "rate" else difference
            found.append(
                Change(measure.name, measure.better, *values, difference, up, down, exact, one_sided, headline)
            )
            continue
        # Each run has its own cases below the line. What one left unscored where both have it is left out of both.
        keep = ~(inside_a & inside_b) | both
        was, is_now = (np.column_stack([side.sums, side.scored])[keep] for side in (a, b))
        change = _of_shares(measure.name, was, is_now, keys[keep], one_sided=one_sided, headline=headline)
        found += [change] if change else []
    for name, (above, below) in SHARES.items():
        was, is_now = (
            np.column_stack([side.number(above, at), side.number(below, at)])
            for side, at in ((one, at_one), (other, at_other))
        )
        change = _of_shares(name, was, is_now, keys, one_sided=0, headline=name in headlines)
        found += [change] if change else []
    return found


def _of_shares(name: str, was: Floats, is_now: Floats, keys: Keys, *, one_sided: int, headline: bool) -> Change | None:
    if was[:, 1].sum() <= 0 or is_now[:, 1].sum() <= 0:
        return None
    scale = max(1.0, *(float((table[:, 0] / np.maximum(table[:, 1], 1)).max()) for table in (was, is_now)))
    difference = ratio_difference(was, is_now, keys, scale=scale)
    before, after = (float(table[:, 0].sum() / table[:, 1].sum()) for table in (was, is_now))
    if scale <= 1.0:
        difference = _possible(difference)
    return Change(name, better_of(name), before, after, difference, 0, 0, None, one_sided, headline)


def _possible(difference: Difference) -> Difference:
    """The difference of two shares, its interval no further than from none to all."""
    return replace(difference, low=max(-1.0, difference.low), high=min(1.0, difference.high))


def _judged(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Give the headlines their verdicts: together they err one time in twenty where nothing changed."""
    raised = iter(holm([change.difference.p_value for change in changes if change.headline]))
    p_values = {change.name: next(raised) for change in changes if change.headline}
    partners = {headline.name: headline.partners for headline in HEADLINES}
    # Of two runs that differ, some partner is worse by chance: only what is surely worse takes a gain away.
    worse = {
        change.name
        for change in changes
        if _sign(change) < 0 and p_values.get(change.name, change.difference.p_value) < _SIGNIFICANT
    }
    judged = []
    for change in changes:
        if not change.headline:
            judged.append(change)
            continue
        price = tuple(partner for partner in partners[change.name] if partner in worse)
        verdict: Verdict = "cannot_tell"
        if p_values[change.name] < _SIGNIFICANT:
            verdict = "worse" if _sign(change) < 0 else "bought" if price else "better"
        judged.append(_with(change, p_values[change.name], verdict, price if verdict == "bought" else ()))
    return tuple(judged)


def _with(change: Change, p_value: float, verdict: Verdict, price: tuple[str, ...]) -> Change:
    values = {name: getattr(change, name) for name in Change.__slots__}
    return Change(**(values | {"p_value": p_value, "verdict": verdict, "price": price}))


def _sign(change: Change) -> int:
    value = change.difference.value
    return 0 if value == 0 else (1 if value > 0 else -1) * (-1 if change.better == "less" else 1)


def _overall(changes: Sequence[Change]) -> Literal["better", "worse", "mixed", "cannot_tell"]:
    verdicts = {change.verdict for change in changes}
    better, worse = "better" in verdicts, not verdicts.isdisjoint({"worse", "bought"})
    return "mixed" if better and worse else "better" if better else "worse" if worse else "cannot_tell"


def _ticket_changes(one: Side, other: Side, tickets: Sequence[str]) -> list[TicketChange]:
    a, b = (side.column("expected_cost", _places(side, tickets)) for side in (one, other))
    found = []
    for place, ticket_id in enumerate(tickets):
        if not (a.scored[place] and b.scored[place]):
            continue
        cost = float(b.sums[place] / b.scored[place] - a.sums[place] / a.scored[place])
        if abs(cost) > _ALIKE:
            was, now = one.outcomes[one.places[ticket_id]], other.outcomes[other.places[ticket_id]]
            found.append(TicketChange(ticket_id, was, now, cost))
    return found


def _missed(one: Side, other: Side, tickets: Sequence[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    a, b = (side.column("escalation_recall", _places(side, tickets)) for side in (one, other))
    both = (a.scored > 0) & (b.scored > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        apart = b.sums / b.scored - a.sums / a.scored
    return (
        tuple(ticket_id for ticket_id, down in zip(tickets, both & (apart < -_ALIKE), strict=True) if down),
        tuple(ticket_id for ticket_id, up in zip(tickets, both & (apart > _ALIKE), strict=True) if up),
    )
