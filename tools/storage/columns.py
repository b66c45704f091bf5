"""Column types that hold on every database: aware UTC times, JSON, and text that no database refuses."""

from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import DateTime, Text
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator


def storable_text(text: str) -> str:
    """Return `text` without NUL and lone surrogates: PostgreSQL refuses the one, UTF-8 the other."""
    # ASCII, as most ids and texts are, has no surrogates, and is known to be ASCII without a look at it.
    valid = text if text.isascii() else text.encode("utf-8", "ignore").decode("utf-8")
    return valid.replace("\x00", "")


def storable(value: Any) -> Any:
    """Return a JSON value with every text in it, keys included, made storable; integers beyond 64 bits become text."""
    if isinstance(value, str):
        return storable_text(value)
    if isinstance(value, dict):
        return {storable_text(str(key)): storable(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [storable(item) for item in value]
    if isinstance(value, int) and value.bit_length() > 63:
        return str(value)
    return value


def as_stored(value: Any) -> Any:
    """Return a JSON value as it comes back from storage."""
    return orjson.loads(orjson.dumps(storable(value)))


class SafeText(TypeDecorator[str]):
    """Text of any length."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable_text(value)


class Json(TypeDecorator[Any]):
    """A JSON value, kept as text so that it comes back byte for byte. None is SQL NULL."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:
        return None if value is None else orjson.dumps(storable(value)).decode()

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:
        return None if value is None else orjson.loads(value)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment. Goes in and comes out timezone-aware, in UTC."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone can't be stored")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
