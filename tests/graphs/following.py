"""Turns run to their end, and what to read from them."""

from datetime import timedelta
from typing import Any

from agent.deps import TurnDeps
from agent.types import Author, Message, Source, TurnRequest, Untrusted
from graphs.translate import Emitted, Finished, run_turn
from tests.fakes import MONDAY_NOON
from tests.turn_graph import turn_graph


async def run(deps: TurnDeps, request: TurnRequest) -> tuple[Finished, list[dict[str, Any]]]:
    """Run a turn; return its end and all its events in order."""
    events = [event async for event in run_turn(turn_graph(), deps, request)]
    finished = events[-1]
    assert isinstance(finished, Finished)
    said = [event.event for event in events[:-1] if isinstance(event, Emitted)]
    return finished, [*said, *(event.event for event in finished.events)]


def steps(events: list[dict[str, Any]]) -> list[object]:
    return [event["stepName"] for event in events if event["type"] == "STEP_STARTED"]


def spoken(events: list[dict[str, Any]]) -> str:
    return "".join(str(event["delta"]) for event in events if event["type"] == "TEXT_MESSAGE_CONTENT")


def values(events: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """The values of our own events of that name, without version: `message`, `decision`."""
    return [event["value"] for event in events if event.get("name") == f"helpgraph.{name}.v1"]


def wrote(text: str) -> Message:
    """An earlier message of the customer."""
    return Message("m", Author.CUSTOMER, Untrusted.of(text, Source.CUSTOMER), MONDAY_NOON - timedelta(minutes=5))


def replied(text: str, route: str | None) -> Message:
    """An earlier message of the bot, with the decision behind it."""
    at = MONDAY_NOON - timedelta(minutes=4)
    return Message("b", Author.BOT, Untrusted.of(text, Source.MODEL), at, route=route)


def then(request: TurnRequest, finished: Finished) -> tuple[Message, ...]:
    """The history after a turn, as the next turn of the conversation is given it."""
    said = tuple(wrote(text.render_plain()) for text in request.texts)
    return (*request.history, *said, replied(finished.reply.text, finished.route))
