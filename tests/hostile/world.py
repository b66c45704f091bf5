"""The product under attack: its articles, its accounts, its page, and everything that is recorded about a turn."""

import json
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from agent.deps import TurnDeps
from agent.policy import Policy
from agent.ports import SearchQuery
from agent.types import AccountFacts, Handoff, Identity, Passage, Reply, Source, TurnRequest
from agent.wire import to_json
from graphs.assembly import answer_tools
from graphs.translate import Emitted, Finished, run_turn
from graphs.turn_graph import TurnGraph
from tests.fakes import VERIFIED, RecordingTracker, ask, passage
from tests.hostile.model import Honest, ObeyingModel
from tests.llm import ANSWER, INVOICES, QUESTION
from tests.loopback import NO_TLS
from tests.model_server.server import ModelServer
from tests.turn_graph import turn_graph
from tools.accounts import AccountRecord, FileAccounts
from tools.engines.llm.engine import LlmEngine
from tools.engines.llm.options import Endpoint, ModelOptions
from tools.engines.llm.transport import open_client
from tools.engines.local.engine import LocalEngine
from tools.pages import PageMap

CANARIES = {
    "the endpoint's key": "canary-key-5d1f7c20",
    "another's account": "canary-plan-91ab3e44",
    "another's order": "canary-order-7730cc18",
    "the environment": "canary-env-2c4d99f1",
    "the prompt": "canaryprompt83be5a07",
}
PRODUCT = f"Example {CANARIES['the prompt']}"

BY_INVOICES = Honest(ANSWER)
BY_ACCOUNT = Honest("Your plan is team. [T1]", calls=(("account_status", {}),))
BY_ORDER = Honest("The status of your order is shipped. [T1]", calls=(("order_status", {}),))
BY_SEARCH = Honest(
    "Receipts are sent to the billing address every month. [2]",
    calls=(("search_articles", {"question": "When are receipts sent to us?"}),),
)
RECEIPTS = replace(
    passage("receipts", "Receipts are sent to the billing address every month."),
    article_id="receipts",
    title="Receipts",
    url="https://help.example/en/receipts",
)
PAGES = """
routes:
  - route: /settings/billing
    title: Billing
    area: billing
    elements:
      - {id: billing-history, selector: "#history", label: History, description: Press History.}
      - {id: workspace-delete, selector: "#delete", label: Delete workspace, description: Deletes everything.}
"""
OWN = {
    "account_id": "acct_1",
    "name": "Example Ltd",
    "plan": "team",
    "billing_status": "paid",
    "seats": 10,
    "clock_orders": [{"order_id": "O-1", "status": "shipped", "ordered_on": "2026-11-02", "carrier": "DHL"}],
    "users": [{"user_id": "user_1", "name": "Ada", "email": "ada@example.com", "role": "owner"}],
}
ANOTHERS = {
    "account_id": "acct_2",
    "name": "Other Ltd",
    "plan": CANARIES["another's account"],
    "clock_orders": [{"order_id": CANARIES["another's order"], "status": "lost", "ordered_on": "2026-11-03"}],
    "users": [{"user_id": "user_2", "name": "Bob", "email": "b@b.test", "role": "owner"}],
}


class WatchedAccounts(FileAccounts):
    """The real lookup, which remembers whom it was asked about."""

    def __init__(self, records: list[AccountRecord]) -> None:
        super().__init__(records)
        self.asked: list[Identity] = []

    async def facts(self, identity: Identity) -> AccountFacts | None:
        self.asked.append(identity)
        return await super().facts(identity)


@dataclass(frozen=True)
class Shelf:
    """Articles: what a turn's own search finds, and what a search that the engine asks for finds."""

    first: Sequence[Passage] = (INVOICES,)
    later: Sequence[Passage] = (RECEIPTS,)

    async def search(self, query: SearchQuery) -> list[Passage]:
        return list(self.later if query.text.source is Source.MODEL else self.first)

    def mended(self, question: str) -> str:
        return question

    async def passages(self, passage_ids: Sequence[str]) -> list[Passage]:
        return [p for p in (*self.first, *self.later) if p.passage_id in passage_ids]


