"""ChatOpenAI over the transport, against an endpoint on a real socket: what it yields, and how it ends."""

import asyncio
import json
import socket
import struct
import time
from collections.abc import Iterator
from contextlib import aclosing, contextmanager
from itertools import pairwise
from typing import Any

import httpx
import openai
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_core.messages import AIMessageChunk
from langchain_openai import ChatOpenAI

from tests.tools.engines.llm.endpoint import (
    DONE,
    HEAD,
    Endpoint,
    chatting,
    ending,
    event,
    http_chunk,
    serving,
    texts,
    written,
)
from tools.engines.llm.deadlines import DEADLINES, Deadlines, StreamTooLarge, which_deadline, which_limit
from tools.engines.llm.transport import ClientLimits, open_client

_USAGE = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}
_COMPLETION = {
    "id": "chatcmpl-1",
    "object": "chat.completion",
    "created": 1_700_000_000,
    "model": "small",
    "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Hello."}}],
}
LONG = Deadlines(first_token_s=60, token_gap_s=60, total_s=60)


@contextmanager
def within(deadlines: Deadlines) -> Iterator[None]:
    token = DEADLINES.set(deadlines)
    try:
        yield
    finally:
        DEADLINES.reset(token)


async def read(model: ChatOpenAI, into: list[str] | None = None) -> None:
    """Read a streamed answer to its end; its texts are in the list, however it ends."""
    async for chunk in model.astream("hello"):
        if into is not None:
            into.append(str(chunk.content))


async def ask(endpoint: Endpoint, **options: Any) -> list[AIMessageChunk]:
    """Every chunk of one streamed answer."""
    async with chatting(endpoint, **options) as model:
        return [chunk async for chunk in model.astream("hello") if isinstance(chunk, AIMessageChunk)]


def whole(chunks: list[AIMessageChunk]) -> AIMessageChunk:
    message = chunks[0]
    for chunk in chunks[1:]:
        message += chunk
    return message


def beneath(exc: BaseException) -> BaseException:
    """The transport's own error."""
    while exc.__cause__ is not None and not isinstance(exc, httpx.HTTPError):
        exc = exc.__cause__
    return exc


def tool_call(*arguments: str) -> list[bytes]:
    """The events of one tool call, its arguments in pieces."""
    first = {"index": 0, "id": "call_1", "type": "function", "function": {"name": "look_up", "arguments": ""}}
    rest = [{"index": 0, "function": {"arguments": piece}} for piece in arguments]
    return [event({"tool_calls": [call]}) for call in (first, *rest)]


@settings(deadline=None, max_examples=40)
@given(
    said=st.lists(st.text(max_size=10) | st.sampled_from([" word", ". ", "\n", "😀"]), max_size=15),
    places=st.lists(st.integers(0, 4000), max_size=8),
)
async def test_the_whole_answer_arrives_however_its_bytes_are_cut(said: list[str], places: list[int]) -> None:
    usage = written({"choices": [], "usage": _USAGE})
    raw = b"".join([*texts(*said)[:-2], *tool_call('{"q": ', '"x"}'), event({}, finish="tool_calls"), usage, DONE])
    edges = [0, *sorted(place % len(raw) for place in places), len(raw)]
    pieces = [raw[begin:end] for begin, end in pairwise(edges)]

    async with serving(lambda endpoint: endpoint.stream(pieces)) as endpoint:
        chunks = await ask(endpoint)

    message = whole(chunks)
    assert message.content == "".join(said)
    assert message.tool_calls == [{"name": "look_up", "args": {"q": "x"}, "id": "call_1", "type": "tool_call"}]
    assert message.usage_metadata is not None
    assert message.usage_metadata["total_tokens"] == 7
    assert message.response_metadata["finish_reason"] == "tool_calls"
    kinds = ["text" if chunk.content else "call" for chunk in chunks if chunk.content or chunk.tool_call_chunks]
    assert kinds == sorted(kinds, reverse=True)


