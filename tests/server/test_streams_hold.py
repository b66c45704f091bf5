"""Whoever reads a stream, over whatever connections and workers: nothing is missing, repeated, or meant for others."""

import asyncio
from collections.abc import Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from agent.events import Custom
from tests.server.harness import Customer, Event, Here, bearer, run_input, serving
from tests.server.judge import check
from tests.server.readers import Line, Reader, Row, RunReader, being_written, rows_of, spoken
from tests.server.stepwise import DEEDS, SYSTEM, WORDS, Bot, take_over, take_step
from tools.storage.catching_up import changed_since
from tools.storage.log import ConversationLog
from tools.storage.schema import client_messages, turns
from tools.storage.wakeups import Wakeups

T = TypeVar("T")
# Hypothesis decides how much happens; what protects a server from that has its own tests.
UNLIMITED: dict[str, Any] = {
    "sessions_per_minute": 1_000_000,
    "messages_per_minute": 1_000_000,
    "streams_per_owner": 10_000,
    "streams_per_address": 10_000,
}


@dataclass
class Talk:
    """A conversation and everybody who has to do with it."""

    customer: Customer
    said: list[str] = field(default_factory=list)
    bot: Bot = field(default_factory=Bot)
    readers: list[Reader] = field(default_factory=list)
    runs: list[RunReader] = field(default_factory=list)
    replies: int = 0

    @property
    def id(self) -> str:
        return self.customer.conversation_id

    @property
    def idle(self) -> bool:
        """Somebody spoke with it, and no worker has it in hand now: erasing would wait for that one."""
        return bool(self.bot.claims) and self.bot.speaking is None


