"""Erasing in the tables: what goes, what stays counted, and that nobody writes meanwhile."""

import asyncio
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray
from sqlalchemy import select

from agent.errors import BadTurn, LeaseLost, NotFound
from tests.tools.storage.arrange import ADA, BEN, OTHER_WORKSPACE, STAFF, begin, converse, open_log, say, words
from tests.tools.storage.test_tracker import BagOfWords, report
from tools.storage import bug_words, erasing, retention
from tools.storage.database import Database
from tools.storage.personal import Subject
from tools.storage.schema import bug_occurrences, bugs
from tools.storage.tracker import BuiltInTracker

HERS = Subject(owner_id="ada")


async def titles(db: Database) -> list[str]:
    async with db.reading() as conn:
        return list((await conn.execute(select(bugs.c.title).order_by(bugs.c.bug_id))).scalars())


async def blank(db: Database, *numbers: int, keep_open: bool = False) -> int:
    async with db.transaction() as conn:
        ids = [f"conversation-{n}" for n in numbers]
        return await bug_words.blank(conn, "orrery", ids, keep_open=keep_open)


async def test_only_the_owners_rows_of_that_workspace_go(database: Database) -> None:
    log = open_log(database)
    hers, his, elsewhere = [await converse(log, scope) for scope in (ADA, BEN, OTHER_WORKSPACE)]
    for conversation, scope in ((hers, ADA), (his, BEN), (elsewhere, OTHER_WORKSPACE)):
        await say(log, conversation, "m1", scope=scope)

    ids = await erasing.hold(log, "orrery", HERS, wait_s=1)
    gone = await erasing.erase(database, "orrery", ids, owner_id="ada")

    assert ids == [hers.conversation_id]
    assert {name: n for name, n in gone.items() if n} == {
        "client_messages": 1,
        "turns": 1,
        "events": 1,
        "conversations": 1,
    }
    assert not any((await erasing.left_of(database, "orrery", ids, HERS)).values())
    for conversation, scope in ((his, BEN), (elsewhere, OTHER_WORKSPACE)):
        assert len(await log.messages(scope, conversation.conversation_id)) == 1
    with pytest.raises(NotFound):
        await say(log, hers, "m2")


async def test_an_owner_may_have_any_number_of_conversations(database: Database) -> None:
    """A bot's key owns those of all its customers: more than a statement may have parameters."""
    log = open_log(database)
    hers = await converse(log)
    await say(log, hers, "m1")
    many = [*map(str, range(_too_many(database))), hers.conversation_id]

    her_turns = await erasing.turns_of(database, "orrery", HERS)
    unfinished = await retention.unfinished_among(database, [*many, *her_turns])
    counted = await erasing.count_rows(database, "orrery", many, keep_open_bugs=False)
    gone = await erasing.erase(database, "orrery", many, owner_id="ada")

    assert her_turns
    assert unfinished == set(her_turns)
    assert counted == gone
    assert gone["conversations"] == 1
    # Which counts as the above does, so one is enough.
    assert not any((await erasing.left_of(database, "orrery", [hers.conversation_id], HERS)).values())


def _too_many(database: Database) -> int:
    """One more parameter than a statement may have."""
    if database.dialect == "postgresql":
        return 65_536
    with closing(sqlite3.connect(":memory:")) as sqlite:
        return sqlite.getlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER) + 1


async def test_a_running_turn_is_waited_for(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)
    held = asyncio.create_task(erasing.hold(log, "orrery", HERS, wait_s=30))
    await log.append(lease, work.turn_id, words("Still writing"))
    await asyncio.sleep(0)
    assert not held.done()
    await log.release(lease)

    assert await held == [conversation.conversation_id]
    with pytest.raises(LeaseLost):
        await log.append(lease, work.turn_id, words("Too late"))


async def test_a_turn_that_never_ends_loses_its_conversation(database: Database) -> None:
    log = open_log(database)
    conversation = await converse(log)
    await say(log, conversation, "m1")
    lease, work = await begin(log, conversation)

    ids = await erasing.hold(log, "orrery", HERS, wait_s=0)
    await erasing.erase(database, "orrery", ids)

    with pytest.raises(LeaseLost):
        await log.append(lease, work.turn_id, words("Too late"))
    assert not any((await erasing.left_of(database, "orrery", ids, HERS)).values())


