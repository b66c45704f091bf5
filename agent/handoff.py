"""Who speaks to the customer: one small state machine, written as data.

A handoff breaks in four known ways: nobody is told, the bot talks over the person, the bot stays silent after the
conversation was handed back, and the two hand it to each other for ever. The table below leaves no room for the
first three; `MAX_HANDBACKS` ends the fourth.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from agent.errors import Conflict
from agent.policy import BusinessHours
from agent.types import Mode


class Move(StrEnum):
    """What can happen to a conversation's mode."""

    HAND_OFF = "hand_off"  # the bot asks for a person
    TAKE = "take"  # a person takes the conversation, asked or not
    HAND_BACK = "hand_back"  # the person gives it back to the bot
    WITHDRAW = "withdraw"  # the customer no longer needs the person
    RESOLVE = "resolve"  # the person closes it with an outcome
    CUSTOMER_WRITES = "customer_writes"


@dataclass(frozen=True, slots=True)
class Effect:
    """Where a move leads and what it owes: tell people, or let the bot answer the customer's next message."""

    to: Mode
    notify_people: bool = False
    bot_answers: bool = False


TABLE: dict[tuple[Mode, Move], Effect] = {
    (Mode.BOT, Move.CUSTOMER_WRITES): Effect(Mode.BOT, bot_answers=True),
    (Mode.BOT, Move.HAND_OFF): Effect(Mode.WAITING, notify_people=True),
    (Mode.BOT, Move.TAKE): Effect(Mode.WITH_PERSON),
    (Mode.BOT, Move.RESOLVE): Effect(Mode.CLOSED),
    (Mode.WAITING, Move.CUSTOMER_WRITES): Effect(Mode.WAITING, notify_people=True),
    (Mode.WAITING, Move.TAKE): Effect(Mode.WITH_PERSON),
    (Mode.WAITING, Move.HAND_BACK): Effect(Mode.HANDED_BACK),
    (Mode.WAITING, Move.WITHDRAW): Effect(Mode.BOT),
    (Mode.WAITING, Move.RESOLVE): Effect(Mode.CLOSED),
    (Mode.WITH_PERSON, Move.CUSTOMER_WRITES): Effect(Mode.WITH_PERSON, notify_people=True),
    (Mode.WITH_PERSON, Move.TAKE): Effect(Mode.WITH_PERSON),
    (Mode.WITH_PERSON, Move.HAND_BACK): Effect(Mode.HANDED_BACK),
    (Mode.WITH_PERSON, Move.RESOLVE): Effect(Mode.CLOSED),
    (Mode.HANDED_BACK, Move.CUSTOMER_WRITES): Effect(Mode.BOT, bot_answers=True),
    (Mode.HANDED_BACK, Move.HAND_OFF): Effect(Mode.WAITING, notify_people=True),
    (Mode.HANDED_BACK, Move.TAKE): Effect(Mode.WITH_PERSON),
    (Mode.HANDED_BACK, Move.RESOLVE): Effect(Mode.CLOSED),
    (Mode.CLOSED, Move.CUSTOMER_WRITES): Effect(Mode.BOT, bot_answers=True),
    (Mode.CLOSED, Move.TAKE): Effect(Mode.WITH_PERSON),
}

MAX_HANDBACKS = 3
"""After so many hand-backs in one conversation a new handoff is marked urgent: people and bot play ping-pong."""


def step(mode: Mode, move: Move) -> Effect:
    """Return where `move` leads from `mode`.

    Raises:
        Conflict: the table has no such move, e.g. handing back a conversation that the bot holds.
    """
    effect = TABLE.get((mode, move))
    if effect is None:
        raise Conflict(f"a conversation in mode {mode.value!r} can't {move.value.replace('_', ' ')!r}")
    return effect


@dataclass(frozen=True, slots=True)
class Promise:
    """When somebody will answer: `by` in UTC, and whether that is within today's opening hours."""

    by: datetime
    open_now: bool


def promise(now: datetime, hours: BusinessHours, *, minutes: int) -> Promise:
    """Return when a person will answer a handoff made at `now` (aware UTC), `minutes` after opening at the latest.

    A calendar without any opening within a fortnight promises nothing better than a day from now.
    """
    zone = ZoneInfo(hours.timezone)
    local = now.astimezone(zone)
    for days_ahead in range(15):
        day = (local + timedelta(days=days_ahead)).date()
        if day.isoformat() in hours.holidays:
            continue
        for start, end in hours.days.get(day.weekday(), ()):
            opens = datetime.combine(day, start, tzinfo=zone)
            closes = datetime.combine(day, end, tzinfo=zone)
            if opens <= local < closes:
                return Promise(by=now + timedelta(minutes=minutes), open_now=True)
            if local < opens:
                by = opens + timedelta(minutes=minutes)
                return Promise(by=by.astimezone(now.tzinfo), open_now=False)
    return Promise(by=now + timedelta(days=1), open_now=False)
