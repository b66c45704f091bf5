"""What is taken, by whom, in which order, and what becomes of it; on both databases."""

import asyncio
from datetime import timedelta

import pytest
from sqlalchemy import select, update
from sqlalchemy.exc import StatementError

from agent.events import Custom
from tests.tools.storage.arrange import ADA, NOW, converse, open_log
from tools.storage.database import Database
from tools.storage.hooks import Webhooks
from tools.storage.log import Conversation, ConversationLog, NewEvent
from tools.storage.outbox import MAX_AGE, MAX_REFUSALS, Delivery, Outbox, waiting_s
from tools.storage.schema import deliveries, webhooks
from tools.storage.sql_functions import database_now

RATED = NewEvent({"type": "CUSTOM", "name": Custom.RATING.value, "value": {"stars": 5, "comment": "words"}})


async def arranged(database: Database, *names: str) -> tuple[ConversationLog, Outbox]:
    for name in names or ("crm",):
        await Webhooks(database).add("orrery", name, f"https://{name}.example", ["conversation.rated"], now=NOW)
    return open_log(database), Outbox(database, "orrery")


async def rate(log: ConversationLog, times: int = 1) -> Conversation:
    conversation = await converse(log)
    for _ in range(times):
        await log.record(ADA, conversation.conversation_id, [RATED])
    return conversation


async def make_due(database: Database) -> None:
    """As if everybody's time were up."""
    async with database.transaction() as conn:
        await conn.execute(update(deliveries).values(due_at=0.0, held_until=0.0))
        await conn.execute(update(webhooks).values(paused_until=0.0))


async def paused_s(database: Database) -> float:
    """For how long from now everything for the only webhook waits."""
    async with database.reading() as conn:
        return float((await conn.execute(select(webhooks.c.paused_until - database_now()))).scalar_one())


def which(taken: list[Delivery]) -> list[str]:
    return [each.event_id for each in taken]


async def test_each_conversation_goes_in_order_and_none_waits_for_another(database: Database) -> None:
    log, outbox = await arranged(database)
    one, other = await rate(log, 3), await rate(log, 2)
    seen: list[str] = []
    for _ in range(3):
        taken = await outbox.take(limit=10, holder="w")
        seen += which(taken)
        for each in taken:
            await outbox.delivered(each, now=NOW)
    assert await outbox.take(limit=10, holder="w") == []
    for conversation, times in ((one, 3), (other, 2)):
        mine = [each for each in seen if each.startswith(conversation.conversation_id)]
        assert mine == [f"{conversation.conversation_id}.{seq}" for seq in range(1, times + 1)]


async def test_nobody_else_gets_what_is_held(database: Database) -> None:
    log, outbox = await arranged(database)
    for _ in range(20):
        await rate(log)
    taken = await asyncio.gather(*(outbox.take(limit=5, holder="w") for _ in range(8)))
    ids = [each for part in taken for each in which(part)]
    assert len(ids) == len(set(ids)) == 20


async def test_what_a_dead_one_held_is_taken_again_and_his_late_word_counts_for_nothing(database: Database) -> None:
    log, outbox = await arranged(database)
    await rate(log)
    [held] = await outbox.take(limit=1, holder="w")
    assert await outbox.take(limit=1, holder="w") == []
    await make_due(database)
    [again] = await outbox.take(limit=1, holder="w")
    assert (again.event_id, again.tries) == (held.event_id, 2)

    await outbox.refused(held, "status 400", now=NOW)
    await outbox.away(held, "timeout", now=NOW, retry_after_s=None)
    [row] = await outbox.shown(unsettled=True, limit=10)
    assert (row.status, row.refusals, row.last_error) == ("waiting", 2, None)
    await outbox.delivered(again, now=NOW)
    assert await outbox.shown(unsettled=True, limit=10) == []
    await outbox.refused(held, "status 400", now=NOW)
    assert [each.status for each in await outbox.shown(unsettled=False, limit=10)] == ["delivered"]


