"""What an answer may look up besides accounts: the knowledge base again, and the page."""

from pydantic import BaseModel, ConfigDict, Field

from agent.errors import KnowledgeError
from agent.ports import KnowledgeBase, SearchQuery, ToolContext, ToolOffer
from agent.types import Source, ToolCall, ToolResult, Untrusted

_MOST_PASSAGES = 4


class SearchArguments(BaseModel):
    """Another question for the knowledge base."""

    model_config = ConfigDict(extra="ignore")
    question: str = Field(min_length=3, max_length=300, description="What to look for, as a full question.")


class SearchTool:
    """Search the articles again, with another question."""

    offer = ToolOffer(
        "search_articles",
        "Search the help articles with another question, when the sources given don't answer. Returns more sources.",
        SearchArguments,
    )

    def __init__(self, knowledge: KnowledgeBase) -> None:
        self._knowledge = knowledge

    async def call(self, call: ToolCall, arguments: SearchArguments, context: ToolContext) -> ToolResult:
        """Search with the page's area and the account's plan, as the first search did."""
        query = SearchQuery(
            text=Untrusted.of(arguments.question, Source.MODEL, limit=300),
            language=context.language,
            area=context.page.area,
            plan=context.plan,
            limit=_MOST_PASSAGES,
        )
        try:
            found = tuple(await self._knowledge.search(query))
        except KnowledgeError:
            return self._said(call, error="the articles can't be reached now")
        if not found:
            return self._said(call, error="nothing found")
        return ToolResult(
            call.call_id,
            self.offer.name,
            ok=True,
            facts={"found": str(len(found))},
            arguments=call.arguments,
            passages=found,
        )

    def _said(self, call: ToolCall, *, error: str) -> ToolResult:
        return ToolResult(call.call_id, self.offer.name, ok=False, facts={}, error=error, arguments=call.arguments)


class PointArguments(BaseModel):
    """Which element."""

    model_config = ConfigDict(extra="ignore")
    element_id: str = Field(max_length=120, description="The id of one of the elements listed as on the page.")


class PointTool:
    """Point at an element of the page the customer is on. What is said there is the page map's, not the engine's."""

    offer = ToolOffer(
        "point_at",
        "Highlight one element of the page that the customer is on, when the answer is about it.",
        PointArguments,
    )

    async def call(self, call: ToolCall, arguments: PointArguments, context: ToolContext) -> ToolResult:
        """Check that the element is on the page now; the widget does the rest when the answer is done."""
        for element in context.page.elements:
            if element.element_id == arguments.element_id:
                return ToolResult(
                    call.call_id,
                    self.offer.name,
                    ok=True,
                    facts={"element_id": element.element_id},
                    arguments=call.arguments,
                )
        known = ", ".join(element.element_id for element in context.page.elements[:20]) or "none"
        return ToolResult(
            call.call_id,
            self.offer.name,
            ok=False,
            facts={},
            error=f"no such element on this page; there are: {known}",
            arguments=call.arguments,
        )
