"""The one seam for traces: opened from the settings, handed to each turn as callbacks, flushed at the end."""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

import langsmith
from langchain_core.callbacks import BaseCallbackHandler
from langsmith.utils import LangSmithUserError
from opentelemetry.trace import Tracer

from agent.errors import Misconfigured
from tools.tracing.options import TraceOptions

_FIRST_TRACER = ("LANGCHAIN_TRACING", "LANGCHAIN_HANDLER")


class _Receiver(Protocol):
    """Somewhere that traces go."""

    def recorder(self) -> BaseCallbackHandler: ...

    async def close(self, timeout_s: float) -> None: ...


@dataclass(frozen=True, slots=True)
class Tracing:
    """Makes what records a turn."""

    recorders: tuple[Callable[[], BaseCallbackHandler], ...] = ()
    tracer: Tracer | None = None
    """Makes other spans than a turn's; None when spans go nowhere."""

    def callbacks(self) -> list[BaseCallbackHandler]:
        """The callbacks of one turn, which are its own: what they remember ends with it."""
        return [recorder() for recorder in self.recorders]


NO_TRACING = Tracing()


@asynccontextmanager
async def open_tracing(options: TraceOptions) -> AsyncIterator[Tracing]:
    """Open the receivers that the options name; on leaving, what waits is sent, within `flush_s`.

    From here on nothing in this process is traced by the environment's wish alone.

    Raises:
        Misconfigured: a receiver can't be set up.
    """
    trace_nothing_by_environment()
    receivers: list[_Receiver] = []
    tracer: Tracer | None = None
    # Imported where they are used, because an installation without traces needn't wait for their clients to load.
    if options.langsmith_key is not None:
        from tools.tracing.langsmith_traces import LangSmithTraces

        try:
            receivers.append(
                LangSmithTraces(
                    url=options.langsmith_url,
                    key=options.langsmith_key,
                    project=options.langsmith_project,
                    texts=options.texts,
                )
            )
        except LangSmithUserError as exc:
            raise Misconfigured(f"LangSmith's client can't be opened: {exc}") from exc
    if options.otlp_endpoint is not None:
        from tools.tracing.span_export import SpanTraces

        spans = SpanTraces(options.otlp_endpoint)
        receivers.append(spans)
        tracer = spans.tracer
    try:
        yield Tracing(tuple(receiver.recorder for receiver in receivers), tracer)
    finally:
        await asyncio.gather(*(receiver.close(options.flush_s) for receiver in receivers))


def trace_nothing_by_environment() -> None:
    """Turn langchain's own tracing off for this process.

    langchain-core 1.7 traces by itself where `LANGSMITH_TRACING` or `LANGCHAIN_TRACING_V2` is set, unredacted, and to
    wherever other variables say.
    """
    langsmith.configure(enabled=False)
    for name in _FIRST_TRACER:
        # It also refuses to run at all where its first tracer is asked for and its second is off.
        os.environ.pop(name, None)
