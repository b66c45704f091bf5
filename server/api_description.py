"""The description of the API, as it is: who is let in, what is answered, and how errors look.

FastAPI describes paths, parameters and bodies. What it says of answers isn't ours, and is put right here.
"""

from typing import Any

from fastapi import FastAPI

from server.openai_errors import is_openai_door
from server.problems import MEDIA_TYPE
from server.staff import COOKIE
from server.threads import HEADER

_Schema = dict[str, Any]

_JSON, _STREAM = "application/json", "text/event-stream"
_NOT_OURS = ("HTTPValidationError", "ValidationError")
_OPEN = ("/v1/sessions", "/inbox/login", "/inbox/logout")
_ERRORS = {
    "401": "Nobody who is known.",
    "403": "Not this role's, or another site's page.",
    "404": "It isn't there, or it isn't yours.",
    "409": "It contradicts what is there: an id that was used for something else, or a state that doesn't allow it.",
    "413": "The body is too large.",
    "422": "Something in the request is wrong; `detail` says what, `errors` where.",
    "429": "Too many at once; `Retry-After` says when to come back.",
    "503": "A part of the service can't be reached; try again.",
    "504": "The answer takes too long; the message is kept.",
}


def _object(**properties: _Schema) -> _Schema:
    return {"type": "object", "required": list(properties), "properties": properties}


def _list(items: _Schema) -> _Schema:
    return {"type": "array", "items": items}


def _or_null(schema: _Schema) -> _Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _named(name: str) -> _Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_ANY: _Schema = {"type": "object", "additionalProperties": True}
_TEXT: _Schema = {"type": "string"}
_NUMBER: _Schema = {"type": "integer"}
_MODE: _Schema = {"type": "string", "enum": ["bot", "waiting", "with_person", "handed_back", "closed"]}
_RUNS = _or_null(_object(turn_id=_TEXT))
_SCHEMAS: dict[str, _Schema] = {
    "Problem": {
        **_object(type=_TEXT, title=_TEXT, status=_NUMBER, detail=_TEXT),
        "description": "RFC 9457.",
    },
    "OpenAIError": _object(
        error=_object(message=_TEXT, type=_TEXT, param=_or_null(_TEXT), code=_or_null(_TEXT)),
    ),
    "Message": {
        **_object(
            message_id=_TEXT,
            author={"type": "string", "enum": ["customer", "bot", "person"]},
            author_name=_or_null(_TEXT),
            text=_TEXT,
            at=_TEXT,
            citations=_list(_ANY),
            guidance=_or_null(_ANY),
            quick_replies=_list(_ANY),
            outcome=_or_null(_TEXT),
            ticket=_or_null(_ANY),
            route=_or_null(_TEXT),
        ),
        "description": "The value of `helpgraph.message.v1`.",
    },
    "ChatCompletion": _object(
        id=_TEXT,
        object={"const": "chat.completion"},
        created=_NUMBER,
        model=_TEXT,
        choices=_list(_object(index=_NUMBER, finish_reason=_TEXT, message=_object(role=_TEXT, content=_TEXT))),
        usage=_ANY,
        helpgraph=_object(
            conversation_id=_TEXT,
            thread_id=_TEXT,
            mode=_MODE,
            outcome=_or_null(_TEXT),
            citations=_list(_ANY),
            ticket=_or_null(_ANY),
        ),
    ),
}
_SCHEMAS["Problem"]["properties"]["errors"] = _list(_object(loc=_TEXT, msg=_TEXT))
_MOVED = _object(mode=_MODE)
# What is answered in JSON, by method and path.
_ANSWERS: dict[tuple[str, str], _Schema] = {
    ("post", "/v1/sessions"): _object(
        session_token=_TEXT,
        expires_at=_TEXT,
        conversation_id=_TEXT,
        mode=_MODE,
        mode_value=_ANY,
        opening=_TEXT,
        suggestions=_list(_TEXT),
        identity=_ANY,
        workspace=_ANY,
        messages=_list(_named("Message")),
        last_event_id=_TEXT,
        active_run=_RUNS,
    ),
    ("get", "/v1/conversations/{conversation_id}/messages"): _object(
        messages=_list(_named("Message")), mode=_MODE, last_event_id=_TEXT, active_run=_RUNS
    ),
    ("post", "/v1/conversations/{conversation_id}/handoff"): _object(turn_id=_TEXT),
    ("post", "/v1/conversations/{conversation_id}/end"): _MOVED,
    ("get", "/v1/models"): _object(object=_TEXT, data=_list(_object(id=_TEXT, object=_TEXT))),
    ("post", "/v1/chat/completions"): _named("ChatCompletion"),
    ("get", "/v1/inbox/handoffs"): _object(handoffs=_list(_ANY), you=_ANY),
    ("get", "/v1/inbox/conversations/{conversation_id}"): _ANY,
    ("post", "/v1/inbox/conversations/{conversation_id}/take"): _MOVED,
    ("post", "/v1/inbox/conversations/{conversation_id}/reply"): _object(
        message_id=_TEXT, duplicate={"type": "boolean"}
    ),
    ("post", "/v1/inbox/conversations/{conversation_id}/hand_back"): _MOVED,
    ("post", "/v1/inbox/conversations/{conversation_id}/resolve"): _MOVED,
    ("get", "/v1/inbox/bugs"): _object(bugs=_list(_ANY), you=_ANY),
    ("get", "/v1/inbox/bugs/{bug_id}"): _ANY,
    ("get", "/v1/inbox/ops"): _ANY,
}
_STREAMED = ("/v1/agui", "/v1/chat/completions")


