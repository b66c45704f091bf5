"""Whole turns to LangSmith: recorded as they run, redacted and sent when they have ended, in a thread of its own.

Not LangChainTracer: that one sends a run's start before the turn knows whose names are in it, redacts on the event
loop, and stops where tracing by the environment is off, which it always is here.
"""

import asyncio
import logging
import queue
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any
from uuid import UUID

from langchain_core.tracers.base import BaseTracer
from langchain_core.tracers.schemas import Run
from langsmith import Client
from pydantic import SecretStr
from urllib3.util import Retry

from tools.tracing.outage import Outage
from tools.tracing.redaction import Redactor, names_in

logger = logging.getLogger(__name__)

_MAX_WAITING = 100
_HIDDEN = "langsmith:hidden"
_OURS = ("turn_id", "conversation_id", "workspace_id", "prompt", "prompt_hash")
_LANGGRAPHS = ("langgraph_node", "langgraph_step")
_ERROR_TYPE = re.compile(r"[\w.]+")


class TurnRecorder(BaseTracer):
    """Records one turn and hands it over whole when it has ended."""

    run_inline = True

    def __init__(self, hand_over: Callable[[Run], None]) -> None:
        super().__init__(_schema_format="original+chat")
        self._hand_over = hand_over
        self._speaking: set[UUID] = set()

    def on_llm_new_token(self, token: Any, *, run_id: UUID, **kwargs: Any) -> Any:
        """Note when the first token came; the text is in the reply."""
        if run_id not in self._speaking:
            self._speaking.add(run_id)
            kwargs["chunk"] = None
            super().on_llm_new_token("", run_id=run_id, **kwargs)

    def _persist_run(self, run: Run) -> None:
        self._hand_over(run)


class LangSmithTraces:
    """Sends recorded turns. When LangSmith is away or slow, turns wait for it up to a bound and are dropped then."""

    def __init__(self, *, url: str, key: SecretStr, project: str, texts: bool) -> None:
        self._project = project
        self._texts = texts
        self._outage = Outage("langsmith")
        self._failed = False
        # Its warnings quote addresses and answers, one for each attempt; the outage says what is to be said.
        logging.getLogger("langsmith.client").setLevel(logging.CRITICAL)
        self._client = Client(
            url,
            api_key=key.get_secret_value(),
            # Batches are made here: a thread of the client's would keep a process from ending while LangSmith hangs.
            auto_batch_tracing=False,
            # urllib3 logs each of its own retries.
            retry_config=Retry(0),
            tracing_mode="langsmith",
            # It would add variables of the environment.
            omit_traced_runtime_info=True,
            tracing_error_callback=self._note,
        )
        self._waiting: queue.Queue[Run | None] = queue.Queue(_MAX_WAITING)
        self._thread = threading.Thread(target=self._work, name="langsmith-traces", daemon=True)
        self._thread.start()

    def recorder(self) -> TurnRecorder:
        """What records one turn."""
        return TurnRecorder(self._take)

    async def close(self, timeout_s: float) -> None:
        """Send what waits, but for no longer than that."""
        self._end()
        await asyncio.to_thread(self._thread.join, timeout_s)
        if self._thread.is_alive():
            self._outage.lost("end")
        else:
            self._client.session.close()
        self._outage.end()

    def _take(self, run: Run) -> None:
        try:
            self._waiting.put_nowait(run)
        except queue.Full:
            self._outage.lost("queue_full")

    def _end(self) -> None:
        while True:
            try:
                return self._waiting.put_nowait(None)
            except queue.Full:
                # One turn more is lost, or the thread would never end.
                with suppress(queue.Empty):
                    self._waiting.get_nowait()

    def _work(self) -> None:
        while (run := self._waiting.get()) is not None:
            try:
                self._send(run)
            except Exception as exc:
                # A thread that ends here would end all traces; the message may hold what is traced.
                logger.error("turn not traced error=%s", type(exc).__name__)

    def _send(self, run: Run) -> None:
        self._failed = False
        self._client.multipart_ingest(create=redacted_runs(run, project=self._project, texts=self._texts))
        if not self._failed:
            self._outage.delivered()

    def _note(self, error: Exception) -> None:
        self._failed = True
        self._outage.lost(type(error).__name__)


def redacted_runs(root: Run, *, project: str, texts: bool) -> list[dict[str, Any]]:
    """A turn's runs as LangSmith takes them, parents first; without texts, the names, times, counts and kinds alone."""
    runs = list(_shown(root))
    redactor = Redactor(names_in(part for run in runs for part in (run.inputs, run.outputs)))
    return [_redacted(run, redactor, project=project, texts=texts) for run in runs]


def _shown(run: Run) -> Iterator[Run]:
    yield run
    for child in run.child_runs:
        if _HIDDEN not in (child.tags or ()):
            yield from _shown(child)


def _redacted(run: Run, redactor: Redactor, *, project: str, texts: bool) -> dict[str, Any]:
    given = run.extra.get("metadata") or {}
    # Ids and hashes look like secrets, and are wanted as they are.
    metadata = {key: given[key] for key in _OURS if key in given}
    kept = {key: value for key, value in given.items() if key in _LANGGRAPHS or key.startswith("ls_")}
    usage = _usage(run.outputs)
    if usage is not None:
        kept["usage_metadata"] = usage
    extra: dict[str, Any] = {"metadata": metadata | redactor.value(kept)}
    if texts and "invocation_params" in run.extra:
        extra["invocation_params"] = redactor.value(run.extra["invocation_params"])
    # A router reads the state that its node left: that is in the trace already.
    is_router = run.run_type == "chain" and run.name != given.get("langgraph_node", run.name)
    return {
        "id": run.id,
        "trace_id": run.trace_id,
        "dotted_order": run.dotted_order,
        "parent_run_id": run.parent_run_id,
        "session_name": project,
        "name": run.name,
        "run_type": "llm" if run.run_type == "chat_model" else run.run_type,
        "start_time": run.start_time,
        "end_time": run.end_time,
        "inputs": redactor.value(run.inputs) if texts and not is_router else {},
        "outputs": redactor.value(run.outputs) if texts else {},
        "error": _error(run.error, redactor, texts=texts),
        "events": [{"name": event["name"], "time": event["time"]} for event in run.events or ()],
        "tags": list(run.tags or ()),
        "extra": extra,
    }


def _error(error: str | None, redactor: Redactor, *, texts: bool) -> str | None:
    if not error or texts:
        return redactor.text(error) if error else None
    kind = _ERROR_TYPE.match(error)
    return kind.group(0) if kind else "error"


def _usage(outputs: dict[str, Any] | None) -> dict[str, Any] | None:
    """The tokens that a model's reply says it used, where LangSmith looks for them."""
    for generations in (outputs or {}).get("generations") or ():
        for generation in generations:
            message = generation.get("message") if isinstance(generation, dict) else None
            if isinstance(message, dict) and (usage := message.get("kwargs", {}).get("usage_metadata")):
                return dict(usage)
    return None
