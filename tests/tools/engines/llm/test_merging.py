"""What the client is given of a stream, and when."""

from collections.abc import Iterable
from itertools import pairwise

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai._streaming import SSEDecoder

from tests.tools.engines.llm.endpoint import DONE, event, written
from tools.engines.llm.deadlines import StreamTooLarge
from tools.engines.llm.merging import Merger

_TOOL = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look", "arguments": '{"a'}}
_USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}

# What may not be merged, as it is sent.
OTHERS = [
    event({"tool_calls": [_TOOL]}),
    event({"refusal": "I can't."}),
    event({}, finish="stop"),
    event({"content": "x"}, finish="length"),
    event({"content": "x"}, usage=_USAGE),
    event({"content": "x"}, error={"message": "no"}),
    event({"content": ["x"]}),
    written({"choices": [], "usage": _USAGE}),
    written({"choices": [{"index": 1, "delta": {"content": "x"}, "finish_reason": None}]}),
    written({"choices": [{"index": 0, "delta": {"content": "x"}, "logprobs": {"content": []}}]}),
    written({"choices": [{"index": 0, "delta": None}]}),
    b'data: {"id": \n\n',
    b'data: {"choices": [{"index": 0, "delta": {"content": "half \\ud83d"}}]}\n\n',
    b"data: 3\n\n",
    b"event: error\ndata: {}\n\n",
    DONE,
]
DROPPED = [b": still here\n\n", b"id: 7\n\n", b"retry: 10\n\n", b"\n", b"data:\n\n", b":\n", b"event: ping\n\n"]

text = st.text(max_size=12) | st.sampled_from([" word", ".", ". ", "! ", "\n", ": ", "。", "😀", ""])
said = st.tuples(st.just("text"), text)
other = st.tuples(st.just("other"), st.sampled_from(OTHERS))
dropped = st.tuples(st.just("dropped"), st.sampled_from(DROPPED))
streams = st.lists(said | said | other | dropped, max_size=25)


def a_merger(*, hold_s: float = 60.0, max_chars: int = 10_000, max_event_bytes: int = 10_000) -> Merger:
    return Merger(hold_s=hold_s, max_chars=max_chars, max_event_bytes=max_event_bytes)


def cut(stream: bytes, places: Iterable[int]) -> list[bytes]:
    edges = [0, *sorted(place % (len(stream) + 1) for place in places), len(stream)]
    return [stream[begin:end] for begin, end in pairwise(edges)]


def fed(merger: Merger, pieces: Iterable[bytes], *, at: float = 0.0) -> bytes:
    return b"".join(merger.feed(piece, at) for piece in pieces)


def read(given: bytes) -> list[tuple[str, str]]:
    """The events as the openai client reads them: texts, or names with data."""
    events = []
    others = {one.data for raw in OTHERS for one in SSEDecoder().iter_bytes(iter([raw]))}
    for one in SSEDecoder().iter_bytes(iter([given])):
        if one.data in others:
            events.append((one.event or "other", one.data))
        else:
            events.append(("text", orjson.loads(one.data)["choices"][0]["delta"]["content"]))
    return events


def deltas(given: bytes) -> list[object]:
    return [one.json()["choices"][0]["delta"] for one in SSEDecoder().iter_bytes(iter([given]))]


