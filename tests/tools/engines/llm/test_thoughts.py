"""What a reasoning model thinks aloud, left out wherever its text is cut."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.engines.llm.thoughts import Aloud, Thoughts, without_thoughts


def said(*chunks: str, begun: bool = False) -> str:
    """What is left in the end of all that was given out."""
    thoughts = Thoughts(begun=begun)
    text = ""
    for chunk in chunks:
        for each in thoughts.feed(chunk):
            text = each.text if each.afresh else text + each.text
    return text + thoughts.finish()


@pytest.mark.parametrize(
    "text",
    [
        "<think>Open it?</think>Close it.",
        "<THINK>Open it?</THINK>Close it.",
        "<thinking>\nOpen it?\n</thinking>Close it.",
        "<think>Is <b>it</b> so? A [1] < B</think>Close it.",
        "<think></think>Close it.",
        "Open it? So be it.</think>Close it.",
        "[THINK]Open it?[/THINK]Close it.",
        "◁think▷Open it?◁/think▷Close it.",
        "<|channel|>analysis<|message|>Open it?<|end|><|start|>assistant<|channel|>final<|message|>Close it.<|return|>",
        "Close it.<|im_end|>",
        "Close it.<think>Was that all?",
    ],
)
@pytest.mark.parametrize("size", [1, 4, 500])
def test_a_thought_is_left_out_wherever_it_is_cut(text: str, size: int) -> None:
    assert said(*(text[start : start + size] for start in range(0, len(text), size))) == "Close it."
    assert without_thoughts(text) == "Close it."


@pytest.mark.parametrize("text", ["Is A < B? [1] Yes, <b>it</b> is. </p>", "a <thin line", "<", "[TH", "", "think> it"])
def test_other_text_stays_as_it_is(text: str) -> None:
    assert said(*text) == said(text) == text


def test_text_is_given_out_at_once_unless_it_may_begin_a_tag() -> None:
    thoughts = Thoughts()

    assert [each.text for each in thoughts.feed("Open it. [1")] == ["Open it. [1"]
    assert [each.text for each in thoughts.feed("] <th")] == ["] "]
    assert [each.text for each in thoughts.feed("e end>")] == ["<the end>"]


def test_a_thought_that_is_expected_is_waited_for() -> None:
    thoughts = Thoughts(begun=True)

    assert thoughts.feed("Open it? ") == []
    assert thoughts.feed("No.</think>Close it.") == [Aloud("", afresh=True), Aloud("Close it.")]


def test_without_the_thought_that_was_expected_all_is_said() -> None:
    assert said("Close ", "it.", begun=True) == "Close it."
    assert said("<think>Open it?</think>", "Close it.", begun=True) == "Close it."
    assert len(said(*["word " * 1000] * 20, begun=True)) == 100_000


@given(st.text(alphabet="<think>/|[a ", max_size=60), st.lists(st.integers(0, 60), max_size=6))
def test_how_a_text_is_cut_changes_nothing(text: str, cuts: list[int]) -> None:
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})

    assert said(*(text[start:end] for start, end in pairwise(edges))) == said(text)