async def test_a_sentence_is_one_chunk() -> None:
    said = [" Open", " the", " settings", ".", " Choose", " a", " plan", ".", "\n", "Done", "."]

    async with serving(lambda endpoint: endpoint.stream(texts(*said))) as endpoint:
        chunks = await ask(endpoint)

    assert [chunk.content for chunk in chunks if chunk.content] == [
        " Open the settings. Choose",
        " a plan.\n",
        "Done.",
    ]


@pytest.mark.parametrize(
    "raw",
    [
        b"\xef\xbb\xbf" + b"".join(texts("Hello", " you")),
        b"".join(texts("Hello", " you")).replace(b"\n", b"\r\n"),
        b"".join(texts("Hello", " you")).replace(b"data: ", b"data:"),
        b": hi\n\n".join(texts("Hello", " you")),
        b"".join(texts("Hello", " you")).replace(b'"choices"', b'\ndata: "choices"'),
        b"".join(texts("Hello", " you")[:-1]).rstrip(b"\n"),
        b"retry: 3000\n\nid: 1\n" + b"".join(texts("Hello", " you")),
    ],
    ids=["bom", "crlf", "no space", "comments", "several data lines", "no end of line", "retry and id"],
)
async def test_streams_of_unusual_shape_are_read(raw: bytes) -> None:
    async with serving(lambda endpoint: endpoint.stream([raw])) as endpoint:
        message = whole(await ask(endpoint))

    assert message.content == "Hello you"
    assert message.response_metadata["finish_reason"] == "stop"


async def test_an_answer_that_is_not_streamed_arrives() -> None:
    async def answer(endpoint: Endpoint) -> None:
        body = json.dumps(_COMPLETION).encode()
        head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        await endpoint.write(head + body)

    async with serving(answer) as endpoint, chatting(endpoint) as model:
        message = await model.ainvoke("hello")

    assert message.content == "Hello."


async def test_a_connection_is_used_again() -> None:
    async with serving(lambda endpoint: endpoint.stream(texts("Hello."))) as endpoint, chatting(endpoint) as model:
        for _ in range(3):
            await read(model)

    assert len(endpoint.heads) == 3
    assert endpoint.connections == 1


async def test_what_is_not_json_is_the_clients_to_refuse_after_the_text_before_it() -> None:
    said: list[str] = []
    pieces = [event({"content": "Hello"}), b'data: {"id": oops\n\n']

    async with serving(lambda endpoint: endpoint.stream(pieces)) as endpoint, chatting(endpoint) as model:
        with pytest.raises(json.JSONDecodeError):
            await read(model, said)

    assert "".join(said) == "Hello"


async def test_an_error_in_the_stream_is_the_clients_to_raise() -> None:
    pieces = [event({"content": "Hello"}), b'data: {"error": {"message": "overloaded"}}\n\n']

    async with serving(lambda endpoint: endpoint.stream(pieces)) as endpoint:
        with pytest.raises(openai.APIError, match="overloaded"):
            await ask(endpoint)


async def silence(endpoint: Endpoint) -> None:
    await asyncio.Event().wait()


