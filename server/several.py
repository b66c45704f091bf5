"""Several workspaces behind one address: each below a path of its own, and at the root what is the process's own."""

import html
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from agent.wire import JsonObject
from server import problems
from server.app import workspace_app
from server.background import at_work
from server.context import Doors
from server.headers import GuardHost, SecurityHeaders
from server.health import exposed, healthz
from server.installation import path_of
from server.metrics import Metrics
from server.pages import no_icon
from server.requests import Observed

_CSP = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

router = APIRouter(include_in_schema=False)
router.add_api_route("/healthz", healthz)
router.add_api_route("/favicon.ico", no_icon)


def create_several(every: Mapping[str, Doors], metrics: Metrics) -> FastAPI:
    """Build the application around several workspaces, by their ids. Turns begin with the application's lifespan."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        async with at_work(list(every.values())):
            yield

    first = next(iter(every.values()))
    apps = {workspace_id: workspace_app(doors) for workspace_id, doors in every.items()}
    app = FastAPI(lifespan=lifespan, docs_url=None, redoc_url=None, openapi_url=None)
    app.state.every = every
    app.state.apps = apps
    app.state.metrics = metrics
    problems.install(app)
    app.include_router(router)
    app.add_middleware(SecurityHeaders)
    app.add_middleware(GuardHost, loopback=first.settings.on_loopback)
    app.add_middleware(Observed, metrics=metrics, tracing=first.runtime.tracing)
    # The outermost: what is a workspace's passes its own walls and no others.
    app.add_middleware(ByWorkspace, apps=apps)
    return app


class ByWorkspace:
    """Hands each request to the application of the workspace that its path names, and all others on."""

    def __init__(self, app: ASGIApp, *, apps: Mapping[str, ASGIApp]) -> None:
        self._app = app
        self._apps = apps

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Choose by the path as it arrived: no dots are resolved, nothing is decoded twice."""
        before, w, rest = scope.get("path", "").partition("/w/")
        workspace_id, slash, _ = rest.partition("/")
        app = self._apps.get(workspace_id) if w and not before and scope["type"] == "http" else None
        if app is None:
            await self._app(scope, receive, send)
        elif not slash:
            # Its first page's addresses are relative to a folder.
            where = RedirectResponse(path_of(workspace_id) + "/")
            await where(scope, receive, send)
        else:
            below = {**scope, "root_path": scope.get("root_path", "") + path_of(workspace_id)}
            await app(below, receive, send)


def _every(request: Request) -> Mapping[str, Doors]:
    every: Mapping[str, Doors] = request.app.state.every
    return every


@router.get("/")
async def front(request: Request) -> Response:
    """Which workspaces there are, for whoever sits at the machine; nobody else is told."""
    every = _every(request)
    shown = [
        f"<li><a href=w/{name}/>{html.escape(doors.runtime.workspace.name)}</a>"
        for name, doors in every.items()
        if doors.settings.on_loopback
    ]
    body = (
        "<!doctype html><html lang=en><meta charset=utf-8><title>Helpgraph</title><h1>Helpgraph</h1>"
        f"<ul>{''.join(shown)}</ul></html>"
    )
    return HTMLResponse(body, headers={"Content-Security-Policy": _CSP})


@router.get("/readyz")
async def readyz(request: Request) -> JsonObject:
    """The parts that the workspaces share answer; 503 when the database doesn't."""
    every = _every(request)
    runtime = next(iter(every.values())).runtime
    await runtime.log.workspaces_with_work()
    return {
        "status": "ready",
        "workspaces": len(every),
        "database": runtime.db.dialect,
        "embedding": runtime.embedder.name if runtime.embedder else "none: search is by words alone",
    }


@router.get("/metrics")
async def metrics(request: Request) -> Response:
    """What was counted, for Prometheus."""
    every, counted = _every(request), request.app.state.metrics
    queues = await next(iter(every.values())).ops.queues(every.keys())
    return exposed(counted.render(queues))
