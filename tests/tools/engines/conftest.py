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
from tools.engines.local import engine as engine_module
from tools.engines.local.ears.examples import load_examples
from tools.engines.local.engine import LocalEngine
from tools.engines.local.shipped import names_in
from tools.engines.local.support import examples, store, trees
from tools.engines.local.support.examples import Example, load_support_examples

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


@pytest.fixture
def few_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Engines that are opened learn from a fifth of the shipped texts, of each label in each language."""
    fifth = {
        name: {label: {language: group[::5] for language, group in groups.items()} for label, groups in labels.items()}
        for name, labels in load_examples().items()
    }
    monkeypatch.setattr(engine_module, "load_examples", lambda: fifth)


@pytest.fixture(scope="session")
def support_examples() -> list[Example]:
    """All shipped pairs of passages and sentences: to parse them takes three seconds of processor time."""
    return load_support_examples()


@pytest.fixture
def parsed_once(support_examples: list[Example], monkeypatch: pytest.MonkeyPatch) -> None:
    """What compares all shipped pairs takes those that are parsed already."""
    monkeypatch.setattr(store, "load_support_examples", lambda: support_examples)


@pytest.fixture(scope="session")
def few_examples() -> list[Example]:
    """Sixty of them, all from the first file, so that the others needn't be parsed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(examples, "names_in", lambda folder: names_in(folder)[:1])
        return load_support_examples()[:60]


@pytest.fixture
def few_trees(monkeypatch: pytest.MonkeyPatch) -> None:
    """Learn a tenth of the trees: what is kept, and what it was learnt from, shows with them as well."""
    monkeypatch.setattr(trees, "_TREES", 60)


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
        history: tuple[Message, ...] = (),
    ) -> list[Sentence | ToolCall]:
        where = page or PageContext()
        heard = await self._hear(text, history=history, page=where)
        brief = AnswerBrief(
            question=heard.question,
            understanding=heard,
            passages=passages,
            page=where,
            account=account,
            history=history,
            tool_results=tuple(results),
            tools=tools,
            courtesy=courtesy,
            texts=(words(text),),
        )
        return [part async for part in self._engine.answer(brief)]


@pytest.fixture
def ask(engine: LocalEngine, hear: Hear) -> Asking:
    return Asking(engine, hear)
