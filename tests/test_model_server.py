"""The scripted model server, seen by OpenAI's own client and byte by byte."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest

from tests.loopback import NO_TLS
from tests.model_server.faults import FAULTS, Effect
from tests.model_server.hosting import in_process, in_thread, nobody_there, read_script
from tests.model_server.looks import BOM
from tests.model_server.replies import Reply, calls, paced, refuses, says, says_and_calls, structured, text_call
from tests.model_server.server import ModelServer, Script

TEXT = "Héllo there, you all"
ASKED: Any = [{"role": "user", "content": "Where is it?"}]
TOOLS: Any = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("first", "second")
]
SCHEMA: Any = {"type": "json_schema", "json_schema": {"name": "verdict", "schema": {"type": "object"}}}
STREAM_PLEASE = b'POST /v1/chat/completions HTTP/1.1\r\nContent-Length: 15\r\n\r\n{"stream":true}'
PATIENCE_S = 0.15
SLOW_S = 3600.0
TICK_S = 0.002


@dataclass(frozen=True)
class Seen:
    """What a client made of a reply."""

    text: str = ""
    calls: tuple[tuple[str, str], ...] = ()
    refusal: str = ""
    finish: str | None = "stop"


@asynccontextmanager
async def client_of(server: ModelServer | str, *, timeout_s: float = 30.0) -> AsyncIterator[openai.AsyncOpenAI]:
    url = server if isinstance(server, str) else server.url
    # Without the system's certificates: to load them takes longer than most of these tests.
    http = openai.DefaultAsyncHttpxClient(verify=NO_TLS, timeout=timeout_s)
    async with openai.AsyncOpenAI(base_url=url, api_key="key", max_retries=0, http_client=http) as client:
        yield client


def plain_client(url: str) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=url, verify=NO_TLS)


async def streamed(client: openai.AsyncOpenAI, **more: Any) -> Seen:
    text, refusal, finish = "", "", None
    called: dict[int, list[str]] = {}
    async with await client.chat.completions.create(model="m", messages=ASKED, stream=True, **more) as stream:
        async for chunk in stream:
            for choice in chunk.choices:
                text += choice.delta.content or ""
                refusal += choice.delta.refusal or ""
                finish = choice.finish_reason or finish
                for call in choice.delta.tool_calls or ():
                    assert call.function is not None
                    so_far = called.setdefault(call.index, ["", ""])
                    so_far[0] += call.function.name or ""
                    so_far[1] += call.function.arguments or ""
    return Seen(text, tuple((name, arguments) for name, arguments in called.values()), refusal, finish)


async def complete(client: openai.AsyncOpenAI, **more: Any) -> Seen:
    answer = await client.chat.completions.create(model="m", messages=ASKED, **more)
    if not isinstance(answer, openai.types.chat.ChatCompletion) or not answer.choices:
        return Seen(finish=None)
    [choice] = answer.choices
    said = choice.message
    called = tuple((each.function.name, each.function.arguments) for each in said.tool_calls or ())  # type: ignore[union-attr]  # All calls here are of functions.
    return Seen(said.content or "", called, said.refusal or "", choice.finish_reason)


async def raw(server: ModelServer, *, stream: bool = True) -> list[bytes]:
    """All that comes over a plain socket, in the pieces in which it came, until nothing more does."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    body = json.dumps({"messages": ASKED, "stream": stream}).encode()
    writer.write(b"POST /v1/chat/completions HTTP/1.1\r\nConnection: close\r\nContent-Length: %d\r\n\r\n" % len(body))
    writer.write(body)
    pieces = []
    try:
        while piece := await reader.read(65_536):
            pieces.append(piece)
    finally:
        writer.close()
    return pieces


async def test_a_streamed_text_is_the_text() -> None:
    texts = ["Hello", "  two  spaces ", "line\n\nline\n", "naïve 🎉", "", "data: [DONE]\n\n"]
    async with ModelServer([says(text) for text in texts]) as server, client_of(server) as client:
        assert [await streamed(client) for _ in texts] == [Seen(text) for text in texts]


