"""Tool calls that a small model writes as text, plain or fenced, instead of calling."""

import json
import re
from collections.abc import Collection
from typing import Any

_OPENERS = ("{", "[", "```", "~~~", "<tool_call", "<function", "<|")
_TAGS = re.compile(
    r"</?(?:tool_call|function_call|function)[^>]*>|<\|[^|>]{1,40}\|>|^\s*(?:```|~~~)\w*\s*$", re.MULTILINE
)
_NAME_KEYS = ("name", "tool", "tool_name", "function")
_ARGUMENT_KEYS = ("arguments", "parameters", "args", "input")
# A fence around an answer, and JSON, with or without one.
_DOCUMENT = re.compile(
    r"\s*(?:```|~~~)(?P<of>\w*)[ \t]*\n(?P<inside>.*?)\n?(?:```|~~~)(?P<after>.*)",
    re.DOTALL | re.IGNORECASE,
)
_OBJECT = re.compile(r"\s*(?:\{\s*[\"}]|\[\s*[\[{\"])")
_PROSE = ("markdown", "md", "json")
_ANSWER_KEYS = ("answer", "response", "reply", "text", "content", "message", "output")
_MARK = re.compile(r"\[T?\d")


def may_be_call(text: str) -> bool:
    """Whether a text that begins so could turn out to be a call. An answer may begin with a mark like `[1]`."""
    begun = text.lstrip()
    return begun.startswith(_OPENERS) and not _MARK.match(begun)


def read_calls(text: str, tools: Collection[str]) -> list[tuple[str, dict[str, Any]]]:
    """Return the calls of known tools that `text` consists of, as (tool, arguments); empty when it is none."""
    found: list[tuple[str, dict[str, Any]]] = []
    for value in json_values(_TAGS.sub(" ", text)):
        for item in value if isinstance(value, list) else [value]:
            call = _call(item, tools)
            if call is not None:
                found.append(call)
    return found


def spoken_in(text: str) -> str:
    """What a whole reply says that isn't written as prose; the reply itself when it is.

    Some models put their answer into a fence as if it were a document, others into JSON. JSON that says nothing else
    than its values is no prose: nobody is shown it.
    """
    fenced = _DOCUMENT.fullmatch(text)
    if fenced is not None and (fenced["of"].lower() in _PROSE or _MARK.search(fenced["inside"])):
        text = f"{fenced['inside']}\n{fenced['after']}"
    if not _OBJECT.match(text):
        return text
    found = [value for value in json_values(text) if isinstance(value, dict)]
    said = [value for key, value in found[0].items() if key in _ANSWER_KEYS] if len(found) == 1 else []
    return said[0] if len(said) == 1 and isinstance(said[0], str) else ""


def json_values(text: str) -> list[Any]:
    """Every JSON object or array in `text`, outermost only, whatever stands around them."""
    decoder = json.JSONDecoder()
    values: list[Any] = []
    at = 0
    while (begin := _first_bracket(text, at)) is not None:
        try:
            value, at = decoder.raw_decode(text, begin)
        except (ValueError, RecursionError):
            at = begin + 1
            continue
        values.append(value)
    return values


def _first_bracket(text: str, at: int) -> int | None:
    found = [place for place in (text.find("{", at), text.find("[", at)) if place >= 0]
    return min(found, default=None)


def _call(item: Any, tools: Collection[str]) -> tuple[str, dict[str, Any]] | None:
    if not isinstance(item, dict):
        return None
    name: Any = next((item[key] for key in _NAME_KEYS if key in item), None)
    if isinstance(name, dict):
        return _call(name, tools)
    if not isinstance(name, str) or name not in tools:
        return None
    arguments: Any = next((item[key] for key in _ARGUMENT_KEYS if key in item), {})
    if isinstance(arguments, str):
        found = json_values(arguments)
        arguments = found[0] if found else {}
    return name, arguments if isinstance(arguments, dict) else {}