async def comments(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.drip(b": still here\n\n")


async def empty_pieces(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.drip(event({"role": "assistant", "content": ""}))


async def comments_after_text(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.send(event({"content": "Hello"}))
    await endpoint.drip(b": still here\n\n")


async def endless(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.drip(event({"content": "and "}))


async def thinking(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.drip(event({"content": None, "reasoning_content": "Hm"}))


async def thinking_that_stops(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.send(event({"content": None, "reasoning_content": "Hm"}))
    await endpoint.drip(b": still here\n\n")


async def half_a_body(endpoint: Endpoint) -> None:
    await endpoint.write(b'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"id": ')
    await asyncio.Event().wait()


@pytest.mark.parametrize("how", ["astream", "ainvoke"])
@pytest.mark.parametrize(
    ("answer", "deadlines", "missed"),
    [
        (silence, Deadlines(first_token_s=0.2, token_gap_s=60, total_s=60), "first_token"),
        (comments, Deadlines(first_token_s=0.2, token_gap_s=60, total_s=60), "first_token"),
        (empty_pieces, Deadlines(first_token_s=0.2, token_gap_s=60, total_s=60), "first_token"),
        (comments_after_text, Deadlines(first_token_s=60, token_gap_s=0.2, total_s=60), "token_gap"),
        (endless, Deadlines(first_token_s=60, token_gap_s=60, total_s=0.2), "total"),
        # Whoever thinks is at work, for as long as the answer may take in all.
        (thinking, Deadlines(first_token_s=0.2, token_gap_s=60, total_s=1), "total"),
        (thinking_that_stops, Deadlines(first_token_s=60, token_gap_s=0.2, total_s=60), "token_gap"),
        (comments, Deadlines(first_token_s=60, token_gap_s=60, total_s=0.2), "total"),
        (silence, Deadlines(first_token_s=60, token_gap_s=60, total_s=0.2), "total"),
    ],
)
async def test_a_stream_that_misses_a_deadline_is_closed_and_says_which(
    answer: Any, deadlines: Deadlines, missed: str, how: str
) -> None:
    async with serving(answer) as endpoint, chatting(endpoint) as model:
        # With `stream`, ainvoke reads a stream to its end.
        call = read(model) if how == "astream" else model.bind(stream=True).ainvoke("hello")
        with within(deadlines), pytest.raises(openai.APITimeoutError) as raised:
            await call
        await asyncio.wait_for(endpoint.left.wait(), 5)

    assert which_deadline(raised.value) == missed
    assert which_limit(raised.value) is None


@pytest.mark.parametrize("answer", [silence, half_a_body])
async def test_an_answer_that_is_not_streamed_has_its_whole_time_and_no_more(answer: Any) -> None:
    deadlines = Deadlines(first_token_s=0.05, token_gap_s=0.05, total_s=0.3)

    async with serving(answer) as endpoint, chatting(endpoint, deadlines=deadlines) as model:
        with pytest.raises(openai.APITimeoutError) as raised:
            await model.ainvoke("hello")
        await asyncio.wait_for(endpoint.left.wait(), 5)

    assert which_deadline(raised.value) == "total"


async def test_text_that_came_before_a_deadline_passed_is_given() -> None:
    said: list[str] = []

    async with serving(comments_after_text) as endpoint, chatting(endpoint) as model:
        with within(Deadlines(token_gap_s=0.2)), pytest.raises(openai.APITimeoutError):
            await read(model, said)

    assert said == ["Hello"]


async def test_a_reader_that_takes_its_time_is_not_the_models_fault() -> None:
    said = ["One. ", "Two. ", "Three. "]
    deadlines = Deadlines(first_token_s=60, token_gap_s=0.1, total_s=60)
    chunks = []

    async with (
        serving(lambda endpoint: endpoint.stream(texts(*said))) as endpoint,
        chatting(endpoint, deadlines=deadlines) as model,
    ):
        async for chunk in model.astream("hello"):
            chunks.append(str(chunk.content))
            await asyncio.sleep(0.15)

    assert "".join(chunks) == "".join(said)


async def test_a_busy_moment_of_the_process_is_not_the_models_fault() -> None:
    async def answer(endpoint: Endpoint) -> None:
        def busy() -> None:
            """Nothing else runs for longer than the gap; the next token is there when it is over."""
            time.sleep(0.3)
            endpoint.writer.write(http_chunk(event({"content": " you."})))

        await endpoint.write(HEAD)
        await endpoint.send(event({"content": "Hello"}))
        await asyncio.sleep(0.05)
        asyncio.get_running_loop().call_soon(busy)
        await asyncio.sleep(0.05)
        for piece in ending():
            await endpoint.send(piece)
        await endpoint.write(b"0\r\n\r\n")

    async with serving(answer) as endpoint:
        chunks = await ask(endpoint, deadlines=Deadlines(first_token_s=60, token_gap_s=0.2, total_s=60))

    assert whole(chunks).content == "Hello you."


async def test_the_deadlines_of_two_requests_at_once_are_their_own() -> None:
    async def timed(model: ChatOpenAI, first_token_s: float) -> str | None:
        DEADLINES.set(Deadlines(first_token_s=first_token_s, token_gap_s=60, total_s=0.4))
        try:
            await read(model)
        except openai.APITimeoutError as exc:
            return which_deadline(exc)
        return None

    async with serving(silence) as endpoint, chatting(endpoint) as model:
        missed = await asyncio.gather(timed(model, 0.1), timed(model, 60))

    assert list(missed) == ["first_token", "total"]


@pytest.mark.parametrize("answer", [silence, comments, comments_after_text, endless])
async def test_cancelling_the_reader_closes_the_connection(answer: Any) -> None:
    async with serving(answer) as endpoint, chatting(endpoint, deadlines=LONG) as model:
        reading = asyncio.create_task(read(model))
        while not endpoint.heads:
            await asyncio.sleep(0)
        reading.cancel()
        with pytest.raises(asyncio.CancelledError):
            await reading
        await asyncio.wait_for(endpoint.left.wait(), 5)


async def test_a_reader_that_stops_closes_the_connection() -> None:
    async with serving(endless) as endpoint, chatting(endpoint, deadlines=LONG, hold_s=0.0) as model:
        async with aclosing(model.astream("hello")) as chunks:  # type: ignore[type-var]  # It is a generator.
            async for _ in chunks:
                break
        await asyncio.wait_for(endpoint.left.wait(), 5)


async def huge_event(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.send(event({"content": "Hello"}))
    await endpoint.drip(b"data: " + b"x" * 1000)


async def long_comments(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.drip(b":" * 1000 + b"\n\n")


async def huge_body(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD.replace(b"text/event-stream", b"application/json"))
    await endpoint.drip(b" " * 1000)


@pytest.mark.parametrize(
    ("answer", "stream", "exceeded"),
    [
        (huge_event, True, "event"),
        (endless, True, "total"),
        (long_comments, True, "total"),
        (huge_body, False, "total"),
    ],
)
async def test_an_answer_grows_no_larger_than_allowed(answer: Any, stream: bool, exceeded: str) -> None:
    limits = ClientLimits(max_answer_bytes=4000, max_event_bytes=1500)

    async with serving(answer) as endpoint, chatting(endpoint, limits=limits, deadlines=LONG) as model:
        with pytest.raises(openai.APIConnectionError) as raised:
            await model.bind(stream=stream).ainvoke("hello")
        await asyncio.wait_for(endpoint.left.wait(), 5)

    assert which_limit(raised.value) == exceeded
    assert which_deadline(raised.value) is None


async def test_a_refused_answer_is_closed_before_its_reader_closes_it() -> None:
    limits = ClientLimits(max_event_bytes=1500)

    async with serving(huge_event) as endpoint, open_client(limits=limits, deadlines=LONG) as client:
        asked = client.build_request("POST", endpoint.url, json={"stream": True})
        response = await client.send(asked, stream=True)
        with pytest.raises(StreamTooLarge):
            await response.aread()
        await asyncio.wait_for(endpoint.left.wait(), 5)
        await response.aclose()


async def reset(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.send(event({"content": "Hello"}))
    await asyncio.sleep(0.05)
    linger = struct.pack("ii", 1, 0)
    endpoint.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    endpoint.writer.close()


async def hang_up(endpoint: Endpoint) -> None:
    await endpoint.write(HEAD)
    await endpoint.send(event({"content": "Hello"}))
    endpoint.writer.close()


@pytest.mark.parametrize("answer", [reset, hang_up])
async def test_a_stream_that_breaks_off_gives_what_came_and_fails(answer: Any) -> None:
    said: list[str] = []

    async with serving(answer) as endpoint, chatting(endpoint, deadlines=LONG) as model:
        with pytest.raises(openai.APIConnectionError) as raised:
            await read(model, said)

    assert "".join(said) == "Hello"
    assert isinstance(beneath(raised.value), httpx.TransportError)
    assert which_deadline(raised.value) is None


async def test_chunks_that_are_none_are_ended_by_a_deadline() -> None:
    async def answer(endpoint: Endpoint) -> None:
        await endpoint.write(HEAD)
        await endpoint.send(event({"content": "Hello"}))
        await endpoint.write(b"this is no chunk\r\n\r\n")
        await asyncio.Event().wait()

    async with serving(answer) as endpoint:
        with pytest.raises(openai.APIConnectionError) as raised:
            await ask(endpoint, deadlines=Deadlines(token_gap_s=0.2))

    assert which_deadline(raised.value) == "token_gap"


async def no_http(endpoint: Endpoint) -> None:
    await endpoint.write(b"220 mail.example ESMTP\r\n")
    endpoint.writer.close()


async def gone(endpoint: Endpoint) -> None:
    endpoint.writer.close()


@pytest.mark.parametrize("answer", [no_http, gone])
async def test_no_answer_at_all_is_the_clients_connection_error(answer: Any) -> None:
    async with serving(answer) as endpoint:
        with pytest.raises(openai.APIConnectionError) as raised:
            await ask(endpoint, deadlines=LONG)

    assert isinstance(beneath(raised.value), httpx.RemoteProtocolError)
    assert endpoint.connections == 1


async def test_an_endpoint_that_is_not_there_is_the_clients_connection_error() -> None:
    async with serving(silence) as endpoint:
        pass

    with pytest.raises(openai.APIConnectionError) as raised:
        await ask(endpoint, deadlines=LONG)

    assert isinstance(beneath(raised.value), httpx.ConnectError)


@pytest.mark.parametrize(("status", "kind"), [(401, openai.AuthenticationError), (429, openai.RateLimitError)])
async def test_a_refusal_of_the_endpoint_is_the_clients_error(status: int, kind: type[openai.APIError]) -> None:
    async def answer(endpoint: Endpoint) -> None:
        body = b'{"error": {"message": "no"}}'
        head = b"HTTP/1.1 %d No\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % (status, len(body))
        await endpoint.write(head + body)

    async with serving(answer) as endpoint:
        with pytest.raises(kind):
            await ask(endpoint)

    assert len(endpoint.heads) == 1


async def test_a_compressed_answer_is_refused_and_not_asked_for() -> None:
    async def answer(endpoint: Endpoint) -> None:
        await endpoint.write(HEAD.replace(b"\r\n\r\n", b"\r\ncontent-encoding: gzip\r\n\r\n"))
        await endpoint.drip(b"\x1f\x8b")

    async with serving(answer) as endpoint:
        with pytest.raises(openai.APIConnectionError) as raised:
            await ask(endpoint)

    assert isinstance(beneath(raised.value), httpx.DecodingError)
    assert b"accept-encoding: identity" in endpoint.heads[0].lower()


@pytest.mark.parametrize("trust_env", [True, False])
async def test_a_proxy_of_the_environment_is_used_where_it_is_trusted(
    monkeypatch: pytest.MonkeyPatch, trust_env: bool
) -> None:
    async with (
        serving(lambda endpoint: endpoint.stream(texts("By proxy."))) as proxy,
        serving(lambda endpoint: endpoint.stream(texts("Directly."))) as endpoint,
    ):
        monkeypatch.setenv("http_proxy", proxy.url.removesuffix("/v1"))
        monkeypatch.delenv("no_proxy", raising=False)

        message = whole(await ask(endpoint, trust_env=trust_env))

    assert message.content == ("By proxy." if trust_env else "Directly.")