async def test_tokens_may_be_given() -> None:
    async with ModelServer(says("abc", tokens=["a", "", "bc"])) as server, client_of(server) as client:
        stream = await client.chat.completions.create(model="m", messages=ASKED, stream=True)
        said = [chunk.choices[0].delta.content async for chunk in stream]

    assert said == ["", "a", "", "bc", None]
    with pytest.raises(ValueError, match="not the text"):
        says("abc", tokens=["a"])


async def test_an_answer_may_take_its_time() -> None:
    async with ModelServer(says("a b c", delay_s=0.02, interval_s=0.01)) as server, client_of(server) as client:
        began_s = time.monotonic()
        assert await streamed(client) == Seen("a b c")
        took_s = time.monotonic() - began_s

    # The role, three tokens and the end of the text, each an interval after the one before.
    assert took_s >= 0.02 + 4 * 0.01


async def test_a_list_is_answered_in_order_and_its_last_reply_repeats() -> None:
    async with ModelServer([says("one"), says("two")]) as server, client_of(server) as client:
        assert [(await complete(client)).text for _ in range(3)] == ["one", "two", "two"]
        server.script = [says("three"), says("four")]
        assert (await complete(client)).text == "three"


async def test_a_function_answers_by_the_request() -> None:
    def echo(body: dict[str, Any]) -> Reply:
        return says(body["messages"][-1]["content"])

    async with ModelServer(echo) as server, client_of(server) as client:
        assert await complete(client) == Seen("Where is it?")


async def test_tool_calls_come_together_streamed_or_whole() -> None:
    asked = (("first", '{"a": "ü and a long enough text"}'), ("second", "{}"))
    reply = says_and_calls("I'll look.", ("first", {"a": "ü and a long enough text"}), ("second", "{}"))
    async with ModelServer(reply) as server, client_of(server) as client:
        assert await streamed(client, tools=TOOLS) == Seen("I'll look.", asked, finish="tool_calls")
        assert await complete(client, tools=TOOLS) == Seen("I'll look.", asked, finish="tool_calls")


async def test_every_call_has_an_id_of_its_own() -> None:
    async with ModelServer(calls(("first", {}), ("second", {}))) as server, client_of(server) as client:
        answers = [await client.chat.completions.create(model="m", messages=ASKED) for _ in range(2)]

    assert len({call.id for answer in answers for call in answer.choices[0].message.tool_calls or ()}) == 4


async def test_usage_is_streamed_only_to_those_who_ask() -> None:
    async def counted(client: openai.AsyncOpenAI, **more: Any) -> list[int]:
        stream = await client.chat.completions.create(model="m", messages=ASKED, stream=True, **more)
        return [chunk.usage.completion_tokens async for chunk in stream if chunk.usage]

    script = [says(TEXT), says(TEXT), says(TEXT, usage=False), says(TEXT)]
    async with ModelServer(script) as server, client_of(server) as client:
        assert await counted(client) == []
        assert await counted(client, stream_options={"include_usage": True}) == [4]
        assert await counted(client, stream_options={"include_usage": True}) == []
        whole = await client.chat.completions.create(model="m", messages=ASKED)

    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.completion_tokens, whole.usage.total_tokens) == (3, 4, 7)


async def test_a_structured_answer_comes_the_way_it_was_asked_for() -> None:
    value = {"kind": "bug", "wörds": [1, 2]}
    forced: Any = {"type": "function", "function": {"name": "second"}}
    async with ModelServer(structured(value)) as server, client_of(server) as client:
        plain = await complete(client)
        by_schema = await complete(client, response_format=SCHEMA, tools=TOOLS)
        by_tool = await streamed(client, tools=TOOLS)
        by_forced_tool = await complete(client, tools=TOOLS, tool_choice=forced)

    assert json.loads(plain.text) == json.loads(by_schema.text) == value
    assert plain.calls == by_schema.calls == ()
    for seen, name in ((by_tool, "first"), (by_forced_tool, "second")):
        [(called, arguments)] = seen.calls
        assert (called, json.loads(arguments), seen.text) == (name, value, "")


