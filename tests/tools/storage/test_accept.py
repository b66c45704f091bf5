"""Customers' messages: kept once, in a turn, in order, and only for their owner."""

import asyncio
from datetime import timedelta

import pytest

from agent.errors import BadTurn, Conflict, NotFound
from agent.types import Author, Mode
from tests.tools.storage.arrange import (
    ADA,
    BEN,
    IDENTITY,
    NOW,
    OTHER_STAFF,
    OTHER_WORKSPACE,
    STAFF,
    begin,
    bot_message,
    converse,
    end_turn,
    finished,
    open_log,
    say,
    words,
)
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import NewEvent
from tools.storage.scope import Scope


async def test_conversation_of_a_thread_is_made_once(database: Database) -> None:
    log = open_log(database)
    made = await asyncio.gather(*(converse(log, thread_id="thread-1") for _ in range(20)))
    assert len({c.conversation_id for c in made}) == 1
    assert made[0].identity == IDENTITY
    assert made[0].mode is Mode.BOT
    assert made[0].created_at == NOW
    assert (await log.find(ADA, "thread-1")) == (await log.find(ADA, made[0].conversation_id)) == made[0]
    assert (await converse(log, thread_id=made[0].conversation_id)) == made[0]


async def test_each_empty_thread_is_a_new_conversation(database: Database) -> None:
    log = open_log(database)
    first, second = await converse(log), await converse(log)
    assert first.conversation_id != second.conversation_id
    assert first.thread_id == first.conversation_id


async def test_same_thread_id_of_another_owner_is_another_conversation(database: Database) -> None:
    log = open_log(database)
    assert (await converse(log, ADA, "t")).conversation_id != (await converse(log, BEN, "t")).conversation_id


