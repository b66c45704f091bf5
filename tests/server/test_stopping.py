"""A server that stops ends its streams itself: each is whole, says to come back, and goes on where it left off."""

import asyncio
import json
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import httpx
import openai
import psycopg
import pytest
from fastapi import Request
from openai.types.chat import ChatCompletionChunk, ChatCompletionMessageParam
from starlette.types import Message

from agent.types import Sentence
from server.agui import resume
from server.sse import respond
from tests.fakes import fake_deps
from tests.honest_model import honest
from tests.installed import EXAMPLE, copy_of, use_models
from tests.loopback import NO_TLS
from tests.model_server.hosting import in_thread
from tests.model_server.replies import Answer, Reply
from tests.server.forked_workers import served_by_forks
from tests.server.harness import BOT_KEYS, WORKSPACE, Customer, Here, PacedEngine, bearer, run_input, serving
from tests.server.official import official
from tests.server.spaces import small_example
from tests.serving import Process, served
from tools.storage.scope import Scope

Serve = Callable[..., AbstractContextManager[Process]]

QUESTION = "How do I download an invoice?"
FAREWELL = ": the server is stopping\nretry: "


@dataclass
class Reader:
    """A client with a stream open, in a thread of its own; `trouble` is what it was left with instead of an end."""

    url: str
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)
    json: object = None
    text: str = ""
    trouble: str | None = None

    def __post_init__(self) -> None:
        self._heard = threading.Condition()
        self._ended = False
        self._thread = threading.Thread(target=self._read)

    @property
    def events(self) -> list[tuple[int | None, dict[str, Any]]]:
        """The numbers and events so far."""
        return [event for event in map(_event, self.text.split("\n\n")) if event is not None]

    @property
    def numbers(self) -> list[int]:
        """The numbers of the events so far."""
        return [number for number, _ in self.events if number is not None]

    def _read(self) -> None:
        try:
            with httpx.stream(
                self.method,
                self.url,
                headers=self.headers,
                json=self.json,
                timeout=60,
                trust_env=False,
                verify=NO_TLS,
            ) as answer:
                assert answer.status_code == 200
                self._hear("")
                for text in answer.iter_text():
                    self._hear(text)
        except (httpx.TransportError, AssertionError) as exc:
            self.trouble = repr(exc)
        self._ended = True
        self._hear("")

    def _hear(self, text: str) -> None:
        with self._heard:
            self.text += text
            self._heard.notify_all()

    def until(self, words: str) -> None:
        """Wait until the stream has said so."""
        with self._heard:
            assert self._heard.wait_for(lambda: words in self.text or self._ended, timeout=60), self.text
        assert words in self.text, (self.trouble, self.text)

    def to_the_end(self) -> None:
        """Wait until the stream is over."""
        self._thread.join(60)
        assert not self._thread.is_alive(), self.text

    @contextmanager
    def reading(self) -> Iterator["Reader"]:
        """Open the stream; entered when its head is there."""
        with self._heard:
            self._thread.start()
            assert self._heard.wait(60)
        yield self
        self.to_the_end()


def _event(part: str) -> tuple[int | None, dict[str, Any]] | None:
    fields = dict(line.split(": ", 1) for line in part.split("\n") if line and not line.startswith(":"))
    if not fields.get("data", "").startswith("{"):
        return None
    return int(fields["id"]) if "id" in fields else None, json.loads(fields["data"])


def slowly(body: dict[str, Any]) -> Reply:
    """An honest model that takes seconds for an answer: the streams of its turns are open when the server stops."""
    reply = honest(body)
    return replace(reply, interval_s=0.15) if isinstance(reply, Answer) else reply


@dataclass(frozen=True)
class Left:
    """What is left of a conversation whose answer was under way: a follower that heard all of it, and its headers."""

    follower: Reader
    path: str
    customer: dict[str, str]

    def resumed(self, url: str, after: int) -> Reader:
        """What comes after an event, up to the end of the run."""
        stream = Reader(f"{url}{self.path}", headers={**self.customer, "Last-Event-ID": str(after)})
        with stream.reading():
            stream.until('"RUN_FINISHED"')
        return stream


