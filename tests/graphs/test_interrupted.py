"""Turns that a crash, an outage or a stop breaks off at an unlucky moment: what chaos found, each with its cause."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import URL

from agent.deps import TurnDeps
from agent.effects import effect_key
from agent.errors import DatabaseAway
from agent.ports import AnswerBrief, BugReport
from agent.types import (
    BugDraft,
    BugTicket,
    Identity,
    Kind,
    Message,
    PageContext,
    Sentence,
    ToolCall,
    Understanding,
    Untrusted,
)
from graphs.checkpoints import open_checkpointer, stored_threads, thread_of
from graphs.keeping import Keeping
from graphs.translate import Finished, run_turn
from tests.fakes import CALM, RecordingTracker, ScriptedEngine, ask, fake_deps
from tests.graphs.installation import LIMITS, SCOPE, STAFF, bot_messages, ended, installation, kinds
from tests.migrated import put_migrated
from tests.turn_graph import turn_graph_that_keeps
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.log import ConversationLog, Lease, TurnWork
from tools.storage.tracker import BuiltInTracker
from tools.storage.wakeups import Wakeups

BUG = replace(CALM, kind=Kind.BUG)


@asynccontextmanager
async def left_behind(folder: Path, *, attempts: int) -> AsyncIterator[tuple[str, TurnWork]]:
    """A conversation whose turn was begun so often by processes that died before they wrote anything."""
    await put_migrated(folder)
    db = await Database.open(None, data_dir=folder)
    log = ConversationLog(db, Wakeups())
    made = await log.create_conversation(
        SCOPE, thread_id="", identity=Identity(), channel="widget", language="en", now=datetime.now(UTC)
    )
    await log.accept(
        SCOPE,
        made.conversation_id,
        client_message_id="m1",
        text="Where are my invoices?",
        page=None,
        run_id="run-1",
        wish=False,
        now=datetime.now(UTC),
    )
    work = None
    for _ in range(attempts):
        begun = await log.begin(made.conversation_id, holder="dead", ttl_s=60)
        assert begun is not None
        lease, work = begun
        await log.release(lease)
    assert work is not None
    yield made.conversation_id, work
    await db.close()


async def run_graph(folder: Path, deps: TurnDeps, thread_id: str) -> None:
    """Run the graph to its end on that thread, as a process does that dies before it writes the turn's end."""
    async with open_checkpointer(await _url(folder), data_dir=folder) as checkpointer:
        async for _ in run_turn(
            turn_graph_that_keeps(checkpointer), deps, ask("Where are my invoices?"), thread_id=thread_id
        ):
            pass


async def _url(folder: Path) -> URL:
    db = await Database.open(None, data_dir=folder)
    await db.close()
    return db.url


async def test_an_answer_whose_end_was_not_written_is_not_said_twice(tmp_path: Path) -> None:
    async with left_behind(tmp_path, attempts=1) as (conversation_id, work):
        await run_graph(tmp_path, fake_deps(), thread_of(work.turn_id, 1, 1))

    async with installation(tmp_path, fake_deps()) as here:
        events = await here.until(conversation_id, ended())

    (message,) = bot_messages(events)
    assert str(message["text"]).count("Invoices are under") == 1


async def test_a_turn_that_is_parked_before_it_ever_began_has_a_beginning(tmp_path: Path) -> None:
    async with left_behind(tmp_path, attempts=3) as (conversation_id, _):
        pass

    async with installation(tmp_path, fake_deps()) as here:
        events = await here.until(conversation_id, ended())

    found = kinds(events)
    assert found.count("RUN_STARTED") == 1
    assert found.index("RUN_STARTED") < found.index("TEXT_MESSAGE_START")


async def test_a_turn_that_the_database_left_in_the_lurch_is_tried_again(tmp_path: Path) -> None:
    engine = AwayOnce()
    async with installation(tmp_path, fake_deps(engine=engine)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, ended())

    assert engine.away
    assert str(bot_messages(events)[-1]["text"]).startswith("Invoices are under")
    assert "helpgraph.handoff.v1" not in kinds(events)


@dataclass
class AwayOnce(ScriptedEngine):
    """The first turn's store is away."""

    away: bool = False

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        if not self.away:
            self.away = True
            raise DatabaseAway("scripted")
        return await super().understand(texts, history, page)


async def broken_off(folder: Path) -> tuple[str, str]:
    """A conversation whose turn stands in the middle of its graph, and the thread of its checkpoint."""
    async with left_behind(folder, attempts=1) as (conversation_id, work):
        thread_id = thread_of(work.turn_id, 1, 1)
        with suppress(DatabaseAway):
            await run_graph(folder, fake_deps(engine=AwayOnce()), thread_id)
    return conversation_id, thread_id


