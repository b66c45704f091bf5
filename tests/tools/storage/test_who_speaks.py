"""Whatever happens in whatever order: people are never talked over, and nobody is left without an answer."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from agent.errors import Conflict, LeaseLost, NotFound
from agent.events import Custom
from agent.handoff import TABLE, Move, step
from agent.types import Mode
from tests.tools.storage.arrange import (
    ADA,
    NOW,
    STAFF,
    bot_message,
    converse,
    end_turn,
    finished,
    open_log,
    say,
    story,
    words,
)
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.erasing import count_rows, erase
from tools.storage.log import ConversationLog, Lease, TurnWork
from tools.storage.retention import old_conversations, over_since
from tools.storage.schema import conversations
from tools.storage.sql_functions import database_now
from tools.storage.turn_log import Ended

T = TypeVar("T")
_PEOPLE = (Mode.WAITING, Mode.WITH_PERSON)
_MUCH_LATER = datetime(2100, 1, 1, tzinfo=UTC)


class Conversing(RuleBasedStateMachine):
    """A customer, two workers (one may be a zombie) and a person, against a model that is one mode."""

    runner: asyncio.Runner
    log: ConversationLog
    desk: Desk

    def __init__(self) -> None:
        super().__init__()
        self.erased = False
        self.begin()

    def begin(self) -> None:
        self.conversation = self.run(converse(self.log))
        self.conversation_id = self.conversation.conversation_id
        self.mode = Mode.BOT
        self.sent = 0
        self.handbacks = 0
        self.workers: list[tuple[Lease, TurnWork]] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.runner.run(work)

    @rule(repeated=st.booleans())
    def customer_writes(self, repeated: bool) -> None:
        if repeated and self.sent:
            assert self.run(say(self.log, self.conversation, f"m{self.sent}")).duplicate
            return
        self.sent += 1
        self.run(say(self.log, self.conversation, f"m{self.sent}"))
        self.mode = step(self.mode, Move.CUSTOMER_WRITES).to

    @rule()
    def worker_dies_and_another_claims(self) -> None:
        async def work() -> tuple[Lease, TurnWork] | None:
            for lease, _ in self.workers:
                await self.log.renew(lease, -1.0)
            return await self.log.begin(self.conversation_id, holder=f"w{len(self.workers)}", ttl_s=60)

        claimed = self.run(work())
        if claimed is not None:
            self.workers.append(claimed)

    @precondition(lambda self: self.workers or self.sent)
    @rule(data=st.data(), hands_off=st.booleans(), lets_go=st.booleans())
    def worker_goes_on(self, data: st.DataObject, hands_off: bool, lets_go: bool) -> None:
        if not self.workers:
            self.worker_dies_and_another_claims()
        if not self.workers:
            return
        lease, work = data.draw(st.sampled_from(self.workers))
        silent = work.conversation.mode in _PEOPLE
        moves = not silent and hands_off

        async def go_on() -> bool:
            count = len(work.messages)
            if not silent:
                opening = words("Hel", work.turn_id)
                if not await self.log.open_answer(lease, work.turn_id, message_count=count, events=opening):
                    return False
            ended = await end_turn(
                self.log,
                lease,
                work,
                message_count=count,
                events=[finished(work)] if silent else [bot_message("Hello", work.turn_id), finished(work)],
                outcome="delivered" if silent else "answered",
                move=Move.HAND_OFF if moves else None,
                handoff=story(promised_by=NOW) if moves else None,
                let_go=lets_go,
            )
            return bool(ended)

        with suppress(LeaseLost):
            was_open = self.is_open(work.turn_id)
            if self.run(go_on()) and was_open and moves:
                self.mode = step(self.mode, Move.HAND_OFF).to
        if lets_go:
            self.run(self.log.release(lease))

    @precondition(lambda self: self.workers)
    @rule(data=st.data())
    def worker_speaks_and_stalls(self, data: st.DataObject) -> None:
        lease, work = data.draw(st.sampled_from(self.workers))
        if work.conversation.mode not in _PEOPLE and self.is_open(work.turn_id):
            with suppress(LeaseLost):
                self.run(
                    self.log.open_answer(
                        lease, work.turn_id, message_count=len(work.messages), events=words("Hel", work.turn_id)
                    )
                )

    # One rule, so that the customer and the workers have their turns as often.
    @rule(data=st.data(), does=st.sampled_from(["take", "reply", "hand back", "resolve"]))
    def person_acts(self, data: st.DataObject, does: str) -> None:
        match does:
            case "take":
                self.person_takes()
            case "reply":
                self.person_replies(data.draw(st.integers(0, 2)))
            case "hand back":
                self.person_hands_back_and_the_bot_answers()
            case _:
                self.person_resolves()

    def person_takes(self) -> None:
        self.run(self.desk.take(STAFF, self.conversation_id, "Grace", NOW))
        self.mode = step(self.mode, Move.TAKE).to

    def person_replies(self, reply_id: int) -> None:
        try:
            self.run(self.desk.reply(STAFF, self.conversation_id, "Hi", f"r{reply_id}", "Grace", NOW))
        except Conflict:
            assert self.mode is not Mode.WITH_PERSON

    def person_hands_back_and_the_bot_answers(self) -> None:
        try:
            self.run(self.desk.hand_back(STAFF, self.conversation_id, None, NOW))
        except Conflict:
            assert (self.mode, Move.HAND_BACK) not in TABLE
            return
        self.handbacks += 1
        self.mode = step(self.mode, Move.HAND_BACK).to
        self.customer_writes(repeated=False)
        self.worker_dies_and_another_claims()
        lease, work = self.workers[-1]
        assert work.conversation.mode is Mode.BOT
        assert self.run(
            self.log.open_answer(lease, work.turn_id, message_count=len(work.messages), events=words("Hel"))
        )

    def person_resolves(self) -> None:
        try:
            self.run(self.desk.resolve(STAFF, self.conversation_id, "solved", None, NOW))
        except Conflict:
            assert (self.mode, Move.RESOLVE) not in TABLE
            return
        self.mode = step(self.mode, Move.RESOLVE).to

    # Once at most: what comes before it has to have time to come.
    @precondition(lambda self: self.sent > 1 and not self.erased)
    @rule(asked_for=st.booleans())
    def conversation_is_erased_or_too_old(self, asked_for: bool) -> None:
        """What is over may go by its age, anything when it is asked for; late workers bring nothing of it back."""

        async def erase_it() -> bool:
            workspace_id, over = self.conversation.workspace_id, await self.is_over()
            events = (await self.count())["events"]
            only_if = None if asked_for else over_since(_MUCH_LATER)
            gone = await erase(self.log.database, workspace_id, [self.conversation_id], only_if=only_if)
            assert gone["events"] == (events if asked_for or over else 0)
            return asked_for or over

        async def come_late() -> None:
            for lease, work in self.workers:
                assert not await self.log.renew(lease, 60)
                with pytest.raises(LeaseLost):
                    await self.log.append(lease, work.turn_id, [bot_message("Hello", work.turn_id)])
            with pytest.raises(NotFound):
                await say(self.log, self.conversation, "late")
            assert set((await self.count()).values()) == {0}

        if self.run(erase_it()):
            self.erased = True
            self.run(come_late())
            self.begin()

    async def count(self) -> dict[str, int]:
        workspace_id = self.conversation.workspace_id
        return await count_rows(self.log.database, workspace_id, [self.conversation_id], keep_open_bugs=False)

    async def is_over(self) -> bool:
        """Whether nothing is to come in it: nobody is asked for, no turn is unfinished, no worker holds it."""
        leased = select(conversations.c.lease_until > database_now()).where(
            conversations.c.conversation_id == self.conversation_id
        )
        async with self.log.database.reading() as conn:
            held = bool((await conn.execute(leased)).scalar_one())
        active = await self.log.active_turn(ADA, self.conversation_id)
        return active is None and not held and self.mode not in _PEOPLE

    @invariant()
    def only_what_is_over_can_be_too_old(self) -> None:
        old = self.run(old_conversations(self.log.database, self.conversation.workspace_id, _MUCH_LATER))
        assert (self.conversation_id in old) == self.run(self.is_over())

    @invariant()
    def stored_mode_is_the_models_and_has_a_way_out(self) -> None:
        stored = self.run(self.log.conversation(ADA, self.conversation_id))
        assert (stored.mode, stored.handbacks) == (self.mode, self.handbacks)
        assert any(TABLE[mode, move].to is not mode for mode, move in TABLE if mode is stored.mode)
        rows = self.run(self.desk.handoffs(STAFF, limit=1000))
        [mine] = [row for row in rows if row["conversation_id"] == self.conversation_id]
        if self.mode in _PEOPLE:
            assert mine["queue_id"] is not None
            assert mine["outcome"] is None

    @invariant()
    def log_is_dense_and_nobody_talks_over_a_person(self) -> None:
        events = self.run(self.log.read(STAFF, self.conversation_id, after_seq=0, staff=True, limit=10_000))
        assert [e.seq for e in events] == list(range(1, len(events) + 1))
        mode = "bot"
        for event in events:
            value: Any = event.event.get("value")
            if event.event.get("name") == Custom.MODE:
                mode = value["mode"]
            by_bot = event.event["type"] == "TEXT_MESSAGE_CONTENT" or (
                event.event.get("name") == Custom.MESSAGE and value["author"] == "bot"
            )
            assert not (by_bot and mode == "with_person")

    def is_open(self, turn_id: str) -> bool:
        active = self.run(self.log.active_turn(ADA, self.conversation_id))
        return active is not None and active.turn_id == turn_id

    def teardown(self) -> None:
        """Every message that was accepted can still be worked off."""

        async def drain() -> None:
            for old, _ in self.workers:
                await self.log.renew(old, -1.0)
            begun = await self.log.begin(self.conversation_id, holder="last", ttl_s=60)
            while begun is not None:
                lease, work = begun
                done = await end_turn(
                    self.log, lease, work, message_count=len(work.messages), outcome="delivered", let_go=True
                )
                assert done
                following = await self.log.next_turn(lease) if done is Ended.ENDED else None
                begun = None if following is None else (lease, following)
            assert await self.log.active_turn(ADA, self.conversation_id) is None
            events = await self.log.read(ADA, self.conversation_id, after_seq=0, staff=False, limit=10_000)
            said = [e for e in events if e.event.get("name") == Custom.MESSAGE]
            assert sum(e.event["value"]["author"] == "customer" for e in said) == self.sent  # type: ignore[index]
            ended = [e.turn_id for e in events if e.event["type"] == "RUN_FINISHED"]
            assert len(ended) == len(set(ended)), "a turn ended twice"

        self.run(drain())


@pytest.mark.hypothesis
def test_nobody_is_talked_over_or_left_alone(tmp_path: Path) -> None:
    with asyncio.Runner() as runner:
        database = runner.run(Database.open(None, data_dir=tmp_path))
        try:
            Conversing.runner = runner
            Conversing.log = open_log(database)
            Conversing.desk = Desk(Conversing.log)
            run_state_machine_as_test(
                Conversing,
                settings=settings(
                    max_examples=settings().max_examples // 3,
                    stateful_step_count=25,
                    deadline=None,
                    suppress_health_check=list(HealthCheck),
                ),
            )
        finally:
            runner.run(database.close())
