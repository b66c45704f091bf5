"""Running workspaces: every connector opened from the settings, joined, and closed in the right order."""

import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from agent.deps import TurnDeps
from agent.ports import AnswerTool, Embedder, Engine, KnowledgeBase
from graphs.running import RunningServer, find_running
from graphs.settings import Settings
from graphs.shared import Shared, make_data_dir, open_embedding, open_shared
from graphs.supervisor import Supervisor
from graphs.turn_graph import TurnGraph, build_turn_graph
from graphs.turn_metrics import NoMetrics, TurnMetrics
from graphs.turns import TurnLimits, TurnService
from tools.accounts import AccountStatusTool, FileAccounts, OrderStatusTool
from tools.answer_tools import PointTool, SearchTool
from tools.embedding.remembered import apart
from tools.engines.local.engine import LocalEngine
from tools.knowledge.store import KnowledgeStore, Sharing
from tools.learned.model import LearnedModel
from tools.learned.shelf import SHIPPED, InUse, ModelShelf
from tools.pages import PageMap
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.glance import Look, always
from tools.storage.log import ConversationLog
from tools.storage.sessions import Sessions
from tools.storage.tracker import BuiltInTracker
from tools.storage.wakeups import Wakeups
from tools.tracing.opening import NO_TRACING, Tracing
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
    deliveries: Look = always

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
    """Open an installation of one workspace; on leaving, running turns get a moment and everything is closed.

    `owns_folder` is false for one of several workers, whose parent owns the data folder.

    Raises:
        Misconfigured: a file, a store or a setting is wrong, or another process owns the data folder.
    """
    counted = metrics or NoMetrics()
    async with open_runtimes(settings, [settings], lambda _: counted, owns_folder=owns_folder) as (runtime,):
        yield runtime


@asynccontextmanager
async def open_runtimes(
    settings: Settings,
    each: Sequence[Settings],
    metrics_of: Callable[[str], TurnMetrics],
    *,
    owns_folder: bool = True,
) -> AsyncIterator[list[Runtime]]:
    """Open several workspaces on one database, one index and one set of models, in the order of their settings.

    `settings` are the process's; of `each` only what may be a workspace's own counts. On leaving, running turns of all
    of them get a moment together. `metrics_of` is told the workspace's id.

    Raises:
        Misconfigured: as `open_runtime`.
    """
    # First of all: what is wrong in a file is said before anything is opened.
    every = [(one, read_files(one)) for one in each]
    async with open_shared(settings, owns_folder=owns_folder) as shared, AsyncExitStack() as stack:
        runtimes = [
            await stack.enter_async_context(
                _opened(shared, one, files, metrics=metrics_of(files.workspace.workspace_id))
            )
            for one, files in every
        ]
        stack.push_async_callback(shared.supervisor.close, grace_s=SHUTDOWN_GRACE_S)
        for runtime in runtimes:
            stack.callback(runtime.turns.stop)
        yield runtimes


@dataclass(frozen=True, slots=True)
class Files:
    """What a workspace's folder says."""

    workspace: Workspace
    pages: PageMap
    accounts: FileAccounts


def read_files(settings: Settings) -> Files:
    """Read the files of the workspace that the settings name.

    Raises:
        Misconfigured: one of them is wrong; the message names it.
    """
    workspace = open_workspace(settings)
    return Files(
        workspace,
        PageMap.load(workspace.folder / "pages.yaml" if workspace.folder else None),
        FileAccounts.load(workspace.folder / "accounts.json") if workspace.folder else FileAccounts([]),
    )


@asynccontextmanager
async def _opened(shared: Shared, settings: Settings, files: Files, *, metrics: TurnMetrics) -> AsyncIterator[Runtime]:
    workspace, db = files.workspace, shared.db
    # The model is shared and what it remembers isn't: one workspace's questions push out no other's, nor answer faster.
    embedder = apart(shared.embedder) if shared.embedder is not None else None
    learned = open_learned(settings, workspace.workspace_id, embedder).model
    async with AsyncExitStack() as stack:
        knowledge = await KnowledgeStore.open(
            db,
            settings.data_dir,
            embedder,
            workspace.workspace_id,
            taught=learned.questions if learned is not None else None,
            sharing=shared.sharing,
        )
        stack.push_async_callback(knowledge.close)
        local = await LocalEngine.open(
            embedder,
            workspace.policy.categories,
            cache_dir=settings.data_dir / "models",
            entailment=shared.entailment,
        )
        local.learn(learned)
        engine = await stack.enter_async_context(open_engine(settings, local, workspace))
        same = workspace.policy.same_bug_similarity
        tracker = BuiltInTracker(db, embedder, same_bug_similarity=same, logged_only=True)
        deps = TurnDeps(
            engine=engine,
            knowledge=knowledge,
            accounts=files.accounts,
            pages=files.pages,
            tracker=tracker,
            tools=answer_tools(knowledge, files.accounts),
            policy=workspace.policy,
            workspace_name=workspace.name,
        )
        graph = build_turn_graph(shared.checkpointer)
        turns = TurnService(
            shared.log,
            graph,
            deps,
            workspace_id=workspace.workspace_id,
            wakeups=shared.wakeups,
            limits=TurnLimits(settings.turn_timeout_s, settings.concurrent_turns, settings.max_message_chars),
            metrics=metrics,
            supervisor=shared.supervisor,
            tracing=shared.tracing,
            look=shared.unfinished.of(workspace.workspace_id),
        )
        yield Runtime(
            settings=settings,
            workspace=workspace,
            db=db,
            wakeups=shared.wakeups,
            log=shared.log,
            desk=Desk(shared.log),
            sessions=Sessions(db),
            tracker=tracker,
            embedder=embedder,
            knowledge=knowledge,
            engine=engine,
            local=local,
            pages=files.pages,
            accounts=files.accounts,
            deps=deps,
            graph=graph,
            turns=turns,
            supervisor=shared.supervisor,
            tracing=shared.tracing,
            deliveries=shared.deliveries.of(workspace.workspace_id),
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


def find_server(settings: Settings) -> RunningServer | None:
    """Return the server that owns the settings' data folder, at the door of the workspace that they name.

    Where they name none, it is the only one that the server serves.

    Raises:
        Misconfigured: as `load_workspace` and `find_running`.
    """
    named = open_workspace(settings).workspace_id if settings.workspace is not None else None
    return find_running(settings.data_dir, named)


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
