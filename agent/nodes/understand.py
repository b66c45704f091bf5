"""What the customer's newest messages are."""

from dataclasses import replace

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import confirmed_question
from agent.state import TurnState
from agent.types import Understanding, Untrusted


class UnderstandUpdate(TypedDict):
    """The key this node owns."""

    understanding: Understanding


async def understand(state: TurnState, runtime: Runtime[TurnDeps]) -> UnderstandUpdate:
    """Say what kind of message this is, about what, in which language and mood, and what it asks.

    The question is read without its slips of the keyboard; what the customer wrote stays as it is everywhere else.
    """
    request, deps = state["request"], runtime.context
    # "Yes" to "is it about that?" is the question once more.
    asked = confirmed_question(request) or request
    heard = await deps.engine.understand(asked.texts, asked.history, state["page"])
    mended = deps.knowledge.mended(heard.question.render_plain())
    return {"understanding": replace(heard, question=Untrusted.of(mended, heard.question.source))}