def stop_while_streams_are_open(serve: Serve, data_dir: Path, *options: str, **env: str) -> Left:
    """Serve, open streams of every kind, some of them of turns that run, and stop: all end whole, and nothing is said.

    The model of `env` has to be slow.
    """
    with ExitStack() as streams, serve(data_dir, *options, HELPGRAPH_API_KEYS=BOT_KEYS[0], **env) as running:

        def begin() -> tuple[str, dict[str, str]]:
            begun = httpx.post(f"{running.url}/v1/sessions", json={}, trust_env=False, verify=NO_TLS).json()
            return str(begun["conversation_id"]), bearer(begun["session_token"])

        def opened(path: str, **more: Any) -> Reader:
            return streams.enter_context(Reader(f"{running.url}{path}", **more).reading())

        conversation, customer = begin()
        nobody, visitor = begin()
        path = f"/v1/conversations/{conversation}/events"
        quiet = opened(f"/v1/conversations/{nobody}/events?follow=true", headers={**visitor, "Last-Event-ID": "0"})
        rejoined = opened(f"/v1/conversations/{nobody}/events?follow=true", headers=visitor)
        inbox = opened("/v1/inbox/events")
        follower = opened(f"{path}?follow=true", headers={**customer, "Last-Event-ID": "0"})
        staff = opened(f"/v1/inbox/conversations/{conversation}/events")
        run = opened("/v1/agui", method="POST", headers=customer, json=run_input(conversation, QUESTION, "m1"))
        chat = {"messages": [{"role": "user", "content": QUESTION}], "stream": True}
        bot = opened("/v1/chat/completions", method="POST", headers=bearer(BOT_KEYS[0]), json=chat)
        for stream in (run, follower, staff):
            stream.until("TEXT_MESSAGE_CONTENT")

        signalled = time.monotonic()
        running.send(signal.SIGTERM)
        resumable = (quiet, rejoined, inbox, follower, staff, run)
        for stream in (*resumable, bot):
            stream.to_the_end()
        seconds = time.monotonic() - signalled
        running.wait()
        said = (data_dir / "said").read_text()

    assert [stream.trouble for stream in (*resumable, bot)] == [None] * 7
    assert [stream.url for stream in resumable if FAREWELL not in stream.text] == []
    assert '"RUN_FINISHED"' not in run.text
    assert "retry" not in bot.text
    assert '"finish_reason":"stop"' not in bot.text
    assert '"code":"stream_ended"' in bot.text
    # uvicorn would wait for 15.
    assert seconds < 10
    assert running.exit_code == 0
    for wrong in ("ASGI callable", "Traceback", "cancellation interrupted", "Cancel "):
        assert wrong not in said, said
    return Left(follower, path, customer)


def test_every_open_stream_ends_whole_and_goes_on_at_the_next_start(installed_by_words: Path, tmp_path: Path) -> None:
    data_dir, options = copy_of(installed_by_words, tmp_path / "data"), ("--workspace", str(EXAMPLE))
    with in_thread(slowly) as model:
        env = {"HELPGRAPH_MODEL": "scripted", "HELPGRAPH_MODEL_URL": model.url}
        left = stop_while_streams_are_open(served, data_dir, *options, **env)
        model.script = honest
        with served(data_dir, *options, **env) as again:
            rest = left.resumed(again.url, left.follower.numbers[-1])
            whole = left.resumed(again.url, 0)

    assert left.follower.numbers + rest.numbers == whole.numbers
    assert left.follower.events + rest.events == whole.events


@pytest.mark.postgres
def test_every_open_stream_of_workers_ends_whole(model_cache: Path, tmp_path: Path, postgres_url: str) -> None:
    data_dir, workspace = tmp_path / "data", small_example(tmp_path / "workspace")
    use_models(data_dir, model_cache)
    with in_thread(slowly) as model:
        env = {"HELPGRAPH_MODEL": "scripted", "HELPGRAPH_MODEL_URL": model.url, "HELPGRAPH_DATABASE_URL": postgres_url}
        left = stop_while_streams_are_open(served_by_forks, data_dir, "--workspace", str(workspace), **env)

    assert left.follower.numbers


