"""What to look at first: the worst mistakes, and what the knowledge base lacks, by how many asked."""

import heapq
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from evals.labels.label import Label
from evals.scoring.score import CaseScore

MISTAKES = 20
_EXAMPLES = 5

GapKind = Literal["missing", "not_retrieved", "not_used"]


@dataclass(frozen=True, slots=True)
class Mistake:
    """A case that went wrong, with what it cost and why."""

    ticket_id: str
    run: int
    cost: float
    parts: tuple[str, ...]
    category: str | None


@dataclass(frozen=True, slots=True)
class Gap:
    """Tickets of one cause: an article to write (`about` is a category), or one not found or not used (its id)."""

    kind: GapKind
    about: str
    tickets: int
    examples: tuple[str, ...]


@dataclass
class Worklist:
    """Collects both, keeping no more than it will show of mistakes, and a count and a few ids of gaps."""

    _worst: list[tuple[float, int, Mistake]] = field(default_factory=list)
    _seen: int = 0
    _gaps: Counter[tuple[GapKind, str]] = field(default_factory=Counter)
    _examples: dict[tuple[GapKind, str], list[str]] = field(default_factory=dict)

    def add(self, score: CaseScore, label: Label | None) -> None:
        """Take in one scored case; a ticket that was replayed several times is one gap."""
        self._seen += 1
        if score.mistake_cost is not None and score.mistake_cost.value > 0:
            cost = score.mistake_cost
            mistake = Mistake(score.ticket_id, score.run, cost.value, cost.parts, score.category)
            # Of equal ones the earlier stays.
            entry = (cost.value, -self._seen, mistake)
            if len(self._worst) < MISTAKES:
                heapq.heappush(self._worst, entry)
            else:
                heapq.heappushpop(self._worst, entry)
        if score.chain is None or score.chain.used is not False or score.run != 1:
            return
        kind: GapKind = "not_used" if score.chain.retrieved else "not_retrieved" if score.chain.exists else "missing"
        about = label.articles[0] if label and label.articles else score.category or "unlabelled"
        self._gaps[kind, about] += 1
        examples = self._examples.setdefault((kind, about), [])
        if len(examples) < _EXAMPLES:
            examples.append(score.ticket_id)

    def mistakes(self) -> tuple[Mistake, ...]:
        """The worst first."""
        return tuple(mistake for _, _, mistake in sorted(self._worst, reverse=True, key=lambda entry: entry[:2]))

    def gaps(self) -> tuple[Gap, ...]:
        """The largest first."""
        found = [
            Gap(kind, about, count, tuple(self._examples[kind, about])) for (kind, about), count in self._gaps.items()
        ]
        return tuple(sorted(found, key=lambda gap: (-gap.tickets, gap.kind, gap.about)))
