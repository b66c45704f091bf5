"""The stores alone, without the language behind them: for the work of an operator on what they hold."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from langgraph.checkpoint.base import BaseCheckpointSaver

from graphs.assembly import Runtime, open_workspace
from graphs.checkpoints import open_checkpointer
from graphs.settings import Settings
from graphs.shared import make_data_dir
from tools.storage.database import Database
from tools.storage.log import ConversationLog
from tools.storage.wakeups import Wakeups


@dataclass(frozen=True, slots=True)
class Stores:
    """Where an installation keeps what it is told, and which workspace of it is meant."""

    settings: Settings
    workspace_id: str
    log: ConversationLog
    checkpointer: BaseCheckpointSaver[str] | None

    @property
    def db(self) -> Database:
        """The database under the log."""
        return self.log.database


def stores_of(runtime: Runtime) -> Stores:
    """The stores of a running installation."""
    saver = runtime.graph.checkpointer
    checkpointer = saver if isinstance(saver, BaseCheckpointSaver) else None
    return Stores(runtime.settings, runtime.workspace.workspace_id, runtime.log, checkpointer)


@asynccontextmanager
async def open_stores(settings: Settings) -> AsyncIterator[Stores]:
    """Open the stores that the settings name.

    Raises:
        Misconfigured: as `open_runtime`.
    """
    workspace = open_workspace(settings)
    make_data_dir(settings)
    async with AsyncExitStack() as stack:
        db = await Database.open(settings.database, data_dir=settings.data_dir)
        stack.push_async_callback(db.close)
        async with db.exclusive("checkpoints"):
            checkpointer = await stack.enter_async_context(open_checkpointer(db.url, data_dir=settings.data_dir))
        yield Stores(settings, workspace.workspace_id, ConversationLog(db, Wakeups()), checkpointer)
