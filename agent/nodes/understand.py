"""What the customer's newest messages are."""

from dataclasses import replace

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import confirmed_question
from agent.short_replies import as_courtesy, corrected, short_reply
from agent.state import TurnState
from agent.types import Kind, Understanding, Untrusted

# "Project from archive" sounds like a wish, and "DATEV" like nothing; with the article they are questions.
_AS_THEY_SOUND = (Kind.SMALL_TALK, Kind.ABUSE, Kind.FEATURE_REQUEST)
_CONFIRMED = 0.9


class UnderstandUpdate(TypedDict):
    """The key this node owns."""

    understanding: Understanding


async def understand(state: TurnState, runtime: Runtime[TurnDeps]) -> UnderstandUpdate:
    """Say what kind of message this is, about what, in which language and mood, and what it asks.

    The question is read without its slips of the keyboard; what the customer wrote stays as it is everywhere else.
    """
    request, deps = state["request"], runtime.context
    # "Yes" to "is it about that?" is the question once more.
    confirmed = confirmed_question(request)
    texts, before = (confirmed.texts, confirmed.history) if confirmed else (corrected(request), request.history)
    heard = await deps.engine.understand(texts, before, state["page"])
    if confirmed is not None and heard.kind in _AS_THEY_SOUND:
        heard = replace(heard, kind=Kind.HOW_TO, kind_confidence=_CONFIRMED)
    if (reply := short_reply(request)) is not None:
        return {"understanding": as_courtesy(heard, request, reply)}
    mended = deps.knowledge.mended(heard.question.render_plain())
    return {"understanding": replace(heard, question=Untrusted.of(mended, heard.question.source))}
