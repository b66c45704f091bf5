"""The local engine as an installation runs it, and the same by words alone."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.ports import AnswerBrief, ToolOffer
from agent.types import (
    AccountFacts,
    Author,
    Message,
    PageContext,
    Passage,
    Sentence,
    Source,
    ToolCall,
    ToolResult,
    Understanding,
    Untrusted,
)
from tests.installed import learning
from tests.tools.engines.shop import CATEGORIES
from tools.accounts import AccountStatusTool, OrderStatusTool
from tools.engines.local.engine import LocalEngine

TOOLS = (AccountStatusTool.offer, OrderStatusTool.offer)
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)

Hear = Callable[..., Awaitable[Understanding]]


@pytest.fixture(scope="session")
def by_words(model_cache: Path) -> LocalEngine:
    """The engine without an embedding model."""
    with learning(model_cache):
        return asyncio.run(LocalEngine.open(None, CATEGORIES, cache_dir=model_cache))


@pytest.fixture
def hear(engine: LocalEngine) -> Hear:
    """Understand what a customer says now, after what was said before (see `said`)."""

    async def understand(
        *texts: str, history: tuple[Message, ...] = (), page: PageContext | None = None
    ) -> Understanding:
        return await engine.understand(tuple(words(text) for text in texts), history, page or PageContext())

    return understand


def words(text: str) -> Untrusted:
    """A customer's words."""
    return Untrusted.of(text, Source.CUSTOMER)


def said(*lines: str) -> tuple[Message, ...]:
    """A conversation: lines that begin with "> " are the bot's answers, "? " its questions, others the customer's."""
    messages = []
    for number, line in enumerate(lines):
        author = Author.BOT if line.startswith(("> ", "? ")) else Author.CUSTOMER
        route = {"> ": "answer", "? ": "clarify"}.get(line[:2])
        text = line[2:] if author is Author.BOT else line
        messages.append(Message(f"m{number}", author, Untrusted.of(text, Source.CUSTOMER), NOON, route=route))
    return tuple(messages)


class Asking:
    """Asks the engine and collects what it says."""

    def __init__(self, engine: LocalEngine, hear: Hear) -> None:
        self._engine, self._hear = engine, hear

    async def __call__(
        self,
        text: str,
        *passages: Passage,
        page: PageContext | None = None,
        account: AccountFacts | None = None,
        results: Sequence[ToolResult] = (),
        tools: tuple[ToolOffer, ...] = TOOLS,
        courtesy: bool = False,
    ) -> list[Sentence | ToolCall]:
        where = page or PageContext()
        heard = await self._hear(text, page=where)
        brief = AnswerBrief(
            heard.question, heard, passages, where, account, (), tuple(results), tools, courtesy=courtesy
        )
        return [part async for part in self._engine.answer(brief)]


@pytest.fixture
def ask(engine: LocalEngine, hear: Hear) -> Asking:
    return Asking(engine, hear)
