"""What the server counts, for Prometheus. docs/metrics.md lists the same names; a test compares the two."""

import os
from collections.abc import Iterable, Mapping
from copy import copy
from pathlib import Path
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest, multiprocess, values
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from agent.ports import EngineReport
from tools.storage.operations import QueueState

METRICS: dict[str, str] = {
    "helpgraph_turns_total": "Turns ended, by outcome.",
    "helpgraph_turn_seconds": "Time of a turn, from its start to its end.",
    "helpgraph_first_event_seconds": "Time from a message's acceptance to its turn's first event committed.",
    "helpgraph_first_word_seconds": "Time from a message's acceptance to the first word committed.",
    "helpgraph_node_seconds": "Time of a node of the graph, by node.",
    "helpgraph_turns_taken_over_total": "Turns gone on with that a dead process, or an attempt that broke, had left.",
    "helpgraph_turns_parked_total": "Turns tried too often and handed to a person.",
    "helpgraph_lease_losses_total": "Conversations that another process took while this one worked on them.",
    "helpgraph_turns_waiting": "Turns accepted and not begun now.",
    "helpgraph_turns_running": "Turns running now.",
    "helpgraph_turns_abandoned": "Turns begun and left by a dead process, not taken over yet.",
    "helpgraph_oldest_waiting_turn_seconds": "Age of the oldest turn that is waiting or abandoned now, 0 without one.",
    "helpgraph_model_calls_total": "Calls of language models.",
    "helpgraph_model_tokens_total": "Tokens of language models, by direction (in, out).",
    "helpgraph_model_cost_total": "What language models cost, in the currency of the price settings.",
    "helpgraph_engine_fallbacks_total": "In what models failed, by ability and reason.",
    "helpgraph_messages_accepted_total": "Customers' messages accepted, by door.",
    "helpgraph_open_streams": "Event streams open now.",
    "helpgraph_stream_lag_seconds": "Time from the writing of an event to its being sent on an open stream.",
    "helpgraph_conversations_waiting": "Conversations that wait for a person now.",
    "helpgraph_conversations_overdue": "Conversations that wait for a person longer than promised now.",
    "helpgraph_overdue_total": "Handoffs that waited longer than promised.",
    "helpgraph_refused_total": "Requests refused before they did anything, by status.",
    "helpgraph_request_seconds": "Time from a request to the head of its answer, by method, route and status.",
    "helpgraph_deliveries_total": "Attempts at deliveries to webhooks, by result (delivered, refused, gone, away).",
    "helpgraph_delivery_seconds": "Time from what happened to its delivery to a webhook.",
    "helpgraph_database_seconds": "Time of a statement or commit, there and back, by kind (read, write, commit).",
    "helpgraph_event_loop_lag_seconds": "How much later than asked for the event loop comes back to a task.",
}

BY_WORKSPACE = frozenset(
    {
        "helpgraph_turns_total",
        "helpgraph_turns_taken_over_total",
        "helpgraph_turns_parked_total",
        "helpgraph_turns_waiting",
        "helpgraph_turns_running",
        "helpgraph_turns_abandoned",
        "helpgraph_oldest_waiting_turn_seconds",
        "helpgraph_model_calls_total",
        "helpgraph_model_tokens_total",
        "helpgraph_model_cost_total",
        "helpgraph_engine_fallbacks_total",
        "helpgraph_messages_accepted_total",
        "helpgraph_open_streams",
        "helpgraph_conversations_waiting",
        "helpgraph_conversations_overdue",
        "helpgraph_overdue_total",
        "helpgraph_refused_total",
        "helpgraph_deliveries_total",
    }
)
"""What is counted for each workspace where several are served. Times are not: a series for each bucket is too many."""

SHARED_FOLDER = "PROMETHEUS_MULTIPROC_DIR"
_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_SLOW = (0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0, 86400.0)
_FINE = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


_Counted = TypeVar("_Counted", Counter, Gauge)


