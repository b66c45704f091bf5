"""The llm engine, and whole turns with it, as contenders over the same endpoint as the bare clients.

The knowledge base says the same as the endpoint's answer in other words, so that the gate has to compare and not only
to find a quotation. Nothing is stored: what a turn costs beyond its stream is in every figure, the log and SSE aren't.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from agent.deps import TurnDeps
from agent.errors import TrackerError
from agent.policy import Defences, Policy
from agent.ports import AnswerBrief, BugReport, SearchQuery
from agent.types import (
    BugTicket,
    Identity,
    PageContext,
    Passage,
    Sentence,
    Source,
    Spent,
    TurnRequest,
    Untrusted,
)
from evals.bench.stream_clients import Chat, Contender
from graphs.translate import Emitted, run_turn
from graphs.turn_graph import build_turn_graph
from tools.accounts import FileAccounts
from tools.engines.llm.engine import LlmEngine
from tools.engines.llm.options import Endpoint, ModelOptions
from tools.engines.llm.transport import open_client
from tools.engines.local.engine import LocalEngine
from tools.engines.local.support.reader import Reader
from tools.pages import PageMap

_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
QUESTION = "How do I change my plan?"
ARTICLE = (
    "On your workspace's billing page the plan can be changed whenever you like. "
    "Go to the settings, then to Billing, and press the button called Change plan. "
    "From the next invoice on the new price counts; nothing is charged twice. "
    "If the smaller plan lacks seats for some members, those keep reading but can no longer edit. "
    "This page is seen by owners of the workspace only. "
    "Customers who pay by invoice should write to us first, because their contract may differ. "
    "All that you made stays in its place, and for thirty days exports keep working."
)
_ARTICLE_PASSAGE = Passage(
    passage_id="change-plan#0",
    article_id="change-plan",
    title="Change your plan",
    section="",
    text=Untrusted.of(ARTICLE, Source.ARTICLE),
    url=None,
    language="en",
    score=1.0,
    dense_score=None,
    lexical_score=9.0,
    rank=0,
    # The team's history says that this article answers: what is measured is the answer, not the decision to give one.
    known=0.99,
)
GATE_OFF = Policy(
    defences=Defences(sources_support=False, promises_are_kept=False, links_are_cited=False, effects_need_consent=False)
)


class _OneArticle:
    """A knowledge base that has the answer."""

    async def search(self, query: SearchQuery) -> list[Passage]:
        return [_ARTICLE_PASSAGE]

    def mended(self, question: str) -> str:
        return question

    async def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        return [_ARTICLE_PASSAGE]


class _NoTracker:
    """A tracker that no answer gets to."""

    async def find_same(self, report: BugReport) -> BugTicket | None:
        return None

    async def already_filed(self, workspace_id: str, effect_key: str) -> bool:
        return False

    async def file(self, report: BugReport) -> BugTicket:
        raise TrackerError("there is no tracker in a benchmark")


def turn_contenders(models: Path) -> dict[str, Contender]:
    """The engine's answer alone, and whole turns: with the gate off, going by words alone, and as it is by default.

    `models` is where the local engine keeps what it learns.
    """
    return {
        "engine": _engine(models),
        "turn_gate_off": _turn(models, GATE_OFF),
        "turn_by_words": _turn(models, Policy()),
        "turn": _turn(models, Policy(), reads=True),
    }


def _engine(models: Path) -> Contender:
    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Chat]:
        local = await LocalEngine.open(None, (), cache_dir=models)
        question = Untrusted.of(QUESTION, Source.CUSTOMER)
        heard = await local.understand((question,), (), PageContext())
        async with open_client() as client:
            engine = LlmEngine.open(local, _options(url), client, product="Bench")
            brief = AnswerBrief(question, heard, (_ARTICLE_PASSAGE,), PageContext(), None, (), (), ())

            async def ask() -> AsyncIterator[str]:
                async for part in engine.for_turn(Spent()).answer(brief):
                    if isinstance(part, Sentence):
                        yield f"{part.text} "

            yield ask

    return Contender(opened, verbatim=False)


def _options(url: str) -> ModelOptions:
    return ModelOptions(Endpoint("paced", url), judges="never", max_answer_tokens=4_000)


def _turn(models: Path, policy: Policy, *, reads: bool = False) -> Contender:
    @asynccontextmanager
    async def opened(url: str) -> AsyncIterator[Chat]:
        reader = Reader.open(models) if reads else None
        local = await LocalEngine.open(None, (), cache_dir=models, entailment=reader)
        async with open_client() as client:
            deps = TurnDeps(
                engine=LlmEngine.open(local, _options(url), client, product="Bench"),
                knowledge=_OneArticle(),
                accounts=FileAccounts([]),
                pages=PageMap.load(None),
                tracker=_NoTracker(),
                tools=(),
                policy=policy,
                workspace_name="Bench",
            )
            yield _asking(deps)

    # The gate lets out other words than the endpoint sent, and the marks of sources stand behind them.
    return Contender(opened, verbatim=False)


def _asking(deps: TurnDeps) -> Chat:
    graph = build_turn_graph()

    async def ask() -> AsyncIterator[str]:
        request = TurnRequest(
            turn_id="bench",
            conversation_id="bench",
            workspace_id="bench",
            reply_message_id="bench",
            texts=(Untrusted.of(QUESTION, Source.CUSTOMER),),
            identity=Identity(),
            now=_NOON,
        )
        async for event in run_turn(graph, deps, request):
            if isinstance(event, Emitted) and event.event["type"] == "TEXT_MESSAGE_CONTENT":
                yield str(event.event["delta"])

    return ask
