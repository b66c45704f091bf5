"""A question instead of a guess."""

import logging
from contextlib import aclosing

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import named
from agent.errors import ConnectorError
from agent.links import title_in_words
from agent.nodes.check import may_stand
from agent.phrases import Phrase, phrase
from agent.ports import AnswerBrief
from agent.state import TurnState
from agent.types import Citation, Kind, Passage, Route, Sentence, Understanding

logger = logging.getLogger(__name__)

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
        return {"clarification": await _about(nearest, state, runtime.context), "nearest": nearest}
    return {"clarification": phrase(asked or _unknown(state["understanding"]), language), "nearest": ()}


async def _about(nearest: tuple[Citation, ...], state: TurnState, deps: TurnDeps) -> str:
    """The question whether it is about these articles; what the likely one says is shown, so that one can tell."""
    language = state["understanding"].language
    first, *others = [named(article, language) for article in nearest]
    quote = await _glimpse(nearest[0], state, deps)
    if not quote:
        return phrase(Phrase.DONT_KNOW_NEAREST, language, titles=" / ".join([first, *others]))
    if others:
        return phrase(Phrase.NEAREST_SAYS_OR, language, titles=first, quote=quote, other=others[0])
    return phrase(Phrase.NEAREST_SAYS, language, titles=first, quote=quote)


async def _glimpse(article: Citation, state: TurnState, deps: TurnDeps) -> str:
    """The likely article's own words, where the team lets articles answer; "" where it isn't that likely."""
    evidence, understanding = state["evidence"], state["understanding"]
    passages = tuple(each for each in state["passages"] if each.article_id == article.article_id)
    likely = evidence.probability >= _LIKELY and any(each.passage_id in evidence.passage_ids for each in passages)
    if not likely or deps.policy.category(understanding.category).scope != "answer":
        return ""
    brief = AnswerBrief(
        question=understanding.question,
        understanding=understanding,
        passages=passages,
        page=state["page"],
        account=None,
        history=state["request"].history,
        tool_results=(),
        tools=(),
        glimpse=True,
    )
    shown: list[str] = []
    try:
        async with aclosing(deps.engine.quote(brief)) as parts:
            async for part in parts:
                if isinstance(part, Sentence) and part.claim and await may_stand(part, state, deps):
                    shown.append(part.text.strip("\n"))
    except ConnectorError as exc:
        # The title alone asks as well.
        logger.warning("glimpse cut turn_id=%s error=%s", state["request"].turn_id, type(exc).__name__)
        return ""
    return "\n".join(shown)


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
