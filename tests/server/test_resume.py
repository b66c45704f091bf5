"""Streams that were cut go on where they were: no event is missing, none comes twice."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from agent.events import Custom
from agent.types import Sentence
from server import sse
from tests.fakes import fake_deps
from tests.server.harness import (
    Customer,
    Here,
    PacedEngine,
    Sent,
    bot_texts,
    read_stream,
    run_input,
    serving,
)
from tools.storage.codec import custom
from tools.storage.log import ActiveTurn, NewEvent
from tools.storage.schema import sessions
from tools.storage.scope import Scope

ANSWER = "Invoices are under **Billing > History**."
TWO_PARTS = (Sentence(ANSWER, cites=("p1",)), Sentence("Invoices are under", cites=("p1",)))


async def test_after_every_event_the_rest_follows_without_gap_or_repeat(customer: Customer) -> None:
    await customer.say("Where are my invoices?")
    whole = await customer.events(0)

    for index, sent in enumerate(whole, start=1):
        assert sent.seq is not None
        assert await customer.events(sent.seq) == whole[index:], index


async def test_a_stream_cut_at_every_event_while_it_runs_loses_and_repeats_nothing(tmp_path: Path) -> None:
    engine = PacedEngine(parts=TWO_PARTS)
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        customer = await here.session()
        body = run_input(customer.conversation_id, "Where are my invoices?")
        seen: list[Sent] = []
        async with here.http.stream("POST", "/v1/agui", json=body, headers=customer.headers) as answer:
            seen.append(await anext(read_stream(answer)))
        for _ in TWO_PARTS:
            engine.may_go_on.release()
        while seen[-1].kind != "RUN_FINISHED":
            headers = {**customer.headers, "Last-Event-ID": str(seen[-1].seq)}
            async with here.http.stream("GET", customer.path("events"), headers=headers) as answer:
                seen.append(await anext(read_stream(answer)))
        logged = await customer.events(seen[0].seq)

    assert [sent.seq for sent in seen[1:]] == [sent.seq for sent in logged]


async def test_without_a_last_event_the_stream_begins_with_what_was_said(customer: Customer) -> None:
    await customer.say("Where are my invoices?", "m1")
    events = await customer.events()

    kinds = ["RUN_STARTED", "MESSAGES_SNAPSHOT", "helpgraph.message.v1", "RUN_FINISHED"]
    assert [sent.kind for sent in events] == kinds
    messages = events[1].event["messages"]
    assert [message["role"] for message in messages] == ["user", "assistant"]
    assert messages[0] == {"id": "m1", "role": "user", "content": "Where are my invoices?"}


async def test_joining_in_the_middle_of_an_answer_gives_its_beginning_once(tmp_path: Path) -> None:
    engine = PacedEngine(parts=TWO_PARTS)
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        customer = await here.session()
        running = await _half_said(here, customer, engine)
        joined: list[Sent] = []
        async with here.http.stream("GET", customer.path("events"), headers=customer.headers) as answer:
            async for sent in read_stream(answer):
                joined.append(sent)
                if sent.kind == "TEXT_MESSAGE_CONTENT" and len(joined) < 5:
                    engine.may_go_on.release()
        await running

    kinds = [sent.kind for sent in joined]
    assert kinds[:4] == ["RUN_STARTED", "MESSAGES_SNAPSHOT", "TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT"]
    assert kinds[-1] == "RUN_FINISHED"
    assert kinds.count("TEXT_MESSAGE_START") == 1
    streamed = "".join(str(sent.event["delta"]) for sent in joined if sent.kind == "TEXT_MESSAGE_CONTENT")
    assert streamed == bot_texts(joined)[0]


async def test_the_beginning_counts_as_seen_only_when_all_of_it_was_sent(customer: Customer) -> None:
    # Cut between two of its events, a client would come back with the first one's number and never get the second.
    await customer.say("Where are my invoices?")
    events = await customer.events()

    assert [sent.seq is None for sent in events] == [True, True, True, False]


async def test_a_follower_hears_what_comes_later(here: Here, customer: Customer) -> None:
    url, headers = customer.path("events"), {**customer.headers, "Last-Event-ID": "0"}
    async with here.http.stream("GET", url, params={"follow": "true"}, headers=headers) as answer:
        stream = read_stream(answer)
        await customer.say("Where are my invoices?", "m1")
        first = await anext(stream)
        async for sent in stream:
            if sent.kind == "RUN_FINISHED":
                break

    assert first.event["value"]["message_id"] == "m1"


async def test_a_number_from_the_future_is_a_conflict(here: Here, customer: Customer) -> None:
    for number in ("1", "999999999999"):
        headers = {**customer.headers, "Last-Event-ID": number}
        answer = await here.http.get(customer.path("events"), headers=headers)
        assert answer.status_code == 409, number


async def test_what_is_no_number_is_refused(here: Here, customer: Customer) -> None:
    for given in ("-1", "1.5", "abc", "0x10", "9" * 40, "1 2"):
        headers = {**customer.headers, "Last-Event-ID": given}
        answer = await here.http.get(customer.path("events"), headers=headers)
        assert answer.status_code == 422, given


async def test_customers_never_see_what_is_for_the_team(here: Here, customer: Customer) -> None:
    await customer.say("Where are my invoices?")

    shown = {sent.kind for sent in [*await customer.events(0), *await customer.events()]}
    for name in ("decision", "evidence", "handoff", "contact"):
        assert f"helpgraph.{name}.v1" not in shown
    async with here.staff() as staff:
        path = f"/v1/inbox/conversations/{customer.conversation_id}/events"
        async with staff.stream("GET", path) as answer:
            async for sent in read_stream(answer):
                if sent.kind == "helpgraph.decision.v1":
                    break


async def test_a_person_who_takes_over_ends_the_run(tmp_path: Path) -> None:
    engine = PacedEngine(parts=TWO_PARTS)
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        customer = await here.session()
        running = await _half_said(here, customer, engine)
        async with here.staff() as staff:
            taken = await staff.post(
                f"/v1/inbox/conversations/{customer.conversation_id}/take", json={"person": "Grace"}
            )
        assert taken.json() == {"mode": "with_person"}
        async with asyncio.timeout(30):
            events = await running

    assert events[-1].kind == "RUN_FINISHED"
    assert [sent.kind for sent in events].count("TEXT_MESSAGE_END") == 1


async def _half_said(here: Here, customer: Customer, engine: PacedEngine) -> asyncio.Task[list[Sent]]:
    """Ask, and return the stream of the answer when its first half is said."""
    running = asyncio.create_task(customer.say("Where are my invoices?"))
    engine.may_go_on.release()
    scope = Scope.system(here.runtime.workspace.workspace_id)
    async with asyncio.timeout(30):
        while True:
            events = await here.runtime.log.read(scope, customer.conversation_id, after_seq=0, staff=True)
            if any(logged.event["type"] == "TEXT_MESSAGE_CONTENT" for logged in events):
                return running
            await asyncio.sleep(0.02)


async def test_a_run_that_ends_while_somebody_joins_is_told_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = PacedEngine(parts=TWO_PARTS)
    async with serving(tmp_path, fake_deps(engine=engine)) as here:
        customer = await here.session()
        running = await _half_said(here, customer, engine)
        read = here.runtime.log.active_turn

        async def a_moment_later(scope: Scope, conversation_id: str) -> ActiveTurn | None:
            engine.may_go_on.release()
            await running
            return await read(scope, conversation_id)

        monkeypatch.setattr(here.runtime.log, "active_turn", a_moment_later)
        follow = {"follow": "true"}
        async with here.http.stream("GET", customer.path("events"), params=follow, headers=customer.headers) as answer:
            stream = read_stream(answer)
            joined = [await anext(stream) for _ in range(4)]
            notice = NewEvent(custom(Custom.NOTICE, {"code": "x", "text": "Later"}))
            await here.runtime.log.record(Scope.system("example"), customer.conversation_id, [notice])
            joined.append(await anext(stream))

    kinds = ["RUN_STARTED", "MESSAGES_SNAPSHOT", "helpgraph.message.v1", "RUN_FINISHED", "helpgraph.notice.v1"]
    assert [sent.kind for sent in joined] == kinds


async def test_a_stream_ends_with_its_session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sse, "_KNOWN_S", 0.0)
    async with serving(tmp_path) as here:
        customer = await here.session()
        headers = {**customer.headers, "Last-Event-ID": "0"}
        follow = {"follow": "true"}
        notice = NewEvent(custom(Custom.NOTICE, {"code": "x", "text": "For whoever is signed in"}))
        scope = Scope.system("example")
        async with here.http.stream("GET", customer.path("events"), params=follow, headers=headers) as answer:
            stream = read_stream(answer)
            await here.runtime.log.record(scope, customer.conversation_id, [notice])
            assert (await anext(stream)).kind == "helpgraph.notice.v1"
            async with here.runtime.db.transaction() as conn:
                await conn.execute(update(sessions).values(expires_at=datetime.now(UTC) - timedelta(days=1)))
            await here.runtime.log.record(scope, customer.conversation_id, [notice])

            assert [sent async for sent in stream] == []
