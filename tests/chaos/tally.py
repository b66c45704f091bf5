"""What many rounds came to, with the bound that their number gives."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from tests.chaos.checker import Finding
from tests.chaos.rounds import Result

_KINDS = ("lost", "doubled", "stuck", "gap", "wrong", "crossed")


@dataclass
class Tally:
    """Sums over rounds."""

    rounds: int = 0
    failed: list[str] = field(default_factory=list)
    kills: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    conversations: int = 0
    messages: int = 0
    in_flight: list[int] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)
    restart_s: list[float] = field(default_factory=list)
    outcomes: Counter[str] = field(default_factory=Counter)
    restarted_turns: int = 0
    kinds: Counter[str] = field(default_factory=Counter)
    seconds: float = 0.0
    refusals: Counter[str] = field(default_factory=Counter)
    reads_of_a_full_disk: int = 0
    deeds: Counter[str] = field(default_factory=Counter)
    engines: Counter[str] = field(default_factory=Counter)
    endpoint: Counter[str] = field(default_factory=Counter)
    receiver: Counter[str] = field(default_factory=Counter)

    def add(self, result: Result) -> None:
        """Count a round in."""
        self.rounds += 1
        self.kills += result.kills
        self.faults.update(result.plan.faults)
        self.conversations += result.conversations
        self.messages += result.messages
        self.in_flight += result.in_flight
        self.recovery_s += result.recovery_s
        self.restart_s += result.restart_s
        self.outcomes.update(result.outcomes)
        self.restarted_turns += result.restarted_turns
        self.seconds += result.seconds
        self.refusals.update(result.refusals)
        self.reads_of_a_full_disk += result.reads_of_a_full_disk
        self.deeds.update(result.deeds)
        self.engines.update(result.engines)
        self.endpoint.update(result.endpoint)
        self.receiver.update(result.receiver)
        if result.findings:
            self.failed.append(result.plan.seed)
        self.found(result.findings)

    def found(self, findings: Iterable[Finding]) -> None:
        """Count what the checker found."""
        self.kinds.update(finding.kind for finding in findings)

    def lines(self) -> list[str]:
        """The sums in words."""
        harm = ", ".join(f"{self.kinds[kind]} {kind}" for kind in _KINDS)
        said = [
            f"rounds {self.rounds} ({_counts(self.faults)}), kills {self.kills}, "
            f"{self.seconds / max(1, self.kills):.1f} s each",
            f"conversations {self.conversations}, messages {self.messages}, turns: {_counts(self.outcomes)}",
            f"people: {_counts(self.deeds)}; refused: {_counts(self.refusals)}; "
            f"read while the disk was full: {self.reads_of_a_full_disk}",
            f"turns by engine: {_counts(self.engines)}; the endpoint's answers: {_counts(self.endpoint)}",
            f"deliveries to a webhook: {_counts(self.receiver)}",
            f"messages in flight when it struck: {sum(self.in_flight)}, at a time {_spread(self.in_flight)}; "
            f"turns that ran again {self.restarted_turns}",
            f"found: {harm}",
            f"seconds from the fault to a message's end: {_spread(self.recovery_s)}",
            f"seconds to start a server: {_spread(self.restart_s)}",
        ]
        if self.failed:
            return [*said, f"rounds with findings: {', '.join(self.failed)}"]
        return [*said, *self._bounds()]

    def _bounds(self) -> list[str]:
        """The rule of three: what none in N trials says about the rate."""
        trials = (("rounds", self.rounds), ("kills", self.kills), ("messages in flight", sum(self.in_flight)))
        return [f"none in {number} {name}: less than {3 / number:.2%} (95 %)" for name, number in trials if number >= 3]


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that `share` of them don't exceed."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def _counts(of: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(of.items())) or "none"


def _spread(values: Sequence[float]) -> str:
    if not values:
        return "none"
    return f"p50 {percentile(values, 0.5):.1f}, p99 {percentile(values, 0.99):.1f}"