async def test_customers_of_a_bug_are_counted_as_before(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    for n, account in enumerate(("acct-1", "acct-1", "acct-2", "acct-2", None), 1):
        await tracker.file(report(n, account=account, at_s=n))
    (before,) = await tracker.bugs(STAFF)

    # All of the first account, one of two of the second, and one without any.
    await blank(database, 1, 2, 3, 5)

    (after,) = await tracker.bugs(STAFF)
    assert (after["occurrences"], after["customers"]) == (before["occurrences"], before["customers"]) == (5, 3)
    detail = await tracker.bug(STAFF, "BUG-1")
    assert [r["conversation_id"] for r in detail["reports"]] == ["conversation-4"]
    async with database.reading() as conn:
        accounts = set((await conn.execute(select(bug_occurrences.c.account_id))).scalars())
    assert "acct-1" not in accounts
    assert "acct-2" in accounts


async def test_a_bug_is_told_in_words_that_are_still_there(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    for n in (1, 2, 3):
        await tracker.file(report(n, f"Export button does nothing {n}", at_s=n))
    # The second one's report changes, after the bug was told in its words.
    await blank(database, 1)
    assert await titles(database) == ["Export button does nothing 2"]
    later = report(2, "Export button does nothing at all", effect="again", at_s=9)
    await tracker.file(replace(later, conversation_id="conversation-2"))
    await blank(database, 2)

    assert await titles(database) == ["Export button does nothing 3"]
    assert await blank(database, 3) == 1
    assert await titles(database) == [bug_words.BLANK_TITLE]
    assert await blank(database, 3) == 0
    # Nothing is the same as a bug without words.
    assert (await tracker.file(report(4))).is_new


async def test_an_open_bug_may_keep_its_words_until_it_is_closed(database: Database) -> None:
    tracker = BuiltInTracker(database, BagOfWords())
    await tracker.file(report(1))

    async def closed() -> int:
        async with database.transaction() as conn:
            return await bug_words.retell_closed(conn, "orrery", limit=10)

    assert await blank(database, 1, keep_open=True) == 0
    assert (await tracker.bug(STAFF, "BUG-1"))["reports"] == []
    assert await closed() == 0
    await tracker.set_status(STAFF, "BUG-1", "fixed")

    assert [await closed(), await closed()] == [1, 0]
    assert await titles(database) == [bug_words.BLANK_TITLE]


class Waiting(BagOfWords):
    """Is asked, and says nothing until it may."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.may = asyncio.Event(), asyncio.Event()

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.asked.set()
        await self.may.wait()
        return await super().embed(texts)


async def test_a_report_that_comes_after_its_conversation_was_erased_is_not_kept(database: Database) -> None:
    log, embedder = open_log(database), Waiting()
    tracker = BuiltInTracker(database, embedder, logged_only=True)
    conversation = await converse(log)
    late = replace(report(1), conversation_id=conversation.conversation_id)
    # Of a process that stood still: its lease is over, and it doesn't know.
    filing = asyncio.create_task(tracker.file(late))
    await embedder.asked.wait()
    ids = await erasing.hold(log, "orrery", HERS, wait_s=1)
    await erasing.erase(database, "orrery", ids, owner_id="ada")

    embedder.may.set()
    with pytest.raises(LeaseLost):
        await filing

    async with database.reading() as conn:
        assert (await conn.execute(select(bug_occurrences))).all() == []
    assert await titles(database) == []


async def test_a_report_that_comes_while_a_bug_loses_its_words_is_told_in_its_own(database: Database) -> None:
    tracker = BuiltInTracker(database, None)
    await tracker.file(report(1))
    async with database.transaction() as conn:
        await bug_words.blank(conn, "orrery", ["conversation-1"])
        filing = asyncio.create_task(tracker.file(report(2, at_s=1)))
        await asyncio.wait([filing], timeout=0.3)

    ticket = await filing

    assert (ticket.bug_id, ticket.is_new, ticket.title) == ("BUG-2", True, report(2).draft.title)
    assert await titles(database) == [bug_words.BLANK_TITLE, report(2).draft.title]


async def test_closed_bugs_that_others_vouch_for_cost_one_read_however_many_they_are(database: Database) -> None:
    tracker = BuiltInTracker(database, None, same_words_similarity=0.99)
    for n in range(0, 40, 2):
        for who in (n, n + 1):
            await tracker.file(report(who, f"Button number{n} does nothing", at_s=who))
    bug_ids = [bug["bug_id"] for bug in await tracker.bugs(STAFF)]
    assert len(bug_ids) == 20
    for bug_id in bug_ids:
        await tracker.set_status(STAFF, bug_id, "fixed")
    await blank(database, *range(1, 40, 2))
    told = await titles(database)
    statements: list[str] = []
    database.observe(lambda kind, seconds: statements.append(kind))

    assert await retention.retell_closed_bugs(database, "orrery", limit=10) == 0
    assert statements == ["read"]
    assert await titles(database) == told


@pytest.mark.parametrize("named", [{}, {"owner_id": ""}, {"owner_id": "user:a", "conversation_id": "b"}])
def test_a_subject_is_one_thing(named: dict[str, str]) -> None:
    with pytest.raises(BadTurn):
        Subject(**named)
