"""The passages that may answer."""

import logging

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import confirmed_question
from agent.errors import KnowledgeError
from agent.ports import SearchQuery
from agent.state import TurnState
from agent.types import Passage

logger = logging.getLogger(__name__)


class RetrieveUpdate(TypedDict):
    """The keys this node owns."""

    passages: tuple[Passage, ...]
    knowledge_down: bool


async def retrieve(state: TurnState, runtime: Runtime[TurnDeps]) -> RetrieveUpdate:
    """Find the passages that may answer the question asked on this page.

    A knowledge base that fails is no reason to fail the turn: judgement then sees no evidence and says so.
    """
    deps = runtime.context
    understanding, page, account = state["understanding"], state["page"], state["account"]
    query = SearchQuery(
        text=understanding.question,
        language=understanding.language,
        area=page.area,
        plan=account.plan if account else None,
        preferred_article_ids=page.article_ids,
        limit=deps.policy.passages_per_turn,
    )
    try:
        found = tuple(await deps.knowledge.search(query))
    except KnowledgeError:
        logger.exception("knowledge base down turn_id=%s", state["request"].turn_id)
        return {"passages": (), "knowledge_down": True}
    confirmed = confirmed_question(state["request"])
    if confirmed is not None:
        # What the customer picked is what is answered from, if it is still there.
        found = tuple(passage for passage in found if passage.article_id == confirmed.article_id) or found
    return {"passages": found, "knowledge_down": False}