async def test_a_call_may_be_text() -> None:
    script = [text_call("first", {"a": 1}), text_call("first", {"a": 1}, fenced=False)]
    async with ModelServer(script) as server, client_of(server) as client:
        fenced, bare = await complete(client), await streamed(client)

    assert fenced == Seen('```json\n{"name": "first", "arguments": {"a": 1}}\n```')
    assert json.loads(bare.text) == {"name": "first", "arguments": {"a": 1}}


async def test_a_refusal_is_no_text() -> None:
    async with ModelServer(refuses("I won't do that.")) as server, client_of(server) as client:
        assert await streamed(client) == await complete(client) == Seen(refusal="I won't do that.")


async def test_requests_are_recorded() -> None:
    before_s = time.monotonic()
    async with ModelServer(says("Hi")) as server, client_of(server) as client:
        assert [model.id async for model in client.models.list()] == ["scripted"]
        await complete(client, temperature=0.5)

    models, chat = server.requests
    assert (models.method, models.path, models.body) == ("GET", "/v1/models", {})
    assert (chat.method, chat.path, chat.number) == ("POST", "/v1/chat/completions", 2)
    assert chat.body == {"model": "m", "messages": ASKED, "temperature": 0.5}
    assert chat.headers["authorization"] == "Bearer key"
    assert before_s <= models.at_s <= chat.at_s <= time.monotonic()


async def test_other_requests_are_told_what_is_wrong_with_them() -> None:
    async with ModelServer(says("Hi")) as server, plain_client(server.url) as client:
        answers = [
            await client.get("/nowhere"),
            await client.get("/chat/completions"),
            await client.post("/chat/completions", content=b"{"),
            await client.post("/chat/completions", json=[1]),
        ]

    assert [answer.status_code for answer in answers] == [404, 404, 400, 400]
    assert all(answer.json()["error"]["message"] for answer in answers)


async def test_a_connection_is_used_again() -> None:
    async with ModelServer(says("Hi")) as server, plain_client(server.url) as client:
        bodies = [{"messages": ASKED, "stream": bool(number % 2)} for number in range(4)]
        ports = set()
        for body in bodies:
            answer = await client.post("/chat/completions", json=body)
            ports.add(answer.extensions["network_stream"].get_extra_info("client_addr"))

    assert len(ports) == 1


async def test_a_client_that_hangs_up_is_noticed() -> None:
    async with ModelServer(FAULTS["silence_after_a_token"].on(says(TEXT))) as server, client_of(server) as client:
        stream = await client.chat.completions.create(model="m", messages=ASKED, stream=True)
        assert (server.open_streams, server.closed_early) == (1, 0)
        await stream.close()
        await server.wait_for(lambda each: not each.open_streams)

        server.script = says(TEXT)
        await streamed(client)
        await server.wait_for(lambda each: not each.open_streams)
        assert server.closed_early == 1
        with pytest.raises(TimeoutError):
            await server.wait_for(lambda each: each.open_streams, timeout_s=0.01)


async def test_a_script_that_fails_fails_the_test() -> None:
    def broken(body: dict[str, Any]) -> Reply:
        raise LookupError("no reply for this")

    with pytest.RaisesGroup(LookupError):
        async with ModelServer(broken) as server, client_of(server) as client:
            with pytest.raises(openai.InternalServerError, match="the script failed"):
                await complete(client)


async def test_a_client_that_does_not_read_does_not_keep_the_server_from_closing() -> None:
    async with asyncio.timeout(5), ModelServer(FAULTS["endless_tokens"].on(says(TEXT))) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(STREAM_PLEASE)
        try:
            await server.wait_for(lambda each: each.open_streams)
            async with server.refusing():
                assert server.open_streams == 0
                assert not reader.at_eof()
        finally:
            writer.transport.abort()


