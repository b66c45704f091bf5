"""What the customer's newest messages are."""

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.state import TurnState
from agent.types import Understanding


class UnderstandUpdate(TypedDict):
    """The key this node owns."""

    understanding: Understanding


async def understand(state: TurnState, runtime: Runtime[TurnDeps]) -> UnderstandUpdate:
    """Say what kind of message this is, about what, in which language and mood, and what it asks."""
    request = state["request"]
    engine = runtime.context.engine
    return {"understanding": await engine.understand(request.texts, request.history, state["page"])}
