"""A log, a desk and running turns on one database, as a process has them."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from agent.deps import TurnDeps
from agent.types import Identity
from graphs.checkpoints import open_checkpointer
from graphs.supervisor import Supervisor
from graphs.turn_metrics import NoMetrics
from graphs.turns import SubmittedMessage, TurnLimits, TurnService
from tests.migrated import put_migrated
from tests.turn_graph import turn_graph_that_keeps
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import ConversationLog, LogEvent
from tools.storage.scope import Scope
from tools.storage.wakeups import Wakeups

SCOPE = Scope("example", "visitor-1", "customer")
STAFF = Scope("example", None, "staff")
LIMITS = TurnLimits(turn_timeout_s=5, concurrent_turns=8, max_message_chars=8000)


class Installation:
    """A log, a desk and a turn service on one database, as a running process has them."""

    def __init__(self, log: ConversationLog, turns: TurnService) -> None:
        self.log = log
        self.turns = turns
        self.desk = Desk(log)

    async def begin(self) -> str:
        made = await self.log.create_conversation(
            SCOPE, thread_id="", identity=Identity(), channel="widget", language="en", now=datetime.now(UTC)
        )
        return made.conversation_id

    async def say(self, conversation_id: str, text: str, message_id: str = "m1", *, wish: bool = False) -> None:
        message = SubmittedMessage(message_id, text, run_id=f"run-{message_id}", wish=wish)
        await self.turns.submit(SCOPE, conversation_id, message)

    async def events(self, conversation_id: str) -> list[LogEvent]:
        return await self.log.read(STAFF, conversation_id, after_seq=0, staff=True, limit=2000)

    async def until(self, conversation_id: str, condition: Callable[[list[LogEvent]], bool]) -> list[LogEvent]:
        async with asyncio.timeout(30):
            while not condition(found := await self.events(conversation_id)):
                await asyncio.sleep(0.02)
        return found


@asynccontextmanager
async def installation(
    folder: Path,
    deps: TurnDeps,
    limits: TurnLimits = LIMITS,
    *,
    grace_s: float = 5,
    log_class: type[ConversationLog] = ConversationLog,
) -> AsyncIterator[Installation]:
    await put_migrated(folder)
    db = await Database.open(None, data_dir=folder)
    wakeups, supervisor = Wakeups(), Supervisor()
    log = log_class(db, wakeups)
    async with open_checkpointer(db.url, data_dir=folder) as checkpointer:
        turns = TurnService(
            log,
            turn_graph_that_keeps(checkpointer),
            deps,
            workspace_id=SCOPE.workspace_id,
            wakeups=wakeups,
            limits=limits,
            metrics=NoMetrics(),
            supervisor=supervisor,
        )
        await turns.start()
        try:
            yield Installation(log, turns)
        finally:
            turns.stop()
            await supervisor.close(grace_s=grace_s)
            await db.close()


def kinds(events: list[LogEvent]) -> list[str]:
    return [str(e.event.get("name") or e.event["type"]) for e in events]


def ended(count: int = 1) -> Callable[[list[LogEvent]], bool]:
    return lambda events: kinds(events).count("RUN_FINISHED") >= count


def bot_messages(events: list[LogEvent]) -> list[dict[str, object]]:
    values = [e.event["value"] for e in events if e.event.get("name") == "helpgraph.message.v1"]
    return [value for value in values if isinstance(value, dict) and value["author"] == "bot"]
