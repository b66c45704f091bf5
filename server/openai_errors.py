"""Errors at the OpenAI-compatible door, in OpenAI's own format: its clients show no other."""

from typing import Any

from starlette.types import Scope

_PATHS = ("/v1/chat/completions", "/v1/models")
_CODES = {
    401: "invalid_api_key",
    404: "not_found",
    409: "conflict",
    413: "request_too_large",
    422: "invalid_value",
    429: "rate_limit_exceeded",
    503: "unavailable",
    504: "timeout",
}


def is_openai_door(scope: Scope) -> bool:
    """Whether a request is for this door."""
    path = str(scope.get("path", "")).removeprefix(scope.get("root_path", ""))
    return any(path == each or path.startswith(f"{each}/") for each in _PATHS)


def error_body(status: int, detail: str, errors: list[dict[str, Any]]) -> dict[str, Any]:
    """An error as OpenAI's clients read it. `param` is what is wrong, as far as one thing is."""
    return {
        "error": {
            "message": detail,
            "type": _type(status),
            "param": str(errors[0]["loc"]).removeprefix("body.") if errors else None,
            "code": _CODES.get(status),
        }
    }


def _type(status: int) -> str:
    if status >= 500:
        return "server_error"
    return {401: "authentication_error", 429: "rate_limit_error"}.get(status, "invalid_request_error")