ANSWER = Seen(TEXT)
HALF = "Héllo there,"
GIANT = Seen("x" * 10_000_000)
BROKEN_CALL = Seen(TEXT, (("no_such_tool", '{"key": "value",'),), finish="tool_calls")
LOST = (openai.APIConnectionError, "RemoteProtocolError")
RESET = (openai.APIConnectionError, "ReadError")
SILENT = (openai.APITimeoutError, "ReadTimeout")
# The client's own timeout never comes, so that of the test has to.
PATIENT = (TimeoutError, "CancelledError")
TOLD = {
    "status_400": openai.BadRequestError,
    "status_401": openai.AuthenticationError,
    "status_403": openai.PermissionDeniedError,
    "status_404": openai.NotFoundError,
    "status_429": openai.RateLimitError,
    "status_429_retry_seconds": openai.RateLimitError,
    "status_429_retry_date": openai.RateLimitError,
    "status_500": openai.InternalServerError,
    "status_502_html": openai.InternalServerError,
    "status_503": openai.InternalServerError,
    "status_529": openai.InternalServerError,
}
# The exception, and the name of its cause: which HTTP library's it is depends on the client's version.
Failure = tuple[type[BaseException], str | None]
# What OpenAI's client makes of each fault, streamed and whole: not always what it should.
EXPECTED: dict[str, tuple[Seen | Failure, Seen | Failure]] = {
    "late_head": (SILENT, SILENT),
    "late_body": (SILENT, SILENT),
    "drip": (ANSWER, ANSWER),
    "comments_only": (PATIENT, PATIENT),
    "comments_between": (ANSWER, ANSWER),
    "silence_from_the_start": (SILENT, SILENT),
    "silence_after_a_token": (SILENT, SILENT),
    "closed_at_once": (LOST, LOST),
    "reset_at_once": (RESET, RESET),
    "reset_after_a_token": (RESET, RESET),
    "cut_in_a_line": (LOST, LOST),
    "cut_in_a_character": (LOST, LOST),
    "cut_unnoticed": (Seen("Héllo", finish=None), (json.JSONDecodeError, None)),
    "half_closed": (LOST, LOST),
    "no_done": (ANSWER, ANSWER),
    "nothing_after_the_text": (Seen(TEXT, finish=None), Seen(TEXT, finish=None)),
    "bad_chunk_size": (LOST, LOST),
    "closed_afterwards": (ANSWER, ANSWER),
    "broken_json": ((json.JSONDecodeError, None), (json.JSONDecodeError, None)),
    "broken_utf8": ((UnicodeDecodeError, None), (UnicodeDecodeError, None)),
    "byte_order_mark": (ANSWER, ANSWER),
    "crlf": (ANSWER, ANSWER),
    "tiny_segments": (ANSWER, ANSWER),
    "text_plain": (ANSWER, ANSWER),
    "never_streams": (Seen(finish=None), ANSWER),
    "giant_line": (GIANT, GIANT),
    "endless_tokens": (PATIENT, PATIENT),
    "html_with_200": (Seen(finish=None), Seen(finish=None)),
    "error_in_body": (Seen(finish=None), Seen(finish=None)),
    "error_in_stream": ((openai.APIError, None), Seen(finish=None)),
    "rejects_schemas": (ANSWER, ANSWER),
    "rejects_schemas_and_tools": (ANSWER, ANSWER),
    "no_choices": (Seen(finish=None), Seen(finish=None)),
    "no_text": (Seen(), Seen()),
    "cut_by_length": (Seen(HALF, finish="length"), Seen(HALF, finish="length")),
    "content_filter": (Seen(HALF, finish="content_filter"), Seen(HALF, finish="content_filter")),
    "refusal": (Seen(refusal="I can't help with that."), Seen(refusal="I can't help with that.")),
    "wrong_role": (ANSWER, ANSWER),
    "lone_surrogate": (Seen(f"{TEXT} \ud83d"), Seen(f"{TEXT} \ud83d")),
    "null_character": (Seen(f"{TEXT} \0"), Seen(f"{TEXT} \0")),
    "calls_end_with_stop": (ANSWER, ANSWER),
    "broken_arguments": (BROKEN_CALL, BROKEN_CALL),
    "unknown_tool": (
        Seen("", (("no_such_tool", '{"key": "value"}'),), finish="tool_calls"),
        Seen("", (("no_such_tool", '{"key": "value"}'),), finish="tool_calls"),
    ),
    "endless_calls": (
        Seen("", (("no_such_tool", "{}"),), finish="tool_calls"),
        Seen("", (("no_such_tool", "{}"),), finish="tool_calls"),
    ),
    "off_schema": (Seen('{"mood": "sunny", "steps": [1, 2, 3]}'), Seen('{"mood": "sunny", "steps": [1, 2, 3]}')),
    "fenced": (Seen(f"```json\n{TEXT}\n```"), Seen(f"```json\n{TEXT}\n```")),
    "prose_around": (
        Seen(f"Sure! Here is the {{JSON}} you asked for:\n\n{TEXT}\n\nAnything else?"),
        Seen(f"Sure! Here is the {{JSON}} you asked for:\n\n{TEXT}\n\nAnything else?"),
    ),
    "extra_keys": (ANSWER, ANSWER),
    **{name: ((error, None), (error, None)) for name, error in TOLD.items()},
}


