"""The graph of one turn: which step follows which.

The routers are coroutines because LangGraph hands a plain function to a thread, which costs more than it computes.
"""

from typing import Literal

from langgraph.checkpoint.base import BaseCheckpointSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph

from agent.deps import TurnDeps
from agent.nodes.answer import answer
from agent.nodes.bug_report import bug_report
from agent.nodes.check import check
from agent.nodes.clarify import clarify
from agent.nodes.finish import finish
from agent.nodes.handoff import handoff
from agent.nodes.judge import judge
from agent.nodes.page_context import page_context
from agent.nodes.propose import propose
from agent.nodes.retrieve import retrieve
from agent.nodes.understand import understand
from agent.nodes.use_tools import use_tools
from agent.state import TurnState
from agent.tool_rules import EFFECTS
from agent.types import Mode, Route

TurnGraph = CompiledStateGraph[TurnState, TurnDeps, TurnState, TurnState]


def build_turn_graph(checkpointer: BaseCheckpointSaver[str] | None = None) -> TurnGraph:
    """Compile the turn graph; without a checkpointer a turn can't be resumed, which evals don't need."""
    graph: StateGraph[TurnState, TurnDeps, TurnState, TurnState] = StateGraph(TurnState, context_schema=TurnDeps)
    graph.add_node("page_context", page_context)
    graph.add_node("understand", understand)
    graph.add_node("retrieve", retrieve)
    graph.add_node("judge", judge)
    graph.add_node("answer", answer)
    graph.add_node("use_tools", use_tools)
    graph.add_node("propose", propose)
    graph.add_node("check", check)
    graph.add_node("clarify", clarify)
    graph.add_node("bug_report", bug_report)
    graph.add_node("handoff", handoff)
    graph.add_node("finish", finish)

    graph.add_conditional_edges(START, who_speaks)
    graph.add_edge("page_context", "understand")
    graph.add_edge("understand", "retrieve")
    graph.add_edge("retrieve", "judge")
    graph.add_conditional_edges("judge", chosen_route)
    graph.add_conditional_edges("answer", wants_tools)
    graph.add_edge("use_tools", "answer")
    graph.add_conditional_edges("propose", allowed)
    graph.add_conditional_edges("check", passed)
    graph.add_edge("clarify", "finish")
    graph.add_edge("bug_report", "finish")
    graph.add_edge("handoff", "finish")
    graph.add_edge("finish", END)
    return graph.compile(checkpointer=checkpointer)


async def who_speaks(state: TurnState) -> Literal["page_context", "finish"]:
    """While a person has the conversation, or is on the way, the message is only passed on."""
    return "finish" if state["request"].mode in (Mode.WAITING, Mode.WITH_PERSON) else "page_context"


async def chosen_route(state: TurnState) -> Literal["answer", "clarify", "bug_report", "handoff"]:
    """Follow the verdict."""
    match state["verdict"].route:
        case Route.ANSWER:
            return "answer"
        case Route.CLARIFY:
            return "clarify"
        case Route.BUG_REPORT:
            return "bug_report"
        case Route.HANDOFF:
            return "handoff"


async def wants_tools(state: TurnState) -> Literal["use_tools", "propose", "check"]:
    """Run the reads the answer asked for, then answer again; an effect it asked for leads out of the answer."""
    if any(call.tool in EFFECTS for call in state["tool_calls"]):
        return "propose"
    return "use_tools" if state["tool_calls"] else "check"


async def allowed(state: TurnState) -> Literal["bug_report", "handoff", "clarify"]:
    """Do what the engine proposed when the customer's own words allow it, else ask them."""
    proposal = state["proposal"]
    if not proposal.allowed:
        return "clarify"
    return "bug_report" if proposal.route is Route.BUG_REPORT else "handoff"


async def passed(state: TurnState) -> Literal["clarify", "finish"]:
    """An answer with nothing left to say becomes an honest question."""
    return "finish" if state["check_report"].passed else "clarify"