class Metrics:
    """What this process counts; together with its siblings where they share a folder. Implements `TurnMetrics`.

    With PROMETHEUS_MULTIPROC_DIR in the environment every process writes what it counts there, and whichever is asked
    answers for all of them. The folder is emptied before the first of them starts (`empty_shared_folder`), and told of
    each that is gone (`forget_process`). With `by_workspace` what is in `BY_WORKSPACE` has a label of that name; `of`
    gives what counts for one.
    """

    def __init__(self, *, by_workspace: bool = False) -> None:
        self.registry = CollectorRegistry()
        self._by_workspace = by_workspace
        self._own: tuple[str, ...] = ()
        self.shared = bool(os.environ.get(SHARED_FOLDER))
        if self.shared and not values.ValueClass._multiprocess:
            # prometheus-client 0.25 decides this when it is imported, which may have been before the variable was set.
            values.ValueClass = values.MultiProcessValue()  # type: ignore[no-untyped-call]  # The library's own lack.

        def names(name: str, labels: tuple[str, ...]) -> tuple[str, ...]:
            return ("workspace", *labels) if by_workspace and name in BY_WORKSPACE else labels

        def counter(name: str, *labels: str) -> Counter:
            return Counter(name, METRICS[name], names(name, labels), registry=self.registry)

        def histogram(name: str, *labels: str, buckets: tuple[float, ...] = _BUCKETS) -> Histogram:
            return Histogram(name, METRICS[name], labels, registry=self.registry, buckets=buckets)

        self._turns = counter("helpgraph_turns_total", "outcome")
        self._turn_s = histogram("helpgraph_turn_seconds")
        self._first_event_s = histogram("helpgraph_first_event_seconds")
        self._first_word_s = histogram("helpgraph_first_word_seconds")
        self._node_s = histogram("helpgraph_node_seconds", "node")
        self._taken_over = counter("helpgraph_turns_taken_over_total")
        self._parked = counter("helpgraph_turns_parked_total")
        self._lease_losses = counter("helpgraph_lease_losses_total")
        self._calls = counter("helpgraph_model_calls_total")
        self._tokens = counter("helpgraph_model_tokens_total", "direction")
        self._cost = counter("helpgraph_model_cost_total")
        self._fallbacks = counter("helpgraph_engine_fallbacks_total", "ability", "reason")
        self._accepted = counter("helpgraph_messages_accepted_total", "door")
        streams = "helpgraph_open_streams"
        self._open_streams = Gauge(
            streams, METRICS[streams], names(streams, ()), registry=self.registry, multiprocess_mode="livesum"
        )
        self.stream_lag_s = histogram("helpgraph_stream_lag_seconds")
        self._overdue = counter("helpgraph_overdue_total")
        self._refused = counter("helpgraph_refused_total", "status")
        self.request_s = histogram("helpgraph_request_seconds", "method", "route", "status")
        self._deliveries = counter("helpgraph_deliveries_total", "result")
        self._delivery_s = histogram("helpgraph_delivery_seconds", buckets=_SLOW)
        self._database_s = histogram("helpgraph_database_seconds", "kind", buckets=_FINE)
        # Found once: a turn makes some forty statements.
        self._database_of_kind: dict[str, Histogram] = {}
        self.loop_lag_s = histogram("helpgraph_event_loop_lag_seconds", buckets=_FINE)

    def of(self, workspace_id: str) -> "Metrics":
        """The same metrics, counting for this workspace; itself where one alone is served."""
        if not self._by_workspace:
            return self
        view = copy(self)
        view._own = (workspace_id,)
        return view

    def _mine(self, counter: _Counted) -> _Counted:
        return counter.labels(*self._own) if self._own else counter

    def message_accepted(self, door: str) -> None:
        """Count a customer's message."""
        self._accepted.labels(*self._own, door).inc()

    def request_refused(self, status: int) -> None:
        """Count a request that was refused before it did anything."""
        self._refused.labels(*self._own, str(status)).inc()

    def handoff_overdue(self) -> None:
        """Count a handoff that waited longer than promised."""
        self._mine(self._overdue).inc()

    def stream_opened(self) -> None:
        """Count a stream that opens."""
        self._mine(self._open_streams).inc()

    def stream_closed(self) -> None:
        """Count it out again."""
        self._mine(self._open_streams).dec()

    def node_seconds(self, node: str, seconds: float) -> None:
        """Observe a node."""
        self._node_s.labels(node).observe(seconds)

    def turn_seconds(self, seconds: float) -> None:
        """Observe a turn."""
        self._turn_s.observe(seconds)

    def first_event_seconds(self, seconds: float) -> None:
        """Observe a first event."""
        self._first_event_s.observe(seconds)

    def first_word_seconds(self, seconds: float) -> None:
        """Observe a first word."""
        self._first_word_s.observe(seconds)

    def turn_ended(self, outcome: str) -> None:
        """Count an outcome."""
        self._turns.labels(*self._own, outcome).inc()

    def turn_taken_over(self) -> None:
        """Count a turn that was left and goes on."""
        self._mine(self._taken_over).inc()

    def turn_parked(self) -> None:
        """Count a turn that was given up."""
        self._mine(self._parked).inc()

    def lease_lost(self) -> None:
        """Count a conversation that went to another process."""
        self._lease_losses.inc()

    def delivery_tried(self, result: str) -> None:
        """Count an attempt at a delivery."""
        self._deliveries.labels(*self._own, result).inc()

    def delivery_seconds(self, seconds: float) -> None:
        """Observe a delivery."""
        self._delivery_s.observe(seconds)

    def database_seconds(self, kind: str, seconds: float) -> None:
        """Observe a statement or a commit."""
        if (of_kind := self._database_of_kind.get(kind)) is None:
            of_kind = self._database_of_kind[kind] = self._database_s.labels(kind)
        of_kind.observe(seconds)

    def engine_reported(self, report: EngineReport) -> None:
        """Count what a turn's engine did."""
        self._mine(self._calls).inc(report.calls)
        self._tokens.labels(*self._own, "in").inc(report.input_tokens)
        self._tokens.labels(*self._own, "out").inc(report.output_tokens)
        self._mine(self._cost).inc(report.cost)
        for fallback in report.fallbacks:
            self._fallbacks.labels(*self._own, fallback.ability, fallback.reason).inc()

    def render(self, queues: Mapping[str, QueueState]) -> bytes:
        """The exposition text; `queues` is what the log says of each workspace, whichever process is asked.

        Where one workspace alone is served there is one, and its name isn't shown.
        """
        registry = CollectorRegistry()
        registry.register(_OfTheLog(queues, by_workspace=self._by_workspace))
        if self.shared:
            multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]  # The library's own lack.
            return generate_latest(registry)
        return generate_latest(self.registry) + generate_latest(registry)