def describe_truly(app: FastAPI) -> None:
    """Let the application describe itself truly."""
    described = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            _mend(described())
        return described()

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way.


def _mend(document: dict[str, Any]) -> None:
    components = document["components"]
    for name in _NOT_OURS:
        components["schemas"].pop(name, None)
    components["schemas"].update(_SCHEMAS)
    components["securitySchemes"] = {
        "bearer": {"type": "http", "scheme": "bearer", "description": "A bot's key, or a session's token."},
        "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE, "description": "From POST /inbox/login."},
    }
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            _mend_operation(method, path, operation)


def _mend_operation(method: str, path: str, operation: dict[str, Any]) -> None:
    of_the_team = path.startswith(("/v1/inbox/", "/inbox/"))
    if path not in _OPEN:
        operation["security"] = [{"cookie": []} if of_the_team else {"bearer": []}]
    answers = operation["responses"]
    status, fine = next((status, answer) for status, answer in answers.items() if status.startswith("2"))
    if status != "204":
        fine["content"] = {}
        if (answer := _ANSWERS.get((method, path))) is not None:
            fine["content"][_JSON] = {"schema": answer}
        if path in _STREAMED or path.endswith("/events"):
            fine["content"][_STREAM] = {"schema": _TEXT}
    if path in _STREAMED or (path.endswith("/events") and not of_the_team):
        fine["headers"] = {HEADER: {"schema": _TEXT, "description": "The conversation's id."}}
    error = {_JSON: {"schema": _named("OpenAIError")}}
    if not is_openai_door({"path": path}):
        error = {MEDIA_TYPE: {"schema": _named("Problem")}}
    answers.pop("422", None)
    for number in _errors_of(method, path, of_the_team=of_the_team):
        answers[number] = {"description": _ERRORS[number], "content": error}
    answers["default"] = {"description": "Any other error.", "content": error}


def _errors_of(method: str, path: str, *, of_the_team: bool) -> list[str]:
    never = set()
    if path == "/v1/models":
        never |= {"422", "429"}
    if not of_the_team or path == "/inbox/login":
        never.add("403")
    if "{" not in path:
        never.add("404")
    if method == "get":
        never.add("413")
        if not path.endswith("/events"):
            never |= {"409", "429"}
    if path != "/v1/chat/completions":
        never.add("504")
    return [number for number in _ERRORS if number not in never]