def test_every_fault_is_expected_to_show_as_something() -> None:
    assert EXPECTED.keys() == FAULTS.keys()


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
@pytest.mark.parametrize("name", FAULTS)
async def test_each_fault_shows_as_what_it_is(name: str, stream: bool) -> None:
    expected = EXPECTED[name][0 if stream else 1]
    script = FAULTS[name].on(says(TEXT), slow_s=SLOW_S, tick_s=TICK_S)
    client_timeout_s = PATIENCE_S if expected == SILENT else 30
    async with ModelServer(script) as server, client_of(server, timeout_s=client_timeout_s) as client:
        seen: Seen | BaseException
        try:
            async with asyncio.timeout(PATIENCE_S if expected == PATIENT else 30):
                seen = await (streamed(client) if stream else complete(client))
        except Exception as exc:
            seen = exc
        await server.wait_for(lambda each: not each.open_streams)

    if isinstance(expected, Seen):
        assert seen == expected
    else:
        assert isinstance(seen, expected[0])
        assert expected[1] in (None, type(seen.__cause__).__name__)
    if FAULTS[name].effect is Effect.STALLED:
        assert server.closed_early == 1
    if name in TOLD:
        assert isinstance(seen, openai.APIStatusError)
        assert str(seen.status_code) in name


async def test_after_a_fault_the_next_reply_may_be_good() -> None:
    faults = [name for name, fault in FAULTS.items() if fault.effect is Effect.FAILED]
    script: list[Reply] = []
    for name in faults:
        script += [FAULTS[name].on(says(TEXT), slow_s=SLOW_S), says("good")]
    async with ModelServer(script) as server, client_of(server) as client:
        for _ in faults:
            with suppress(openai.APIError, ValueError):
                await streamed(client)
            assert await streamed(client) == Seen("good")


async def test_a_limit_says_when_to_come_back() -> None:
    names = ("status_429", "status_429_retry_seconds", "status_429_retry_date")
    said = []
    script = [FAULTS[name].on(says(""), slow_s=19.5) for name in names]
    async with ModelServer(script) as server, client_of(server) as client:
        for _ in names:
            with pytest.raises(openai.RateLimitError) as caught:
                await complete(client)
            said.append(caught.value.response.headers.get("retry-after", ""))

    assert said[:2] == ["", "20"]
    assert 0 < (parsedate_to_datetime(said[2]) - datetime.now(UTC)).total_seconds() <= 20


async def test_a_server_may_take_tools_but_no_schemas_or_neither() -> None:
    script = FAULTS["rejects_schemas"].on(structured({"a": 1}))
    async with ModelServer(script) as server, client_of(server) as client:
        with pytest.raises(openai.BadRequestError, match="response_format"):
            await complete(client, response_format=SCHEMA)
        assert (await complete(client, tools=TOOLS)).calls == (("first", '{"a": 1}'),)

        server.script = FAULTS["rejects_schemas_and_tools"].on(structured({"a": 1}))
        with pytest.raises(openai.BadRequestError, match="response_format"):
            await complete(client, response_format=SCHEMA)
        with pytest.raises(openai.BadRequestError, match="tools"):
            await streamed(client, tools=TOOLS)
        assert await complete(client) == Seen('{"a": 1}')


