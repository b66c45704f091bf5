"""The application: every door on one installation, with its walls around it."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from agent.errors import SupportError
from agent.events import Custom
from agent.phrases import Phrase, phrase
from graphs.deliveries import deliver_for_ever
from graphs.retention import keep_for
from graphs.stores import stores_of
from server import admin_api, agui, api_docs, inbox_api, openai_api, ops_api, pages, problems, widget_api
from server.context import Doors
from server.headers import GuardHost, SecurityHeaders
from server.limits import BodyLimit
from server.requests import HEADER, Observed
from tools.observing.loop import watch_loop
from tools.storage.catching_up import catch_up
from tools.storage.codec import custom
from tools.storage.log import NewEvent
from tools.storage.outbox import Outbox
from tools.storage.scope import Scope
from tools.webhooks.sender import WebhookSender

logger = logging.getLogger(__name__)

_SWEEP_S = 15.0
_DESCRIPTION = """A support agent for software products. `POST /v1/agui` streams AG-UI events; `/v1/chat/completions`
speaks OpenAI's format. Errors before the first byte are problem JSON (RFC 9457), after it `RUN_ERROR` events."""


def create_app(doors: Doors) -> FastAPI:
    """Build the application around an open installation. Turns begin with the application's lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        runtime = doors.runtime
        runtime.db.observe(doors.metrics.database_seconds)
        await runtime.turns.start()
        endless = [
            runtime.supervisor.spawn(_sweep(doors), name="overdue-sweep"),
            runtime.supervisor.spawn(
                catch_up(runtime.log, runtime.wakeups, runtime.workspace.workspace_id), name="catch-up"
            ),
            runtime.supervisor.spawn(keep_for(stores_of(runtime), runtime.settings.retention_days), name="retention"),
            runtime.supervisor.spawn(watch_loop(doors.metrics.loop_lag_s.observe), name="loop-lag"),
            runtime.supervisor.spawn(_end_streams(doors), name="end-streams"),
        ]
        if runtime.wakeups.shared or runtime.settings.chroma_url is not None:
            endless.append(runtime.supervisor.spawn(runtime.knowledge.follow(), name="knowledge-follow"))
        if (secret := runtime.settings.webhook_secret) is not None:
            endless.append(runtime.supervisor.spawn(_deliver(doors, secret.get_secret_value()), name="deliveries"))
        yield
        # They never end by themselves, and the supervisor waits for what does.
        for task in endless:
            task.cancel()

    app = FastAPI(
        title="Helpgraph",
        version="1",
        description=_DESCRIPTION,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.doors = doors
    problems.install(app)
    for module in (agui, widget_api, openai_api, inbox_api, ops_api, admin_api, pages, api_docs):
        app.include_router(module.router)
    api_docs.mount(app)
    app.add_middleware(BodyLimit, metrics=doors.metrics)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=doors.settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", HEADER],
        expose_headers=["Retry-After", HEADER],
        max_age=600,
    )
    app.add_middleware(GuardHost, loopback=doors.settings.on_loopback)
    app.add_middleware(
        Observed,
        metrics=doors.metrics,
        tracing=doors.runtime.tracing,
        workspace_id=doors.runtime.workspace.workspace_id,
    )
    return app


async def _end_streams(doors: Doors) -> None:
    """A stream that waits for something new looks, when it is woken, whether the server is stopping."""
    await doors.stopping.wait()
    doors.runtime.wakeups.rouse()


async def _sweep(doors: Doors) -> None:
    """Nobody is left waiting unnoticed: past the promise the customer hears so, and the inbox shows it."""
    runtime = doors.runtime
    while True:
        try:
            await _remind_overdue(doors)
            await runtime.sessions.purge(now=datetime.now(UTC))
        except (SupportError, OSError):
            logger.exception("overdue sweep failed")
        await asyncio.sleep(_SWEEP_S)


async def _deliver(doors: Doors, secret: str) -> None:
    workspace_id = doors.runtime.workspace.workspace_id
    async with WebhookSender(secret, workspace_id) as sender:
        await deliver_for_ever(Outbox(doors.runtime.db, workspace_id), sender, doors.metrics)


async def _remind_overdue(doors: Doors) -> None:
    desk = doors.runtime.desk
    now = datetime.now(UTC)
    for waiting in await desk.overdue(now):
        text = phrase(Phrase.STILL_WAITING, widget_api.as_language(waiting.language))
        notice = NewEvent(custom(Custom.NOTICE, {"code": "still_waiting", "text": text}))
        scope = Scope(waiting.workspace_id, None, "system")
        if await desk.remind(scope, waiting.conversation_id, now=now, events=[notice]):
            doors.metrics.overdue.inc()
            logger.warning("handoff overdue conversation_id=%s", waiting.conversation_id)
