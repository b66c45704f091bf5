"""The state machine of who speaks, and what is promised."""

from datetime import UTC, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.errors import Conflict
from agent.handoff import TABLE, Move, promise, step
from agent.policy import BusinessHours
from agent.types import Mode

BERLIN = BusinessHours("Europe/Berlin", {day: ((time(9), time(18)),) for day in range(5)}, holidays=("2026-12-25",))


def test_every_mode_has_a_way_out_and_takes_what_the_customer_writes() -> None:
    for mode in Mode:
        moves = {move for (source, move) in TABLE if source is mode}
        assert Move.CUSTOMER_WRITES in moves, mode
        assert any(TABLE[mode, move].to is not mode for move in moves), mode


def test_the_bot_can_answer_again_from_every_mode() -> None:
    for start in Mode:
        reached, frontier = {start}, [start]
        while frontier:
            mode = frontier.pop()
            for (source, _), effect in TABLE.items():
                if source is mode and effect.to not in reached:
                    reached.add(effect.to)
                    frontier.append(effect.to)
        assert Mode.BOT in reached, start


def test_nobody_waits_unnoticed() -> None:
    for (_, move), effect in TABLE.items():
        if effect.to is Mode.WAITING:
            assert effect.notify_people, move


def test_the_bot_never_answers_while_a_person_has_the_conversation() -> None:
    for (source, _), effect in TABLE.items():
        if source in (Mode.WAITING, Mode.WITH_PERSON):
            assert not effect.bot_answers


def test_after_a_hand_back_the_next_message_is_answered_by_the_bot() -> None:
    back = step(Mode.WITH_PERSON, Move.HAND_BACK)

    assert step(back.to, Move.CUSTOMER_WRITES).bot_answers


def test_a_move_that_the_table_lacks_is_refused_by_name() -> None:
    with pytest.raises(Conflict, match=r"'bot' can't 'hand back'"):
        step(Mode.BOT, Move.HAND_BACK)


@pytest.mark.parametrize(
    ("now", "by", "open_now"),
    [
        # Monday in winter: 10:00 in Berlin.
        (datetime(2026, 11, 23, 9, 0, tzinfo=UTC), datetime(2026, 11, 23, 9, 15, tzinfo=UTC), True),
        # Monday before opening.
        (datetime(2026, 11, 23, 7, 0, tzinfo=UTC), datetime(2026, 11, 23, 8, 15, tzinfo=UTC), False),
        # Friday evening: Monday morning.
        (datetime(2026, 11, 27, 20, 0, tzinfo=UTC), datetime(2026, 11, 30, 8, 15, tzinfo=UTC), False),
        # Christmas is a Friday in 2026: Monday again.
        (datetime(2026, 12, 25, 10, 0, tzinfo=UTC), datetime(2026, 12, 28, 8, 15, tzinfo=UTC), False),
        # Summer time: 9:00 in Berlin is 7:00 UTC.
        (datetime(2026, 7, 1, 6, 0, tzinfo=UTC), datetime(2026, 7, 1, 7, 15, tzinfo=UTC), False),
    ],
)
def test_what_is_promised_follows_the_calendar(now: datetime, by: datetime, open_now: bool) -> None:
    promised = promise(now, BERLIN, minutes=15)

    assert (promised.by, promised.open_now) == (by, open_now)


@given(st.integers(0, 4 * 365 * 24 * 60))
def test_a_promise_is_never_in_the_past(minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)

    assert promise(now, BERLIN, minutes=15).by > now
    assert promise(now, BusinessHours("UTC", {}), minutes=15).by > now
