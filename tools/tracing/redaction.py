"""A turn's values as plain JSON that may leave: texts masked, people and secrets taken out."""

import dataclasses
import re
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from pydantic import BaseModel, SecretStr

from agent.types import AccountFacts, Author, ClockOrder, Handoff, Identity, Message, TurnRequest, Untrusted
from tools.tracing.masking import Masker

JsonValue = Any

_MAX_DEPTH = 40
_MAX_NODES = 50_000
_PLAIN_INTEGERS = 10_000_000
_MIN_PART = 3
_NO_NAMES = frozenset(
    {
        "the",
        "and",
        "from",
        "von",
        "van",
        "der",
        "den",
        "del",
        "los",
        "las",
        "team",
        "support",
    }
)

# Made by Helpgraph or by the team, and random to look at; a mask would only make traces hard to follow.
_OUR_IDS = frozenset(
    {
        "turn_id",
        "conversation_id",
        "workspace_id",
        "reply_message_id",
        "passage_id",
        "passage_ids",
        "article_id",
        "article_ids",
        "queue_id",
    }
)
_PEOPLE = frozenset(
    {
        "user_id",
        "account_id",
        "display_name",
        "author_name",
        "contact_email",
        "order_id",
        "tracking",
    }
)
_SECRET_KEY = re.compile(
    r"(?i)(?:^|[_.\s-])(?:authorization|cookie|set-cookie|password|passwd|passwort|pwd|passphrase|secret|token|credentials?"
    r"|api[_-]?key|access[_-]?key|private[_-]?key|session[_-]?id|pin|otp|cvv|cvc)$|(?:Token|Password|Secret|ApiKey)$"
)


def names_in(values: Iterable[object]) -> set[str]:
    """The names and ids of people and accounts that these values hold; of a person's name its parts too."""
    found: set[str] = set()
    seen: set[int] = set()
    waiting = list(values)
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            waiting += value.values()
        elif isinstance(value, (list, tuple)):
            waiting += value
        elif dataclasses.is_dataclass(value) and not isinstance(value, type) and id(value) not in seen:
            seen.add(id(value))
            found |= _names_of(value)
            waiting += (getattr(value, field.name) for field in dataclasses.fields(value))
    return {name for name in found if name}


def _names_of(value: object) -> set[str]:
    match value:
        case Identity():
            return {value.user_id or "", value.account_id or "", *_parts(value.display_name)}
        case AccountFacts():
            return {value.account_id, value.name.render_plain()}
        case Message() if value.author is not Author.BOT:
            return _parts(value.author_name)
        case ClockOrder():
            return {value.order_id, value.tracking or ""}
        case TurnRequest():
            return {value.contact_email or ""}
        case Handoff():
            return {value.account_id or ""}
        case _:
            return set()


def _parts(name: str | None) -> set[str]:
    if not name:
        return set()
    parts = re.split(r"[\W_]+", name)
    return {name, *(part for part in parts if len(part) >= _MIN_PART and part.casefold() not in _NO_NAMES)}


class Redactor:
    """Redacts what one turn left behind. The values must not change meanwhile: the same one is looked at once."""

    def __init__(self, names: Iterable[str] = ()) -> None:
        self._masker = Masker(names)
        self._done: dict[int, tuple[object, JsonValue]] = {}
        self._left = _MAX_NODES

    def text(self, text: str) -> str:
        """The text, masked."""
        return self._masker.text(text)

    def value(self, value: object, *, depth: int = 0) -> JsonValue:
        """The value as JSON, masked; what is too deep, too much or of an unknown kind is named and left out."""
        if value is None or isinstance(value, (bool, float)):
            return value
        if isinstance(value, Untrusted):
            return self.text(value.render_plain())
        if isinstance(value, Enum):
            return value.value
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, int):
            return self._integer(value)
        if isinstance(value, (date, UUID)):
            return str(value)
        if isinstance(value, SecretStr):
            return "[secret]"
        self._left -= 1
        if depth >= _MAX_DEPTH or self._left < 0:
            return "[left out]"
        return self._composed(value, depth + 1)

    def _composed(self, value: object, depth: int) -> JsonValue:
        if dataclasses.is_dataclass(value) and not isinstance(value, type):
            known = self._done.get(id(value))
            if known is None:
                # The value itself is kept beside, so that its id isn't given to another.
                known = self._done[id(value)] = (value, self._ours(value, depth))
            return known[1]
        if isinstance(value, BaseModel):
            return self._mapping(value.model_dump(), depth)
        if isinstance(value, Mapping):
            return self._mapping(value, depth)
        if isinstance(value, (list, tuple, AbstractSet)):
            return [self.value(item, depth=depth) for item in value]
        # Whatever it is, it may print anything.
        return f"[{type(value).__name__}]"

    def _ours(self, value: Any, depth: int) -> JsonValue:
        found: dict[str, JsonValue] = {}
        for field in dataclasses.fields(value):
            item = getattr(value, field.name)
            if field.name in _OUR_IDS:
                found[field.name] = list(item) if isinstance(item, tuple) else item
            elif item is not None and (
                field.name in _PEOPLE or (isinstance(value, AccountFacts) and field.name == "name")
            ):
                found[field.name] = "[name]"
            else:
                found[field.name] = self.value(item, depth=depth)
        return found

    def _mapping(self, value: Mapping[Any, object], depth: int) -> dict[str, JsonValue]:
        found: dict[str, JsonValue] = {}
        for key, item in value.items():
            name = self.text(str(key))
            secret = (
                isinstance(item, (str, int, list, tuple)) and not isinstance(item, bool) and _SECRET_KEY.search(name)
            )
            found[name] = "[secret]" if secret else self.value(item, depth=depth)
        return found

    def _integer(self, value: int) -> int | str:
        if -_PLAIN_INTEGERS < value < _PLAIN_INTEGERS:
            return value
        # A card's or a phone's number comes as a number, too.
        text = str(value)
        masked = self.text(text)
        return value if masked == text else masked
