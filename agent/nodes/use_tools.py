"""The reads an answer asked for."""

import asyncio
import logging
from dataclasses import replace

from langgraph.runtime import Runtime
from pydantic import ValidationError
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.ports import AnswerTool, ToolContext
from agent.state import TurnState
from agent.types import ToolCall, ToolResult
from agent.untrusted import clean

logger = logging.getLogger(__name__)

_FACT_CHARS = 400


class UseToolsUpdate(TypedDict):
    """The key this node owns."""

    tool_results: tuple[ToolResult, ...]


async def use_tools(state: TurnState, runtime: Runtime[TurnDeps]) -> UseToolsUpdate:
    """Run the calls that the answer asked for, side by side; a failed one comes back as one line, never as an error."""
    deps = runtime.context
    tools = {tool.offer.name: tool for tool in deps.tools}
    account = state["account"]
    context = ToolContext(
        identity=state["request"].identity,
        language=state["understanding"].language,
        page=state["page"],
        plan=account.plan if account else None,
    )
    calls = state["tool_calls"]
    most = deps.policy.calls_per_round
    results = await asyncio.gather(
        *(_run(call, tools.get(call.tool), context, state["request"].turn_id, deps) for call in calls[:most])
    )
    too_many = [_refused(call, f"at most {most} calls at a time") for call in calls[most:]]
    return {"tool_results": (*state.get("tool_results", ()), *results, *too_many)}


async def _run(
    call: ToolCall, tool: AnswerTool | None, context: ToolContext, turn_id: str, deps: TurnDeps
) -> ToolResult:
    if tool is None:
        known = ", ".join(tool.offer.name for tool in deps.tools)
        return _refused(call, f"no tool named {call.tool[:60]!r}; there are: {known or 'none'}")
    if call.problem is not None:
        return _refused(call, call.problem)
    try:
        arguments = tool.offer.arguments.model_validate(call.arguments)
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"]) or "arguments"
        return _refused(call, f"{where}: {first['msg']}"[:200])
    try:
        async with asyncio.timeout(deps.policy.node_timeout_s):
            return _cleaned(await tool.call(call, arguments, context))
    except TimeoutError:
        logger.warning("tool too slow tool=%s turn_id=%s", call.tool, turn_id)
        return _refused(call, "too slow, try without it")
    except Exception as exc:
        logger.exception("tool failed tool=%s turn_id=%s", call.tool, turn_id)
        return _refused(call, f"failed ({type(exc).__name__}), go on without it")


def _cleaned(result: ToolResult) -> ToolResult:
    """The result with facts of one line each: whoever fills a field of an account can't write another beside it."""
    facts = {name: " ".join(clean(value, limit=_FACT_CHARS).split()) for name, value in result.facts.items()}
    return replace(result, facts=facts)


def _refused(call: ToolCall, error: str) -> ToolResult:
    return ToolResult(call.call_id, call.tool, ok=False, facts={}, error=error, arguments=call.arguments)
