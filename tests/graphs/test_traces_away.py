"""Receivers that are away, nodes that break and customers who leave: a turn's trace never costs it anything."""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from langchain_core.callbacks import BaseCallbackHandler
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from pydantic import SecretStr

from agent.deps import TurnDeps
from agent.errors import Misconfigured
from agent.ports import AnswerBrief
from agent.types import Sentence, ToolCall, TurnRequest
from graphs.settings import load_settings
from graphs.translate import Emitted, Finished, run_turn
from tests.fakes import ScriptedEngine, ask, fake_deps
from tests.model_server.hosting import nobody_there
from tests.tools.tracing.receivers import Receiver, attributes, collected_spans, langsmith_runs
from tests.turn_graph import turn_graph
from tools.tracing.opening import Tracing, open_tracing
from tools.tracing.options import TraceOptions


@asynccontextmanager
async def tracing_to(langsmith_url: str, otlp_url: str, *, flush_s: float = 20) -> AsyncIterator[Tracing]:
    options = TraceOptions(langsmith_url, "tests", SecretStr("key"), otlp_url, flush_s=flush_s)
    async with open_tracing(options) as tracing:
        yield tracing


async def run(deps: TurnDeps, request: TurnRequest, callbacks: list[BaseCallbackHandler]) -> list[object]:
    """What a turn's events say, without the times in them."""
    events = [event async for event in run_turn(turn_graph(), deps, request, callbacks=callbacks)]
    assert isinstance(events[-1], Finished)
    return [event.event for event in (*events[:-1], *events[-1].events) if isinstance(event, Emitted)]


async def test_receivers_that_hang_hold_up_nothing_and_the_end_does_not_wait_for_them(
    langsmith: Receiver, collector: Receiver
) -> None:
    langsmith.hangs = collector.hangs = True
    plain = await run(fake_deps(), ask("Where are my invoices?"), [])

    async with tracing_to(langsmith.url, collector.url, flush_s=0.2) as tracing:
        traced = [await run(fake_deps(), ask("Where are my invoices?"), tracing.callbacks()) for _ in range(3)]
        await asyncio.to_thread(langsmith.wait_for, bool)

    assert traced == [plain] * 3


async def test_receivers_that_are_down_are_said_once_each(caplog: pytest.LogCaptureFixture) -> None:
    plain = await run(fake_deps(), ask("Where are my invoices?"), [])

    with nobody_there() as url:
        async with tracing_to(url, url) as tracing:
            traced = [await run(fake_deps(), ask("Where are my invoices?"), tracing.callbacks()) for _ in range(5)]

    assert traced == [plain] * 5
    said = [record for record in caplog.records if record.levelno >= logging.WARNING]
    assert sorted(record.name for record in said) == ["tools.tracing.outage"] * 2
    assert {"langsmith" in said[0].getMessage(), "langsmith" in said[1].getMessage()} == {True, False}


async def test_more_turns_than_may_wait_are_dropped(langsmith: Receiver, collector: Receiver) -> None:
    langsmith.hangs = True

    async with tracing_to(langsmith.url, collector.url, flush_s=60) as tracing:
        for _ in range(112):
            await run(fake_deps(), ask("Where are my invoices?"), tracing.callbacks())
        langsmith.hangs = False
        langsmith.ended.set()

    # A hundred waited, and one was being sent.
    assert 100 <= len([run for run in langsmith_runs(langsmith).values() if run["name"] == "turn"]) < 110
    assert len([span for span in collected_spans(collector) if span.name == "turn"]) == 112


async def test_a_node_that_breaks_is_traced_without_what_it_said(langsmith: Receiver, collector: Receiver) -> None:
    class Breaks(ScriptedEngine):
        async def summarise(self, *args: object) -> str:
            raise ValueError("can't read ada@example.com")

    request = ask("Where are my invoices?", wish_for_person=True)
    async with tracing_to(langsmith.url, collector.url) as tracing:
        with pytest.raises(ValueError, match="can't read"):
            await run(fake_deps(engine=Breaks()), request, tracing.callbacks())

    broken = {run["name"]: run["error"] for run in langsmith_runs(langsmith).values() if run.get("error")}
    assert broken.keys() == {"turn", "handoff"}
    assert broken["handoff"].startswith('ValueError("can\'t read [email]")')
    assert "ada@example.com" not in langsmith.everything
    spans = {span.name: span for span in collected_spans(collector)}
    assert attributes(spans["handoff"])["error.type"] == attributes(spans["turn"])["error.type"] == "ValueError"
    assert spans["handoff"].status.code == Status.STATUS_CODE_ERROR
    assert (spans["handoff"].status.message, list(spans["handoff"].events)) == ("", [])
    assert spans["judge"].status.code == Status.STATUS_CODE_UNSET


async def test_a_turn_that_is_given_up_ends_its_trace(langsmith: Receiver, collector: Receiver) -> None:
    reached = asyncio.Event()

    class Waits(ScriptedEngine):
        async def answer(self, brief: AnswerBrief) -> AsyncIterator[Sentence | ToolCall]:  # type: ignore[override]
            reached.set()
            await asyncio.Event().wait()
            yield Sentence("Never.")

    async with tracing_to(langsmith.url, collector.url) as tracing:
        task = asyncio.create_task(run(fake_deps(engine=Waits()), ask("Where are my invoices?"), tracing.callbacks()))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    spans = {span.name: span for span in collected_spans(collector)}
    assert attributes(spans["answer"])["helpgraph.stopped"] is True
    assert spans["turn"].status.code == Status.STATUS_CODE_UNSET
    assert "CancelledError" in next(r["error"] for r in langsmith_runs(langsmith).values() if r["name"] == "turn")


async def test_each_turn_has_callbacks_of_its_own(langsmith: Receiver, collector: Receiver) -> None:
    async with tracing_to(langsmith.url, collector.url) as tracing:
        requests = [ask("Where are my invoices?", turn_id=f"turn_{number}") for number in range(20)]
        await asyncio.gather(*(run(fake_deps(), request, tracing.callbacks()) for request in requests))

    turns = [run for run in langsmith_runs(langsmith).values() if run["name"] == "turn"]
    assert {run["extra"]["metadata"]["turn_id"] for run in turns} == {request.turn_id for request in requests}
    assert len({span.trace_id for span in collected_spans(collector)}) == 20
    for span in collected_spans(collector):
        assert (span.parent_span_id == b"") == (span.name == "turn")


async def test_a_turn_without_callbacks_has_none() -> None:
    async with open_tracing(TraceOptions("http://127.0.0.1:9", "tests")) as tracing:
        assert tracing.callbacks() == []


@pytest.mark.parametrize("name", ["langsmith_url", "otlp_endpoint"])
def test_an_address_that_is_none_stops_the_start(name: str) -> None:
    with pytest.raises(Misconfigured, match=f"HELPGRAPH_{name.upper()} must begin with http"):
        load_settings(**{name: "localhost:4318"})


def test_an_empty_key_is_no_key() -> None:
    options = load_settings(langsmith_key=" ", otlp_endpoint="").trace_options()

    assert (options.langsmith_key, options.otlp_endpoint) == (None, None)
