"""What the server counts, for Prometheus. docs/metrics.md lists the same names; a test compares the two."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from agent.ports import EngineReport

METRICS: dict[str, str] = {
    "helpgraph_turns_total": "Turns ended, by outcome.",
    "helpgraph_turn_seconds": "Time of a turn, from its start to its end.",
    "helpgraph_first_word_seconds": "Time from a turn's start to the first word committed.",
    "helpgraph_node_seconds": "Time of a node of the graph, by node.",
    "helpgraph_model_calls_total": "Calls of language models.",
    "helpgraph_model_tokens_total": "Tokens of language models, by direction (in, out).",
    "helpgraph_model_cost_total": "What language models cost, in the currency of the price settings.",
    "helpgraph_engine_fallbacks_total": "In what models failed, by ability and reason.",
    "helpgraph_messages_accepted_total": "Customers' messages accepted, by door.",
    "helpgraph_open_streams": "Event streams open now.",
    "helpgraph_conversations_waiting": "Conversations that wait for a person now.",
    "helpgraph_overdue_total": "Handoffs that waited longer than promised.",
    "helpgraph_refused_total": "Requests refused before they did anything, by status.",
}

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics:
    """The server's own registry. Implements `TurnMetrics`."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, *labels: str) -> Counter:
            return Counter(name, METRICS[name], labels, registry=self.registry)

        def gauge(name: str) -> Gauge:
            return Gauge(name, METRICS[name], registry=self.registry)

        def histogram(name: str, *labels: str) -> Histogram:
            return Histogram(name, METRICS[name], labels, registry=self.registry, buckets=_BUCKETS)

        self._turns = counter("helpgraph_turns_total", "outcome")
        self._turn_s = histogram("helpgraph_turn_seconds")
        self._first_word_s = histogram("helpgraph_first_word_seconds")
        self._node_s = histogram("helpgraph_node_seconds", "node")
        self._calls = counter("helpgraph_model_calls_total")
        self._tokens = counter("helpgraph_model_tokens_total", "direction")
        self._cost = counter("helpgraph_model_cost_total")
        self._fallbacks = counter("helpgraph_engine_fallbacks_total", "ability", "reason")
        self.accepted = counter("helpgraph_messages_accepted_total", "door")
        self.open_streams = gauge("helpgraph_open_streams")
        self.waiting = gauge("helpgraph_conversations_waiting")
        self.overdue = counter("helpgraph_overdue_total")
        self.refused = counter("helpgraph_refused_total", "status")

    def node_seconds(self, node: str, seconds: float) -> None:
        """Observe a node."""
        self._node_s.labels(node).observe(seconds)

    def turn_seconds(self, seconds: float) -> None:
        """Observe a turn."""
        self._turn_s.observe(seconds)

    def first_word_seconds(self, seconds: float) -> None:
        """Observe a first word."""
        self._first_word_s.observe(seconds)

    def turn_ended(self, outcome: str) -> None:
        """Count an outcome."""
        self._turns.labels(outcome).inc()

    def engine_reported(self, report: EngineReport) -> None:
        """Count what a turn's engine did."""
        self._calls.inc(report.calls)
        self._tokens.labels("in").inc(report.input_tokens)
        self._tokens.labels("out").inc(report.output_tokens)
        self._cost.inc(report.cost)
        for fallback in report.fallbacks:
            self._fallbacks.labels(fallback.ability, fallback.reason).inc()

    def render(self) -> bytes:
        """The exposition text."""
        return generate_latest(self.registry)
