"""Judgements in structured form, from servers that differ in how they give them."""

import json
import logging
from collections.abc import Sequence
from typing import Any, Literal, TypeVar

from langchain_core.language_models import LanguageModelInput
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage
from langchain_core.runnables import Runnable
from pydantic import ValidationError

from agent.errors import ModelFailed
from agent.prompting import Prompt
from tools.engines.llm.calling import Model
from tools.engines.llm.judgements import Judgement
from tools.engines.llm.ledger import Ledger
from tools.engines.llm.text_calls import json_values
from tools.engines.llm.thoughts import without_thoughts

logger = logging.getLogger(__name__)

J = TypeVar("J", bound=Judgement)
Method = Literal["json_schema", "function_calling", "plain"]
_METHODS: tuple[Method, ...] = ("json_schema", "function_calling", "plain")


class Judge:
    """Asks one model for judgements, in the best way that its server understands; it remembers which."""

    def __init__(self, model: Model, *, max_tokens: int) -> None:
        self._model = model
        self._max_tokens = max_tokens
        self._method = 0

    @property
    def method(self) -> Method:
        """How judgements are asked for now."""
        return _METHODS[self._method]

    async def ask(self, prompt: Prompt, messages: Sequence[BaseMessage], schema: type[J], ledger: Ledger) -> J:
        """Return the judgement; one that doesn't fit the schema is sent back once, with what is wrong.

        Raises:
            ModelFailed: no judgement that fits, within the clocks and the budget.
        """
        reply = await self._reply(prompt, messages, schema, ledger)
        found, problem = _read(reply, schema)
        if found is not None:
            return found
        logger.info("judgement repaired schema=%s method=%s", schema.__name__, self.method)
        again = HumanMessage(f"That is not it: {problem}. {ask_for(schema)}")
        said = AIMessage(str(reply.content)[:2_000] or "(nothing)")
        found, _ = _read(await self._reply(prompt, [*messages, said, again], schema, ledger), schema)
        if found is None:
            raise ModelFailed("misfit")
        return found

    async def _reply(
        self, prompt: Prompt, messages: Sequence[BaseMessage], schema: type[J], ledger: Ledger
    ) -> AIMessage:
        while True:
            try:
                return await self._model.complete(prompt, messages, ledger, bound=self._bound(schema))
            except ModelFailed as failed:
                if failed.reason != "bad_request" or self._method + 1 == len(_METHODS):
                    raise
                # The server doesn't know this way of asking; it is not asked so again.
                self._method += 1
                logger.info("judgements are asked for another way method=%s", self.method)

    def _bound(self, schema: type[J]) -> Runnable[LanguageModelInput, AIMessage]:
        chat, limit = self._model.chat, self._max_tokens
        match self.method:
            case "json_schema":
                shape = {"name": schema.__name__, "schema": strict_schema(schema), "strict": True}
                return chat.bind(
                    response_format={"type": "json_schema", "json_schema": shape}, max_completion_tokens=limit
                )
            case "function_calling":
                tool = {
                    "type": "function",
                    "function": {"name": schema.__name__, "description": "", "parameters": strict_schema(schema)},
                }
                return chat.bind_tools([tool], tool_choice=schema.__name__, max_completion_tokens=limit)
            case "plain":
                return chat.bind(max_completion_tokens=limit)


def ask_for(schema: type[Judgement]) -> str:
    """The request for a JSON object, with its keys and their ranges in words."""
    keys = []
    for name, shape in _properties(schema):
        choices = shape.get("enum")
        if choices:
            kind = "one of " + ", ".join(json.dumps(choice) for choice in choices)
        elif shape.get("type") == "number":
            kind = f"a number from {shape.get('minimum', 0):g} to {shape.get('maximum', 1):g}"
        elif shape.get("type") == "array":
            kind = "a list of short texts"
        elif shape.get("type") == "boolean":
            kind = "true or false"
        else:
            kind = f"a text of at most {shape.get('maxLength', 400)} characters"
        keys.append(f'"{name}" ({kind})')
    return f"Reply with one JSON object and nothing else. Its keys: {', '.join(keys)}."


def strict_schema(schema: type[Judgement]) -> dict[str, Any]:
    """The JSON schema as servers want it: no references, every key required, no others."""
    properties = dict(_properties(schema))
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _properties(schema: type[Judgement]) -> list[tuple[str, dict[str, Any]]]:
    whole = schema.model_json_schema()
    named = whole.get("$defs", {})
    found = []
    for name, shape in whole["properties"].items():
        if "$ref" in shape:
            shape = named[shape["$ref"].rsplit("/", 1)[-1]]
        kept = {key: value for key, value in shape.items() if key not in ("title", "description")}
        found.append((name, kept))
    return found


def _read(reply: AIMessage, schema: type[J]) -> tuple[J | None, str]:
    """The judgement in a reply, wherever the server put it; else what is wrong, in one line."""
    candidates: list[Any] = [call["args"] for call in reply.tool_calls]
    candidates += [value for value in json_values(_text(reply)) if isinstance(value, dict)]
    problem = "no JSON object was found"
    for candidate in candidates:
        for value in (candidate, candidate.get("arguments"), candidate.get("parameters")):
            if not isinstance(value, dict):
                continue
            try:
                return schema.model_validate(value), ""
            except ValidationError as exc:
                first = exc.errors(include_url=False, include_input=False)[0]
                where = ".".join(str(part) for part in first["loc"])
                problem = f"{where}: {first['msg']}"[:200]
    return None, problem


def _text(reply: AIMessage) -> str:
    return without_thoughts(reply.content if isinstance(reply.content, str) else reply.text)