class Streaming(RuleBasedStateMachine):
    """Two customers, a person, a bot that goes on step by step, and readers; their model is the table of events."""

    runner: ClassVar[asyncio.Runner]
    heres: ClassVar[list[Here]]
    people: ClassVar[list[httpx.AsyncClient]]

    def __init__(self) -> None:
        super().__init__()
        self.talks: list[Talk] = []
        self.may_erase = True
        self.hints_lost = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @initialize(data=st.data())
    def two_customers_come(self, data: st.DataObject) -> None:
        for _ in range(2):
            self.talks.append(Talk(self.run(self.heres[0].session())))
            self.post(data, self.talks[-1], again=False)

    @property
    def readers(self) -> list[tuple[Talk, Reader]]:
        return [(talk, reader) for talk in self.talks for reader in talk.readers]

    @property
    def runs(self) -> list[tuple[Talk, RunReader]]:
        return [(talk, reader) for talk in self.talks for reader in talk.runs]

    @rule(data=st.data(), again=st.booleans())
    def customer_posts_and_listens(self, data: st.DataObject, again: bool) -> None:
        self.post(data, data.draw(st.sampled_from(self.talks)), again=again)

    def post(self, data: st.DataObject, talk: Talk, *, again: bool) -> None:
        here = data.draw(st.sampled_from(self.heres))
        if not again:
            talk.said.append(f"m{len(talk.said)}-{talk.id}")
        message_id = data.draw(st.sampled_from(talk.said)) if again else talk.said[-1]

        async def post() -> None:
            body = run_input(talk.id, "Where are my invoices?", message_id)
            line = await Line.open(here.http, "/v1/agui", talk.customer.headers, body=body)
            accepted = (
                select(client_messages.c.turn_id, client_messages.c.seq, turns.c.run_started_seq)
                .join(turns, turns.c.turn_id == client_messages.c.turn_id)
                .where(client_messages.c.client_message_id == message_id)
            )
            async with here.runtime.db.reading() as conn:
                turn_id, after, started = (await conn.execute(accepted)).one()
            # Who sends a message again, perhaps one that joined a run, is told of the run from its beginning.
            after = min(after, started) if again and started is not None else after
            talk.runs.append(RunReader(talk.id, turn_id, body["runId"], after, line))

        self.run(post())

    @rule(data=st.data(), deaf=st.booleans(), does=st.lists(st.sampled_from(DEEDS), min_size=1, max_size=5))
    def worker_goes_on(self, data: st.DataObject, deaf: bool, does: list[str]) -> None:
        talk = data.draw(st.sampled_from(self.talks))
        log = self.log(data, deaf=deaf)
        said = [(deed, data.draw(st.sampled_from(WORDS))) for deed in does]

        async def go_on() -> None:
            for deed, word in said:
                if talk.bot.speaking is None or deed == "die":
                    await take_over(log, talk.bot, talk.id)
                if talk.bot.speaking is not None:
                    await take_step(log, talk.bot, talk.bot.speaking, deed, word)

        self.run(go_on())

    @rule(data=st.data(), does=st.sampled_from(["take", "reply", "reply", "hand_back", "resolve"]))
    def person_acts(self, data: st.DataObject, does: str) -> None:
        talk, person = data.draw(st.sampled_from(self.talks)), data.draw(st.sampled_from(self.people))
        talk.replies += does == "reply"
        reply_id = f"r{data.draw(st.integers(max(1, talk.replies - 1), max(1, talk.replies)))}"
        body = {
            "take": {"person": "Grace"},
            "reply": {"text": "I am looking.", "client_message_id": reply_id, "person": "Grace"},
            "hand_back": {"note": "for us alone"},
            "resolve": {"outcome": "solved", "note": "for us alone"},
        }[does]
        answer = self.run(person.post(f"/v1/inbox/conversations/{talk.id}/{does}", json=body))
        assert answer.status_code in (200, 409), answer.text

    @rule(data=st.data(), staff=st.booleans(), stays=st.booleans())
    def reader_comes(self, data: st.DataObject, staff: bool, stays: bool) -> None:
        talk = data.draw(st.sampled_from(self.talks))
        rows = self.rows(talk)
        after = data.draw(st.integers(0, len(rows)))
        reader = Reader(talk.id, after, staff)
        self.run(self.connect(talk, reader, data.draw(st.integers(0, len(self.heres) - 1)), stays=stays))
        talk.readers.append(reader)

    @precondition(lambda self: self.readers)
    @rule(data=st.data(), count=st.integers(0, 8), leaves=st.booleans(), stays=st.booleans())
    def reader_reads_or_comes_back(self, data: st.DataObject, count: int, leaves: bool, stays: bool) -> None:
        talk, reader = data.draw(st.sampled_from(self.readers))
        where = data.draw(st.integers(0, len(self.heres) - 1))

        async def go_on() -> None:
            if reader.line is not None:
                await self.read(talk, reader, count)
            if leaves:
                await reader.leave()
            if reader.line is None:
                await self.connect(talk, reader, where, stays=stays)

        self.run(go_on())

    @precondition(lambda self: self.runs)
    @rule(data=st.data(), count=st.integers(0, 8), cut=st.booleans(), stays=st.booleans())
    def listener_reads_or_goes_on_by_number(self, data: st.DataObject, count: int, cut: bool, stays: bool) -> None:
        talk, listener = data.draw(st.sampled_from(self.runs))
        where = data.draw(st.integers(0, len(self.heres) - 1))

        async def go_on() -> None:
            await self.listen(talk, listener, count)
            if cut and listener in talk.runs:
                await listener.line.close()
                talk.runs.remove(listener)
                if listener.last is not None:
                    talk.readers.append(Reader(talk.id, listener.last))
                    await self.connect(talk, talk.readers[-1], where, stays=stays)

        self.run(go_on())

    @rule(data=st.data(), follow=st.booleans())
    def reader_comes_without_a_number(self, data: st.DataObject, follow: bool) -> None:
        talk, here = data.draw(st.sampled_from(self.talks)), data.draw(st.sampled_from(self.heres))
        rows = self.rows(talk)

        async def come() -> None:
            active = await here.runtime.log.active_turn(SYSTEM, talk.id)
            stays = follow and active is None
            path = talk.customer.path("events")
            line = await Line.open(here.http, path, talk.customer.headers, follow=stays)
            begun = [await line.next()]
            while begun[-1].seq is None:
                begun.append(await line.next())
            open_message = being_written(rows, active.turn_id) if active else None
            assert begun[0].event["type"] == "RUN_STARTED"
            end = {**begun[0].event, "type": "RUN_FINISHED"} if active is None else None
            assert [sent.event for sent in begun[1:]] == _beginning(rows, open_message, end)
            assert begun[-1].seq == len(rows)
            if active is not None:
                open_id = open_message[0] if open_message else None
                run_id = begun[0].event["runId"]
                reader = RunReader(talk.id, active.turn_id, run_id, len(rows), line, open_id, begun)
                talk.runs.append(reader)
                return
            if not stays:
                assert await line.rest() == []
            check(begun, thread_id=talk.id)
            talk.readers.append(Reader(talk.id, len(rows), line=line if stays else None))

        self.run(come())

    @precondition(lambda self: self.may_erase and any(talk.idle for talk in self.talks))
    @rule(data=st.data())
    def customer_is_erased_and_another_comes(self, data: st.DataObject) -> None:
        talk = data.draw(st.sampled_from([talk for talk in self.talks if talk.idle]))
        here = data.draw(st.sampled_from(self.heres))
        # It costs as much as a hundred other steps.
        self.may_erase = False

        async def erase() -> Customer:
            await self.part(talk)
            whose, admin = {"conversation": talk.id, "yes": True}, bearer(here.doors.admin_token)
            answer = await here.http.post("/v1/admin/acts/erase", json=whose, headers=admin)
            assert answer.status_code == 200, answer.text
            assert await rows_of(here, talk.id) == []
            for each in self.heres:
                gone = await each.http.get(talk.customer.path("events"), headers=talk.customer.headers)
                assert gone.status_code in (401, 404)
            return await here.session()

        self.talks.remove(talk)
        self.talks.append(Talk(self.run(erase())))
        self.post(data, self.talks[-1], again=False)

    def teardown(self) -> None:
        """In the end everybody has read everything, and nobody what is another's."""
        try:
            for talk, other in zip(self.talks, reversed(self.talks), strict=True):
                self.run(self.read_all(talk))
                self.run(self.find_nothing(talk, other))
        finally:
            for talk in self.talks:
                self.run(self.part(talk))

    async def read_all(self, talk: Talk) -> None:
        rows = await rows_of(self.heres[0], talk.id)
        assert [row.seq for row in rows] == list(range(1, len(rows) + 1))
        talk.readers += [Reader(talk.id, 0, staff) for staff in (False, True)]
        for reader in talk.readers:
            if reader.line is None:
                await self.connect(talk, reader, -1, stays=True)
            await self.read(talk, reader, len(rows))
        for listener in list(talk.runs):
            await self.listen(talk, listener, len(rows))

    async def find_nothing(self, talk: Talk, other: Talk) -> None:
        ahead = len(await rows_of(self.heres[0], talk.id)) + 1
        for here in self.heres:
            for who, last, status in ((other, {}, 404), (other, _last(0), 404), (talk, _last(ahead), 409)):
                headers = {**who.customer.headers, **last}
                # Its status is enough: a stream that should not be there doesn't end.
                async with here.http.stream("GET", talk.customer.path("events"), headers=headers) as answer:
                    assert answer.status_code == status

    def rows(self, talk: Talk) -> list[Row]:
        return self.run(rows_of(self.heres[0], talk.id))

    def log(self, data: st.DataObject, *, deaf: bool) -> ConversationLog:
        """The log of another worker, on any of the databases; a deaf one's hints reach nobody."""
        runtime = data.draw(st.sampled_from(self.heres)).runtime
        self.hints_lost |= deaf
        return ConversationLog(runtime.db, Wakeups()) if deaf else runtime.log

    async def connect(self, talk: Talk, reader: Reader, where: int, *, stays: bool) -> None:
        """Open a reader's stream after the last event that it knows; one that doesn't stay is read to its end."""
        here = self.heres[where]
        if reader.staff:
            path = f"/v1/inbox/conversations/{talk.id}/events"
            reader.line = await Line.open(self.people[where], path, {}, after=reader.last)
            return
        path, headers = talk.customer.path("events"), talk.customer.headers
        rows = await rows_of(here, talk.id)
        active = await here.runtime.log.active_turn(SYSTEM, talk.id)
        # The server looks for the run when it begins to tell; with nothing to tell there is no knowing when that was.
        stays = stays or (active is not None and not reader.due(rows))
        reader.line = await Line.open(here.http, path, headers, after=reader.last, follow=stays)
        if stays:
            return
        reader.until = active.turn_id if active else None
        if active is not None:
            await reader.take(1, rows)
            return
        await reader.take(len(rows), rows)
        assert await reader.line.rest() == []
        await reader.leave()

    async def read(self, talk: Talk, reader: Reader, count: int) -> None:
        await self.catch_up()
        await reader.take(count, await rows_of(self.heres[0], talk.id))

    async def listen(self, talk: Talk, listener: RunReader, count: int) -> None:
        await self.catch_up()
        if await listener.take(count, await rows_of(self.heres[0], talk.id)):
            await listener.line.close()
            talk.runs.remove(listener)

    async def catch_up(self) -> None:
        """What makes up for hints that are lost, as it does each second on PostgreSQL."""
        if not self.hints_lost:
            return
        self.hints_lost = False
        for here in self.heres:
            runtime = here.runtime
            since = datetime.now(UTC) - timedelta(minutes=10)
            for conversation_id, seq in await changed_since(runtime.db, [runtime.workspace.workspace_id], since):
                runtime.wakeups.hear(conversation_id, seq)

    async def part(self, talk: Talk) -> None:
        for reader in talk.readers:
            await reader.leave()
        for listener in talk.runs:
            await listener.line.close()