async def test_a_turn_whose_checkpoint_lacks_a_part_begins_anew(tmp_path: Path) -> None:
    conversation_id, thread_id = await broken_off(tmp_path)
    async with open_checkpointer(await _url(tmp_path), data_dir=tmp_path) as saver:
        found = await saver.aget_tuple({"configurable": {"thread_id": thread_id}})
        assert found is not None
        del found.checkpoint["channel_values"]["page"]
        await saver.aput(
            {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}}, found.checkpoint, found.metadata, {}
        )

    async with installation(tmp_path, fake_deps()) as here:
        events = await here.until(conversation_id, ended())

    assert str(bot_messages(events)[-1]["text"]).startswith("Invoices are under")
    assert "helpgraph.handoff.v1" not in kinds(events)


async def test_a_turn_that_another_version_has_begun_begins_anew(tmp_path: Path) -> None:
    conversation_id, thread_id = await broken_off(tmp_path)
    async with open_checkpointer(await _url(tmp_path), data_dir=tmp_path) as saver:
        found = await saver.aget_tuple({"configurable": {"thread_id": thread_id}})
        assert found is not None
        assert found.metadata["shape"]  # type: ignore[typeddict-item]  # Ours, beside the library's own.
        # As a value comes back that has a field which this version doesn't know.
        found.checkpoint["channel_values"]["request"] = {"turn_id": "t", "from_the_future": True}
        await saver.aput(
            {"configurable": {"thread_id": thread_id, "checkpoint_ns": ""}},
            found.checkpoint,
            {**found.metadata, "shape": "another"},  # type: ignore[typeddict-unknown-key]  # As above.
            {},
        )

    async with installation(tmp_path, fake_deps()) as here:
        events = await here.until(conversation_id, ended())

    assert str(bot_messages(events)[-1]["text"]).startswith("Invoices are under")
    assert "helpgraph.handoff.v1" not in kinds(events)


@dataclass
class NeverAnswers(ScriptedEngine):
    """Decides to answer, and is still about to when its process dies."""

    answering: asyncio.Event = field(default_factory=asyncio.Event)

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        self.answering.set()
        await asyncio.Event().wait()
        yield Sentence("Never said.")


async def test_a_turn_that_filed_after_its_last_checkpoint_tells_of_the_bug(tmp_path: Path) -> None:
    tracker = RecordingTracker()
    async with left_behind(tmp_path, attempts=1) as (conversation_id, work):
        # It was going to answer; what a model filed in the middle of that was the last thing it did.
        engine = NeverAnswers()
        dying = asyncio.create_task(run_graph(tmp_path, fake_deps(engine=engine), thread_of(work.turn_id, 1, 1)))
        await engine.answering.wait()
        dying.cancel()
        with suppress(asyncio.CancelledError):
            await dying
    request = ask(turn_id=work.turn_id, conversation_id=conversation_id, workspace_id=SCOPE.workspace_id)
    tracker.filed[effect_key(request, "bug")] = object()  # type: ignore[assignment]  # That it is there will do.

    async with installation(tmp_path, fake_deps(tracker=tracker)) as here:
        events = await here.until(conversation_id, ended())

    assert "BUG-1" in str(bot_messages(events)[-1]["text"])
    assert len(tracker.filed) == 1


