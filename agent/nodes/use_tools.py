"""The reads an answer asked for."""

import asyncio
import logging

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.state import TurnState
from agent.types import ToolCall, ToolResult

logger = logging.getLogger(__name__)


class UseToolsUpdate(TypedDict):
    """The key this node owns."""

    tool_results: tuple[ToolResult, ...]


async def use_tools(state: TurnState, runtime: Runtime[TurnDeps]) -> UseToolsUpdate:
    """Run the calls that the answer asked for, side by side; a failed one comes back as one line, never as an error."""
    deps = runtime.context
    tools = {tool.name: tool for tool in deps.tools}
    identity = state["request"].identity

    async def run(call: ToolCall) -> ToolResult:
        tool = tools.get(call.tool)
        if tool is None:
            return ToolResult(call.call_id, call.tool, ok=False, facts={}, error=f"no tool named {call.tool!r}")
        try:
            async with asyncio.timeout(deps.policy.node_timeout_s):
                return await tool.call(call, identity)
        except Exception as exc:
            logger.exception("tool failed tool=%s turn_id=%s", call.tool, state["request"].turn_id)
            return ToolResult(call.call_id, call.tool, ok=False, facts={}, error=type(exc).__name__)

    results = await asyncio.gather(*(run(call) for call in state["tool_calls"]))
    return {"tool_results": (*state.get("tool_results", ()), *results)}
