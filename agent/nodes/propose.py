"""An effect that the engine asked for while answering."""

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.state import TurnState
from agent.tool_rules import EFFECTS, weigh
from agent.types import Proposal


class ProposeUpdate(TypedDict):
    """The key this node owns."""

    proposal: Proposal


async def propose(state: TurnState, runtime: Runtime[TurnDeps]) -> ProposeUpdate:
    """Decide whether the first effect asked for may happen in this turn, or must be offered to the customer."""
    route = next(EFFECTS[call.tool] for call in state["tool_calls"] if call.tool in EFFECTS)
    pressed = state["request"].wish_for_person
    return {"proposal": weigh(route, state["understanding"], runtime.context.policy, pressed=pressed)}
