"""A turn's state is written byte for byte as langgraph writes it, and comes back as our own values alone."""

import dataclasses
import typing
from datetime import UTC, date, datetime
from enum import Enum
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessage
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer

from agent.state import TurnState
from agent.types import ToolCall, ToolResult
from graphs.checkpoint_serializer import TurnSerializer

_NUMBERS = st.floats(allow_nan=False)
_WHOLE = st.integers(-(2**60), 2**60)
_JSON = st.recursive(
    st.none() | st.booleans() | _WHOLE | _NUMBERS | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
st.register_type_strategy(float, _NUMBERS)
st.register_type_strategy(int, _WHOLE)
st.register_type_strategy(object, _JSON)
_ARGUMENTS = st.dictionaries(st.text(max_size=6), _JSON, max_size=3)
for each in (ToolCall, ToolResult):
    st.register_type_strategy(each, st.builds(each, arguments=_ARGUMENTS))


def states() -> st.SearchStrategy[dict[str, Any]]:
    """A key of a turn's state with any value of its type."""
    types = typing.get_type_hints(TurnState)
    return st.one_of([st.fixed_dictionaries({key: st.from_type(kind)}) for key, kind in types.items()])


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(states())
def test_the_bytes_are_the_librarys_and_the_values_come_back(state: dict[str, Any]) -> None:
    ours, theirs = TurnSerializer(), JsonPlusSerializer()
    written = ours.dumps_typed(state)
    assert written == theirs.dumps_typed(state)
    assert _with_lists(ours.loads_typed(written)) == _with_lists(state)


@pytest.mark.parametrize(
    "value",
    [None, b"bytes", "text", 7, {"at": date(2026, 1, 2)}, [uuid4()], {"message": AIMessage("a value of theirs")}],
    ids=["none", "bytes", "text", "number", "date", "uuid", "message"],
)
def test_what_is_not_ours_is_left_to_the_library(value: object) -> None:
    assert TurnSerializer().dumps_typed(value) == JsonPlusSerializer().dumps_typed(value)


def test_a_row_that_names_another_class_is_not_made_one() -> None:
    row = JsonPlusSerializer().dumps_typed({"seen": Stranger("in")})
    assert not isinstance(TurnSerializer().loads_typed(row)["seen"], Stranger)


@dataclasses.dataclass(frozen=True)
class Stranger:
    """Not one of the state's values."""

    word: str


def _with_lists(value: Any) -> Any:
    """MessagePack has one kind of list: what went in as a tuple comes back as one."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields = {each.name: _with_lists(getattr(value, each.name)) for each in dataclasses.fields(value)}
        return type(value).__name__, fields
    if isinstance(value, dict):
        return {key: _with_lists(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_with_lists(each) for each in value]
    return value.value if isinstance(value, Enum) else value
