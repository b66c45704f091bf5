"""What goes on beside requests: turns, reminders, retention, deliveries, and looking after the process."""

import asyncio
import logging
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from agent.events import Custom
from agent.phrases import Phrase, phrase
from graphs.deliveries import deliver_for_ever
from graphs.retention import keep_for
from graphs.stores import stores_of
from server.context import Doors
from server.event_stream import until_told_to_stop
from server.speaking import language_of
from tools.observing.context import working_on
from tools.observing.loop import watch_loop
from tools.storage.catching_up import catch_up
from tools.storage.codec import custom
from tools.storage.log import NewEvent
from tools.storage.outbox import Outbox
from tools.storage.scope import Scope
from tools.webhooks.sender import WebhookSender

logger = logging.getLogger(__name__)

_SWEEP_S = 15.0
# A stopping server cuts streams that haven't ended by themselves after so long. More than anyone's patience, less than
# uvicorn's.
_GRACE_S = 5.0


@asynccontextmanager
async def at_work(every: Sequence[Doors]) -> AsyncIterator[None]:
    """Have the turns of these workspaces run, and all that goes on beside requests, while the block lasts.

    They are workspaces of one process: they share its database and its supervisor.
    """
    first = every[0]
    runtime, spawn = first.runtime, first.runtime.supervisor.spawn
    runtime.db.observe(first.metrics.database_seconds)
    workspace_ids = [doors.runtime.workspace.workspace_id for doors in every]
    kept = [(stores_of(doors.runtime), doors.runtime.settings.retention_days) for doors in every]
    endless = [
        spawn(_sweep(every), name="overdue-sweep"),
        spawn(catch_up(runtime.log, runtime.wakeups, workspace_ids), name="catch-up"),
        spawn(keep_for(kept), name="retention"),
        spawn(watch_loop(first.metrics.loop_lag_s.observe), name="loop-lag"),
        spawn(_stop_when_told(every), name="stop-when-told"),
    ]
    for doors in every:
        own = doors.runtime
        # For the log lines of what is spawned here.
        with working_on(workspace_id=own.workspace.workspace_id):
            await own.turns.start()
            endless.append(spawn(_end_streams(doors), name="end-streams"))
            endless.append(spawn(doors.live.keep_alive(), name="pings"))
            if own.wakeups.shared or runtime.settings.chroma_url is not None:
                endless.append(spawn(own.knowledge.follow(), name="knowledge-follow"))
            if (secret := own.settings.webhook_secret) is not None:
                endless.append(spawn(_deliver(doors, secret.get_secret_value()), name="deliveries"))
    yield
    # They never end by themselves, and the supervisor waits for what does.
    for task in endless:
        task.cancel()


async def _stop_when_told(every: Sequence[Doors]) -> None:
    await until_told_to_stop()
    for doors in every:
        doors.stopping.set()


async def _end_streams(doors: Doors) -> None:
    """A stream that waits for something new looks, when it is woken, whether the server is stopping."""
    await doors.stopping.wait()
    doors.runtime.wakeups.rouse()
    await asyncio.sleep(_GRACE_S)
    doors.live.cut()


async def _sweep(every: Sequence[Doors]) -> None:
    """Nobody is left waiting unnoticed: past the promise the customer hears so, and the inbox shows it."""
    while True:
        try:
            await remind_overdue(every)
            await every[0].runtime.sessions.purge(now=datetime.now(UTC))
        except Exception:
            # Whatever it was: without this loop nobody would be told any more that a person takes longer.
            logger.exception("overdue sweep failed")
        await asyncio.sleep(_SWEEP_S)


async def _deliver(doors: Doors, secret: str) -> None:
    runtime = doors.runtime
    workspace_id = runtime.workspace.workspace_id
    async with WebhookSender(secret, workspace_id) as sender:
        await deliver_for_ever(Outbox(runtime.db, workspace_id), sender, doors.metrics, runtime.deliveries)


async def remind_overdue(every: Sequence[Doors]) -> None:
    """Tell customers of these workspaces, once, that a person takes longer than was promised."""
    by_workspace = {doors.runtime.workspace.workspace_id: doors for doors in every}
    now = datetime.now(UTC)
    for waiting in await every[0].runtime.desk.overdue(now, by_workspace.keys()):
        doors = by_workspace[waiting.workspace_id]
        text = phrase(Phrase.STILL_WAITING, language_of(waiting.language, doors.runtime.workspace))
        notice = NewEvent(custom(Custom.NOTICE, {"code": "still_waiting", "text": text}))
        scope = Scope(waiting.workspace_id, None, "system")
        if await doors.runtime.desk.remind(scope, waiting.conversation_id, now=now, events=[notice]):
            doors.metrics.handoff_overdue()
            logger.warning("handoff overdue conversation_id=%s", waiting.conversation_id)
