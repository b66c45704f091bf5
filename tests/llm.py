"""Turns with a language model: the real graph, the real llm and local engines, and a scripted endpoint."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from agent.deps import TurnDeps
from agent.policy import Policy
from agent.types import Outcome, Passage, Reply, Source, TurnRequest, Untrusted
from graphs.translate import Emitted, Finished, run_turn
from tests.fakes import FakeKnowledge, RecordingTracker, fake_deps, passage
from tests.loopback import NO_TLS
from tests.model_server.server import ModelServer, Script
from tests.turn_graph import turn_graph
from tools.engines.llm.engine import LlmEngine
from tools.engines.llm.options import Clocks, Endpoint, ModelOptions
from tools.engines.llm.transport import open_client
from tools.engines.local.engine import LocalEngine

QUESTION = "How do I download my invoices?"
INVOICES = passage(
    "invoices",
    "Open **Settings > Billing** and select **History**. Select **Download PDF** next to the month you need. "
    "Receipts stay there as long as the workspace exists. Only owners and billing admins can see them.",
)
ANSWER = (
    "Open **Settings > Billing** and select **History**. [1] Select **Download PDF** next to the month you need. [1]"
)
QUICK = Clocks(first_token_s=0.6, token_gap_s=0.6, call_s=2.0, judgement_s=2.0, turn_s=4.0)


def article(text: str, passage_id: str = "other") -> Passage:
    """Another article's passage."""
    found = passage(passage_id, text)
    return replace(found, article_id=passage_id, title=passage_id, text=Untrusted.of(text, Source.ARTICLE))


@dataclass
class Turn:
    """What came of a turn."""

    reply: Reply
    events: list[dict[str, Any]]

    @property
    def outcome(self) -> Outcome:
        """How it ended."""
        return self.reply.outcome

    @property
    def engine(self) -> dict[str, Any]:
        """What the engine reported."""
        found: dict[str, Any] = next(e["value"] for e in self.events if e.get("name") == "helpgraph.engine.v1")
        return found

    @property
    def fallbacks(self) -> list[str]:
        """Why the local engine took over, in order."""
        return [entry["reason"] for entry in self.engine["fallbacks"]]

    @property
    def spoken(self) -> str:
        """Every word that was streamed."""
        return "".join(str(e["delta"]) for e in self.events if e["type"] == "TEXT_MESSAGE_CONTENT")

    @property
    def steps(self) -> list[str]:
        """The nodes, in order."""
        return [e["stepName"] for e in self.events if e["type"] == "STEP_STARTED"]


@dataclass
class Desk:
    """A product with a model: ask it."""

    deps: TurnDeps
    server: ModelServer

    @property
    def tracker(self) -> RecordingTracker:
        """Where bugs went."""
        assert isinstance(self.deps.tracker, RecordingTracker)
        return self.deps.tracker

    async def ask(self, request: TurnRequest) -> Turn:
        """Run one turn."""
        events = [event async for event in run_turn(turn_graph(), self.deps, request)]
        finished = events[-1]
        assert isinstance(finished, Finished)
        said = [event.event for event in events[:-1] if isinstance(event, Emitted)]
        return Turn(finished.reply, [*said, *(event.event for event in finished.events)])


def options(url: str, **changes: Any) -> ModelOptions:
    """A model at the scripted endpoint, with short clocks."""
    given = ModelOptions(Endpoint("scripted", url), judges="never", clocks=QUICK)
    judging = changes.get("judging")
    if judging is not None:
        changes["judging"] = replace(judging, url=url)
    return replace(given, **changes)


@asynccontextmanager
async def desk(
    local: LocalEngine, script: Script, *, deps: dict[str, Any] | None = None, **changes: Any
) -> AsyncIterator[Desk]:
    """Open a product whose model answers by this script."""
    async with ModelServer(script) as server, open_client(tls=NO_TLS) as client:
        engine = LlmEngine.open(local, options(server.url, **changes), client, product="Example")
        given: dict[str, Any] = {"knowledge": FakeKnowledge(found=(INVOICES,)), "policy": Policy(), **(deps or {})}
        yield Desk(fake_deps(engine=engine, **given), server)