@dataclass
class FailsLate(ScriptedEngine):
    """Fails when it is told to."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        self.begun.set()
        await self.may_go_on.wait()
        raise RuntimeError("scripted")


async def test_who_fails_after_another_has_taken_the_turn_leaves_it_its_checkpoint(tmp_path: Path) -> None:
    engine = FailsLate()
    async with installation(tmp_path, fake_deps(engine=engine)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        await engine.begun.wait()
        # With nothing left to write it learns only at its end that the turn is another's.
        await here.until(conversation_id, lambda events: kinds(events).count("STEP_STARTED") == 2)
        (holder,) = await here.log.holders_of_work(SCOPE.workspace_id)
        await here.log.free(holder)
        assert await here.log.claim(conversation_id, holder="another", ttl_s=60) is not None
        engine.may_go_on.set()

    async with open_checkpointer(await _url(tmp_path), data_dir=tmp_path) as saver:
        assert len(await stored_threads(saver)) == 1


@dataclass
class StandsStill(ScriptedEngine):
    """Understands when it is let."""

    standing: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        self.standing.set()
        await self.may_go_on.wait()
        return await super().understand(texts, history, page)


async def test_who_stood_still_doesnt_write_into_the_state_of_who_took_the_turn(tmp_path: Path) -> None:
    still, after = StandsStill(), StandsStill()
    after.may_go_on.set()
    async with left_behind(tmp_path, attempts=2) as (_, work):
        frozen = asyncio.create_task(
            run_graph(tmp_path, fake_deps(engine=still), thread_of(work.turn_id, len(work.messages), 1))
        )
        await still.standing.wait()
        async with open_checkpointer(await _url(tmp_path), data_dir=tmp_path) as saver:
            keeping = Keeping(turn_graph_that_keeps(saver), repeatable=False)
            assert await keeping.stands(work, filed=False)
            # It comes to its end just before the other reads what it goes on from.
            still.may_go_on.set()
            await frozen
            found = [
                event
                async for event in run_turn(
                    keeping.graph,
                    fake_deps(engine=after),
                    ask("Where are my invoices?"),
                    thread_id=keeping.thread(work),
                    resume=True,
                )
            ]
            await keeping.forget(work)
            left = await stored_threads(saver)

    assert after.standing.is_set()
    assert isinstance(found[-1], Finished)
    assert "Invoices are under" in found[-1].reply.text
    assert left == []


class InDoubt(Database):
    """Its first commit is made, and nobody hears of it."""

    told = True

    @asynccontextmanager
    async def _transaction(self, lengthy: bool) -> AsyncIterator[Connection]:
        async with super()._transaction(lengthy) as conn:
            yield conn
        if self.told:
            self.told = False
            raise DatabaseAway("scripted")


class HeldUnheard(ConversationLog):
    """Takes a conversation for an hour, and nobody hears of it the first time."""

    taken = False

    async def begin(self, conversation_id: str, *, holder: str, ttl_s: float) -> tuple[Lease, TurnWork] | None:
        begun = await super().begin(conversation_id, holder=holder, ttl_s=3600)
        if begun is not None and not self.taken:
            self.taken = True
            raise DatabaseAway("scripted")
        return begun


async def test_a_conversation_that_was_taken_unheard_is_not_waited_for(tmp_path: Path) -> None:
    async with installation(tmp_path, fake_deps(), log_class=HeldUnheard) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, ended())

    assert kinds(events).count("RUN_STARTED") == 1
    assert str(bot_messages(events)[-1]["text"]).startswith("Invoices are under")


async def test_a_bug_whose_filing_is_in_doubt_is_told_of_and_filed_once(tmp_path: Path) -> None:
    db = await InDoubt.open(None, data_dir=tmp_path)
    tracker = BuiltInTracker(db, None)
    async with installation(tmp_path, fake_deps(engine=ScriptedEngine(understanding=BUG), tracker=tracker)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "The export is empty")
        events = await here.until(conversation_id, ended())
        (bug,) = await tracker.bugs(STAFF)
    await db.close()

    (ticket,) = (e.event["value"] for e in events if e.event.get("name") == "helpgraph.ticket.v1")
    assert isinstance(ticket, dict)
    assert (ticket["bug_id"], ticket["is_new"], bug["occurrences"]) == (bug["bug_id"], True, 1)


@dataclass
class SlowTracker(RecordingTracker):
    """Waits in the middle of a filing until it is told to go on."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def file(self, report: BugReport) -> BugTicket:
        self.begun.set()
        await self.may_go_on.wait()
        return await super().file(report)


@dataclass
class SlowDraft(ScriptedEngine):
    """Waits before a filing until it is told to go on."""

    begun: asyncio.Event = field(default_factory=asyncio.Event)
    may_go_on: asyncio.Event = field(default_factory=asyncio.Event)

    async def draft_bug(
        self,
        texts: tuple[Untrusted, ...],
        history: tuple[Message, ...],
        page: PageContext,
        understanding: Understanding,
    ) -> BugDraft:
        self.begun.set()
        await self.may_go_on.wait()
        return await super().draft_bug(texts, history, page, understanding)


async def test_a_message_that_comes_while_a_bug_is_filed_is_the_next_turn(tmp_path: Path) -> None:
    """Joining would start the turn anew, perhaps on another way, and nobody would be told of the ticket."""
    tracker = SlowTracker()
    async with installation(tmp_path, fake_deps(engine=ScriptedEngine(understanding=BUG), tracker=tracker)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "The export is empty", "m1")
        await tracker.begun.wait()
        await here.say(conversation_id, "Where are my invoices?", "m2")
        tracker.may_go_on.set()
        events = await here.until(conversation_id, ended(2))

    found = kinds(events)
    assert "helpgraph.joined.v1" not in found
    assert found.index("helpgraph.ticket.v1") < found.index("RUN_FINISHED")


async def test_a_message_that_comes_before_a_bug_is_filed_joins_and_it_is_filed_once(tmp_path: Path) -> None:
    engine, tracker = SlowDraft(understanding=BUG), RecordingTracker()
    async with installation(tmp_path, fake_deps(engine=engine, tracker=tracker)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "The export is empty", "m1")
        await engine.begun.wait()
        await here.say(conversation_id, "since Monday", "m2")
        engine.may_go_on.set()
        events = await here.until(conversation_id, ended())

    assert kinds(events).count("helpgraph.ticket.v1") == 1
    (report,) = tracker.filed.values()
    assert "since Monday" in report.said.render_plain()


async def test_a_process_that_stops_lets_go_of_what_it_can_no_longer_begin(tmp_path: Path) -> None:
    engine = SlowDraft(understanding=BUG)
    async with installation(tmp_path, fake_deps(engine=engine), replace(LIMITS, concurrent_turns=1)) as here:
        first, second = await here.begin(), await here.begin()
        await here.say(first, "The export is empty", "m1")
        await engine.begun.wait()
        await here.say(second, "The export is empty", "m2")
        asyncio.get_running_loop().call_later(0.1, engine.may_go_on.set)
    db = await Database.open(None, data_dir=tmp_path)
    lease = await ConversationLog(db, Wakeups()).claim(second, holder="next", ttl_s=1)
    await db.close()

    assert lease is not None
