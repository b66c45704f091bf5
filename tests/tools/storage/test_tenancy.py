"""No statement reaches over a workspace's border, whatever the method."""

import re
from typing import Any

from sqlalchemy import event

from agent.handoff import Move
from agent.types import Mode
from tests.tools.storage.arrange import (
    ADA,
    IDENTITY,
    NOW,
    STAFF,
    begin,
    converse,
    end_turn,
    open_log,
    say,
    story,
    words,
)
from tests.tools.storage.test_tracker import BagOfWords, report
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import NewEvent
from tools.storage.sessions import Sessions
from tools.storage.tracker import BuiltInTracker

_TABLE = re.compile(r"^\s*(SELECT|INSERT|UPDATE|DELETE)\b", re.IGNORECASE)


async def test_every_statement_names_the_workspace(database: Database) -> None:
    seen: list[str] = []

    def note(conn: Any, cursor: Any, statement: str, *rest: Any) -> None:
        seen.append(" ".join(statement.split()))

    event.listen(database.engine, "before_cursor_execute", note)
    log, tracker, kept = open_log(database), BuiltInTracker(database, BagOfWords()), Sessions(database)
    desk = Desk(log)

    conversation = await converse(log, thread_id="t")
    conversation_id = conversation.conversation_id
    await log.find(ADA, "t")
    await log.typing(ADA, conversation_id, NOW)
    await say(log, conversation, "m1")
    await say(log, conversation, "m1")
    await say(log, conversation, "m2")
    claimed = await log.claim(conversation_id, holder="w", ttl_s=30)
    assert claimed is not None
    unscoped = [seen[-1]]
    work = await log.next_turn(claimed)
    assert work is not None
    await log.renew(claimed, 30)
    await log.append(claimed, work.turn_id, words("Hi"))
    await log.open_answer(claimed, work.turn_id, message_count=2, events=words("Hi"))
    await end_turn(
        log,
        claimed,
        work,
        message_count=2,
        outcome="handed_off",
        move=Move.HAND_OFF,
        handoff=story(promised_by=NOW),
        contact_email="ada@example.com",
    )
    await log.release(claimed)
    await log.read(ADA, conversation_id, after_seq=0, staff=False)
    await log.read(ADA, conversation_id, after_seq=999, staff=False)
    await log.messages(ADA, conversation_id)
    await log.history(conversation, before_seq=5)
    await log.active_turn(ADA, conversation_id)
    await log.recent(STAFF)
    await log.record(ADA, conversation_id, [NewEvent({"type": "CUSTOM", "name": "x", "value": {}})])
    await desk.handoffs(STAFF, Mode.WAITING)
    await desk.remind(STAFF, conversation_id, now=NOW)
    await say(log, conversation, "m3")
    await begin(log, conversation)
    unscoped.append(next(s for s in reversed(seen) if "lease_until <=" in s))
    await desk.take(STAFF, conversation_id, "Grace", NOW)
    await desk.reply(STAFF, conversation_id, "Hi", "r1", "Grace", NOW)
    await desk.conversation_view(STAFF, conversation_id)
    await desk.hand_back(STAFF, conversation_id, "note", NOW)
    await desk.resolve(STAFF, conversation_id, "solved", None, NOW)
    session = await kept.create(ADA, identity=IDENTITY, conversation_id=None, ttl_s=9, now=NOW)
    await kept.lookup("orrery", session.token, now=NOW)
    await kept.prolong("orrery", session.token, conversation_id=None, ttl_s=9, now=NOW)
    await kept.expire("orrery", session.token)
    await tracker.file(report(1))
    await tracker.file(report(2))
    await tracker.find_same(report(3))
    await tracker.bugs(STAFF)
    await tracker.bug(STAFF, "BUG-1")
    await tracker.set_status(STAFF, "BUG-1", "fixed")

    statements = {s for s in seen if _TABLE.match(s)} - set(unscoped)
    assert len(statements) > 40
    for statement in statements:
        head, _, predicate = statement.partition(" WHERE ")
        named = head if statement.startswith("INSERT") else predicate
        assert "workspace_id" in named, statement
