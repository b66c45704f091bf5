"""The figures of operations against the same figures counted by hand, on both databases."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import ceil

import pytest
from sqlalchemy import event, update

from agent.errors import NotFound
from agent.events import Custom
from agent.handoff import Move
from tests.tools.storage.arrange import (
    ADA,
    NOW,
    OTHER_STAFF,
    OTHER_WORKSPACE,
    STAFF,
    begin,
    converse,
    end_turn,
    finished,
    open_log,
    say,
    story,
)
from tools.storage.database import Database
from tools.storage.log import ConversationLog, NewEvent
from tools.storage.operations import Operations, Period
from tools.storage.schema import turns
from tools.storage.scope import Scope

# Seconds after `NOW` of a turn's acceptance, its seconds to the first word and to its end, and what it came to.
Turn = tuple[float, float | None, float, str]
TURNS: Sequence[Turn] = (
    *((n * 37.0, 0.1 + n / 100, 0.2 + n / 50, "answered") for n in range(20)),
    (30.0, None, 3.0, "asked"),
    (700.5, 0.5, 9.0, "bug_filed"),
    (3599.9, 0.25, 0.5, "answered"),
)
PERIOD = Period(NOW, 600, 6)
UNTIL = NOW + timedelta(hours=1)


async def answer(log: ConversationLog, turn: Turn, number: int, scope: Scope = ADA, **changes: object) -> str:
    """A conversation with one turn, and its id."""
    at_s, word_s, end_s, outcome = turn
    conversation = await converse(log, scope)
    accepted = await say(log, conversation, f"m{number}", at_s=at_s, scope=scope)
    lease, work = await begin(log, conversation)
    engine = {"calls": 2, "input_tokens": 100, "output_tokens": 10, "cost": 0.5, "fallbacks": []}
    if number == 3:
        engine["fallbacks"] = [{"ability": "answer", "reason": "timeout"}]
    told = NewEvent({"type": "CUSTOM", "name": Custom.ENGINE.value, "value": engine}, "staff")
    await end_turn(log, lease, work, events=[told, finished(work)], outcome=outcome)
    await log.release(lease)
    accepted_at = NOW + timedelta(seconds=at_s)
    values = {
        "finished_at": accepted_at + timedelta(seconds=end_s),
        "answered_at": None if word_s is None else accepted_at + timedelta(seconds=word_s),
        **changes,
    }
    async with log.database.transaction() as conn:
        await conn.execute(update(turns).where(turns.c.turn_id == accepted.turn_id).values(**values))
    return conversation.conversation_id


def nearest_rank(values: Sequence[float], percent: int) -> float:
    return sorted(values)[ceil(len(values) * percent / 100) - 1]


async def test_turns_are_counted_and_timed_as_they_were(database: Database) -> None:
    log = open_log(database)
    for number, turn in enumerate(TURNS):
        await answer(log, turn, number)
    before = NOW - timedelta(seconds=1)
    await answer(log, (0, 0.1, 0.2, "answered"), 90, created_at=before)
    await answer(log, (5, 0.1, 0.2, "answered"), 91, OTHER_WORKSPACE)
    broken = await answer(log, (65, None, 1, "handed_off"), 92, status="failed")

    seen = await Operations(database).overview(STAFF, PERIOD, UNTIL)

    by_place: dict[int, list[Turn]] = {}
    for turn in TURNS:
        by_place.setdefault(int(turn[0] // 600), []).append(turn)
    expected = {
        name: [sum(turn[3] == name for turn in by_place.get(place, [])) for place in range(6)]
        for name in ("answered", "asked", "bug_filed")
    }
    assert seen["outcomes"] == {**expected, "failed": [1, 0, 0, 0, 0, 0]}
    assert seen["turns"] == len(TURNS) + 1
    assert seen["starts"][1] == (NOW + timedelta(seconds=600)).isoformat()
    for name in ("first_word_seconds", "turn_seconds"):
        for percent in (50, 95):
            for place in range(6):
                here = by_place.get(place, [])
                words = [turn[1] for turn in here if turn[1] is not None]
                taken = words if name == "first_word_seconds" else [turn[2] for turn in here]
                wanted = pytest.approx(nearest_rank(taken, percent), abs=0.002) if taken else None
                assert seen[name][f"p{percent}"][place] == wanted
    assert seen["turn_seconds"]["all"]["n"] == len(TURNS)
    assert seen["turn_seconds"]["all"]["p95"] == pytest.approx(nearest_rank([t[2] for t in TURNS], 95), abs=0.002)
    assert seen["conversations"] == {"n": len(TURNS) + 1, "with_person": 0}
    assert [(turn["conversation_id"], turn["status"]) for turn in seen["troubled"]] == [(broken, "failed")]


async def test_what_engines_did_is_added_up(database: Database) -> None:
    log = open_log(database)
    now = datetime.now(UTC)
    for number in range(5):
        await answer(log, (0, 0.1, 0.2, "answered"), number, created_at=now)
    await answer(log, (0, 0.1, 0.2, "answered"), 9, OTHER_WORKSPACE, created_at=now)

    seen = await Operations(database).overview(STAFF, Period.before(now, hours=1, step_s=120), now)

    assert seen["engine"] == {
        "calls": 10,
        "input_tokens": 500,
        "output_tokens": 50,
        "cost": 2.5,
        "fallbacks": [{"ability": "answer", "reason": "timeout", "n": 1}],
    }


async def test_what_waits_is_seen_by_every_process(database: Database) -> None:
    log, other = open_log(database), Operations(database)
    waiting, running, left, handed = [await converse(log, thread_id=f"t{n}") for n in range(4)]
    for number, conversation in enumerate((waiting, running, left, handed)):
        await say(log, conversation, "m1", at_s=number)
    await begin(log, running)
    lease, _ = await begin(log, left)
    await log.release(lease)
    lease, work = await begin(log, handed)
    await end_turn(log, lease, work, outcome="handed_off", move=Move.HAND_OFF, handoff=story(promised_by=NOW))

    at = NOW + timedelta(seconds=60)
    state = await other.queue(at)
    overview = await other.overview(STAFF, Period(NOW, 600, 6), at)

    assert (state.waiting, state.running, state.abandoned, state.oldest_s) == (1, 1, 1, 60)
    assert (state.handoffs_open, state.handoffs_overdue) == (1, 1)
    assert await other.queue(at, STAFF) == state
    assert await other.queue(at, OTHER_STAFF) == replace(
        state, waiting=0, running=0, abandoned=0, oldest_s=0.0, handoffs_open=0, handoffs_overdue=0
    )
    nothing = await other.queue(at, OTHER_STAFF)
    each = await other.queues(at, [STAFF.workspace_id, OTHER_STAFF.workspace_id])
    assert each == {STAFF.workspace_id: state, OTHER_STAFF.workspace_id: nothing}
    assert await other.queues(at, [OTHER_STAFF.workspace_id]) == {OTHER_STAFF.workspace_id: nothing}
    assert overview["now"]["turns_abandoned"] == 1
    assert [(queue["queue_id"], queue["open"], queue["overdue"]) for queue in overview["queues"]] == [("billing", 1, 1)]
    assert overview["conversations"] == {"n": 1, "with_person": 1}


async def test_customers_have_no_operations_and_workspaces_no_neighbours(database: Database) -> None:
    log, operations = open_log(database), Operations(database)
    await answer(log, TURNS[0], 0)
    seen: list[str] = []
    event.listen(database.engine, "before_cursor_execute", lambda c, k, statement, *rest: seen.append(statement))

    with pytest.raises(NotFound):
        await operations.overview(ADA, PERIOD, UNTIL)
    nothing = await operations.overview(OTHER_STAFF, PERIOD, UNTIL)

    assert (nothing["turns"], nothing["outcomes"], nothing["engine"]["calls"]) == (0, {}, 0)
    asked = [statement for statement in seen if statement.lstrip().startswith("SELECT")]
    assert len(asked) > 8
    assert all("workspace_id" in statement for statement in asked)


def test_intervals_begin_where_they_did_a_moment_ago() -> None:
    now = datetime(2026, 3, 4, 10, 7, 13, tzinfo=UTC)
    first, later = (Period.before(at, hours=24, step_s=1800) for at in (now, now + timedelta(minutes=20)))

    assert first == later
    assert first.steps == 48
    assert first.since == datetime(2026, 3, 3, 10, 30, tzinfo=UTC)
