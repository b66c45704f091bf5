"""Accepted messages, run detached under a lease: bursts, restarts, takeovers, failures."""

import asyncio
from collections.abc import AsyncGenerator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from agent.errors import BadTurn, Conflict, DatabaseAway
from agent.ports import AnswerBrief
from agent.types import Message, Mode, PageContext, Sentence, ToolCall, Understanding, Untrusted
from graphs import turns
from graphs.turns import SubmittedMessage
from tests.fakes import CALM, ScriptedEngine, fake_deps
from tests.graphs.installation import LIMITS, SCOPE, STAFF, bot_messages, ended, installation, kinds
from tools.storage.log import ConversationLog, Lease


class SlowEngine(ScriptedEngine):
    """Takes its time to understand, and between two sentences when told so."""

    understand_s = 0.3
    pause_s = 0.0

    async def understand(
        self, texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext
    ) -> Understanding:
        await asyncio.sleep(self.understand_s)
        return await super().understand(texts, history, page)

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        self.briefs.append(brief)
        for part in self.parts:
            yield part
            await asyncio.sleep(self.pause_s)


TWO_SENTENCES = (
    Sentence("Invoices are under **Billing > History**.", cites=("p1",)),
    Sentence("Invoices are under", cites=("p1",)),
)


async def test_a_turn_is_a_well_formed_run_in_the_log(tmp_path: Path) -> None:
    async with installation(tmp_path, fake_deps()) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, ended())

    found = kinds(events)
    assert found[0] == "helpgraph.message.v1"
    assert found[1] == "RUN_STARTED"
    assert found[-1] == "RUN_FINISHED"
    order = ["TEXT_MESSAGE_START", "TEXT_MESSAGE_CONTENT", "TEXT_MESSAGE_END", "helpgraph.outcome.v1"]
    assert [kind for kind in found if kind in order] == order
    assert [event.seq for event in events] == list(range(1, len(events) + 1))


async def test_a_burst_is_answered_once(tmp_path: Path) -> None:
    engine = SlowEngine()
    async with installation(tmp_path, fake_deps(engine=engine)) as here:
        conversation_id = await here.begin()
        for number, text in enumerate(["hi", "where are", "my invoices?"]):
            await here.say(conversation_id, text, f"m{number}")
            await asyncio.sleep(0.05)
        events = await here.until(conversation_id, ended())

    assert len(bot_messages(events)) == 1
    assert engine.briefs[-1].question.render_plain() == "hi where are my invoices?"
    assert kinds(events).count("RUN_STARTED") == 1


async def test_a_message_after_the_first_word_is_the_next_turn_and_knows_the_answer_before_it(tmp_path: Path) -> None:
    engine = SlowEngine(parts=TWO_SENTENCES)
    engine.understand_s, engine.pause_s = 0.0, 0.4
    async with installation(tmp_path, fake_deps(engine=engine)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?", "m1")
        await here.until(conversation_id, lambda events: "TEXT_MESSAGE_START" in kinds(events))
        await here.say(conversation_id, "and my receipts?", "m2")
        events = await here.until(conversation_id, ended(2))

    assert len(bot_messages(events)) == 2
    said = [message.text.render_plain() for message in engine.briefs[-1].history]
    assert said[0] == "Where are my invoices?"
    assert said[1].startswith("Invoices are under")
    assert len(said) == 2


async def test_while_the_customer_types_the_first_word_waits_a_moment(tmp_path: Path) -> None:
    engine = ScriptedEngine()
    async with installation(tmp_path, fake_deps(engine=engine)) as here:
        conversation_id = await here.begin()
        await here.log.typing(SCOPE, conversation_id, datetime.now(UTC))
        await here.say(conversation_id, "where are", "m1")
        await here.log.typing(SCOPE, conversation_id, datetime.now(UTC))
        await asyncio.sleep(0.4)
        assert "TEXT_MESSAGE_START" not in kinds(await here.events(conversation_id))
        await here.say(conversation_id, "my invoices?", "m2")
        events = await here.until(conversation_id, ended())

    assert len(bot_messages(events)) == 1
    assert engine.briefs[-1].question.render_plain() == "where are my invoices?"


async def test_typing_for_ever_holds_nobody_longer_than_the_hold(tmp_path: Path) -> None:
    async with installation(tmp_path, fake_deps()) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "where are my invoices?")

        async def type_on() -> None:
            while True:
                await here.log.typing(SCOPE, conversation_id, datetime.now(UTC))
                await asyncio.sleep(0.2)

        typing = asyncio.create_task(type_on())
        events = await here.until(conversation_id, ended())
        typing.cancel()

    assert len(bot_messages(events)) == 1


