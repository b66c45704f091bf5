"""How a turn's state becomes bytes: in langgraph's own format, and only our own values come back."""

import dataclasses
import hashlib
from datetime import datetime
from enum import Enum
from typing import Any

import ormsgpack
from langgraph.checkpoint.serde.jsonplus import (
    EXT_CONSTRUCTOR_KW_ARGS,
    EXT_CONSTRUCTOR_SINGLE_ARG,
    EXT_METHOD_SINGLE_ARG,
    JsonPlusSerializer,
)

from agent import types, untrusted
from agent.state import TurnState

_OURS: tuple[type[Any], ...] = tuple(
    value
    for module in (types, untrusted)
    for value in vars(module).values()
    if isinstance(value, type)
    and value.__module__ == module.__name__
    and (dataclasses.is_dataclass(value) or issubclass(value, Enum))
)
_FIELDS = {
    each: tuple(field.name for field in dataclasses.fields(each)) for each in _OURS if dataclasses.is_dataclass(each)
}
_ENUMS = frozenset(each for each in _OURS if issubclass(each, Enum))
_OPTIONS = (
    ormsgpack.OPT_NON_STR_KEYS
    | ormsgpack.OPT_PASSTHROUGH_DATACLASS
    | ormsgpack.OPT_PASSTHROUGH_DATETIME
    | ormsgpack.OPT_PASSTHROUGH_ENUM
    | ormsgpack.OPT_PASSTHROUGH_UUID
    | ormsgpack.OPT_REPLACE_SURROGATES
)

_SHAPE = sorted(
    [
        *(f"{kind.__name__}({', '.join(names)})" for kind, names in _FIELDS.items()),
        *(f"{kind.__name__}[{', '.join(str(each.value) for each in kind)}]" for kind in _ENUMS),
        *TurnState.__annotations__,
    ]
)
SHAPE = hashlib.sha256("\n".join(_SHAPE).encode()).hexdigest()[:16]
"""What a state consists of in this version: another version's may lack a field, or have one too many."""


class TurnSerializer(JsonPlusSerializer):
    """Writes the bytes that langgraph's own serializer writes, and reads none that name anything but our values.

    A row that names another class is refused, not imported. Our dataclasses and enums are written by their type:
    the base class finds out what each value is by asking a dozen times, at every step of every turn.
    """

    def __init__(self) -> None:
        super().__init__(allowed_msgpack_modules=[(each.__module__, each.__name__) for each in _OURS])

    def dumps_typed(self, obj: Any) -> tuple[str, bytes]:
        """Return the format's name and the bytes of a checkpoint or of a value in it."""
        if isinstance(obj, dict | list | tuple | str) or type(obj) in _FIELDS:
            try:
                return "msgpack", _pack(obj)
            except ormsgpack.MsgpackEncodeError:
                pass  # There is something in it that isn't ours.
        return super().dumps_typed(obj)


def _pack(value: Any) -> bytes:
    return ormsgpack.packb(value, default=_as_ours, option=_OPTIONS)


def _as_ours(value: Any) -> ormsgpack.Ext:
    kind = type(value)
    if (names := _FIELDS.get(kind)) is not None:
        fields = {name: getattr(value, name) for name in names}
        return ormsgpack.Ext(EXT_CONSTRUCTOR_KW_ARGS, _pack((kind.__module__, kind.__name__, fields)))
    if kind in _ENUMS:
        return ormsgpack.Ext(EXT_CONSTRUCTOR_SINGLE_ARG, _pack((kind.__module__, kind.__name__, value.value)))
    if kind is datetime:
        told = (kind.__module__, kind.__name__, value.isoformat(), "fromisoformat")
        return ormsgpack.Ext(EXT_METHOD_SINGLE_ARG, _pack(told))
    raise TypeError(f"{kind.__name__} is not ours")
