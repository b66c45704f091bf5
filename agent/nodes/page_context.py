"""Where the customer is and who they are."""

import asyncio
import logging
from dataclasses import replace

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import conversation_language
from agent.errors import ConnectorError
from agent.state import TurnState
from agent.types import AccountFacts, PageContext

logger = logging.getLogger(__name__)


class PageContextUpdate(TypedDict):
    """The keys this node owns."""

    page: PageContext
    account: AccountFacts | None


async def page_context(state: TurnState, runtime: Runtime[TurnDeps]) -> PageContextUpdate:
    """Read the page and fetch the account, within a time box; without either the turn goes on all the same."""
    deps = runtime.context
    request = state["request"]
    account: AccountFacts | None = None
    try:
        async with asyncio.timeout(deps.policy.account_lookup_timeout_s):
            account = await deps.accounts.facts(request.identity)
    except (TimeoutError, ConnectorError) as exc:
        logger.warning("account lookup failed turn_id=%s error=%s", request.turn_id, type(exc).__name__)
    page = replace(deps.pages.locate(request.page), language=conversation_language(request))
    return {"page": page, "account": account}
