"""Faults that the server tells: error statuses, errors in place of an answer, requests that it does not take."""

import math
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from tests.model_server.parts import Sent, Times
from tests.model_server.replies import Answer, Reply
from tests.model_server.wire import DONE, Move, Request, error, event, json_bytes, stream, whole

TYPES = {401: "authentication_error", 403: "permission_error", 404: "not_found_error", 429: "rate_limit_error"}
PAGE = b"<!doctype html><title>Sign in</title><h1>Please sign in to the company's network</h1>"


def status(code: int, message: str, **headers: str) -> Reply:
    """An error status in OpenAI's form; write a header's `-` as `_`."""
    kind = TYPES.get(code, "server_error" if code >= 500 else "invalid_request_error")
    return Sent(lambda _: iter([whole(json_bytes(error(message, kind)), status=code, **headers)]))


def retry_after_seconds(_: Answer, times: Times) -> Reply:
    """429 that says for how many seconds."""
    return status(429, "Rate limit reached.", Retry_After=str(math.ceil(times.slow_s)))


def retry_after_date(_: Answer, times: Times) -> Reply:
    """429 that says until when; HTTP's dates have whole seconds."""

    def moves(request: Request) -> Iterator[Move]:
        until = datetime.now(UTC) + timedelta(seconds=math.ceil(times.slow_s))
        date = format_datetime(until, usegmt=True)
        yield from status(429, "Rate limit reached.", Retry_After=date).moves(request)

    return Sent(moves)


def html_page(code: int) -> Reply:
    """A page for people, as proxies and sign-in walls answer."""
    return Sent(lambda _: iter([whole(PAGE, status=code, content_type="text/html; charset=utf-8")]))


def error_in_body(_: Answer, __: Times) -> Reply:
    """200 with a JSON error for a body, even where a stream was asked for."""
    return Sent(lambda _: iter([whole(json_bytes(error("The model crashed.", "server_error")))]))


def error_in_stream(answer: Answer, _: Times) -> Reply:
    """An error as an event after a token; as the body of a 200 where no stream was asked for."""
    said = error("The model crashed.", "server_error")

    def moves(request: Request) -> Iterator[Move]:
        if request.wants_stream:
            yield from stream((*answer.events(request).said[:2], event(said), DONE))
        else:
            yield whole(json_bytes(said))

    return Sent(moves)


def rejects_schemas(answer: Answer, _: Times) -> Reply:
    """400 for a request with a JSON schema for its response; tools are taken."""

    def moves(request: Request) -> Iterator[Move]:
        if request.response_format == "json_schema":
            return _rejected(request, "response_format")
        return answer.moves(request)

    return Sent(moves)


def rejects_schemas_and_tools(answer: Answer, times: Times) -> Reply:
    """400 for a request with a JSON schema or with tools; plain ones are taken."""

    def moves(request: Request) -> Iterator[Move]:
        if request.body.get("tools"):
            return _rejected(request, "tools")
        return rejects_schemas(answer, times).moves(request)

    return Sent(moves)


def _rejected(request: Request, param: str) -> Iterator[Move]:
    said = error(f"{param!r} is not supported by this model.", "invalid_request_error", param=param)
    return iter([whole(json_bytes(said), status=400)])
