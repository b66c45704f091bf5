"""A question instead of a guess."""

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.phrases import Phrase, phrase
from agent.state import TurnState


class ClarifyUpdate(TypedDict):
    """The key this node owns."""

    clarification: str


async def clarify(state: TurnState, runtime: Runtime[TurnDeps]) -> ClarifyUpdate:
    """Say honestly that the articles don't answer this, name the nearest ones, and offer a person."""
    language = state["understanding"].language
    if state["knowledge_down"]:
        return {"clarification": phrase(Phrase.KNOWLEDGE_DOWN, language)}
    titles = list(dict.fromkeys(p.title for p in state["passages"] if p.score >= 0.45))[:2]
    if not titles:
        return {"clarification": phrase(Phrase.DONT_KNOW, language)}
    names = " / ".join(f"“{_plain(title)}”" for title in titles)
    return {"clarification": phrase(Phrase.DONT_KNOW_NEAREST, language, titles=names)}


def _plain(title: str) -> str:
    """A title as plain text: what an article calls itself must not become Markdown of ours."""
    return "".join(char for char in title if char not in "[]()<>*_`#!|\\")[:80]
