"""The review screen's server: on loopback, for one person who has the address with its token."""

import secrets
import socket
from collections.abc import Awaitable, Callable
from importlib.resources import files
from typing import Annotated

import uvicorn
from fastapi import Depends, FastAPI, Header, HTTPException, Query, Request
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.middleware.trustedhost import TrustedHostMiddleware

from agent.errors import Misconfigured, NotFound
from agent.wire import JsonObject
from evals.labels.file import Hand
from evals.labels.review.desk import ReviewDesk, Saved, Show

HOST = "127.0.0.1"
_FILES = {"": "text/html", "review.js": "text/javascript", "review.css": "text/css"}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


class _Save(BaseModel):
    model_config = ConfigDict(extra="forbid")

    ticket_id: Annotated[str, StringConstraints(max_length=300)]
    label: Hand


def new_token() -> str:
    """What the address carries, and nobody guesses."""
    return secrets.token_urlsafe(24)


def address(port: int, token: str) -> str:
    """Where the screen is. The token stands behind the `#`, so that it goes to no server and into no log."""
    return f"http://{HOST}:{port}/#token={token}"


def build_review_app(desk: ReviewDesk, token: str) -> FastAPI:
    """The application. Its files are public and empty; tickets and labels need the token in each request."""

    def known(authorization: Annotated[str, Header()] = "") -> None:
        scheme, _, given = authorization.partition(" ")
        if scheme.lower() != "bearer" or not secrets.compare_digest(given.encode(), token.encode()):
            raise HTTPException(401, "open the address that the command printed: it carries a token")

    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    # A page elsewhere that names its own host as this address gets nothing.
    app.add_middleware(TrustedHostMiddleware, allowed_hosts=[HOST, "localhost"])
    app.add_exception_handler(NotFound, _not_found)
    app.add_exception_handler(Misconfigured, _not_saved)
    guarded = [Depends(known)]

    @app.middleware("http")
    async def careful(request: Request, answer: Callable[[Request], Awaitable[Response]]) -> Response:
        response = await answer(request)
        response.headers.update(_HEADERS)
        return response

    @app.get("/")
    @app.get("/{name}")
    def file(name: str = "") -> Response:
        if name not in _FILES:
            raise HTTPException(404, "no such file")
        path = files("evals.labels.review").joinpath("static", name or "review.html")
        return Response(path.read_bytes(), media_type=_FILES[name])

    @app.get("/api/setup", dependencies=guarded)
    def setup() -> JsonObject:
        return desk.setup()

    @app.get("/api/order", dependencies=guarded)
    def order(
        show: Show = "unlabelled",
        sample: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        seed: Annotated[int, Query(ge=0, le=2**31)] = 0,
    ) -> JsonObject:
        return desk.order(show, sample=sample, seed=seed)

    @app.get("/api/ticket", dependencies=guarded)
    def ticket(ticket_id: str) -> JsonObject:
        return desk.ticket(ticket_id)

    @app.put("/api/label", dependencies=guarded)
    def save(body: _Save) -> JsonObject:
        return _saved(desk.save(body.ticket_id, body.label))

    @app.post("/api/undo", dependencies=guarded)
    def undo() -> JsonObject:
        return _saved(desk.undo())

    @app.get("/api/articles", dependencies=guarded)
    def articles(query: Annotated[str, Query(max_length=200)]) -> list[JsonObject]:
        return desk.find_articles(query)

    return app


def _saved(saved: Saved) -> JsonObject:
    label = saved.label.model_dump(mode="json") if saved.label is not None else None
    return {"ticket_id": saved.ticket_id, "label": label}


def _not_found(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(exc)}, 404)


def _not_saved(request: Request, exc: Exception) -> JSONResponse:
    return JSONResponse({"detail": str(exc)}, 507)


def serve_review(desk: ReviewDesk, port: int, *, on_start: Callable[[str], None]) -> None:
    """Serve the screen until it is stopped; `on_start` gets its address once it can be opened.

    Raises:
        Misconfigured: the port is taken.
    """
    token = new_token()
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((HOST, port))
        listener.listen()
    except OSError as exc:
        listener.close()
        raise Misconfigured(f"--port: {HOST}:{port} can't be used ({exc.strerror})") from exc
    with listener:
        on_start(address(listener.getsockname()[1], token))
        config = uvicorn.Config(build_review_app(desk, token), log_level="warning", access_log=False, lifespan="off")
        uvicorn.Server(config).run(sockets=[listener])
