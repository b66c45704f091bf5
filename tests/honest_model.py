"""A model that does what it was asked to, as far as quoting goes: it reads the request like one and answers from it."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tests.model_server.replies import Reply, calls, says, structured

_SOURCE = re.compile(r"^\[(\d+)\]\n((?:article\| ?.*(?:\n|$))+)", re.MULTILINE)
_MOST_LINES = 6
_LOOKUPS = {"order": "order_status", "bestellung": "order_status", "plan": "account_status", "seats": "account_status"}
_OWN = {"my", "our", "mein", "meine", "mi"}


@dataclass(frozen=True, slots=True)
class Source:
    """A numbered source as the request shows it."""

    number: str
    heading: str
    lines: tuple[str, ...]


def honest(body: dict[str, Any]) -> Reply:
    """Answer a request of the llm engine: judgements by what the customer wrote, answers by quoting a source."""
    shape = _schema(body)
    if shape is not None:
        return structured(_judgement(shape, _customer(body)))
    question = _question(body)
    results = [str(message["content"]) for message in body["messages"] if message["role"] == "tool"]
    if results:
        return says(" ".join(_told(results)) or "I don't find this.")
    words = set(_words(question))
    for word, tool in _LOOKUPS.items():
        if word in words and words & _OWN and tool in _tools(body):
            return calls((tool, {}))
    found = sources(_user(body))
    if not found:
        return says("I couldn't find this in the articles.")
    best = max(found, key=lambda source: (_fit(source, words), -int(source.number)))
    return says("\n".join(f"{line} [{best.number}]" for line in best.lines[:_MOST_LINES]))


def sources(text: str) -> list[Source]:
    """The numbered sources in a request."""
    found = []
    for match in _SOURCE.finditer(text):
        lines = [line.removeprefix("article|").strip() for line in match.group(2).splitlines()]
        found.append(Source(match.group(1), lines[0], tuple(line for line in lines[1:] if line)))
    return found


def _fit(source: Source, words: set[str]) -> float:
    heading = set(_words(source.heading))
    text = set(_words(" ".join(source.lines)))
    # A page of numbered steps answers a question for the way better than one that mentions it.
    steps = sum(line[:1].isdigit() for line in source.lines) > 1
    return 2 * len(words & heading) + len(words & text) + 0.5 * steps


def _told(results: list[str]) -> list[str]:
    said = []
    for number, result in enumerate(results, 1):
        for line in result.splitlines():
            name, _, value = line.removeprefix("account|").strip().partition(": ")
            if value:
                said.append(f"{name.replace('_', ' ')}: {value}. [T{number}]")
    return said


def _judgement(shape: Mapping[str, Any], customer: str) -> dict[str, Any]:
    values: dict[str, Any] = {
        "kind": "how_to" if "?" in customer or customer.lower().startswith(("how", "where")) else "bug",
        "sentiment": 0.0,
        "wants_person": 0.0,
        "risk": 0.0,
        "question": customer[:300] or "?",
        "person_needed": 0.0,
        "summary": customer[:300] or "Nothing was said.",
        "title": customer[:80] or "Unknown",
        "doing": "",
        "expected": "",
        "actual": customer[:300],
        "steps": [],
        "environment": "",
        "severity": "medium",
        "supported": False,
    }
    return {name: values[name] for name in shape["properties"]}


def _schema(body: dict[str, Any]) -> Mapping[str, Any] | None:
    wanted = body.get("response_format") or {}
    found = wanted.get("json_schema", {}).get("schema")
    return found if isinstance(found, dict) else None


def _tools(body: dict[str, Any]) -> set[str]:
    return {str(tool["function"]["name"]) for tool in body.get("tools", ())}


def _user(body: dict[str, Any]) -> str:
    return str(next(message["content"] for message in body["messages"] if message["role"] == "user"))


def _question(body: dict[str, Any]) -> str:
    return _customer_lines(_user(body).split("## The question to answer")[-1])


def _customer(body: dict[str, Any]) -> str:
    return _customer_lines(_user(body).split("## The newest message")[-1])


def _customer_lines(text: str) -> str:
    return " ".join(
        line.removeprefix("customer|").strip() for line in text.splitlines() if line.startswith("customer|")
    )


def _words(text: str) -> list[str]:
    return [word.rstrip("s") for word in re.findall(r"\w+", text.lower())] + re.findall(r"\w+", text.lower())
