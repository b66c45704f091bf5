"""Spans over OTLP/HTTP, in batches, from a provider that is Helpgraph's alone."""

import asyncio
import logging
import threading
from collections.abc import Sequence
from importlib.metadata import version

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

from tools.tracing.outage import Outage
from tools.tracing.spans import TurnSpans

_PATH = "/v1/traces"
_EXPORT_S = 5.0
_EVERY_MS = 2_000
_MAX_WAITING = 4_096
_MAX_BATCH = 512
# They say for every batch what the outage says once.
_LOUD = ("opentelemetry.exporter.otlp.proto.http.trace_exporter", "opentelemetry.sdk._shared_internal")


class SpanTraces:
    """Exports the spans of turns. When the collector is away or slow, spans are dropped and turns go on."""

    def __init__(self, endpoint: str) -> None:
        for name in _LOUD:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        url = endpoint if endpoint.endswith(_PATH) else endpoint.rstrip("/") + _PATH
        self._outage = Outage("otlp")
        exporter = _Told(OTLPSpanExporter(endpoint=url, timeout=_EXPORT_S), self._outage)
        # Not the process's own provider: whoever embeds Helpgraph may have one.
        self._provider = TracerProvider(resource=_resource(), shutdown_on_exit=False)
        self._provider.add_span_processor(
            BatchSpanProcessor(
                exporter,
                max_queue_size=_MAX_WAITING,
                schedule_delay_millis=_EVERY_MS,
                max_export_batch_size=_MAX_BATCH,
            )
        )
        self.tracer = self._provider.get_tracer("helpgraph")

    def recorder(self) -> TurnSpans:
        """What makes the spans of one turn."""
        return TurnSpans(self.tracer)

    async def close(self, timeout_s: float) -> None:
        """Export what waits, but for no longer than that."""
        # The provider itself would wait half a minute for a collector that hangs.
        thread = threading.Thread(target=self._provider.shutdown, name="spans-shutdown", daemon=True)
        thread.start()
        await asyncio.to_thread(thread.join, timeout_s)
        if thread.is_alive():
            self._outage.lost("end")
        self._outage.end()


class _Told(SpanExporter):
    """Exports, and tells the outage what came of it."""

    def __init__(self, exporter: SpanExporter, outage: Outage) -> None:
        self._exporter = exporter
        self._outage = outage

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        result = self._exporter.export(spans)
        if result is SpanExportResult.SUCCESS:
            self._outage.delivered()
        else:
            self._outage.lost("not_taken", len(spans))
        return result

    def shutdown(self) -> None:
        self._exporter.shutdown()


def _resource() -> Resource:
    ours = Resource({"service.name": "helpgraph", "service.version": version("helpgraph")})
    # What OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES say comes last and wins.
    return Resource.create().merge(ours).merge(OTELResourceDetector().detect())
