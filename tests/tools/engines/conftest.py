"""The local engine as an installation runs it, and the same by words alone."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.types import Author, Message, PageContext, Source, Understanding, Untrusted
from tests.installed import learning
from tests.tools.engines.shop import CATEGORIES
from tools.engines.local.engine import LocalEngine

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
