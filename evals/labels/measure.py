"""How much is labelled, by what, and how often rules are right where a person said too."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from evals.labels.label import Label, Source
from evals.labels.labelling import Labelling
from evals.labels.rules import FIELDS, RULES, Field, decide
from evals.statistics.measured import Measured, wilson
from evals.tickets.ticket import Ticket

# Whoever rated the help has said it better than words can: what words say is compared with that.
_RATED = "rated"


@dataclass(frozen=True, slots=True)
class Checked:
    """One rule's word on one field (or all rules' together: `rule` is None), compared with what people said.

    Of `tickets`, the rule said something on `said`; on `judged` of those a person said something too, and on `right`
    the same.
    """

    field: Field
    rule: str | None
    tickets: int
    said: int
    judged: int
    right: int

    @property
    def coverage(self) -> Measured:
        """The share of tickets on which it says something."""
        return wilson(self.said, self.tickets)

    @property
    def precision(self) -> Measured | None:
        """How often it is right; None when there is nothing to compare with."""
        return wilson(self.right, self.judged) if self.judged else None

    def to_json(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "field": self.field,
            "rule": self.rule,
            "said": self.said,
            "coverage": self.coverage.to_json(),
            "precision": None if self.precision is None else self.precision.to_json(),
        }


@dataclass(slots=True)
class Measuring:
    """Counts over tickets as they go by; none is kept."""

    tickets: int = 0
    known: Counter[tuple[Field, Source]] = field(default_factory=Counter)
    said: Counter[tuple[Field, str | None]] = field(default_factory=Counter)
    judged: Counter[tuple[Field, str | None]] = field(default_factory=Counter)
    right: Counter[tuple[Field, str | None]] = field(default_factory=Counter)
    unlabelled: int = 0

    def add(self, ticket: Ticket, label: Label, labelling: Labelling) -> None:
        """Count a ticket with its label."""
        self.tickets += 1
        self.unlabelled += not label.known
        for name, known in label.known:
            self.known[_field(name), known.source] += 1
        found = labelling.suggestions(ticket)
        for one in found:
            self._compare(ticket, label, one.rule.field, one.rule.name, one.value)
        for name in FIELDS:
            words = tuple(one for one in found if one.rule.name != _RATED or name != "satisfied")
            if (best := decide(words, name)) is not None:
                self._compare(ticket, label, name, None, best.value)

    def by_source(self) -> list[dict[str, Any]]:
        """Fields with how many tickets have them from where."""
        return [
            {
                "field": name,
                **{source: self.known[name, source] for source in ("hand", "gold", "rule")},
                "unknown": self.tickets - sum(self.known[name, s] for s in ("hand", "gold", "rule")),
            }
            for name in FIELDS
        ]

    def checks(self) -> list[Checked]:
        """What was compared: first all rules together by field, then each rule."""
        together = [(name, None) for name in FIELDS if self.said[name, None]]
        alone = dict.fromkeys((rule.field, rule.name) for rule in RULES)
        return [
            Checked(name, rule, self.tickets, self.said[name, rule], self.judged[name, rule], self.right[name, rule])
            for name, rule in (*together, *alone)
        ]

    def _compare(self, ticket: Ticket, label: Label, name: Field, rule: str | None, value: object) -> None:
        self.said[name, rule] += 1
        if name == "satisfied":
            truth: object = None if ticket.satisfaction is None else ticket.satisfaction == "good"
            if truth is None or rule == _RATED:
                return
        else:
            source = dict(label.known).get(name)
            # What the rules say themselves is nothing to compare them with, and no reason is one too.
            if name == "needs_person_reason":
                source = dict(label.known).get("needs_person")
            if source is None or source.source == "rule":
                return
            truth = getattr(label, name)
        self.judged[name, rule] += 1
        if isinstance(truth, tuple) and isinstance(value, tuple):
            self.right[name, rule] += bool(set(truth) & set(value))
        else:
            self.right[name, rule] += truth == value


def measure(labelled: Iterable[tuple[Ticket, Label]], labelling: Labelling) -> Measuring:
    """Count everything about labelled tickets."""
    measuring = Measuring()
    for ticket, label in labelled:
        measuring.add(ticket, label, labelling)
    return measuring


def _field(name: str) -> Field:
    return next(known for known in FIELDS if known == name)