@pytest.mark.parametrize("by_tool", [False, True], ids=["content", "tool"])
async def test_structured_answers_are_decorated_wherever_they_are(by_tool: bool) -> None:
    wanted: dict[str, Any] = {"tools": TOOLS} if by_tool else {"response_format": SCHEMA}
    names = ("fenced", "prose_around", "extra_keys", "off_schema", "cut_by_length")
    got = []
    script = [FAULTS[name].on(structured({"a": "b c"})) for name in names]
    async with ModelServer(script) as server, client_of(server) as client:
        for _ in names:
            seen = await complete(client, **wanted)
            got.append(seen.calls[0][1] if by_tool else seen.text)

    fenced, prose, extra, off, cut = got
    assert fenced == '```json\n{"a": "b c"}\n```'
    assert prose.startswith("Sure! ")
    assert '\n\n{"a": "b c"}\n\n' in prose
    assert json.loads(extra) == {"a": "b c", "surplus": {"reason": None}}
    assert "a" not in json.loads(off)
    assert '{"a": "b c"}'.startswith(cut)
    assert 0 < len(cut) < 12


async def test_calls_may_be_spoilt() -> None:
    names = ("calls_end_with_stop", "broken_arguments", "cut_by_length")
    script = [FAULTS[name].on(calls(("first", '{"a": 1}'))) for name in names]
    async with ModelServer(script) as server, client_of(server) as client:
        with_stop, broken, cut = [await streamed(client, tools=TOOLS) for _ in names]

    assert with_stop == Seen("", (("first", '{"a": 1}'),), finish="stop")
    assert broken == Seen("", (("first", '{"a": 1,'),), finish="tool_calls")
    assert cut == Seen("", (("first", '{"a"'),), finish="length")


async def test_calls_never_end() -> None:
    async with ModelServer(FAULTS["endless_calls"].on(says(TEXT))) as server, client_of(server) as client:
        answers = [await streamed(client, tools=TOOLS) for _ in range(3)]

    assert answers == [Seen("", (("first", "{}"),), finish="tool_calls")] * 3


async def test_cuts_are_where_they_are_said_to_be() -> None:
    async with ModelServer(FAULTS["cut_in_a_line"].on(says(TEXT))) as server:
        in_line = b"".join(await raw(server)).decode()
        server.script = FAULTS["cut_in_a_character"].on(says(TEXT))
        in_character = [b"".join(await raw(server, stream=stream)) for stream in (True, False)]
        server.script = FAULTS["cut_unnoticed"].on(says(TEXT))
        unnoticed = b"".join(await raw(server)).decode()

    assert in_line.removesuffix("\r\n").endswith('{"content":" cu')
    assert "Héllo" in in_line
    for cut in in_character:
        with pytest.raises(UnicodeDecodeError, match=r"unexpected end of data|invalid continuation byte"):
            cut.removesuffix(b"\r\n").decode()
    assert unnoticed.endswith("\n\n")
    assert "chunked" not in unnoticed


async def test_bytes_look_as_they_are_said_to() -> None:
    async with ModelServer(FAULTS["crlf"].on(says(TEXT))) as server:
        with_crlf = b"".join(await raw(server))
        server.script = FAULTS["byte_order_mark"].on(says(TEXT))
        with_mark = [b"".join(await raw(server, stream=stream)) for stream in (True, False)]
        server.script = FAULTS["tiny_segments"].on(says(TEXT))
        tiny = await raw(server)

    assert with_crlf.count(b"\n") == with_crlf.count(b"\r\n")
    assert BOM + b"data: " in with_mark[0]
    assert BOM + b"{" in with_mark[1]
    assert max(len(piece) for piece in tiny) < 100
    assert len(tiny) > 100


