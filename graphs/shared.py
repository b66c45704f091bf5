"""What the workspaces of a process share: the database and what stands on it, the encoders, the index of vectors."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial

from langgraph.checkpoint.base import BaseCheckpointSaver

from agent.errors import Misconfigured
from agent.promising.grammar import read_grammars
from graphs.checkpoints import open_checkpointer
from graphs.settings import Settings
from graphs.supervisor import Supervisor
from tools.embedding.choose import open_embedder
from tools.embedding.remembered import RememberedEmbedder
from tools.engines.local.support.entailing import Entailing, Entailment
from tools.engines.local.support.reader import Reader
from tools.knowledge.owner import Ownership
from tools.knowledge.store import Sharing
from tools.knowledge.vectors import open_vectors
from tools.observing.context import count_statement
from tools.storage.database import Database
from tools.storage.glance import Glance
from tools.storage.log import ConversationLog
from tools.storage.outbox import workspaces_with_deliveries
from tools.storage.wakeups import Wakeups
from tools.tracing.opening import Tracing, open_tracing

logger = logging.getLogger(__name__)

# Each makes its generation under a lock that holds a connection; the processor has nothing left for more anyway.
_BASES_MADE_AT_A_TIME = 2


@dataclass(frozen=True, slots=True)
class Shared:
    """Opened once in a process, however many workspaces it serves: nothing here grows with their number."""

    settings: Settings
    db: Database
    wakeups: Wakeups
    log: ConversationLog
    checkpointer: BaseCheckpointSaver[str]
    embedder: RememberedEmbedder | None
    entailment: Entailing | None
    sharing: Sharing
    unfinished: Glance
    deliveries: Glance
    supervisor: Supervisor
    tracing: Tracing


@asynccontextmanager
async def open_shared(settings: Settings, *, owns_folder: bool = True) -> AsyncIterator[Shared]:
    """Open it; on leaving, everything is closed.

    `owns_folder` is false for one of several workers, whose parent owns the data folder.

    Raises:
        Misconfigured: a store or a setting is wrong, or another process owns the data folder.
    """
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
        if owns_folder:
            stack.enter_context(Ownership(settings.data_dir))
        vectors = await open_vectors(settings.data_dir, settings.chroma_url)
        stack.push_async_callback(asyncio.to_thread, vectors.close)
        entailment = await asyncio.to_thread(open_entailment, settings)
        # Two workers that make its tables at the same moment would be in each other's way.
        async with db.exclusive("checkpoints"):
            checkpointer = await stack.enter_async_context(open_checkpointer(db.url, data_dir=settings.data_dir))
        log = ConversationLog(db, wakeups)
        yield Shared(
            settings=settings,
            db=db,
            wakeups=wakeups,
            log=log,
            checkpointer=checkpointer,
            embedder=embedder,
            entailment=entailment,
            sharing=Sharing(
                settings.chroma_url, owns_folder, wakeups, vectors, asyncio.Semaphore(_BASES_MADE_AT_A_TIME)
            ),
            unfinished=Glance(log.workspaces_with_work),
            deliveries=Glance(partial(workspaces_with_deliveries, db)),
            supervisor=Supervisor(),
            tracing=tracing,
        )


def make_data_dir(settings: Settings) -> None:
    """Make the data folder, for its owner alone, when it isn't there.

    Raises:
        Misconfigured: it can't be made.
    """
    try:
        # Some of what is within gets the usual mode: Chroma's files, models, figures.
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as exc:
        raise Misconfigured(f"HELPGRAPH_DATA_DIR: can't make {settings.data_dir} ({exc.strerror})") from exc


def open_entailment(settings: Settings) -> Entailing | None:
    """What reads a model's sentences beside their sources: the operator's model, or the shipped reader.

    Raises:
        Misconfigured: the folder has no usable one, or the shipped one can't be built.
    """
    if settings.entailment == "off":
        return None
    if settings.entailment_folder is not None:
        return Entailment.open(settings.entailment_folder, threads=settings.embedding_threads)
    # The local engine quotes: nothing that it says is in doubt.
    if settings.model is None:
        return None
    return Reader.open(settings.data_dir / "models")


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
        logger.warning("no embedding model found: search is by words alone, see helpgraph doctor")
    return RememberedEmbedder(embedder) if embedder is not None else None
