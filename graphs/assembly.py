"""One running installation: every connector opened from the settings, joined, and closed in the right order."""

import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from agent.deps import TurnDeps
from agent.errors import Misconfigured
from agent.ports import Embedder, Engine
from graphs.checkpoints import open_checkpointer
from graphs.settings import Settings
from graphs.supervisor import Supervisor
from graphs.turn_graph import TurnGraph, build_turn_graph
from graphs.turn_metrics import NoMetrics, TurnMetrics
from graphs.turns import TurnLimits, TurnService
from tools.accounts import AccountStatusTool, FileAccounts, OrderStatusTool
from tools.embedding.choose import open_embedder
from tools.engines.local.engine import LocalEngine
from tools.knowledge.store import KnowledgeStore
from tools.pages import PageMap
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import ConversationLog
from tools.storage.sessions import Sessions
from tools.storage.tracker import BuiltInTracker
from tools.storage.wakeups import Wakeups
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


@asynccontextmanager
async def open_runtime(settings: Settings, *, metrics: TurnMetrics | None = None) -> AsyncIterator[Runtime]:
    """Open an installation; on leaving, running turns get a moment to finish and everything is closed.

    Raises:
        Misconfigured: a file, a store or a setting is wrong, or another process owns the data folder.
    """
    workspace = _workspace(settings)
    pages = PageMap.load(workspace.folder / "pages.yaml" if workspace.folder else None)
    accounts = FileAccounts.load(workspace.folder / "accounts.json") if workspace.folder else FileAccounts([])
    _make_data_dir(settings)
    async with AsyncExitStack() as stack:
        db = await Database.open(settings.database, data_dir=settings.data_dir)
        stack.push_async_callback(db.close)
        wakeups = Wakeups(db.channel())
        await wakeups.start()
        stack.push_async_callback(wakeups.stop)
        embedder = _embedder(settings)
        knowledge = await KnowledgeStore.open(db, settings.data_dir, embedder, workspace.workspace_id)
        stack.push_async_callback(knowledge.close)
        engine = await LocalEngine.open(embedder, workspace.policy.categories, cache_dir=settings.data_dir / "models")
        checkpointer = await stack.enter_async_context(open_checkpointer(db.url, data_dir=settings.data_dir))
        log = ConversationLog(db, wakeups)
        tracker = BuiltInTracker(db, embedder, same_bug_similarity=workspace.policy.same_bug_similarity)
        deps = TurnDeps(
            engine=engine,
            knowledge=knowledge,
            accounts=accounts,
            pages=pages,
            tracker=tracker,
            tools=(AccountStatusTool(accounts), OrderStatusTool(accounts)),
            policy=workspace.policy,
            workspace_name=workspace.name,
        )
        graph = build_turn_graph(checkpointer)
        supervisor = Supervisor()
        turns = TurnService(
            log,
            graph,
            deps,
            wakeups=wakeups,
            limits=TurnLimits(settings.turn_timeout_s, settings.concurrent_turns, settings.max_message_chars),
            metrics=metrics or NoMetrics(),
            supervisor=supervisor,
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
            pages=pages,
            accounts=accounts,
            deps=deps,
            graph=graph,
            turns=turns,
            supervisor=supervisor,
        )


@asynccontextmanager
async def open_knowledge(settings: Settings) -> AsyncIterator[KnowledgeStore]:
    """Open the knowledge base alone, to read it or to ingest into it.

    Raises:
        Misconfigured: as `open_runtime`.
    """
    workspace = _workspace(settings)
    _make_data_dir(settings)
    async with AsyncExitStack() as stack:
        db = await Database.open(settings.database, data_dir=settings.data_dir)
        stack.push_async_callback(db.close)
        knowledge = await KnowledgeStore.open(db, settings.data_dir, _embedder(settings), workspace.workspace_id)
        stack.push_async_callback(knowledge.close)
        yield knowledge


def _workspace(settings: Settings) -> Workspace:
    return load_workspace(settings.workspace) if settings.workspace else default_workspace()


def _make_data_dir(settings: Settings) -> None:
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True)
    except OSError as exc:
        raise Misconfigured(f"HELPGRAPH_DATA_DIR: can't make {settings.data_dir} ({exc.strerror})") from exc


def _embedder(settings: Settings) -> Embedder | None:
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
    return embedder