@pytest.mark.parametrize("stream", [True, False], ids=["streamed", "whole"])
async def test_bytes_that_say_nothing_keep_coming(stream: bool) -> None:
    ping = b": ping\n\n" if stream else b" "
    script = FAULTS["comments_only"].on(says(TEXT), tick_s=TICK_S)
    async with (
        ModelServer(script) as server,
        plain_client(server.url) as client,
        client.stream("POST", "/chat/completions", json={"stream": stream}) as response,
    ):
        said = response.aiter_raw()
        came = b"".join([await anext(said) for _ in range(5)])

    assert came.count(ping) >= 5
    assert not came.replace(ping, b"")


async def test_a_half_closed_connection_can_still_be_written_to() -> None:
    async with ModelServer(FAULTS["half_closed"].on(says(TEXT))) as server:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        writer.write(STREAM_PLEASE)
        assert b"[DONE]" not in await reader.read()
        for _ in range(3):
            writer.write(b"still here")
            await writer.drain()
        writer.close()
        await writer.wait_closed()


async def test_a_port_may_refuse_for_a_while() -> None:
    async with ModelServer(says("Hi")) as server, client_of(server) as client:
        await complete(client)
        async with server.refusing():
            with pytest.raises(openai.APIConnectionError) as refused:
                await complete(client)
        assert await complete(client) == Seen("Hi")
    assert type(refused.value.__cause__).__name__ == "ConnectError"

    with nobody_there() as url:
        async with client_of(url) as client:
            with pytest.raises(openai.APIConnectionError):
                await complete(client)


async def test_a_paced_stream_keeps_to_its_clock() -> None:
    async with ModelServer(paced(20, 0.004, first_s=0.01)) as server, client_of(server) as client:
        began_s = time.monotonic()
        seen = await streamed(client)
        took_s = time.monotonic() - began_s
        whole = await complete(client)

    assert seen == whole == Seen("".join(f" {number}" for number in range(20)))
    assert took_s >= 0.01 + 19 * 0.004
    assert 0 <= server.worst_late_s < took_s


def test_a_thread_may_serve() -> None:
    with in_thread([says("one"), says("two")]) as server:
        texts = [
            httpx.post(f"{server.url}/chat/completions", json={"messages": ASKED}).json()["choices"][0]["message"]
            for _ in range(2)
        ]
        asyncio.run(server.wait_for(lambda each: not each.open_streams))

    assert [text["content"] for text in texts] == ["one", "two"]
    assert len(server.requests) == 2


async def test_a_process_may_serve(tmp_path: Path) -> None:
    with in_process([{"paced": [30, 0.001]}, {"says": "Hi", "fault": "drip"}], tmp_path) as url:
        async with client_of(url) as client:
            assert (await streamed(client)).text.endswith(" 29")
            assert await streamed(client) == Seen("Hi")
        async with plain_client(url) as client:
            state = (await client.get(url.removesuffix("/v1") + "/state")).json()

    assert [each["body"]["messages"] for each in state["requests"]] == [ASKED, ASKED]
    assert (state["open_streams"], state["closed_early"]) == (0, 0)


async def test_a_script_may_be_json() -> None:
    lines = [
        {"says": "Hello"},
        {"says": {"text": "Hello", "usage": False}},
        {"calls": [["first", {"a": 1}], ["second", "{"]]},
        {"structured": [{"a": 1}]},
    ]
    script: Script = read_script(json.dumps(lines))
    async with ModelServer(script) as server, client_of(server) as client:
        seen = [await complete(client) for _ in lines]

    called = Seen("", (("first", '{"a": 1}'), ("second", "{")), finish="tool_calls")
    assert seen == [Seen("Hello"), Seen("Hello"), called, Seen('{"a": 1}')]


@pytest.mark.parametrize(
    "line",
    [
        {"sings": "Hello"},
        {"says": "Hello", "fault": "no such fault"},
        {"says": {"text": "Hello", "tone": "warm"}},
        {"says": {"text": 3}},
        {"paced": [3, 0.1], "fault": "drip"},
        {},
    ],
)
def test_a_wrong_json_script_is_refused(line: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - each is told in its own words
        read_script(json.dumps([line]))
