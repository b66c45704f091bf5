"""One running installation: every connector opened from the settings, joined, and closed in the right order."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from agent.deps import TurnDeps
from agent.errors import Misconfigured
from agent.ports import AnswerTool, Embedder, Engine, KnowledgeBase
from agent.promising.grammar import read_grammars
from graphs.checkpoints import open_checkpointer
from graphs.settings import Settings
from graphs.supervisor import Supervisor
from graphs.turn_graph import TurnGraph, build_turn_graph
from graphs.turn_metrics import NoMetrics, TurnMetrics
from graphs.turns import TurnLimits, TurnService
from tools.accounts import AccountStatusTool, FileAccounts, OrderStatusTool
from tools.answer_tools import PointTool, SearchTool
from tools.embedding.choose import open_embedder
from tools.embedding.remembered import RememberedEmbedder
from tools.engines.local.engine import LocalEngine
from tools.engines.local.entailing import Entailment
from tools.knowledge.store import KnowledgeStore, Sharing
from tools.learned.model import LearnedModel
from tools.learned.shelf import SHIPPED, InUse, ModelShelf
from tools.observing.context import count_statement
from tools.pages import PageMap
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import ConversationLog
from tools.storage.sessions import Sessions
from tools.storage.tracker import BuiltInTracker
from tools.storage.wakeups import Wakeups
from tools.tracing.opening import NO_TRACING, Tracing, open_tracing
from tools.workspace import Workspace, default_workspace, load_workspace

logger = logging.getLogger(__name__)

SHUTDOWN_GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class Runtime:
    """Everything a door may need."""

    settings: Settings
    workspace: Workspace
    db: Database
    wakeups: Wakeups
    log: ConversationLog
    desk: Desk
    sessions: Sessions
    tracker: BuiltInTracker
    embedder: Embedder | None
    knowledge: KnowledgeStore
    engine: Engine
    pages: PageMap
    accounts: FileAccounts
    deps: TurnDeps
    graph: TurnGraph
    turns: TurnService
    supervisor: Supervisor
    local: LocalEngine | None = None
    tracing: Tracing = NO_TRACING

    @property
    def learner(self) -> Engine:
        """The engine that learns from tickets: the local one, which also stands behind a model."""
        return self.local or self.engine

    def learn(self, model: LearnedModel | None) -> None:
        """Have the engine go by this learnt model from now on; None is what is shipped."""
        if self.local is not None:
            self.local.learn(model)


@asynccontextmanager
async def open_runtime(
    settings: Settings, *, metrics: TurnMetrics | None = None, owns_folder: bool = True
) -> AsyncIterator[Runtime]:
    """Open an installation; on leaving, running turns get a moment to finish and everything is closed.

    `owns_folder` is false for one of several workers, whose parent owns the data folder.

    Raises:
        Misconfigured: a file, a store or a setting is wrong, or another process owns the data folder.
    """
    workspace = open_workspace(settings)
    pages = PageMap.load(workspace.folder / "pages.yaml" if workspace.folder else None)
    accounts = FileAccounts.load(workspace.folder / "accounts.json") if workspace.folder else FileAccounts([])
    make_data_dir(settings)
    async with AsyncExitStack() as stack:
        tracing = await stack.enter_async_context(open_tracing(settings.trace_options()))
        db = await Database.open(settings.database, data_dir=settings.data_dir)
        stack.push_async_callback(db.close)
        db.observe(count_statement)
        wakeups = Wakeups(db.channel())
        await wakeups.start()
        stack.push_async_callback(wakeups.stop)
        await asyncio.to_thread(read_grammars)
        embedder = open_embedding(settings)
        learned = open_learned(settings, workspace.workspace_id, embedder).model
        knowledge = await KnowledgeStore.open(
            db,
            settings.data_dir,
            embedder,
            workspace.workspace_id,
            taught=learned.questions if learned is not None else None,
            sharing=Sharing(settings.chroma_url, owns_folder, wakeups),
        )
        stack.push_async_callback(knowledge.close)
        local = await LocalEngine.open(
            embedder,
            workspace.policy.categories,
            cache_dir=settings.data_dir / "models",
            entailment=await asyncio.to_thread(open_entailment, settings),
        )
        local.learn(learned)
        engine = await stack.enter_async_context(open_engine(settings, local, workspace))
        checkpointer = await stack.enter_async_context(open_checkpointer(db.url, data_dir=settings.data_dir))
        log = ConversationLog(db, wakeups)
        tracker = BuiltInTracker(db, embedder, same_bug_similarity=workspace.policy.same_bug_similarity)
        deps = TurnDeps(
            engine=engine,
            knowledge=knowledge,
            accounts=accounts,
            pages=pages,
            tracker=tracker,
            tools=answer_tools(knowledge, accounts),
            policy=workspace.policy,
            workspace_name=workspace.name,
        )
        graph = build_turn_graph(checkpointer)
        supervisor = Supervisor()
        turns = TurnService(
            log,
            graph,
            deps,
            workspace_id=workspace.workspace_id,
            wakeups=wakeups,
            limits=TurnLimits(settings.turn_timeout_s, settings.concurrent_turns, settings.max_message_chars),
            metrics=metrics or NoMetrics(),
            supervisor=supervisor,
            tracing=tracing,
        )
        stack.push_async_callback(supervisor.close, grace_s=SHUTDOWN_GRACE_S)
        stack.callback(turns.stop)
        yield Runtime(
            settings=settings,
            workspace=workspace,
            db=db,
            wakeups=wakeups,
            log=log,
            desk=Desk(log),
            sessions=Sessions(db),
            tracker=tracker,
            embedder=embedder,
            knowledge=knowledge,
            engine=engine,
            local=local,
            pages=pages,
            accounts=accounts,
            deps=deps,
            graph=graph,
            turns=turns,
            supervisor=supervisor,
            tracing=tracing,
        )


@asynccontextmanager
async def open_engine(settings: Settings, local: LocalEngine, workspace: Workspace) -> AsyncIterator[Engine]:
    """The engine that the settings name: the local one, or a model with the local one behind it."""
    options = settings.model_options()
    if options is None:
        yield local
        return
    # Imported here because an installation without a model needn't wait for its client to load.
    from tools.engines.llm.engine import LlmEngine
    from tools.engines.llm.transport import open_client

    async with open_client(trust_env=settings.model_proxy) as client:
        yield LlmEngine.open(local, options, client, product=workspace.name)


def answer_tools(knowledge: KnowledgeBase, accounts: FileAccounts) -> tuple[AnswerTool, ...]:
    """The reads that an answer may call; lookups of accounts only where there are accounts."""
    lookups: tuple[AnswerTool, ...] = (AccountStatusTool(accounts), OrderStatusTool(accounts)) if accounts else ()
    return (*lookups, SearchTool(knowledge), PointTool())


@asynccontextmanager
async def open_knowledge(settings: Settings) -> AsyncIterator[KnowledgeStore]:
    """Open the knowledge base alone, to read it or to ingest into it.

    Raises:
        Misconfigured: as `open_runtime`.
    """
    workspace = open_workspace(settings)
    make_data_dir(settings)
    async with AsyncExitStack() as stack:
        db = await Database.open(settings.database, data_dir=settings.data_dir)
        stack.push_async_callback(db.close)
        embedder = open_embedding(settings)
        learned = open_learned(settings, workspace.workspace_id, embedder).model
        knowledge = await KnowledgeStore.open(
            db,
            settings.data_dir,
            embedder,
            workspace.workspace_id,
            taught=learned.questions if learned is not None else None,
            sharing=Sharing(settings.chroma_url),
        )
        stack.push_async_callback(knowledge.close)
        yield knowledge


def open_workspace(settings: Settings) -> Workspace:
    """Load the workspace that the settings name.

    Raises:
        Misconfigured: as `load_workspace`.
    """
    return load_workspace(settings.workspace) if settings.workspace else default_workspace()


def open_learned(settings: Settings, workspace_id: str, embedder: Embedder | None) -> InUse:
    """Open the learnt model in use; the shipped one when that is damaged, or of another embedding model."""
    in_use = ModelShelf(settings.data_dir, workspace_id).in_use()
    if in_use.model is not None and in_use.model.embedder != (embedder.name if embedder else ""):
        logger.error(
            "the learnt model is of another embedding model and NOT used, going on with what is shipped model_id=%s "
            "its=%s ours=%s; run `helpgraph learn` again, or set HELPGRAPH_EMBEDDING as it was",
            in_use.model_id,
            in_use.model.embedder or "none",
            embedder.name if embedder else "none",
        )
        return InUse(SHIPPED, None)
    return in_use


def make_data_dir(settings: Settings) -> None:
    """Make the data folder when it isn't there.

    Raises:
        Misconfigured: it can't be made.
    """
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Misconfigured(f"HELPGRAPH_DATA_DIR: can't make {settings.data_dir} ({exc.strerror})") from exc


def open_entailment(settings: Settings) -> Entailment | None:
    """The operator's entailment model, None when none is set.

    Raises:
        Misconfigured: the folder has no usable one.
    """
    if settings.entailment_folder is None:
        return None
    return Entailment.open(settings.entailment_folder, threads=settings.embedding_threads)


def open_embedding(settings: Settings) -> RememberedEmbedder | None:
    """Open the embedding model that the settings name; None when there is none.

    Raises:
        Misconfigured: as `open_embedder`.
    """
    embedder = open_embedder(
        settings.embedding,
        cache_dir=settings.data_dir / "models",
        folder=settings.embedding_folder,
        url=settings.embedding_url,
        key=settings.embedding_key,
        model=settings.embedding_model,
        threads=settings.embedding_threads,
    )
    if embedder is None and settings.embedding != "off":
        logger.warning("no embedding model found: search is by words alone, see docs/settings.md")
    return RememberedEmbedder(embedder) if embedder is not None else None
