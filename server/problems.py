"""Errors before the first byte, as problem JSON (RFC 9457); at the OpenAI-compatible door in OpenAI's format."""

import logging
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.types import Receive, Scope, Send

from agent.errors import BadTurn, Conflict, ConnectorError, NotFound, SupportError
from server.openai_errors import error_body, is_openai_door

logger = logging.getLogger(__name__)

MEDIA_TYPE = "application/problem+json"


class Problem(Exception):
    """An answer that is an error, with everything it needs."""

    def __init__(self, status: int, detail: str, *, headers: dict[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers or {}


class ProblemAnswer(JSONResponse):
    """A problem as an answer; at the OpenAI-compatible door the same in OpenAI's format."""

    media_type = MEDIA_TYPE

    def __init__(
        self, status: int, detail: str, *, headers: dict[str, str] | None = None, errors: list[dict[str, Any]]
    ) -> None:
        body: dict[str, Any] = {
            "type": "about:blank",
            "title": HTTPStatus(status).phrase,
            "status": status,
            "detail": detail,
        }
        super().__init__({**body, "errors": errors} if errors else body, status_code=status, headers=headers)
        self._for_openai = JSONResponse(error_body(status, detail, errors), status_code=status, headers=headers)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer in the door's format."""
        if is_openai_door(scope):
            await self._for_openai(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def problem(
    status: int, detail: str, *, headers: dict[str, str] | None = None, errors: list[dict[str, Any]] | None = None
) -> ProblemAnswer:
    """Build a problem response."""
    return ProblemAnswer(status, detail, headers=headers, errors=errors or [])


def install(app: FastAPI) -> None:
    """Make every error of the application a problem."""

    @app.exception_handler(Problem)
    async def on_problem(request: Request, exc: Problem) -> JSONResponse:
        return problem(exc.status, exc.detail, headers=exc.headers)

    @app.exception_handler(SupportError)
    async def on_support_error(request: Request, exc: SupportError) -> JSONResponse:
        return from_support_error(exc)

    @app.exception_handler(HTTPException)
    async def on_http(request: Request, exc: HTTPException) -> JSONResponse:
        return problem(exc.status_code, str(exc.detail), headers=dict(exc.headers or {}))

    @app.exception_handler(RequestValidationError)
    async def on_invalid(request: Request, exc: RequestValidationError) -> JSONResponse:
        kind = request.headers.get("content-type", "")
        errors = [_invalid(error, kind) for error in exc.errors()]
        first = errors[0] if errors else {"loc": "body", "msg": "invalid"}
        return problem(422, f"{first['loc']}: {first['msg']}", errors=errors)

    @app.exception_handler(Exception)
    async def on_anything(request: Request, exc: Exception) -> JSONResponse:
        logger.error("request failed route=%s", route_of(request.scope), exc_info=exc)
        return problem(500, "something failed on our side; the failure is in the server's log")


def _invalid(error: dict[str, Any], content_type: str) -> dict[str, Any]:
    """What is wrong with a request and where, without the input: it may hold what a customer wrote."""
    where = error["loc"]
    if error["type"] == "json_invalid":
        return {"loc": "body", "msg": f"not valid JSON at character {where[-1]}: {error['ctx']['error']}"}
    if tuple(where) == ("body",):
        if error["type"] == "missing":
            return {"loc": "body", "msg": "send JSON; there was nothing"}
        if "json" not in content_type.lower():
            return {"loc": "body", "msg": "send JSON, with the header Content-Type: application/json"}
        return {"loc": "body", "msg": "send a JSON object"}
    return {"loc": ".".join(str(part) for part in where), "msg": str(error["msg"])}


def from_support_error(exc: SupportError) -> JSONResponse:
    """Our own errors by who must act."""
    match exc:
        case BadTurn():
            errors = [{"loc": exc.field, "msg": str(exc)}] if exc.field else None
            return problem(422, str(exc), errors=errors)
        case NotFound():
            return problem(404, "there is nothing here, or it isn't yours")
        case Conflict():
            return problem(409, str(exc))
        case ConnectorError():
            logger.error("a connector failed", exc_info=exc)
            return problem(503, "a part of the service can't be reached; try again", headers={"Retry-After": "5"})
        case _:
            logger.error("request failed", exc_info=exc)
            return problem(500, "something failed on our side; the failure is in the server's log")


def route_of(scope: Scope) -> str:
    """The route that was found for a request, as it is declared and never as it was asked for."""
    path = getattr(scope.get("route"), "path", None)
    return path if isinstance(path, str) else "none"