async def test_the_same_message_again_changes_nothing_and_another_text_is_refused(tmp_path: Path) -> None:
    async with installation(tmp_path, fake_deps()) as here:
        conversation_id = await here.begin()
        message = SubmittedMessage("m1", "Where?", run_id="run-1")
        accepted = await asyncio.gather(*(here.turns.submit(SCOPE, conversation_id, message) for _ in range(20)))
        events = await here.until(conversation_id, ended())
        with pytest.raises(Conflict):
            await here.turns.submit(SCOPE, conversation_id, replace(message, text="Something else"))

    assert len({a.turn_id for a in accepted}) == 1
    assert sum(not a.duplicate for a in accepted) == 1
    assert len(bot_messages(events)) == 1


async def test_a_wish_for_a_person_that_is_sent_again_after_it_was_met_changes_nothing(tmp_path: Path) -> None:
    async with installation(tmp_path, fake_deps()) as here:
        conversation_id = await here.begin()
        wish = SubmittedMessage("w1", "A person, please", run_id="run-1", wish=True)
        first = await here.turns.submit(SCOPE, conversation_id, wish)
        met = await here.until(conversation_id, ended())
        again = await here.turns.submit(SCOPE, conversation_id, replace(wish, run_id="run-2"))
        await here.desk.take(STAFF, conversation_id, "Mara", datetime.now(UTC))
        late = await here.turns.submit(SCOPE, conversation_id, replace(wish, run_id="run-3"))
        await here.say(conversation_id, "Are you there?", "m2")
        events = await here.until(conversation_id, ended(2))

    assert {first.turn_id, again.turn_id, late.turn_id} == {first.turn_id}
    assert again.duplicate
    assert late.duplicate
    assert kinds(met).count("helpgraph.handoff.v1") == kinds(events).count("helpgraph.handoff.v1") == 1
    assert kinds(events).count("RUN_STARTED") == 2


async def test_a_turn_outlives_the_process(tmp_path: Path) -> None:
    """The process dies after half an answer; the next one says what stands, answers again, and once."""
    dying = SlowEngine(parts=TWO_SENTENCES)
    dying.understand_s, dying.pause_s = 0.0, 30.0
    async with installation(tmp_path, fake_deps(engine=dying), grace_s=0.2) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        await here.until(conversation_id, lambda events: "TEXT_MESSAGE_CONTENT" in kinds(events))

    async with installation(tmp_path, fake_deps()) as here:
        events = await here.until(conversation_id, ended())

    found = kinds(events)
    assert found.count("RUN_STARTED") == 1
    assert found.count("helpgraph.message.v1") == 2
    snapshot = found.index("MESSAGES_SNAPSHOT")
    assert found.index("TEXT_MESSAGE_START") < snapshot < len(found) - 1 - found[::-1].index("TEXT_MESSAGE_START")


async def test_a_person_who_takes_over_is_not_talked_over(tmp_path: Path) -> None:
    engine = SlowEngine(parts=TWO_SENTENCES)
    engine.understand_s, engine.pause_s = 0.0, 0.5
    async with installation(tmp_path, fake_deps(engine=engine)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        await here.until(conversation_id, lambda events: "TEXT_MESSAGE_CONTENT" in kinds(events))
        await here.desk.take(STAFF, conversation_id, "Mara", datetime.now(UTC))
        taken = len(await here.events(conversation_id))
        await asyncio.sleep(1.0)
        await here.say(conversation_id, "Hello Mara", "m2")
        events = await here.until(conversation_id, ended(2))

    after = events[taken:]
    assert "TEXT_MESSAGE_CONTENT" not in kinds(after)
    assert bot_messages(after) == []


async def test_the_bot_answers_again_after_it_was_handed_back(tmp_path: Path) -> None:
    wishing = ScriptedEngine(understanding=replace(CALM, wish_for_person=0.95))
    deps = fake_deps(engine=wishing)
    async with installation(tmp_path, deps) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "A person please", "m1")
        await here.until(conversation_id, ended(1))
        assert (await here.log.conversation(SCOPE, conversation_id)).mode is Mode.WAITING
        await here.desk.take(STAFF, conversation_id, "Mara", datetime.now(UTC))
        await here.desk.reply(STAFF, conversation_id, "Done.", "r1", "Mara", datetime.now(UTC))
        await here.desk.hand_back(STAFF, conversation_id, None, datetime.now(UTC))
        wishing.understanding = CALM
        await here.say(conversation_id, "Where are my invoices?", "m2")
        await here.until(conversation_id, ended(2))
        events = await here.events(conversation_id)

    assert str(bot_messages(events)[-1]["text"]).startswith("Invoices are under")