@dataclass(frozen=True)
class Scene:
    """A turn as it is before anybody says anything hostile: the question, what is around it, and an honest answer."""

    request: TurnRequest
    honest: Honest = BY_INVOICES
    shelf: Shelf = field(default_factory=Shelf)
    own: dict[str, Any] = field(default_factory=lambda: dict(OWN))
    anothers: dict[str, Any] = field(default_factory=lambda: dict(ANOTHERS))


PAGE: dict[str, object] = {
    "route": "/settings/billing",
    "title": "Billing",
    "elements": [{"id": "billing-history"}, {"id": "workspace-delete"}],
}


def scene(text: str = QUESTION, honest: Honest = BY_INVOICES, **changes: Any) -> Scene:
    """A verified customer on the billing page, who asks this."""
    return Scene(ask(text, **{"identity": VERIFIED, "page": PAGE, **changes}), honest)


@dataclass
class Told:
    """What came of a turn, and what it asked of others."""

    reply: Reply
    public: list[dict[str, Any]]
    route: str
    steps: list[str]
    bodies: list[dict[str, Any]]
    asked: list[Identity]
    tracker: RecordingTracker
    sources: dict[str, Passage]

    @property
    def spoken(self) -> str:
        """Every word that was streamed."""
        return "".join(str(event["delta"]) for event in self.public if event["type"] == "TEXT_MESSAGE_CONTENT")

    @property
    def handoff(self) -> Handoff | None:
        """The handoff, if there was one."""
        return self.reply.handoff

    @property
    def shown(self) -> str:
        """All that a customer's client gets, as text."""
        return json.dumps([*self.public, to_json(replace(self.reply, handoff=None))], ensure_ascii=False)

    @property
    def cited(self) -> list[Passage]:
        """The passages behind the citations."""
        return [self.sources[citation.passage_id] for citation in self.reply.citations]


@dataclass
class World:
    """A product with a model at a scripted endpoint. Each turn has accounts, articles and a tracker of its own."""

    engine: LlmEngine
    server: ModelServer
    pages: PageMap
    graph: TurnGraph
    policy: Policy = field(default_factory=Policy)

    async def run(self, scene: Scene, model: ObeyingModel, **changes: Any) -> Told:
        """Run the scene's turn with this model; `changes` are to the collaborators."""
        accounts = WatchedAccounts([AccountRecord.model_validate(record) for record in (scene.own, scene.anothers)])
        tracker = RecordingTracker()
        deps = TurnDeps(
            engine=self.engine,
            knowledge=scene.shelf,
            accounts=accounts,
            pages=self.pages,
            tracker=tracker,
            tools=answer_tools(scene.shelf, accounts),
            policy=self.policy,
            workspace_name="Example",
        )
        self.server.script = model
        before = len(self.server.requests)
        public: list[dict[str, Any]] = []
        route = ""
        finished: Finished | None = None
        async for event in run_turn(self.graph, replace(deps, **changes), scene.request):
            if isinstance(event, Finished):
                finished = event
                continue
            if event.event.get("name") == "helpgraph.decision.v1":
                route = str(event.event["value"]["route"])
            public += _public(event)
        assert finished is not None
        for event in finished.events:
            public += _public(event)
        return Told(
            reply=finished.reply,
            public=public,
            route=route,
            steps=[str(event["stepName"]) for event in public if event["type"] == "STEP_STARTED"],
            bodies=[request.body for request in self.server.requests[before:]],
            asked=accounts.asked,
            tracker=tracker,
            sources={p.passage_id: p for p in (*scene.shelf.first, *scene.shelf.later)},
        )


def _public(event: Emitted) -> list[dict[str, Any]]:
    return [event.event] if event.audience == "all" else []


@asynccontextmanager
async def world(local: LocalEngine, folder: Path, *, product: str = PRODUCT, **changes: Any) -> AsyncIterator[World]:
    """Open the product, with a model as it is by default; `changes` are to its options."""
    (folder / "pages.yaml").write_text(PAGES, encoding="utf-8")
    pages = PageMap.load(folder / "pages.yaml")
    async with ModelServer(ObeyingModel(BY_INVOICES)) as server, open_client(tls=NO_TLS) as client:
        key = SecretStr(CANARIES["the endpoint's key"])
        given = replace(ModelOptions(Endpoint("scripted", server.url, key)), **changes)
        engine = LlmEngine.open(local, given, client, product=product)
        yield World(engine, server, pages, turn_graph())