def _last(seq: int) -> dict[str, str]:
    return {"Last-Event-ID": str(seq)}


def _snapshot(told: dict[str, tuple[str, str]]) -> Event:
    roles = {message_id: "user" if author == "customer" else "assistant" for message_id, (author, _) in told.items()}
    messages = [{"id": name, "role": roles[name], "content": text} for name, (_, text) in told.items()]
    return {"type": "MESSAGES_SNAPSHOT", "messages": messages}


def _beginning(rows: list[Row], open_message: tuple[str, str] | None, end: Event | None) -> list[Event]:
    """What somebody who comes without a number is told after RUN_STARTED."""
    told = spoken(rows)
    begun: list[Event] = [_snapshot(told)]
    if open_message is not None:
        message_id, text = open_message
        begun.append({"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"})
        begun.append({"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": text})
    if end is not None:
        by_customer = [name for name, (author, _) in told.items() if author == "customer"]
        since = list(told)[list(told).index(by_customer[-1]) + 1 :] if by_customer else []
        values = {
            row.event["value"]["message_id"]: row.event for row in rows if row.event.get("name") == Custom.MESSAGE
        }
        begun += [values[name] for name in since]
        begun.append(end)
    return begun


@pytest.mark.hypothesis
@pytest.mark.parametrize("database", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_everybody_reads_the_log_whole_and_only_what_is_theirs(
    tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue("postgres_url") if database == "postgres" else None
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()

        async def serve() -> None:
            # On SQLite one process has the database; on PostgreSQL two workers share it.
            for number in range(1 if url is None else 2):
                folder = tmp_path / str(number)
                folder.mkdir()
                here = await stack.enter_async_context(serving(folder, database_url=url, **UNLIMITED))
                Streaming.heres.append(here)
                # Doors only: the turns are worked on here, step by step.
                here.runtime.turns.stop()
                Streaming.people.append(await stack.enter_async_context(here.staff()))

        Streaming.runner, Streaming.heres, Streaming.people = runner, [], []
        try:
            runner.run(serve())
            run_state_machine_as_test(
                Streaming,
                settings=settings(
                    # Two workers on PostgreSQL take longer for the same. With fewer examples nobody noticed a customer
                    # who was told what is the team's.
                    max_examples=settings().max_examples // (11 if url is None else 16),
                    stateful_step_count=30,
                    suppress_health_check=list(HealthCheck),
                    # An event that doesn't come is waited for in each try, so a shorter example would take an hour.
                    phases=[Phase.explicit, Phase.generate],
                ),
            )
        finally:
            runner.run(stack.aclose())