async def test_what_somebody_holds_who_is_seen_to_be_dead_is_free_at_once(database: Database) -> None:
    log, outbox = await arranged(database)
    await rate(log)
    await rate(log)
    [_] = await outbox.take(limit=1, holder="machine:1:2:dead")
    [_] = await outbox.take(limit=1, holder="machine:1:2:deadly")
    assert await outbox.holders() == ["machine:1:2:dead", "machine:1:2:deadly"]
    assert await outbox.free("machine:1:2:dead") == 1
    assert await outbox.holders() == ["machine:1:2:deadly"]
    [again] = await outbox.take(limit=5, holder="w")
    assert again.tries == 2


async def test_a_living_one_frees_what_it_does_not_know_that_it_took(database: Database) -> None:
    log, outbox = await arranged(database)
    for _ in range(2):
        await rate(log)
    [known] = await outbox.take(limit=1, holder="w")
    [unheard] = await outbox.take(limit=1, holder="w")
    assert await outbox.free("w", but={known.held_by}) == 1
    assert which(await outbox.take(limit=5, holder="w")) == [unheard.event_id]


async def test_a_receiver_that_is_away_is_asked_by_one_at_a_time_and_others_go_on(database: Database) -> None:
    log, outbox = await arranged(database, "crm", "desk")
    for _ in range(3):
        await rate(log)
    [one] = [each for each in await outbox.take(limit=1, holder="w") if each.name == "crm"]
    await outbox.away(one, "timeout", now=NOW, retry_after_s=None)
    await make_due(database)
    taken = await outbox.take(limit=100, holder="w")
    assert len(taken) == 6, "one that broke keeps no other waiting"
    for each in taken:
        if each.name == "crm":
            await outbox.away(each, "timeout", now=NOW, retry_after_s=None)
        else:
            await outbox.delivered(each, now=NOW)
    assert await outbox.take(limit=100, holder="w") == []
    await make_due(database)
    probe = await outbox.take(limit=100, holder="w")
    assert [each.name for each in probe] == ["crm"]
    assert probe[0].tries == 1, "an attempt that reached nobody is no try"
    await outbox.delivered(probe[0], now=NOW)
    assert len(await outbox.take(limit=100, holder="w")) == 2


async def test_while_it_is_found_out_whether_one_is_back_nothing_else_goes_there_and_none_waits_for_it(
    database: Database,
) -> None:
    log, outbox = await arranged(database)
    for _ in range(30):
        await rate(log)
    for each in await outbox.take(limit=3, holder="w"):
        await outbox.away(each, "timeout", now=NOW, retry_after_s=None)
    await make_due(database)
    await Webhooks(database).add("orrery", "mail", "https://mail.example", ["conversation.rated"], now=NOW)
    await rate(log)

    taken = await outbox.take(limit=4, holder="w")
    assert sorted(each.name for each in taken) == ["crm", "mail"]
    assert await outbox.take(limit=4, holder="w") == []
    await rate(log)
    assert [each.name for each in await outbox.take(limit=4, holder="another", busy={"mail": 3})] == ["mail"]
    await rate(log)
    assert await outbox.take(limit=4, holder="another", busy={"mail": 4}) == []


async def test_many_at_once_that_find_nobody_are_one_absence(database: Database) -> None:
    log, outbox = await arranged(database)
    for _ in range(12):
        await rate(log)
    taken = await outbox.take(limit=12, holder="w")
    assert len(taken) == 12
    for each in taken:
        await outbox.away(each, "refused", now=NOW, retry_after_s=None)
    assert 0 < await paused_s(database) <= waiting_s(1)
    await make_due(database)
    [probe] = await outbox.take(limit=12, holder="w")
    await outbox.away(probe, "refused", now=NOW, retry_after_s=None)
    assert waiting_s(1) < await paused_s(database) <= waiting_s(2)


async def test_who_asks_to_be_left_alone_is_and_a_later_word_does_not_shorten_it(database: Database) -> None:
    log, outbox = await arranged(database)
    await rate(log)
    await rate(log)
    first, second = await outbox.take(limit=2, holder="w")
    await outbox.away(first, "busy", now=NOW, retry_after_s=300)
    await outbox.away(second, "busy", now=NOW, retry_after_s=5)
    assert 200 < await paused_s(database) <= 300


