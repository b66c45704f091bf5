"""Fakes at the ports: a scripted engine and in-memory collaborators. The graph between them is the real one."""

from collections.abc import AsyncGenerator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from agent.deps import TurnDeps
from agent.errors import ConnectorError, KnowledgeError, ModelFailed, TrackerError
from agent.policy import CategoryPolicy, Policy
from agent.ports import AnswerBrief, BugReport, EngineReport, NoArguments, SearchQuery, ToolContext, ToolOffer
from agent.types import (
    AccountFacts,
    BugDraft,
    BugTicket,
    Evidence,
    Guidance,
    Identity,
    IdentityLevel,
    Kind,
    Language,
    Message,
    PageContext,
    Passage,
    Sentence,
    Source,
    Spent,
    ToolCall,
    ToolResult,
    TurnRequest,
    Understanding,
    Untrusted,
    WalkStep,
)

MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
VERIFIED = Identity(IdentityLevel.VERIFIED, user_id="user_1", account_id="acct_1", display_name="Ada")

CALM = Understanding(
    kind=Kind.HOW_TO,
    kind_confidence=0.9,
    category="billing",
    category_confidence=0.9,
    language="en",
    language_confidence=0.99,
    sentiment=0.0,
    sentiment_trend=0.0,
    question=Untrusted.of("Where are my invoices?", Source.CUSTOMER),
)


def passage(passage_id: str = "p1", text: str = "Invoices are under **Billing > History**.") -> Passage:
    """A passage about invoices, well matched."""
    return Passage(
        passage_id=passage_id,
        article_id="download-invoices",
        title="Download invoices",
        section="Where they are",
        text=Untrusted.of(text, Source.ARTICLE),
        url="https://help.example/en/download-invoices",
        language="en",
        score=0.9,
        dense_score=0.8,
        lexical_score=7.0,
        rank=0,
    )


EMPTY_EXPORT = BugDraft("Export empty", "exporting", "a file", "an empty file", (), "/reports", "", "", "medium")