@pytest.mark.postgres
async def test_a_client_that_leaves_in_the_middle_of_a_query_costs_no_connection(
    tmp_path: Path, postgres_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    gone = asyncio.Event()

    async def receive() -> Message:
        await gone.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        """Nobody reads."""

    async with (
        serving(tmp_path, database_url=postgres_url) as here,
        await psycopg.AsyncConnection.connect(postgres_url) as other,
        await psycopg.AsyncConnection.connect(postgres_url, autocommit=True) as watching,
    ):
        customer = await here.session()
        scope = Scope(WORKSPACE, None, "staff")
        conversation = await here.runtime.log.conversation(scope, customer.conversation_id)
        request = {"type": "http", "method": "GET", "headers": [], "client": ("127.0.0.1", 1)}
        events = resume(here.doors, scope, conversation, after_seq=0, follow=True)
        response = respond(here.doors, Request(request), "somebody", events)
        await other.execute("LOCK TABLE events IN ACCESS EXCLUSIVE MODE")
        stream = asyncio.create_task(response(request, receive, send))
        reader = await _who_waits_for_a_lock(watching)
        gone.set()
        # As long as the query runs, so does the stream; a cancellation would have ended both by now.
        ended, _ = await asyncio.wait({stream}, timeout=0.5)
        await other.rollback()
        await stream
        left = await watching.execute("SELECT pid FROM pg_stat_activity WHERE pid = %s", (reader,))

        assert ended == set()
        assert await left.fetchone() == (reader,)
        assert here.doors.metrics._open_streams._value.get() == 0
    assert "interrupted" not in caplog.text


async def _who_waits_for_a_lock(watching: psycopg.AsyncConnection[Any]) -> int:
    query = "SELECT pid FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%FROM events%'"
    async with asyncio.timeout(30):
        while (found := await (await watching.execute(query)).fetchone()) is None:
            await asyncio.sleep(0.01)
    return int(found[0])


async def test_a_stream_that_waits_ends_at_once_and_a_new_one_as_well(here: Here, customer: Customer) -> None:
    url, headers = customer.path("events"), {**customer.headers, "Last-Event-ID": "0"}
    async with asyncio.timeout(30):
        async with here.http.stream("GET", url, params={"follow": "true"}, headers=headers) as answer:
            here.doors.stopping.set()
            waited = (await answer.aread()).decode()
        begun = (await here.http.get(url, params={"follow": "true"}, headers=headers)).text

    for text in (waited, begun):
        assert text.startswith(FAREWELL)
        assert 1000 <= int(text.removeprefix(FAREWELL).strip()) < 4000


@asynccontextmanager
async def _asked(here: Here) -> AsyncIterator[openai.AsyncStream[ChatCompletionChunk]]:
    async with official(here) as client:
        question: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Where are my invoices?"}]
        stream = await client.chat.completions.create(model="helpgraph", messages=question, stream=True)
        async with stream:
            yield stream


async def test_a_bot_still_gets_the_answer_that_was_under_way(tmp_path: Path) -> None:
    engine = PacedEngine(parts=(Sentence("Invoices are under **Billing > History**.", cites=("p1",)),))
    async with serving(tmp_path, fake_deps(engine=engine)) as here, _asked(here) as stream:
        chunks = [await anext(stream)]
        here.doors.stopping.set()
        engine.may_go_on.release()
        chunks += [chunk async for chunk in stream]

    assert "Invoices are under" in "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    assert chunks[-1].choices[0].finish_reason == "stop"


async def test_an_answer_that_was_cut_is_an_error_and_no_whole_answer(tmp_path: Path) -> None:
    engine = PacedEngine(parts=(Sentence("Invoices are under **Billing > History**.", cites=("p1",)),))
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        async with _asked(here) as stream:
            here.doors.stopping.set()
            with pytest.raises(openai.APIError) as raised:
                [chunk async for chunk in stream]
        engine.may_go_on.release()

    assert raised.value.code == "stream_ended"
