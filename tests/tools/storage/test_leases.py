"""One writer per conversation: leases, epochs, attempts and ends."""

import asyncio

import pytest

from agent.errors import Conflict, LeaseLost
from agent.handoff import Move
from agent.types import Mode
from tests.tools.storage.arrange import (
    ADA,
    OTHER_WORKSPACE,
    STAFF,
    begin,
    converse,
    end_turn,
    open_log,
    say,
    story,
    words,
)
from tools.storage.codec import handoff_from_json
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import TurnWork
from tools.storage.turn_log import Ended


async def test_only_one_of_many_holders_gets_the_lease(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    leases = await asyncio.gather(
        *(log.claim(conversation.conversation_id, holder=f"w{n}", ttl_s=30) for n in range(20))
    )
    assert sum(lease is not None for lease in leases) == 1


async def test_lease_that_ran_out_is_claimed_and_its_holder_refused(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    zombie, work = await begin(log, conversation, "zombie")
    assert await log.renew(zombie, 0.0)
    await asyncio.sleep(0.02)

    lease = await log.claim(conversation.conversation_id, holder="heir", ttl_s=30)
    assert lease is not None
    assert lease.epoch == zombie.epoch + 1
    with pytest.raises(LeaseLost):
        await log.append(zombie, work.turn_id, words("Hi"))
    with pytest.raises(LeaseLost):
        await log.next_turn(zombie)
    with pytest.raises(LeaseLost):
        await log.open_answer(zombie, work.turn_id, message_count=1, events=words("Hi"))
    with pytest.raises(LeaseLost):
        await end_turn(log, zombie, work)
    assert not await log.renew(zombie, 30)
    await log.release(zombie)
    assert await log.claim(conversation.conversation_id, holder="third", ttl_s=30) is None
    assert (await log.conversation(ADA, conversation.conversation_id)).last_seq == 2


async def test_a_renewal_that_comes_after_the_release_keeps_nobody_out(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, _ = await begin(log, conversation)
    await log.release(lease)

    assert not await log.renew(lease, 30)

    assert await log.waiting_work(ADA.workspace_id) == [conversation.conversation_id]
    assert await log.claim(conversation.conversation_id, holder="next", ttl_s=30) is not None


async def test_beginning_claims_counts_and_announces_at_once_or_changes_nothing(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    assert await log.begin(conversation.conversation_id, holder="w1", ttl_s=30) is None
    first = await say(log, conversation, "m1")
    begun = await log.begin(conversation.conversation_id, holder="w2", ttl_s=30)
    assert begun is not None
    lease, work = begun
    assert (lease.epoch, lease.holder) == (1, "w2"), "the one before, with nothing to do, left no epoch and no lease"
    assert (work.turn_id, work.attempts, work.conversation.last_seq) == (first.turn_id, 1, 2)
    assert await log.begin(conversation.conversation_id, holder="w3", ttl_s=30) is None

    await log.release(lease)
    again = await log.begin(conversation.conversation_id, holder="w3", ttl_s=30)
    assert again is not None
    assert again[1].attempts == 2
    logged = [e.event["type"] for e in await log.read(ADA, conversation.conversation_id, after_seq=0, staff=False)]
    assert logged == ["CUSTOM", "RUN_STARTED"], "a run starts once, however often it is tried"


async def test_with_no_turn_left_the_lease_is_let_go_of(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    await end_turn(log, lease, work)
    assert await log.next_turn(lease) is None
    assert await log.claim(conversation.conversation_id, holder="another", ttl_s=30) is not None


async def test_the_end_of_the_last_turn_lets_go_of_the_lease(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    await log.open_answer(lease, work.turn_id, message_count=1, events=words("Hi"))
    await say(log, conversation, "m2")

    async def end(turn: TurnWork) -> Ended:
        return await end_turn(log, lease, turn, let_go=True)

    assert await end(work) is Ended.ENDED
    following = await log.next_turn(lease)
    assert following is not None
    assert await log.claim(conversation.conversation_id, holder="another", ttl_s=30) is None

    assert await end(following) is Ended.ENDED_AND_LET_GO
    assert await end(following) is Ended.ENDED, "once more changes nothing"
    assert not await log.renew(lease, 30)
    assert await log.claim(conversation.conversation_id, holder="another", ttl_s=30) is not None


async def test_released_lease_is_free_at_once(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    lease = await log.claim(conversation.conversation_id, holder="w1", ttl_s=30)
    assert lease is not None
    assert await log.claim(conversation.conversation_id, holder="w2", ttl_s=30) is None
    await log.release(lease)
    assert await log.claim(conversation.conversation_id, holder="w2", ttl_s=30) is not None


async def test_work_waits_while_no_lease_lives(database: Database) -> None:
    log = open_log(database)
    first, second, idle = await converse(log), await converse(log), await converse(log)
    await say(log, second, "m1", at_s=5)
    await say(log, first, "m1", at_s=9)
    assert idle.conversation_id not in await log.waiting_work(ADA.workspace_id, 10)
    assert await log.waiting_work(ADA.workspace_id, 10) == [second.conversation_id, first.conversation_id]
    assert await log.waiting_work(ADA.workspace_id, 1) == [second.conversation_id]

    lease, work = await begin(log, second)
    assert await log.waiting_work(ADA.workspace_id, 10) == [first.conversation_id]
    mine = await log.waiting_work(ADA.workspace_id, 10, holder=lease.holder)
    assert mine == [second.conversation_id, first.conversation_id]
    await end_turn(log, lease, work)
    await log.release(lease)
    assert await log.waiting_work(ADA.workspace_id, 10) == [first.conversation_id]


async def test_work_of_another_workspace_is_for_its_own_server(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log, OTHER_WORKSPACE)
    await say(log, conversation, "m1", scope=OTHER_WORKSPACE)
    assert await log.waiting_work(ADA.workspace_id) == []
    assert await log.waiting_work(OTHER_WORKSPACE.workspace_id) == [conversation.conversation_id]

    await log.claim(conversation.conversation_id, holder="w1", ttl_s=30)
    assert await log.holders_of_work(ADA.workspace_id) == []
    assert await log.holders_of_work(OTHER_WORKSPACE.workspace_id) == ["w1"]


async def test_attempts_count_before_the_attempt_and_remember_words(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    assert (work.attempts, work.restarted_after_words) == (1, False)
    assert await log.open_answer(lease, work.turn_id, message_count=1, events=words("Hi"))

    # The process dies here; its lease runs out.
    await log.renew(lease, 0.0)
    await asyncio.sleep(0.02)
    lease, work = await begin(log, conversation, "heir")
    assert (work.attempts, work.restarted_after_words) == (2, True)


async def test_turns_are_worked_on_in_order(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    first = await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    await log.open_answer(lease, work.turn_id, message_count=1, events=words("Hi"))
    second = await say(log, conversation, "m2")
    assert work.turn_id == first.turn_id
    active = await log.active_turn(ADA, conversation.conversation_id)
    assert active is not None
    assert active.turn_id == first.turn_id
    await end_turn(log, lease, work)
    following = await log.next_turn(lease)
    assert following is not None
    assert following.turn_id == second.turn_id
    await end_turn(log, lease, following, status="failed", outcome="failed")
    assert await log.next_turn(lease) is None


async def test_finishing_again_after_an_unknown_commit_changes_nothing(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    for _ in range(2):
        assert await end_turn(log, lease, work)
    assert (await log.conversation(ADA, conversation.conversation_id)).last_seq == 3


async def test_handoff_moves_the_mode_and_keeps_the_story(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    handoff = story()
    await end_turn(
        log,
        lease,
        work,
        outcome="handed_off",
        move=Move.HAND_OFF,
        handoff=handoff,
        contact_email="ada@example.com",
        asked_email=True,
    )
    current = await log.conversation(ADA, conversation.conversation_id)
    assert (current.mode, current.contact_email, current.asked_email) == (Mode.WAITING, "ada@example.com", True)
    view = await Desk(log).conversation_view(STAFF, conversation.conversation_id)
    assert handoff_from_json(view["handoff"]) == handoff
    told = [e.event for e in await log.read(ADA, conversation.conversation_id, after_seq=2, staff=False)]
    assert [e.get("name", e["type"]) for e in told] == ["helpgraph.mode.v1", "RUN_FINISHED"]

    await say(log, conversation, "m2")
    work_again = await log.next_turn(lease)
    assert work_again is not None
    await end_turn(log, lease, work_again, move=Move.WITHDRAW)
    assert (await log.conversation(ADA, conversation.conversation_id)).mode is Mode.BOT
    assert await Desk(log).handoffs(STAFF, Mode.WAITING) == []


async def test_move_that_the_table_lacks_writes_nothing(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    with pytest.raises(Conflict):
        await end_turn(log, lease, work, move=Move.WITHDRAW)
    assert (await log.conversation(ADA, conversation.conversation_id)).last_seq == 2
    assert await log.active_turn(ADA, conversation.conversation_id) is not None