@dataclass
class ScriptedEngine:
    """Says what it is told to say, and remembers what it was given."""

    name: str = "scripted"
    repeatable: bool = False
    understanding: Understanding = CALM
    # None: there is an article, but not on what is broken.
    evidence: float | None = None
    parts: Sequence[Sentence | ToolCall] = (Sentence("Invoices are under **Billing > History**.", cites=("p1",)),)
    after_tools: Sequence[Sentence | ToolCall] = ()
    draft: BugDraft = EMPTY_EXPORT
    fail_in: str = ""
    quoted: Sequence[Sentence | ToolCall] = ()
    opinion: float | None = None
    rewritten: Sentence | None = None
    features: dict[str, float] = field(default_factory=dict)
    cut: bool = False
    briefs: list[AnswerBrief] = field(default_factory=list)
    asked_to_rewrite: list[Sentence] = field(default_factory=list)
    drafted_from: list[tuple[str, ...]] = field(default_factory=list)

    def for_turn(self, spent: Spent) -> "ScriptedEngine":
        return self

    def report(self) -> EngineReport:
        return EngineReport(self.name)

    async def quote(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        for part in self.quoted:
            yield part
        if self.fail_in == "quote":
            raise ConnectorError("scripted failure")

    async def second_opinion(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> float | None:
        return self.opinion

    async def rewrite(self, sentence: Sentence, passages: tuple[Passage, ...]) -> Sentence | None:
        self.asked_to_rewrite.append(sentence)
        return self.rewritten

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        if self.fail_in == "understand":
            raise ValueError("scripted failure")
        question = Untrusted.of(" ".join(text.render_plain() for text in texts), Source.CUSTOMER)
        return replace(self.understanding, question=question)

    async def assess(
        self, understanding: Understanding, passages: tuple[Passage, ...], tools: tuple[str, ...]
    ) -> Evidence:
        if self.fail_in == "assess":
            raise ValueError("scripted failure")
        found = self.evidence
        if found is None:
            found = 0.3 if understanding.kind is Kind.BUG else 0.95
        return Evidence(found if passages else 0.0, self.features, tuple(p.passage_id for p in passages))

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        self.briefs.append(brief)
        if self.fail_in == "answer":
            raise ValueError("scripted failure")
        for part in self.after_tools if brief.tool_results else self.parts:
            yield part
        if self.cut:
            raise ModelFailed("broken_off")

    async def support(
        self, sentence: Sentence, passages: tuple[Passage, ...], results: tuple[ToolResult, ...] = ()
    ) -> float:
        said = [p.text.render_plain() for p in passages] + [value for r in results for value in r.facts.values()]
        return 1.0 if any(sentence.text in text or text in sentence.text for text in said) else 0.0

    async def draft_bug(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Message, ...],
        page: PageContext,
        understanding: Understanding,
    ) -> BugDraft:
        self.drafted_from.append(tuple(text.render_plain() for text in texts))
        return self.draft

    async def summarise(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding
    ) -> str:
        return texts[0].render_plain()


@dataclass
class FakeKnowledge:
    """Finds the same passages whatever is asked."""

    found: Sequence[Passage] = (passage(),)
    down: bool = False
    spelt: Mapping[str, str] = field(default_factory=dict)
    queries: list[SearchQuery] = field(default_factory=list)

    async def search(self, query: SearchQuery) -> list[Passage]:
        self.queries.append(query)
        if self.down:
            raise KnowledgeError("scripted failure")
        return list(self.found)

    def mended(self, question: str) -> str:
        return self.spelt.get(question, question)

    async def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        return [p for p in self.found if p.passage_id in passage_ids]


@dataclass
class FakeAccounts:
    """Knows one account and remembers whom it was asked for."""

    account: AccountFacts | None = None
    asked: list[Identity] = field(default_factory=list)

    async def facts(self, identity: Identity) -> AccountFacts | None:
        self.asked.append(identity)
        return self.account if identity.level is IdentityLevel.VERIFIED else None


class FakePages:
    """A product with one page, whose only button can be pointed at."""

    def locate(self, page: dict[str, object] | None) -> PageContext:
        route = page.get("route") if page else None
        return PageContext(route=str(route) if route else None, known=bool(route))

    def opening(self, route: str | None, language: Language) -> tuple[str, tuple[str, ...]]:
        return "Hello", ()

    def guidance(
        self,
        page: PageContext,
        article_ids: Sequence[str],
        answer_text: str,
        *,
        question: str,
        chosen: Sequence[str] = (),
    ) -> Guidance | None:
        step = WalkStep("history", "[data-help=history]", "Open the history")
        return Guidance("History", (step,)) if page.known and article_ids else None


@dataclass
class RecordingTracker:
    """Files bugs into a list; the same effect key files once."""

    known: BugTicket | None = None
    down: bool = False
    filed: dict[str, BugReport] = field(default_factory=dict)

    async def find_same(self, report: BugReport) -> BugTicket | None:
        return self.known

    async def already_filed(self, workspace_id: str, effect_key: str) -> bool:
        if self.down:
            raise TrackerError("scripted failure")
        return effect_key in self.filed

    async def file(self, report: BugReport) -> BugTicket:
        if self.down:
            raise TrackerError("scripted failure")
        self.filed[report.effect_key] = report
        return self.known or BugTicket("BUG-1", report.draft.title, len(self.filed), is_new=True, status="open")


ACCOUNT_OFFER = ToolOffer("account_status", "Look up the account.", NoArguments)


@dataclass
class FakeTool:
    """A read that says what it is told to say."""

    offer: ToolOffer = ACCOUNT_OFFER
    facts: dict[str, str] = field(default_factory=lambda: {"plan": "team"})
    identities: list[Identity] = field(default_factory=list)
    broken: bool = False

    async def call(self, call: ToolCall, arguments: object, context: ToolContext) -> ToolResult:
        self.identities.append(context.identity)
        if self.broken:
            raise ValueError("scripted failure")
        return ToolResult(call.call_id, self.offer.name, ok=True, facts=self.facts)


def fake_deps(**changes: object) -> TurnDeps:
    """Collaborators that answer well; name what should be different."""
    deps = TurnDeps(
        engine=ScriptedEngine(),
        knowledge=FakeKnowledge(),
        accounts=FakeAccounts(),
        pages=FakePages(),
        tracker=RecordingTracker(),
        tools=(FakeTool(),),
        policy=Policy(categories=(CategoryPolicy("billing", "Billing"),)),
        workspace_name="Example",
    )
    return replace(deps, **changes)  # type: ignore[arg-type]  # Test values by field name.


def ask(*texts: str, **changes: object) -> TurnRequest:
    """A turn that starts from these messages."""
    request = TurnRequest(
        turn_id="turn_1",
        conversation_id="conversation_1",
        workspace_id="example",
        reply_message_id="msg_1",
        texts=tuple(Untrusted.of(text, Source.CUSTOMER) for text in texts),
        identity=Identity(),
        now=MONDAY_NOON,
    )
    return replace(request, **changes)  # type: ignore[arg-type]  # Test values by field name.
