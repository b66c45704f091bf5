"""What the domain needs from the outside, as Protocols. `tools` implements them, `graphs/assembly.py` joins them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel

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
    Spent,
    ToolCall,
    ToolResult,
    Understanding,
    Untrusted,
)


class Embedder(Protocol):
    """Texts to vectors."""

    name: str

    @property
    def dimensions(self) -> int:
        """Values of a row; an endpoint's are 0 until it has answered once."""
        ...

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

    def mended(self, question: str) -> str:
        """Return the question with misspelt words as the articles spell them; what is right or a name stays."""
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
        self,
        page: PageContext,
        article_ids: Sequence[str],
        answer_text: str,
        *,
        question: str,
        chosen: Sequence[str] = (),
    ) -> Guidance | None:
        """Return what to point at for an answer, among the elements that are on the page now.

        `chosen` are ids of elements that the engine picked; they come first, with the map's own words.
        """
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

    async def already_filed(self, workspace_id: str, effect_key: str) -> bool:
        """Whether a report was filed under this key.

        Raises:
            TrackerError, DatabaseAway: as `file`.
        """
        ...

    async def file(self, report: BugReport) -> BugTicket:
        """File the report: count it on the same bug if there is one, else open a new bug.

        Repeating the call with the same `effect_key` changes nothing and returns the same bug; a conversation
        counts once per bug however often it reports it.

        Raises:
            TrackerError: the tracker couldn't be reached or refused; the turn goes on without a ticket.
            DatabaseAway: a tracker that files into the log's own database; the turn is tried again.
        """
        ...


@dataclass(frozen=True, slots=True)
class ToolOffer:
    """A tool as an engine sees it. `description` and the arguments' own descriptions are read by models: prompts."""

    name: str
    description: str
    arguments: type[BaseModel]


class NoArguments(BaseModel):
    """The arguments of a tool that takes none. What a model makes up all the same is dropped, not obeyed."""


@dataclass(frozen=True, slots=True)
class ToolContext:
    """On whose behalf, and where, a call runs."""

    identity: Identity
    language: Language
    page: PageContext
    plan: str | None = None


class AnswerTool(Protocol):
    """A tool the answer may call. It reads only; ids of customers come from the context, never from the arguments."""

    offer: ToolOffer

    async def call(self, call: ToolCall, arguments: Any, context: ToolContext) -> ToolResult:
        """Run the call with its validated arguments (an `offer.arguments`).

        A failure is a result with `ok` false and one line the engine can act on.
        """
        ...


@dataclass(frozen=True, slots=True)
class AnswerBrief:
    """Everything an engine may use to answer. With `courtesy` no question is asked: a friendly line will do.

    `said` is what this turn has told the customer already, before the tools were called; the last `found_later` of
    the passages were found by tools. `glimpse` asks for a sentence or two, to see whether it is about that. `texts` are
    the customer's newest messages as they came: `question` says with them what they hang on.
    """

    question: Untrusted
    understanding: Understanding
    passages: tuple[Passage, ...]
    page: PageContext
    account: AccountFacts | None
    history: tuple[Message, ...]
    tool_results: tuple[ToolResult, ...]
    tools: tuple[ToolOffer, ...]
    courtesy: bool = False
    said: str = ""
    found_later: int = 0
    glimpse: bool = False
    texts: tuple[Untrusted, ...] = ()

    @property
    def tool_names(self) -> tuple[str, ...]:
        """The names of the tools that may be called now."""
        return tuple(tool.name for tool in self.tools)


@dataclass(frozen=True, slots=True)
class Fallback:
    """An ability in which a model failed, and why: one word for counting.

    The local engine did it instead; of the `rest_of_answer`, once some of it was said, a question stands in its place.
    """

    ability: str
    reason: str


@dataclass(frozen=True, slots=True)
class EngineReport:
    """What an engine did in one turn. `prompts` are the hashes of the prompts used, by name."""

    engine: str
    model: str | None = None
    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost: float = 0.0
    fallbacks: tuple[Fallback, ...] = ()
    prompts: dict[str, str] = field(default_factory=dict)


class Engine(Protocol):
    """The five abilities that need language: understand, answer, draft a bug, summarise, judge."""

    name: str
    repeatable: bool
    """Whether a turn that is done again says the same, and costs next to nothing: then nobody keeps where it stands."""

    def for_turn(self, spent: Spent) -> "Engine":
        """Return the engine for one turn of a conversation that has `spent` so far; `report` is then of that turn."""
        ...

    def report(self) -> EngineReport:
        """What was done, by whom, at what cost."""
        ...

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

    def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        """Yield the answer piece by piece. Tool calls end the pass; the next brief carries their results.

        Raises:
            ConnectorError: the engine failed after it had yielded a piece, and nothing can take over in the middle.
        """
        ...

    def quote(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        """Yield the answer in the sources' own words, for when nothing that `answer` gave could stand."""
        ...

    async def second_opinion(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> float | None:
        """The probability that a person is needed, for a case on the border; None when the engine has no opinion."""
        ...

    async def support(
        self, sentence: Sentence, passages: tuple[Passage, ...], results: tuple[ToolResult, ...] = ()
    ) -> float:
        """Estimate the probability that the cited passages, or the tools' results, say what the sentence says."""
        ...

    async def rewrite(self, sentence: Sentence, passages: tuple[Passage, ...]) -> Sentence | None:
        """Return what the cited passages do say about it, as they say it; None when they say nothing like it."""
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