@pytest.mark.parametrize("where", ["understand", "answer"])
async def test_a_turn_that_fails_ends_with_a_person_not_with_silence(tmp_path: Path, where: str) -> None:
    async with installation(tmp_path, fake_deps(engine=ScriptedEngine(fail_in=where))) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, ended())
        waiting = await here.log.conversation(SCOPE, conversation_id)

    assert waiting.mode is Mode.WAITING
    assert "we have your message" in str(bot_messages(events)[-1]["text"])


async def test_a_turn_that_hangs_is_ended_and_handed_over(tmp_path: Path) -> None:
    stuck = SlowEngine()
    stuck.understand_s = 60
    limits = replace(LIMITS, turn_timeout_s=0.3)
    async with installation(tmp_path, fake_deps(engine=stuck), limits) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, ended())

    assert "helpgraph.handoff.v1" in kinds(events)


async def test_fifty_conversations_at_once_are_all_answered(tmp_path: Path) -> None:
    async with installation(tmp_path, fake_deps()) as here:
        conversations = [await here.begin() for _ in range(50)]
        await asyncio.gather(*(here.say(c, "Where are my invoices?") for c in conversations))
        for conversation_id in conversations:
            events = await here.until(conversation_id, ended())
            assert len(bot_messages(events)) == 1


@pytest.mark.parametrize("text", ["", "   ", "\x00\x01", "x" * 8001])
async def test_what_cannot_be_a_message_is_refused_before_it_is_logged(tmp_path: Path, text: str) -> None:
    async with installation(tmp_path, fake_deps()) as here:
        conversation_id = await here.begin()
        with pytest.raises(BadTurn):
            await here.say(conversation_id, text)
        assert await here.events(conversation_id) == []


class BreaksOff(ScriptedEngine):
    """Fails when it has said half of it."""

    async def answer(self, brief: AnswerBrief) -> AsyncGenerator[Sentence | ToolCall, None]:
        self.briefs.append(brief)
        yield self.parts[0]
        await asyncio.sleep(0.2)
        raise ValueError("on purpose")


async def test_words_that_were_shown_stay_when_the_turn_fails(tmp_path: Path) -> None:
    engine = BreaksOff(parts=TWO_SENTENCES)
    async with installation(tmp_path, fake_deps(engine=engine)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, ended())
        seen = (await here.desk.conversation_view(STAFF, conversation_id))["messages"]

    shown = "".join(str(e.event["delta"]) for e in events if e.event["type"] == "TEXT_MESSAGE_CONTENT")
    said = [str(message["text"]) for message in seen if message["author"] == "bot"]
    assert said[0].startswith("Invoices are under **Billing > History**.")
    assert "we have your message" in said[1]
    assert shown == "".join(said)
    for begun, over in (("TEXT_MESSAGE_START", "TEXT_MESSAGE_END"), ("STEP_STARTED", "STEP_FINISHED")):
        assert kinds(events).count(begun) == kinds(events).count(over), begun


async def test_words_do_not_wait_for_those_that_follow_fast(tmp_path: Path) -> None:
    fast = SlowEngine(parts=TWO_SENTENCES * 40)
    fast.understand_s, fast.pause_s = 0, 0.03
    async with installation(tmp_path, fake_deps(engine=fast)) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        events = await here.until(conversation_id, lambda events: "TEXT_MESSAGE_CONTENT" in kinds(events))
        assert "RUN_FINISHED" not in kinds(events)
        await here.until(conversation_id, ended())


class AwayOnce(ConversationLog):
    """Its database is away when a lease is prolonged for the first time."""

    renewals = 0

    async def renew(self, lease: Lease, ttl_s: float) -> bool:
        self.renewals += 1
        if self.renewals == 1:
            raise DatabaseAway("on purpose")
        return await super().renew(lease, ttl_s)


async def test_a_lease_is_prolonged_again_when_it_could_not_be_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "LEASE_S", 1.5)
    slow = SlowEngine()
    slow.understand_s = 4
    async with installation(tmp_path, fake_deps(engine=slow), log_class=AwayOnce) as here:
        conversation_id = await here.begin()
        await here.say(conversation_id, "Where are my invoices?")
        await asyncio.sleep(3)
        assert await here.log.begin(conversation_id, holder="another", ttl_s=1) is None
        await here.until(conversation_id, ended())