def joined(events: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """The same with the texts of neighbours put together."""
    found: list[tuple[str, str]] = []
    for kind, value in events:
        if kind == "text" and found and found[-1][0] == "text":
            value = found.pop()[1] + value
        found.append((kind, value))
    return found


@given(
    stream=streams,
    places=st.lists(st.integers(0, 10_000), max_size=12),
    line_end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    hold_s=st.sampled_from([0.0, 60.0]),
    bom=st.booleans(),
    end=st.sampled_from([0, 1, 2]),
)
def test_however_the_bytes_are_cut_nothing_is_lost_or_out_of_order(
    stream: list[tuple[str, str | bytes]], places: list[int], line_end: bytes, hold_s: float, bom: bool, end: int
) -> None:
    raw = b"".join(event({"content": value}) if isinstance(value, str) else value for _, value in stream)
    # The last one, two or no line ends are missing.
    whole = raw.removesuffix(b"\n").removesuffix(b"\n") + b"\n" * (2 - end) if stream else b""
    sent = b"\xef\xbb\xbf" * bom + whole.replace(b"\n", line_end)
    merger = a_merger(hold_s=hold_s)

    given = fed(merger, cut(sent, places)) + merger.end(0.0)

    expected: list[tuple[str, str]] = []
    for kind, value in stream:
        if kind == "text":
            expected.append(("text", str(value)))
        elif kind == "other":
            expected += read(bytes(value))  # type: ignore[arg-type]  # It is bytes.
    assert joined(read(given)) == joined(expected)


def test_what_is_given_ends_with_a_sentence_or_a_line() -> None:
    merger = a_merger()
    tokens = ["Open", " the", " page", ".", " Then", ' press "Go."', " Now", ":", "\n", "- one", "\n", "3.5", "。", "e"]

    given = [read(merger.feed(event({"content": token}), 0.0)) for token in tokens]

    assert [one[0][1] for one in given if one] == [
        "Open the page. Then",
        ' press "Go." Now',
        ":\n",
        "- one\n",
        "3.5。",
    ]
    assert read(merger.end(0.0)) == [("text", "e")]


def test_text_waits_no_longer_than_it_may_when_the_next_token_comes() -> None:
    merger = a_merger(hold_s=0.25)

    given = [merger.feed(event({"content": f" {second}"}), second) for second in (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)]

    assert [read(one) for one in given if one] == [[("text", " 0.0 0.1 0.2 0.3")]]


def test_the_role_starts_no_clock() -> None:
    merger = a_merger(hold_s=0.25)

    given = merger.feed(event({"role": "assistant", "content": ""}), 0.0) + merger.feed(event({"content": "Hi"}), 9.0)

    assert given == b""
    assert deltas(merger.cut()) == [{"role": "assistant", "content": "Hi"}]
    fed(merger, [event({"content": "a"}), event({"content": "b"})])
    assert deltas(merger.cut()) == [{"content": "ab"}]


@pytest.mark.parametrize("name", ["reasoning_content", "reasoning"])
def test_thoughts_apart_from_the_text_cost_no_event_each(name: str) -> None:
    merger = a_merger(hold_s=0.25)
    thoughts = [event({"role": "assistant", "content": None, name: f"Hm {n}"}) for n in range(50)]

    given = b"".join(merger.feed(thought, number) for number, thought in enumerate(thoughts))
    given += merger.feed(event({"content": "Press "}), 99.0) + merger.feed(event({"content": "Save."}), 99.1)

    assert given == b""
    assert deltas(merger.cut()) == [{"role": "assistant", "content": "Press Save."}]


def test_a_long_text_is_given_before_its_sentence_ends() -> None:
    merger = a_merger(max_chars=8)

    given = [merger.feed(event({"content": "abc"}), 0.0) for _ in range(4)]

    assert [read(one) for one in given] == [[], [], [("text", "abcabcabc")], []]


def test_text_of_another_frame_is_not_mixed_in() -> None:
    merger = a_merger()

    given = fed(merger, [event({"content": "a"}), event({"content": "b"}, system_fingerprint="fp_2")])

    assert read(given + merger.end(0.0)) == [("text", "a"), ("text", "b")]


def test_time_and_padding_make_no_other_frame() -> None:
    merger = a_merger()

    fed(merger, [event({"content": "a"}, created=1, obfuscation="x"), event({"content": "b"}, created=2)])

    (merged,) = (one.json() for one in SSEDecoder().iter_bytes(iter([merger.end(0.0)])))
    assert (merged["choices"][0]["delta"]["content"], merged["created"], merged["obfuscation"]) == ("ab", 1, "x")


def test_data_over_several_lines_is_one_event() -> None:
    merger = a_merger()
    lines = [b'data: {"choices": [{"index": 0,', b'data:  "delta": {"content": "a"}}]}', b"", b""]

    fed(merger, [b"\n".join(lines), b"\n".join(lines), DONE.replace(b": ", b":")])

    assert merger.tokens == 2


@pytest.mark.parametrize("line_end", [b"\r\n", b"\r"])
def test_a_line_end_that_is_cut_in_two_is_one(line_end: bytes) -> None:
    sent = b'event: odd\ndata: {"a":\ndata: 1}\n\n'.replace(b"\n", line_end)

    for place in range(len(sent)):
        merger = a_merger()
        given = fed(merger, cut(sent, [place])) + merger.end(0.0)
        assert given == b'event: odd\ndata: {"a":\ndata: 1}\n\n', place


def test_an_event_that_goes_on_and_on_is_refused() -> None:
    one_line, many_lines = a_merger(max_event_bytes=1000), a_merger(max_event_bytes=1000)

    with pytest.raises(StreamTooLarge, match="1000 bytes"):
        fed(one_line, [b"data: ", *[b"x" * 100] * 20])
    with pytest.raises(StreamTooLarge, match="1000 bytes"):
        fed(many_lines, [b"data: " + b"x" * 100 + b"\n"] * 20)


def test_a_line_byte_by_byte_is_not_read_again_at_each() -> None:
    merger = a_merger(max_event_bytes=300_000)

    # Seconds if the line were copied or searched at each byte.
    fed(merger, [b"x"] * 250_000)

    assert merger.end(0.0) == b""


@pytest.mark.parametrize(
    ("delta", "tokens"),
    [
        ({"content": "a"}, 1),
        ({"content": ""}, 0),
        ({"role": "assistant"}, 0),
        ({"content": None, "reasoning_content": "Hm"}, 1),
        ({"content": "", "reasoning": "Hm"}, 1),
        ({"content": "", "reasoning": "", "reasoning_content": None}, 0),
        ({"refusal": "No"}, 1),
        ({"tool_calls": [_TOOL]}, 1),
        ({"tool_calls": []}, 0),
    ],
)
def test_a_token_is_text_a_thought_a_tool_call_or_a_refusal(delta: dict[str, object], tokens: int) -> None:
    merger = a_merger()

    fed(merger, [event(delta)])

    assert merger.tokens == tokens


def test_what_broke_off_gives_the_whole_events_and_not_the_half_one() -> None:
    merger = a_merger()

    fed(merger, [event({"content": "a"}), event({"content": "b"})[:-9]])

    assert read(merger.cut()) == [("text", "a")]