async def test_hundred_sends_of_one_message_make_one_turn(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    accepted = await asyncio.gather(*(say(log, conversation, "m1") for _ in range(100)))
    assert len({a.turn_id for a in accepted}) == 1
    assert {a.seq for a in accepted} == {1}
    assert sum(not a.duplicate for a in accepted) == 1
    assert len(await log.messages(ADA, conversation.conversation_id)) == 1


async def test_same_id_with_another_text_is_a_conflict(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1", "one")
    with pytest.raises(Conflict, match="'m1'"):
        await say(log, conversation, "m1", "two")


async def test_a_wish_for_a_person_is_kept_once_and_is_no_message_of_that_id(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    accepted = await asyncio.gather(*(say(log, conversation, "w1", "A person", wish=True) for _ in range(20)))
    await say(log, conversation, "m1", "A person")
    for message_id, wish in (("w1", False), ("m1", True)):
        with pytest.raises(Conflict, match=f"'{message_id}'"):
            await say(log, conversation, message_id, "A person", wish=wish)

    assert len({(a.turn_id, a.seq) for a in accepted}) == 1
    assert sum(not a.duplicate for a in accepted) == 1
    messages = await log.messages(ADA, conversation.conversation_id)
    assert [message["message_id"] for message in messages] == ["w1", "m1"]


async def test_messages_join_a_turn_until_its_first_word(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    first = await say(log, conversation, "m1")
    second = await say(log, conversation, "m2")
    lease, work = await begin(log, conversation)
    third = await say(log, conversation, "m3")

    assert (first.joined, second.joined, third.joined) == (False, True, True)
    assert {first.turn_id, second.turn_id, third.turn_id} == {work.turn_id}
    assert second.run_id == "run-m1"
    assert [m.client_message_id for m in work.messages] == ["m1", "m2"]
    assert not await log.open_answer(lease, work.turn_id, message_count=2, events=words("Hi"))

    again = await log.next_turn(lease)
    assert again is not None
    assert (again.attempts, len(again.messages), again.restarted_after_words) == (2, 3, False)
    assert await log.open_answer(lease, work.turn_id, message_count=3, events=words("Hi"))

    fourth = await say(log, conversation, "m4")
    assert not fourth.joined
    assert fourth.turn_id != work.turn_id


async def test_silent_end_is_refused_when_a_message_joined(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    await say(log, conversation, "m2")
    before = (await log.conversation(ADA, conversation.conversation_id)).last_seq
    done = await end_turn(log, lease, work, outcome="delivered")
    assert not done
    assert (await log.conversation(ADA, conversation.conversation_id)).last_seq == before


async def test_duplicate_finds_the_run_that_began_meanwhile(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    first = await say(log, conversation, "m1")
    assert first.run_started_seq is None
    _, work = await begin(log, conversation)
    seq = work.conversation.last_seq
    again = await say(log, conversation, "m1")
    assert (again.duplicate, again.run_started_seq, again.turn_id) == (True, seq, first.turn_id)
    active = await log.active_turn(ADA, conversation.conversation_id)
    assert active is not None
    assert (active.turn_id, active.run_id, active.run_started_seq) == (first.turn_id, "run-m1", seq)


async def test_concurrent_writers_leave_no_gap_and_no_twin(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m0")
    lease, work = await begin(log, conversation)
    notice = NewEvent({"type": "CUSTOM", "name": "helpgraph.notice.v1", "value": {"code": "x", "text": "y"}})
    await asyncio.gather(
        *(say(log, conversation, f"m{n}") for n in range(1, 15)),
        *(log.append(lease, work.turn_id, [notice, notice]) for _ in range(15)),
        *(log.record(ADA, conversation.conversation_id, [notice] * 3) for _ in range(15)),
    )
    seqs = [e.seq for e in await log.read(ADA, conversation.conversation_id, after_seq=0, staff=False)]
    current = await log.conversation(ADA, conversation.conversation_id)
    assert seqs == list(range(1, current.last_seq + 1))
    assert len(seqs) == 2 + 14 * 2 + 15 * 2 + 15 * 3


async def test_cancelled_writers_leave_whole_messages_and_a_working_database(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    writers = [asyncio.create_task(say(log, conversation, f"m{n}")) for n in range(40)]
    for n, writer in enumerate(writers):
        await asyncio.sleep(0.001)
        if n % 2:
            writer.cancel()
    outcomes = await asyncio.gather(*writers, return_exceptions=True)
    assert not [o for o in outcomes if isinstance(o, Exception)]

    await say(log, conversation, "last")
    events = await log.read(ADA, conversation.conversation_id, after_seq=0, staff=False)
    assert [e.seq for e in events] == list(range(1, len(events) + 1))
    kept = {m["message_id"] for m in await log.messages(ADA, conversation.conversation_id)}
    answered = {f"m{n}" for n, o in enumerate(outcomes) if not isinstance(o, BaseException)}
    assert answered | {"last"} <= kept
    for n in range(40):
        assert (await say(log, conversation, f"m{n}")).duplicate == (f"m{n}" in kept)


@pytest.mark.parametrize("stranger", [BEN, OTHER_WORKSPACE, OTHER_STAFF])
async def test_strangers_find_nothing(database: Database, stranger: Scope) -> None:
    log = open_log(database)
    conversation = await converse(log)
    accepted = await say(log, conversation, "m1")
    conversation_id = conversation.conversation_id

    with pytest.raises(NotFound):
        await log.conversation(stranger, conversation_id)
    with pytest.raises(NotFound):
        await say(log, conversation, "m2", scope=stranger)
    with pytest.raises(NotFound):
        await log.read(stranger, conversation_id, after_seq=0, staff=True)
    with pytest.raises(NotFound):
        await log.messages(stranger, conversation_id)
    with pytest.raises(NotFound):
        await log.record(stranger, conversation_id, [])
    with pytest.raises(NotFound):
        await log.typing(stranger, conversation_id, NOW)
    assert await log.active_turn(stranger, conversation_id) is None
    for name in (conversation_id, conversation.thread_id):
        with pytest.raises(NotFound):
            await log.find(stranger, name)
    assert await log.recent(stranger) == []
    assert (await log.conversation(ADA, conversation_id)).last_seq == accepted.seq


async def test_staff_events_reach_only_staff(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    secret = NewEvent({"type": "CUSTOM", "name": "helpgraph.decision.v1", "value": {}}, audience="staff")
    await log.record(ADA, conversation.conversation_id, [secret])
    assert await log.read(ADA, conversation.conversation_id, after_seq=0, staff=True) == []
    assert await log.read(STAFF, conversation.conversation_id, after_seq=0, staff=False) == []
    assert len(await log.read(STAFF, conversation.conversation_id, after_seq=0, staff=True)) == 1


async def test_history_has_messages_before_a_seq_with_route_and_citations(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1", "How do I export?")
    lease, work = await begin(log, conversation)
    await log.open_answer(lease, work.turn_id, message_count=1, events=words("Like th"))
    await end_turn(log, lease, work, events=[bot_message("Like this"), finished(work)])
    later = await say(log, conversation, "m2", "Thanks")

    history = await log.history(conversation, before_seq=later.seq)
    assert [(m.author, m.text.render_plain(), m.route) for m in history] == [
        (Author.CUSTOMER, "How do I export?", None),
        (Author.BOT, "Like this", "answer"),
    ]
    assert history[1].citations[0].title == "Export"
    newest = await log.history(conversation, limit=1)
    assert [m.text.render_plain() for m in newest] == ["Thanks"]


async def test_nul_and_lone_surrogates_are_dropped_not_fatal(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    accepted = await log.accept(
        ADA,
        conversation.conversation_id,
        client_message_id="m1",
        text="a\x00b\ud800c",
        page={"title\x00": "x\udfff", "errors": ["\x00"]},
        run_id="r",
        wish=True,
        now=NOW,
    )
    assert not accepted.duplicate
    _, work = await begin(log, conversation)
    assert (work.messages[0].text, work.messages[0].wish) == ("abc", True)
    assert work.messages[0].page == {"title": "x", "errors": [""]}
    assert (await log.messages(ADA, conversation.conversation_id))[0]["text"] == "abc"


@pytest.mark.parametrize("message_id", ["", "x" * 201, "nul\x00"])
async def test_unusable_message_ids_are_refused(database: Database, message_id: str) -> None:
    log = open_log(database)
    conversation = await converse(log)
    with pytest.raises(BadTurn):
        await say(log, conversation, message_id)


@pytest.mark.parametrize("owner", ["", "a\x00", "a\ud800", "x" * 501])
def test_owner_that_would_change_on_the_way_is_refused(owner: str) -> None:
    with pytest.raises(BadTurn):
        Scope("orrery", owner, "customer")


def test_customer_without_owner_is_refused() -> None:
    with pytest.raises(BadTurn):
        Scope("orrery", None, "customer")


async def test_typing_is_remembered_until_the_message_comes(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    assert await log.typing_at(conversation.conversation_id) is None
    await log.typing(ADA, conversation.conversation_id, NOW + timedelta(seconds=3))
    assert await log.typing_at(conversation.conversation_id) == NOW + timedelta(seconds=3)
    await say(log, conversation, "m1")
    assert await log.typing_at(conversation.conversation_id) is None


async def test_nobody_takes_the_id_of_a_message_of_the_bots_or_a_persons(database: Database) -> None:
    log, desk = open_log(database), Desk(open_log(database))
    conversation, elsewhere = await converse(log), await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    answer = f"msg_{work.turn_id}"
    await end_turn(log, lease, work, events=[bot_message("Like this", answer), finished(work)])
    await desk.take(STAFF, conversation.conversation_id, "Grace", NOW)
    reply = await desk.reply(STAFF, conversation.conversation_id, "Or like that", "r1", "Grace", NOW)

    for taken in (answer, f"{answer}_last", reply.message_id):
        with pytest.raises(Conflict, match="another message"):
            await say(log, conversation, taken, "No")
        # Ids are a conversation's own, and whatever looks like one of ours may be anybody's.
        await say(log, elsewhere, taken, "No")
    await say(log, conversation, "msg_2")

    messages = await log.messages(STAFF, conversation.conversation_id)
    said = ["How do I export?", "Like this", "Or like that", "How do I export?"]
    assert [message["text"] for message in messages] == said


async def test_a_customers_message_under_an_id_that_the_bot_takes_later_stays(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "answer", "Mine")
    lease, work = await begin(log, conversation)
    await end_turn(log, lease, work, events=[bot_message("Half"), bot_message("Whole"), finished(work)])

    messages = await log.messages(ADA, conversation.conversation_id)
    assert [(message["author"], message["text"]) for message in messages] == [("customer", "Mine"), ("bot", "Whole")]
