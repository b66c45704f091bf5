"""The application: every door on one workspace, with its walls around it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import FastAPI
from fastapi.middleware.cors import CORSMiddleware

from server import admin_api, agui, api_docs, health, inbox_api, openai_api, ops_api, pages, problems, widget_api
from server.api_description import describe_truly
from server.background import at_work
from server.context import Doors
from server.headers import GuardHost, SecurityHeaders
from server.limits import BodyLimit
from server.origins import TellsOfOrigins
from server.requests import HEADER, Observed
from server.threads import HEADER as CONVERSATION

_DESCRIPTION = """A support agent for software products. `POST /v1/agui` streams AG-UI events; `/v1/chat/completions`
speaks OpenAI's format. Errors before the first byte are problem JSON (RFC 9457), in OpenAI's format at its own door,
after it `RUN_ERROR` events. The streams' events are in docs/events.md."""


def create_app(doors: Doors) -> FastAPI:
    """Build the application around the one workspace of a process. Turns begin with the application's lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with at_work([doors]):
            yield

    app = workspace_app(doors)
    app.router.lifespan_context = lifespan
    app.include_router(health.router)
    return app


def workspace_app(doors: Doors) -> FastAPI:
    """Build the doors of a workspace, without what is the process's own: health, metrics, and the work beside requests.

    It may stand below a path (ASGI's `root_path`), which its pages, redirects and cookies keep to.
    """
    app = FastAPI(
        title="Helpgraph",
        version="1",
        description=_DESCRIPTION,
        docs_url=None,
        redoc_url=None,
        openapi_url="/openapi.json",
    )
    app.state.doors = doors
    problems.install(app)
    for module in (agui, widget_api, openai_api, inbox_api, ops_api, admin_api, pages, api_docs):
        app.include_router(module.router)
    api_docs.mount(app)
    describe_truly(app)
    app.add_middleware(BodyLimit, metrics=doors.metrics)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(
        CORSMiddleware,
        allow_origins=doors.settings.allowed_origins,
        allow_methods=["GET", "POST"],
        allow_headers=["Authorization", "Content-Type", "Last-Event-ID", HEADER],
        expose_headers=["Retry-After", HEADER, CONVERSATION],
        max_age=600,
    )
    app.add_middleware(TellsOfOrigins, allowed=doors.settings.allowed_origins, public_url=doors.settings.public_url)
    app.add_middleware(GuardHost, loopback=doors.settings.on_loopback)
    app.add_middleware(
        Observed,
        metrics=doors.metrics,
        tracing=doors.runtime.tracing,
        workspace_id=doors.runtime.workspace.workspace_id,
    )
    return app