async def test_what_is_refused_is_given_up_after_eight_times_and_what_is_behind_it_goes(database: Database) -> None:
    log, outbox = await arranged(database)
    conversation = await rate(log, 2)
    for tries in range(1, MAX_REFUSALS + 1):
        await make_due(database)
        [each] = await outbox.take(limit=10, holder="w")
        assert each.event_id == f"{conversation.conversation_id}.1"
        assert await outbox.refused(each, "status 400", now=NOW) is (tries < MAX_REFUSALS)
    [behind] = await outbox.take(limit=10, holder="w")
    assert behind.event_id == f"{conversation.conversation_id}.2"
    await outbox.delivered(behind, now=NOW)
    assert [each.status for each in await outbox.shown(unsettled=True, limit=10)] == ["given_up"]

    assert await outbox.retry("another", now=NOW) == 0
    assert await outbox.retry(None, now=NOW) == 1
    [again] = await outbox.take(limit=10, holder="w")
    assert again.tries == 1


async def test_a_refusal_waits_before_the_next_try(database: Database) -> None:
    log, outbox = await arranged(database)
    await rate(log)
    [each] = await outbox.take(limit=1, holder="w")
    assert await outbox.refused(each, "status 400", now=NOW)
    assert await outbox.take(limit=1, holder="w") == []


async def test_three_days_of_nobody_there_are_enough(database: Database) -> None:
    log, outbox = await arranged(database)
    await rate(log)
    [each] = await outbox.take(limit=1, holder="w")
    assert await outbox.away(each, "timeout", now=each.created_at + MAX_AGE - timedelta(hours=1), retry_after_s=1)
    await make_due(database)
    [each] = await outbox.take(limit=1, holder="w")
    assert not await outbox.away(each, "timeout", now=each.created_at + MAX_AGE, retry_after_s=1)
    assert [row.status for row in await outbox.shown(unsettled=True, limit=1)] == ["given_up"]


async def test_all_that_waited_for_three_days_is_given_up_with_the_one_that_was_tried(database: Database) -> None:
    log, outbox = await arranged(database, "crm", "desk")
    for _ in range(4):
        await rate(log)
    first = [each for each in await outbox.take(limit=3, holder="w") if each.name == "crm"]
    for each in first:
        await outbox.away(each, "timeout", now=NOW, retry_after_s=None)
    await make_due(database)
    later = first[0].created_at + MAX_AGE
    assert await outbox.expire(now=later - timedelta(hours=1)) == 0
    [probe] = [each for each in await outbox.take(limit=1, holder="w") if each.name == "crm"]

    assert await outbox.expire(now=later + timedelta(hours=1)) == 3, "not the one on its way, nor what can be delivered"

    found = [row for row in await outbox.shown(unsettled=True, limit=10) if row.name == "crm"]
    assert [row.conversation_id for row in found if row.status == "waiting"] == [probe.conversation_id]
    assert [(row.status, row.last_error) for row in found if row.status != "waiting"] == [
        ("given_up", "timeout"),
        ("given_up", "timeout"),
        ("given_up", "timeout"),
    ]


async def test_what_was_settled_long_ago_is_forgotten(database: Database) -> None:
    log, outbox = await arranged(database)
    await rate(log, 2)
    [each] = await outbox.take(limit=1, holder="w")
    await outbox.delivered(each, now=NOW)
    assert await outbox.prune(now=NOW + timedelta(days=29)) == 0
    assert await outbox.prune(now=NOW + timedelta(days=31)) == 1
    assert [row.status for row in await outbox.shown(unsettled=False, limit=5)] == ["waiting"]


async def test_what_is_rolled_back_is_told_to_nobody(database: Database) -> None:
    log, outbox = await arranged(database)
    conversation = await converse(log)
    broken = NewEvent({"type": "CUSTOM", "name": "x", "value": {"not json": object()}})
    with pytest.raises((StatementError, TypeError)):
        await log.record(ADA, conversation.conversation_id, [RATED, broken])
    assert (await log.conversation(ADA, conversation.conversation_id)).last_seq == 0
    assert await outbox.take(limit=1, holder="w") == []


def test_waiting_grows_and_stays_bounded() -> None:
    waits = [waiting_s(times) for times in range(1, 1000)]
    assert waits[:4] == [2.0, 4.0, 8.0, 16.0]
    assert waits == sorted(waits)
    assert waits[-1] == 600.0
