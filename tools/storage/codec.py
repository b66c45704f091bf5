"""Our values back from JSON: what agent/wire.py writes, the log and the handoffs table keep."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, get_args

from agent.events import Custom
from agent.types import (
    LANGUAGES,
    Author,
    Citation,
    Handoff,
    Identity,
    IdentityLevel,
    Message,
    Reason,
    Route,
    Source,
    Untrusted,
)

_PRIORITIES = get_args(Handoff.__annotations__["priority"])
_TEXT_LIMIT = 100_000
_SOURCES = {Author.CUSTOMER: Source.CUSTOMER, Author.BOT: Source.MODEL, Author.PERSON: Source.PERSON}


def identity_to_json(identity: Identity) -> dict[str, object]:
    """Return the identity as JSON."""
    return {
        "level": identity.level.value,
        "user_id": identity.user_id,
        "account_id": identity.account_id,
        "display_name": identity.display_name,
    }


def identity_from_json(value: Mapping[str, Any]) -> Identity:
    """Return the identity that `identity_to_json` wrote."""
    return Identity(IdentityLevel(value["level"]), value["user_id"], value["account_id"], value["display_name"])


def handoff_from_json(value: Mapping[str, Any]) -> Handoff:
    """Return the handoff that `agent.wire.handoff_value` wrote.

    Raises:
        ValueError: the JSON isn't one.
    """
    if value["priority"] not in _PRIORITIES or value["language"] not in LANGUAGES:
        raise ValueError("not a handoff")
    promised_by = value["promised_by"]
    return Handoff(
        **{
            **value,
            "tried": tuple(value["tried"]),
            "links": tuple(value["links"]),
            "reasons": tuple(Reason(r["name"], r["value"], r["weight"], Route(r["towards"])) for r in value["reasons"]),
            "promised_by": None if promised_by is None else datetime.fromisoformat(promised_by),
        }
    )


def custom(name: Custom, value: object) -> dict[str, object]:
    """Return an AG-UI CUSTOM event."""
    return {"type": "CUSTOM", "name": name.value, "value": value}


def message_from_wire(value: Mapping[str, Any]) -> Message:
    """Return a message of the log as the domain knows it."""
    author = Author(value["author"])
    return Message(
        message_id=value["message_id"],
        author=author,
        text=Untrusted.of(value["text"], _SOURCES[author], limit=_TEXT_LIMIT),
        at=datetime.fromisoformat(value["at"]),
        route=value.get("route"),
        author_name=value.get("author_name"),
        citations=tuple(
            Citation(c["n"], c["article_id"], c["title"], c["section"], c["url"], c.get("passage_id", ""))
            for c in value.get("citations") or ()
        ),
    )
