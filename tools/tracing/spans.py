"""A turn as OpenTelemetry spans: names, durations, counts and kinds, and never a text."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.messages import AIMessage, BaseMessage
from langchain_core.outputs import ChatGeneration, LLMResult
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context

from agent.errors import ModelFailed
from agent.types import Reply, Verdict
from tools.observing.context import current_work

Attribute = str | int | float | bool | tuple[str, ...]

_IDS = ("turn_id", "conversation_id", "workspace_id")
# An endpoint says what its model is called.
_MAX_CHARS = 100


class TurnSpans(BaseCallbackHandler):
    """Makes the spans of one turn: the turn, its nodes, and the calls of models within them.

    Names of attributes are those of the semantic conventions for generative AI where these have one.
    """

    run_inline = True

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer
        self._open: dict[UUID, Span] = {}
        self._turn: Span | None = None
        self._asked: dict[UUID, float] = {}

    def on_chain_start(
        self,
        serialized: dict[str, Any],
        inputs: dict[str, Any],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Begin the turn's span or a node's; routers and LangGraph's own steps have none."""
        given, name = metadata or {}, str(kwargs.get("name"))
        if parent_run_id is None:
            ids = {key: str(given[key]) for key in _IDS if key in given}
            attributes: dict[str, Attribute] = {f"helpgraph.{key}": value for key, value in ids.items()}
            attributes |= {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "helpgraph"}
            if "conversation_id" in ids:
                attributes["gen_ai.conversation.id"] = ids["conversation_id"]
            self._turn = self._begin(run_id, None, name, attributes)
        elif name == given.get("langgraph_node") and not name.startswith("__"):
            self._begin(run_id, parent_run_id, name, {"helpgraph.node": name})

    def on_chain_end(self, outputs: dict[str, Any], *, run_id: UUID, **kwargs: Any) -> None:
        """End it; what was decided is told of the turn."""
        if run_id not in self._open:
            return
        if self._turn is not None and isinstance(outputs, Mapping):
            verdict, reply = outputs.get("verdict"), outputs.get("reply")
            if isinstance(verdict, Verdict):
                self._turn.set_attribute("helpgraph.route", verdict.route.value)
            if isinstance(reply, Reply):
                self._turn.set_attribute("helpgraph.outcome", reply.outcome.value)
            spent = current_work().database
            self._turn.set_attribute("helpgraph.database.statements", spent.statements)
            self._turn.set_attribute("helpgraph.database.seconds", round(spent.seconds, 6))
        self._end(run_id)

    def on_chain_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with the kind of the error."""
        self._end(run_id, error)

    def on_chat_model_start(
        self,
        serialized: dict[str, Any],
        messages: list[list[BaseMessage]],
        *,
        run_id: UUID,
        parent_run_id: UUID | None = None,
        metadata: dict[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        """Begin the span of a call."""
        given = metadata or {}
        model = _short(given.get("ls_model_name", "model"))
        attributes: dict[str, Attribute] = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": _short(given.get("ls_provider", "openai")),
            "gen_ai.request.model": model,
        }
        for key, name in (
            ("prompt", "gen_ai.prompt.name"),
            ("prompt_hash", "helpgraph.prompt.hash"),
            ("ls_temperature", "gen_ai.request.temperature"),
            ("ls_max_tokens", "gen_ai.request.max_tokens"),
        ):
            if isinstance(given.get(key), (str, int, float)):
                attributes[name] = given[key]
        self._begin(run_id, parent_run_id, f"chat {model}", attributes, kind=SpanKind.CLIENT)
        self._asked[run_id] = time.monotonic()

    def on_llm_new_token(self, token: str | list[str | dict[str, Any]], *, run_id: UUID, **kwargs: Any) -> None:
        """Note how long the first token took."""
        asked = self._asked.pop(run_id, None)
        if asked is not None and run_id in self._open:
            self._open[run_id].set_attribute("gen_ai.response.time_to_first_chunk", time.monotonic() - asked)

    def on_llm_end(self, response: LLMResult, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with what the call came to."""
        span = self._open.get(run_id)
        generation = response.generations[0][0] if response.generations and response.generations[0] else None
        if span is not None and isinstance(generation, ChatGeneration) and isinstance(generation.message, AIMessage):
            span.set_attributes(_reply_attributes(generation.message))
        self._end(run_id)

    def on_llm_error(self, error: BaseException, *, run_id: UUID, **kwargs: Any) -> None:
        """End it with the kind of the error."""
        self._end(run_id, error)

    def _begin(
        self,
        run_id: UUID,
        parent_run_id: UUID | None,
        name: str,
        attributes: Mapping[str, Attribute],
        *,
        kind: SpanKind = SpanKind.INTERNAL,
    ) -> Span:
        parent = None if parent_run_id is None else self._open.get(parent_run_id, self._turn)
        # An empty context otherwise: a turn is nobody's part, whatever request happens to be open.
        context = set_span_in_context(parent, Context()) if parent is not None else Context()
        span = self._tracer.start_span(name, context, kind, attributes)
        self._open[run_id] = span
        return span

    def _end(self, run_id: UUID, error: BaseException | None = None) -> None:
        span = self._open.pop(run_id, None)
        if span is None:
            return
        self._asked.pop(run_id, None)
        if isinstance(error, (asyncio.CancelledError, GeneratorExit)):
            # Whoever asked has enough, or left.
            span.set_attribute("helpgraph.stopped", True)
        elif error is not None:
            span.set_status(Status(StatusCode.ERROR))
            span.set_attribute("error.type", error.reason if isinstance(error, ModelFailed) else type(error).__name__)
        span.end()


def _reply_attributes(message: AIMessage) -> dict[str, Attribute]:
    found: dict[str, Attribute] = {}
    said = message.response_metadata
    if said.get("model_name"):
        found["gen_ai.response.model"] = _short(said["model_name"])
    if said.get("finish_reason"):
        found["gen_ai.response.finish_reasons"] = (_short(said["finish_reason"]),)
    if message.usage_metadata is not None:
        found["gen_ai.usage.input_tokens"] = message.usage_metadata["input_tokens"]
        found["gen_ai.usage.output_tokens"] = message.usage_metadata["output_tokens"]
    if message.tool_calls:
        found["helpgraph.tool_calls"] = len(message.tool_calls)
    return found


def _short(text: object) -> str:
    return str(text)[:_MAX_CHARS]
