"""What people do with conversations, and that the bot never talks over them."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from agent.errors import BadTurn, Conflict, LeaseLost, NotFound
from agent.events import Custom
from agent.handoff import Move
from agent.types import Mode
from tests.tools.storage.arrange import (
    ADA,
    NOW,
    OTHER_STAFF,
    STAFF,
    begin,
    bot_message,
    converse,
    end_turn,
    open_log,
    say,
    story,
    words,
)
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import Conversation, ConversationLog, NewEvent


async def hand_off(log: ConversationLog, *, message_id: str = "m1", **kw: Any) -> Conversation:
    conversation = await converse(log)
    await say(log, conversation, message_id, "I want a refund")
    lease, work = await begin(log, conversation)
    await end_turn(log, lease, work, outcome="handed_off", move=Move.HAND_OFF, handoff=story(**kw))
    await log.release(lease)
    return await log.conversation(ADA, conversation.conversation_id)


async def kinds(log: ConversationLog, conversation: Conversation, after_seq: int) -> list[object]:
    events = await log.read(ADA, conversation.conversation_id, after_seq=after_seq, staff=False)
    return [e.event.get("name", e.event["type"]) for e in events]


async def test_inbox_rows_tell_the_story_and_what_is_unread(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log, promised_by=NOW + timedelta(minutes=15))
    await say(log, conversation, "m2", "Hello?")

    [row] = await desk.handoffs(STAFF, Mode.WAITING, now=NOW)
    assert row["conversation_id"] == conversation.conversation_id
    assert (row["wanted"], row["queue_id"], row["priority"], row["reason"]) == (
        "A refund",
        "billing",
        "high",
        "explicit_wish",
    )
    assert (row["last_message"], row["unread"], row["overdue"]) == ("Hello?", 2, False)
    [late] = await desk.handoffs(STAFF, Mode.WAITING, now=NOW + timedelta(hours=1))
    assert late["overdue"]

    await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
    assert await desk.handoffs(STAFF, Mode.WAITING) == []
    [row] = await desk.handoffs(STAFF, Mode.WITH_PERSON, now=NOW + timedelta(hours=1))
    assert (row["person"], row["unread"], row["overdue"]) == ("Grace", 0, False)


async def test_urgent_handoffs_come_first_and_all_lists_every_conversation(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    normal = await hand_off(log, priority="normal")
    urgent = await hand_off(log, priority="urgent")
    untouched = await converse(log)
    waiting = await desk.handoffs(STAFF, Mode.WAITING)
    assert [row["conversation_id"] for row in waiting] == [urgent.conversation_id, normal.conversation_id]
    everything = {row["conversation_id"]: row for row in await desk.handoffs(STAFF)}
    assert len(everything) == 3
    assert everything[untouched.conversation_id]["queue_id"] is None


async def test_of_more_than_are_shown_the_most_pressing_are(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    waited_longest, urgent, _, newest = [
        await hand_off(log, priority=priority) for priority in ("normal", "urgent", "normal", "normal")
    ]

    shown = await desk.handoffs(STAFF, Mode.WAITING, limit=2)
    assert [row["conversation_id"] for row in shown] == [urgent.conversation_id, waited_longest.conversation_id]
    [last] = await desk.handoffs(STAFF, limit=1)
    assert last["conversation_id"] == newest.conversation_id


async def test_take_refuses_the_running_bot_and_closes_its_stream(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    step = NewEvent({"type": "STEP_STARTED", "stepName": "answer"})
    await log.append(lease, work.turn_id, [step])
    await log.open_answer(lease, work.turn_id, message_count=1, events=words("Click on"))
    before = (await log.conversation(ADA, conversation.conversation_id)).last_seq

    taken = await Desk(log).take(STAFF, conversation.conversation_id, "Grace", NOW)

    assert taken.mode is Mode.WITH_PERSON
    with pytest.raises(LeaseLost):
        await log.append(lease, work.turn_id, [bot_message("Click on Export")])
    assert await kinds(log, conversation, before) == [
        "TEXT_MESSAGE_END",
        "helpgraph.message.v1",
        "STEP_FINISHED",
        "helpgraph.outcome.v1",
        "RUN_FINISHED",
        "helpgraph.mode.v1",
    ]
    said = (await log.messages(ADA, conversation.conversation_id))[-1]
    assert (said["author"], said["text"]) == ("bot", "Click on")
    assert await log.active_turn(ADA, conversation.conversation_id) is None
    assert await log.waiting_work(ADA.workspace_id, 10) == []


async def test_turn_that_never_began_is_delivered_as_a_whole_run(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    accepted = await say(log, conversation, "m1")
    await Desk(log).take(STAFF, conversation.conversation_id, "Grace", NOW)
    events = await log.read(ADA, conversation.conversation_id, after_seq=1, staff=False)
    assert [e.event["type"] for e in events] == ["RUN_STARTED", "CUSTOM", "RUN_FINISHED", "CUSTOM"]
    assert [e.turn_id for e in events] == [accepted.turn_id] * 3 + [None]


async def test_taking_again_is_quiet_and_by_another_person_moves_it(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log)
    first = await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
    again = await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
    assert first.last_seq == again.last_seq
    await desk.take(STAFF, conversation.conversation_id, "Alan", NOW)
    [row] = await desk.handoffs(STAFF, Mode.WITH_PERSON)
    assert row["person"] == "Alan"


async def test_an_act_that_is_sent_again_under_its_id_happens_once(database: Database) -> None:
    log = open_log(database)
    desk, conversation = Desk(log), await hand_off(log)
    where = conversation.conversation_id
    await desk.take(STAFF, where, "Ada", NOW, act_id="a1")
    await desk.hand_back(STAFF, where, "Over to you", NOW, act_id="a2")
    # A server that stood still carries them out late.
    late = [
        await desk.take(STAFF, where, "Ada", NOW, act_id="a1"),
        await desk.hand_back(STAFF, where, "Over to you", NOW, act_id="a2"),
    ]
    await desk.resolve(STAFF, where, "solved", None, NOW, act_id="a3")
    late.append(await desk.resolve(STAFF, where, "solved", None, NOW, act_id="a3"))

    assert [each.mode for each in late] == [Mode.HANDED_BACK, Mode.HANDED_BACK, Mode.CLOSED]
    told: list[Any] = [
        each.event["value"]["mode"]  # type: ignore[index]  # Our own facts are objects.
        for each in await log.read(STAFF, where, after_seq=0, staff=True)
        if each.event.get("name") == Custom.MODE
    ]
    assert told[-3:] == ["with_person", "handed_back", "closed"]


async def test_the_id_of_another_act_is_refused(database: Database) -> None:
    log = open_log(database)
    desk, conversation, other = Desk(log), await hand_off(log), await hand_off(log)
    where = conversation.conversation_id
    await desk.take(STAFF, where, "Ada", NOW, act_id="a1")
    others = (
        desk.take(STAFF, where, "Grace", NOW, act_id="a1"),
        desk.hand_back(STAFF, where, None, NOW, act_id="a1"),
        desk.take(STAFF, other.conversation_id, "Ada", NOW, act_id="a1"),
    )
    for another in others:
        with pytest.raises(Conflict, match="another act"):
            await another


async def test_an_act_that_was_refused_leaves_its_id_free(database: Database) -> None:
    log = open_log(database)
    desk, conversation = Desk(log), await converse(log)
    with pytest.raises(Conflict):
        await desk.hand_back(STAFF, conversation.conversation_id, None, NOW, act_id="a1")
    taken = await desk.take(STAFF, conversation.conversation_id, "Ada", NOW, act_id="a1")
    assert taken.mode is Mode.WITH_PERSON


async def test_only_whoever_has_a_conversation_speaks_in_it(database: Database) -> None:
    log = open_log(database)
    desk, conversation = Desk(log), await hand_off(log)
    where = conversation.conversation_id
    await desk.take(STAFF, where, "Grace", NOW)
    said = await desk.reply(STAFF, where, "Hello", "r1", "Grace", NOW)

    with pytest.raises(Conflict, match="'Grace' has this conversation"):
        await desk.reply(STAFF, where, "Hello too", "r2", "Ada", NOW)
    await desk.take(STAFF, where, "Ada", NOW)
    await desk.reply(STAFF, where, "Hello too", "r2", "Ada", NOW)

    with pytest.raises(Conflict, match="'Ada' has this conversation"):
        await desk.reply(STAFF, where, "One more", "r3", "Grace", NOW)
    # What was said stays said, however late it is asked for again.
    assert (await desk.reply(STAFF, where, "Hello", "r1", "Grace", NOW)).message_id == said.message_id
    told: list[Any] = [e.event for e in await log.read(ADA, where, after_seq=0, staff=False)]
    persons = [event["value"]["person"] for event in told if event.get("name") == Custom.MODE]
    assert persons[-2:] == ["Grace", "Ada"]


async def test_reply_reaches_the_customer_once(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log)
    with pytest.raises(Conflict, match="take the conversation"):
        await desk.reply(STAFF, conversation.conversation_id, "Hello", "r1", "Grace", NOW)
    await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
    replies = await asyncio.gather(
        *(desk.reply(STAFF, conversation.conversation_id, "Hello", "r1", "Grace", NOW) for _ in range(10))
    )
    assert len({r.message_id for r in replies}) == 1
    assert sum(not r.duplicate for r in replies) == 1
    person = [m for m in await log.messages(ADA, conversation.conversation_id) if m["author"] == "person"]
    assert [(m["text"], m["author_name"]) for m in person] == [("Hello", "Grace")]
    with pytest.raises(Conflict):
        await desk.reply(STAFF, conversation.conversation_id, "Other", "r1", "Grace", NOW)
    with pytest.raises(BadTurn):
        await desk.reply(STAFF, conversation.conversation_id, "  ", "r2", "Grace", NOW)


async def test_messages_to_a_person_are_turns_that_end_as_delivered(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log)
    await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
    await say(log, conversation, "m2")
    lease, work = await begin(log, conversation)
    assert work.conversation.mode is Mode.WITH_PERSON
    assert await end_turn(log, lease, work, outcome="delivered")
    [row] = await desk.handoffs(STAFF, Mode.WITH_PERSON)
    assert row["unread"] == 1


async def test_bot_answers_after_each_hand_back(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log)
    for round_ in range(1, 4):
        await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
        back = await desk.hand_back(STAFF, conversation.conversation_id, "You can do this", NOW)
        assert (back.mode, back.handbacks) == (Mode.HANDED_BACK, round_)
        with pytest.raises(Conflict):
            await desk.hand_back(STAFF, conversation.conversation_id, None, NOW)
        await say(log, conversation, f"after-{round_}")
        lease, work = await begin(log, conversation)
        assert work.conversation.mode is Mode.BOT
        assert await log.open_answer(lease, work.turn_id, message_count=1, events=words("Hi"))
        await end_turn(log, lease, work)
        await log.release(lease)
    notes = [
        e
        for e in await log.read(STAFF, conversation.conversation_id, after_seq=0, staff=True)
        if e.event.get("name") == Custom.NOTICE
    ]
    assert len(notes) == 3
    assert Custom.NOTICE not in await kinds(log, conversation, 0)


async def test_resolved_conversation_opens_for_the_bot_when_the_customer_writes(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log)
    await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
    closed = await desk.resolve(STAFF, conversation.conversation_id, "solved", "Refunded", NOW)
    assert closed.mode is Mode.CLOSED
    with pytest.raises(Conflict):
        await desk.resolve(STAFF, conversation.conversation_id, "solved", None, NOW)
    [row] = await desk.handoffs(STAFF, Mode.CLOSED)
    assert row["outcome"] == "solved"
    before = closed.last_seq
    await say(log, conversation, "m9")
    assert (await log.conversation(ADA, conversation.conversation_id)).mode is Mode.BOT
    assert await kinds(log, conversation, before) == ["helpgraph.message.v1", "helpgraph.mode.v1"]


async def test_overdue_handoffs_are_reminded_of_once(database: Database) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log, promised_by=NOW, language="de")
    await hand_off(log, promised_by=NOW + timedelta(days=1))
    await hand_off(log)
    later = NOW + timedelta(minutes=1)
    [overdue] = await desk.overdue(later, [STAFF.workspace_id])
    assert overdue.language == "de", "what they wrote in, whatever their page is in"
    assert await desk.overdue(later, ["another"]) == []
    assert (overdue.conversation_id, overdue.queue_id, overdue.promised_by) == (
        conversation.conversation_id,
        "billing",
        NOW,
    )
    notice = NewEvent({"type": "CUSTOM", "name": "helpgraph.notice.v1", "value": {"code": "overdue", "text": ""}})
    reminded = await asyncio.gather(
        *(desk.remind(STAFF, overdue.conversation_id, now=later, events=[notice]) for _ in range(5))
    )
    assert sum(reminded) == 1
    assert await desk.overdue(later, [STAFF.workspace_id]) == []
    assert (await kinds(log, conversation, conversation.last_seq)) == ["helpgraph.notice.v1"]


async def test_view_joins_decision_and_evidence_to_the_bots_message(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    decision = NewEvent(
        {"type": "CUSTOM", "name": Custom.DECISION.value, "value": {"route": "answer"}}, audience="staff"
    )
    evidence = NewEvent(
        {"type": "CUSTOM", "name": Custom.EVIDENCE.value, "value": {"probability": 0.9}}, audience="staff"
    )
    await log.append(lease, work.turn_id, [decision, evidence, bot_message("Like this")])
    view = await Desk(log).conversation_view(STAFF, conversation.conversation_id)
    assert "decision" not in view["messages"][0]
    assert view["messages"][1]["decision"] == {"route": "answer"}
    assert view["messages"][1]["evidence"] == {"probability": 0.9}
    assert view["last_event_id"] == "5"
    assert view["conversation"]["account_id"] == "acct-1"


@pytest.mark.parametrize("stranger", [ADA, OTHER_STAFF])
async def test_desk_is_not_there_for_strangers(database: Database, stranger: Any) -> None:
    log = open_log(database)
    desk = Desk(log)
    conversation = await hand_off(log)
    conversation_id = conversation.conversation_id
    for act in (
        desk.conversation_view(stranger, conversation_id),
        desk.take(stranger, conversation_id, "Eve", NOW),
        desk.reply(stranger, conversation_id, "Hi", "r1", "Eve", NOW),
        desk.hand_back(stranger, conversation_id, None, NOW),
        desk.resolve(stranger, conversation_id, "spam", None, NOW),
        desk.remind(stranger, conversation_id, now=NOW),
    ):
        with pytest.raises(NotFound):
            await act
    assert (await log.conversation(ADA, conversation_id)) == conversation
