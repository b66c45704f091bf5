"""Tool calls that small models write as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.engines.llm.text_calls import json_values, may_be_call, read_calls

TOOLS = ("search_articles", "hand_over")
CALL = ("search_articles", {"question": "Where?"})


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "search_articles", "arguments": {"question": "Where?"}}',
        '```json\n{"name": "search_articles", "parameters": {"question": "Where?"}}\n```',
        '<tool_call>\n{"name": "search_articles", "arguments": {"question": "Where?"}}\n</tool_call>',
        '{"function": {"name": "search_articles", "arguments": "{\\"question\\": \\"Where?\\"}"}}',
        '[{"tool": "search_articles", "args": {"question": "Where?"}}]',
        '<|python_tag|>{"name": "search_articles", "input": {"question": "Where?"}}',
    ],
)
def test_a_call_in_any_of_the_usual_forms(text: str) -> None:
    assert may_be_call(text)
    assert read_calls(text, TOOLS) == [CALL]


@pytest.mark.parametrize(
    "text",
    [
        '{"name": "rm_rf", "arguments": {}}',
        '{"answer": "search_articles"}',
        "{not json}",
        "[1] says so.",
        "",
    ],
)
def test_what_is_no_call_of_a_known_tool(text: str) -> None:
    assert read_calls(text, TOOLS) == []


def test_an_answer_may_begin_with_a_mark() -> None:
    assert not may_be_call("[1] says so.")
    assert not may_be_call("Open **A**.")


def test_arguments_that_are_no_object_are_none() -> None:
    assert read_calls('{"name": "hand_over", "arguments": "please"}', TOOLS) == [("hand_over", {})]


@given(st.text(alphabet='{}[]"\\,: a1', max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    assert isinstance(read_calls(text, TOOLS), list)
    assert isinstance(json_values(text), list)


def test_deep_nesting_is_survived() -> None:
    assert read_calls("[" * 5_000, TOOLS) == []