class _OfTheLog(Collector):
    def __init__(self, queues: Mapping[str, QueueState], *, by_workspace: bool) -> None:
        self._queues = queues
        self._labels = ("workspace",) if by_workspace else ()

    def collect(self) -> Iterable[Metric]:
        found: dict[str, GaugeMetricFamily] = {}
        for workspace_id, queue in self._queues.items():
            for name, value in _figures(queue).items():
                gauge = found.setdefault(name, GaugeMetricFamily(name, METRICS[name], labels=self._labels))
                gauge.add_metric([workspace_id] if self._labels else [], value)
        return found.values()


def _figures(queue: QueueState) -> dict[str, float]:
    return {
        "helpgraph_turns_waiting": queue.waiting,
        "helpgraph_turns_running": queue.running,
        "helpgraph_turns_abandoned": queue.abandoned,
        "helpgraph_oldest_waiting_turn_seconds": queue.oldest_s,
        "helpgraph_conversations_waiting": queue.handoffs_open,
        "helpgraph_conversations_overdue": queue.handoffs_overdue,
    }


def empty_shared_folder(folder: Path) -> None:
    """Make the folder that processes share ready for a new set of them: what an earlier set counted is gone."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for left in folder.glob("*.db"):
        left.unlink()


def forget_process(pid: int) -> None:
    """Say that a process which shared the folder is gone: what it had open is closed, what it counted stays."""
    if os.environ.get(SHARED_FOLDER):
        multiprocess.mark_process_dead(pid)  # type: ignore[no-untyped-call]  # The library's own lack.
