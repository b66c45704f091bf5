"""What running turns report about themselves; the server counts it, evals don't need to."""

from typing import Protocol

from agent.ports import EngineReport


class TurnMetrics(Protocol):
    """Durations in seconds and outcomes by name."""

    def node_seconds(self, node: str, seconds: float) -> None:
        """A node of the graph took so long."""

    def turn_seconds(self, seconds: float) -> None:
        """A turn took so long, from its start to its end."""

    def first_event_seconds(self, seconds: float) -> None:
        """The first event of a turn was committed so long after its message was accepted."""

    def first_word_seconds(self, seconds: float) -> None:
        """The first word of an answer was committed so long after its message was accepted."""

    def turn_ended(self, outcome: str) -> None:
        """A turn ended this way."""

    def turn_taken_over(self) -> None:
        """A turn goes on that an earlier attempt left."""

    def turn_parked(self) -> None:
        """A turn was tried too often and handed to a person."""

    def lease_lost(self) -> None:
        """Another process has the conversation that this one was working on."""

    def engine_reported(self, report: EngineReport) -> None:
        """A turn's engine made these calls and fell back so."""


class NoMetrics:
    """Counts nothing."""

    def node_seconds(self, node: str, seconds: float) -> None:
        """Ignore it."""

    def turn_seconds(self, seconds: float) -> None:
        """Ignore it."""

    def first_event_seconds(self, seconds: float) -> None:
        """Ignore it."""

    def first_word_seconds(self, seconds: float) -> None:
        """Ignore it."""

    def turn_ended(self, outcome: str) -> None:
        """Ignore it."""

    def turn_taken_over(self) -> None:
        """Ignore it."""

    def turn_parked(self) -> None:
        """Ignore it."""

    def lease_lost(self) -> None:
        """Ignore it."""

    def engine_reported(self, report: EngineReport) -> None:
        """Ignore it."""
