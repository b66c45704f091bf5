"""A question instead of a guess."""

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import named
from agent.links import title_in_words
from agent.phrases import Phrase, phrase
from agent.state import TurnState
from agent.types import Citation, Kind, Passage, Route, Understanding

_NEAR = 0.45
_LIKELY = 0.5
_MOST_NAMED = 2
_WISHED = 0.8


class ClarifyUpdate(TypedDict):
    """The keys this node owns."""

    clarification: str
    nearest: tuple[Citation, ...]


async def clarify(state: TurnState, runtime: Runtime[TurnDeps]) -> ClarifyUpdate:
    """Say honestly what the articles don't answer, name the nearest ones, and offer what could be done instead."""
    language = state["understanding"].language
    asked = _other_than_articles(state)
    nearest = _nearest(state) if asked is None else ()
    if nearest:
        names = " / ".join(named(article, language) for article in nearest)
        return {"clarification": phrase(Phrase.DONT_KNOW_NEAREST, language, titles=names), "nearest": nearest}
    return {"clarification": phrase(asked or _unknown(state["understanding"]), language), "nearest": ()}


def _unknown(heard: Understanding) -> Phrase:
    wished = heard.kind is Kind.FEATURE_REQUEST and heard.kind_confidence >= _WISHED
    return Phrase.DONT_KNOW_FEATURE if wished else Phrase.DONT_KNOW


def _other_than_articles(state: TurnState) -> Phrase | None:
    """What is asked where no article comes into question."""
    if "proposal" in state:
        return Phrase.OFFER_BUG if state["proposal"].route is Route.BUG_REPORT else Phrase.OFFER_PERSON
    if "draft" in state and state["draft"].text:
        return Phrase.ANSWER_CUT if state["draft"].broken_off == "cut" else Phrase.NOT_CONFIRMED
    if state["knowledge_down"]:
        return Phrase.KNOWLEDGE_DOWN
    return Phrase.WHAT_FAILS if state["understanding"].unspecific else None


def _nearest(state: TurnState) -> tuple[Citation, ...]:
    """The articles that the question may be about, each once, by its best passage."""
    likely = state["evidence"].passage_ids if state["evidence"].probability >= _LIKELY else ()
    found: dict[str, Passage] = {}
    for passage in state["passages"]:
        if (passage.score >= _NEAR or passage.passage_id in likely) and title_in_words(passage.title):
            found.setdefault(title_in_words(passage.title), passage)
    return tuple(
        Citation(n, each.article_id, each.title, each.section, each.url, each.passage_id)
        for n, each in enumerate(list(found.values())[:_MOST_NAMED], start=1)
    )
