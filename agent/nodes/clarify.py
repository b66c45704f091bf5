"""A question instead of a guess."""

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.links import title_in_words
from agent.phrases import Phrase, phrase
from agent.state import TurnState
from agent.types import Route


class ClarifyUpdate(TypedDict):
    """The key this node owns."""

    clarification: str


async def clarify(state: TurnState, runtime: Runtime[TurnDeps]) -> ClarifyUpdate:
    """Say honestly what the articles don't answer, name the nearest ones, and offer what could be done instead."""
    language = state["understanding"].language
    if "proposal" in state:
        offer = Phrase.OFFER_BUG if state["proposal"].route is Route.BUG_REPORT else Phrase.OFFER_PERSON
        return {"clarification": phrase(offer, language)}
    if "draft" in state and state["draft"].text:
        rest = Phrase.ANSWER_CUT if state["draft"].broken_off == "cut" else Phrase.NOT_CONFIRMED
        return {"clarification": phrase(rest, language)}
    if state["knowledge_down"]:
        return {"clarification": phrase(Phrase.KNOWLEDGE_DOWN, language)}
    if state["understanding"].unspecific:
        return {"clarification": phrase(Phrase.WHAT_FAILS, language)}
    named = (title_in_words(p.title) for p in state["passages"] if p.score >= 0.45)
    titles = [title for title in dict.fromkeys(named) if title][:2]
    if not titles:
        return {"clarification": phrase(Phrase.DONT_KNOW, language)}
    names = " / ".join(f"“{title}”" for title in titles)
    return {"clarification": phrase(Phrase.DONT_KNOW_NEAREST, language, titles=names)}
