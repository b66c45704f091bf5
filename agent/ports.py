"""What the domain needs from the outside, as Protocols. `tools` implements them, `graphs/assembly.py` joins them."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from agent.types import (
    AccountFacts,
    BugDraft,
    BugTicket,
    Evidence,
    Guidance,
    Identity,
    Language,
    Message,
    PageContext,
    Passage,
    Sentence,
    ToolCall,
    ToolResult,
    Understanding,
    Untrusted,
)


class Embedder(Protocol):
    """Texts to vectors."""

    name: str
    dimensions: int

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Return one L2-normalised row of `dimensions` values per text, in order.

        Raises:
            ConnectorError: the model or its endpoint failed.
        """
        ...


@dataclass(frozen=True, slots=True)
class SearchQuery:
    """A question for the knowledge base.

    `preferred_article_ids` (from the page map) and `area` lift passages a little; `plan` and `languages` filter:
    passages of other plans rank lower, of other languages are used only when the preferred ones have nothing.
    """

    text: Untrusted
    language: Language
    area: str | None = None
    plan: str | None = None
    preferred_article_ids: tuple[str, ...] = ()
    limit: int = 8


class KnowledgeBase(Protocol):
    """The team's articles, searched by meaning and by words."""

    async def search(self, query: SearchQuery) -> list[Passage]:
        """Return at most `query.limit` passages, best first; empty when the base is empty.

        Raises:
            KnowledgeError: neither the dense nor the lexical side could answer.
        """
        ...

    async def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        """Return the named passages that exist, in the order asked."""
        ...


class AccountLookup(Protocol):
    """What is known of the customer's account. Takes ids from the verified session only."""

    async def facts(self, identity: Identity) -> AccountFacts | None:
        """Return the verified user's account, or None (anonymous, unknown, or the time box ran out)."""
        ...


class PageDirectory(Protocol):
    """The workspace's page map."""

    def locate(self, page: dict[str, object] | None) -> PageContext:
        """Turn what a widget sent into a small typed value. Never raises: what can't be read is left out."""
        ...

    def opening(self, route: str | None, language: Language) -> tuple[str, tuple[str, ...]]:
        """Return the opening sentence and the suggested questions for a route."""
        ...

    def guidance(
        self, page: PageContext, article_ids: Sequence[str], answer_text: str, *, question: str
    ) -> Guidance | None:
        """Return what to point at for an answer, among the elements that are on the page now."""
        ...


@dataclass(frozen=True, slots=True)
class BugReport:
    """One report of a bug, with the context of whoever reports it. `effect_key` makes filing repeatable."""

    workspace_id: str
    conversation_id: str
    effect_key: str
    draft: BugDraft
    said: Untrusted
    reported_at: datetime
    account_id: str | None = None
    account_tier: str | None = None


class TicketTracker(Protocol):
    """Where bugs are filed."""

    async def find_same(self, report: BugReport) -> BugTicket | None:
        """Return the open bug that this report is about, by meaning, or None."""
        ...

    async def file(self, report: BugReport) -> BugTicket:
        """File the report: count it on the same bug if there is one, else open a new bug.

        Repeating the call with the same `effect_key` changes nothing and returns the same bug; a conversation
        counts once per bug however often it reports it.

        Raises:
            TrackerError: the tracker couldn't be reached or refused.
        """
        ...


class AnswerTool(Protocol):
    """A tool the answer may call. It reads only; ids come from `identity`, never from the arguments."""

    name: str
    description: str

    async def call(self, call: ToolCall, identity: Identity) -> ToolResult:
        """Run the call. A failure is a result with `ok` false and one line the engine can act on."""
        ...


@dataclass(frozen=True, slots=True)
class AnswerBrief:
    """Everything an engine may use to answer. With `courtesy` no question is asked: a friendly line will do."""

    question: Untrusted
    understanding: Understanding
    passages: tuple[Passage, ...]
    page: PageContext
    account: AccountFacts | None
    history: tuple[Message, ...]
    tool_results: tuple[ToolResult, ...]
    tools: tuple[str, ...]
    courtesy: bool = False


class Engine(Protocol):
    """The five abilities that need language: understand, answer, draft a bug, summarise, judge."""

    name: str

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        """Say what the customer's newest messages are."""
        ...

    async def assess(
        self, understanding: Understanding, passages: tuple[Passage, ...], tools: tuple[str, ...]
    ) -> Evidence:
        """Estimate the probability that the passages, or a lookup with one of `tools`, answer the question."""
        ...

    def answer(self, brief: AnswerBrief) -> AsyncIterator[Sentence | ToolCall]:
        """Yield the answer piece by piece. Tool calls end the pass; the next brief carries their results."""
        ...

    async def support(self, sentence: Sentence, passages: tuple[Passage, ...]) -> float:
        """Estimate the probability that the cited passages say what the sentence says."""
        ...

    async def draft_bug(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Message, ...],
        page: PageContext,
        understanding: Understanding,
    ) -> BugDraft:
        """Write the bug from what the customer said and the page showed."""
        ...

    async def summarise(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Message, ...],
        understanding: Understanding,
    ) -> str:
        """Say in one or two sentences what the customer wants, in the customer's words where possible."""
        ...
