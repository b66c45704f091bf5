"""How an installation does, as its log has it: right after a restart, and the same from every worker."""

from collections import defaultdict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, and_, case, exists, func, literal, or_, select, true, type_coerce

from agent.events import Custom
from tools.storage.columns import SafeText
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.records import UNFINISHED
from tools.storage.schema import conversations, events, handoffs, turns
from tools.storage.scope import Scope
from tools.storage.sql_functions import custom_number, database_now, epoch_s, whole

ENDED = ("finished", "failed", "parked")
_SHOWN = 50
_FALLBACKS_READ = 5_000


@dataclass(frozen=True, slots=True)
class QueueState:
    """Turns that aren't over, and handoffs that nobody has taken.

    `abandoned` have begun, but nobody holds their conversation: they wait for a living process like the ones that
    haven't begun. `oldest_s` is the age of the oldest of the two kinds, 0 without one.
    """

    waiting: int
    running: int
    abandoned: int
    oldest_s: float
    handoffs_open: int
    handoffs_overdue: int


_NOTHING = QueueState(0, 0, 0, 0.0, 0, 0)


@dataclass(frozen=True, slots=True)
class Period:
    """A stretch of time up to now, cut into even intervals."""

    since: datetime
    step_s: int
    steps: int

    @classmethod
    def before(cls, now: datetime, *, hours: int, step_s: int) -> "Period":
        """The last `hours`, from a multiple of the step on, so that asking again cuts at the same places."""
        steps = hours * 3600 // step_s
        end = (int(now.timestamp()) // step_s + 1) * step_s
        return cls(datetime.fromtimestamp(end - steps * step_s, tz=now.tzinfo), step_s, steps)

    def starts(self) -> list[str]:
        """When each interval begins."""
        return [(self.since + timedelta(seconds=n * self.step_s)).isoformat() for n in range(self.steps)]


class Operations:
    """Reads the log for those who run the installation."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def queue(self, now: datetime, scope: Scope | None = None) -> QueueState:
        """What waits now: in the scope's workspace, or without one in all of them."""
        if scope is not None:
            scope.require_staff()
        async with self._db.reading() as conn:
            return await _queue(conn, now, scope)

    async def queues(self, now: datetime, workspace_ids: Collection[str]) -> dict[str, QueueState]:
        """What waits now in each of these workspaces."""
        async with self._db.reading() as conn:
            found = await _waiting(conn, now, lambda column: column.in_(workspace_ids))
        return {workspace_id: found.get(workspace_id, _NOTHING) for workspace_id in workspace_ids}

    async def overview(self, scope: Scope, period: Period, now: datetime) -> dict[str, Any]:
        """Everything that the operations page shows of the scope's workspace, as JSON. docs/operations.md lists it.

        Raises:
            NotFound: the scope is a customer's or a bot's.
        """
        scope.require_staff()
        async with self._db.reading() as conn:
            queue = await _queue(conn, now, scope)
            outcomes = await _outcomes(conn, scope, period)
            return {
                "since": period.since.isoformat(),
                "until": now.isoformat(),
                "step_s": period.step_s,
                "starts": period.starts(),
                "now": {
                    "turns_waiting": queue.waiting,
                    "turns_running": queue.running,
                    "turns_abandoned": queue.abandoned,
                    "oldest_waiting_s": round(queue.oldest_s, 1),
                    "handoffs_open": queue.handoffs_open,
                    "handoffs_overdue": queue.handoffs_overdue,
                },
                "outcomes": outcomes,
                "turns": sum(sum(counts) for counts in outcomes.values()),
                "turn_seconds": await _percentiles(conn, scope, period, turns.c.finished_at),
                "first_word_seconds": await _percentiles(conn, scope, period, turns.c.answered_at),
                "conversations": await _conversations(conn, scope, period),
                "engine": await _engine(conn, scope, period),
                "queues": await _queues(conn, scope, now),
                "troubled": await _troubled(conn, scope, period),
            }


def _of(scope: Scope | None, column: ColumnElement[str]) -> ColumnElement[bool]:
    return true() if scope is None else column == scope.workspace_id


def _ended(scope: Scope, period: Period) -> ColumnElement[bool]:
    return and_(
        turns.c.workspace_id == scope.workspace_id,
        turns.c.status.in_(ENDED),
        turns.c.created_at >= period.since,
    )


async def _queue(conn: Connection, now: datetime, scope: Scope | None) -> QueueState:
    found = (await _waiting(conn, now, lambda column: _of(scope, column))).values()
    return QueueState(
        waiting=sum(each.waiting for each in found),
        running=sum(each.running for each in found),
        abandoned=sum(each.abandoned for each in found),
        oldest_s=max((each.oldest_s for each in found), default=0.0),
        handoffs_open=sum(each.handoffs_open for each in found),
        handoffs_overdue=sum(each.handoffs_overdue for each in found),
    )


async def _waiting(
    conn: Connection, now: datetime, of: Callable[[ColumnElement[str]], ColumnElement[bool]]
) -> dict[str, QueueState]:
    """What waits in each workspace that has something waiting; `of` chooses among their ids."""
    held = conversations.c.lease_until > database_now()
    state = case((turns.c.status == "accepted", "waiting"), (held, "running"), else_="abandoned")
    unfinished = await conn.execute(
        select(
            turns.c.workspace_id,
            state.label("state"),
            func.count().label("n"),
            func.min(turns.c.created_at).label("oldest"),
        )
        .join(conversations, conversations.c.conversation_id == turns.c.conversation_id)
        .where(turns.c.status.in_(UNFINISHED), of(turns.c.workspace_id))
        .group_by(turns.c.workspace_id, state)
    )
    counted: dict[str, dict[str, Any]] = defaultdict(dict)
    for row in unfinished:
        counted[row.workspace_id][row.state] = row
    untaken = await conn.execute(
        select(
            handoffs.c.workspace_id,
            func.count().label("open"),
            func.sum(case((handoffs.c.promised_by < now, 1), else_=0)).label("overdue"),
        )
        .where(handoffs.c.closed_at.is_(None), handoffs.c.taken_at.is_(None), of(handoffs.c.workspace_id))
        .group_by(handoffs.c.workspace_id)
    )
    waiting = {row.workspace_id: row for row in untaken}

    def queue(workspace_id: str) -> QueueState:
        states = counted.get(workspace_id, {})
        oldest = [row.oldest for name, row in states.items() if name != "running"]
        untaken_ones = waiting.get(workspace_id)
        return QueueState(
            waiting=int(states["waiting"].n) if "waiting" in states else 0,
            running=int(states["running"].n) if "running" in states else 0,
            abandoned=int(states["abandoned"].n) if "abandoned" in states else 0,
            oldest_s=max(0.0, (now - min(oldest)).total_seconds()) if oldest else 0.0,
            handoffs_open=int(untaken_ones.open) if untaken_ones is not None else 0,
            handoffs_overdue=int(untaken_ones.overdue) if untaken_ones is not None else 0,
        )

    return {workspace_id: queue(workspace_id) for workspace_id in {*counted, *waiting}}


def _place(period: Period) -> ColumnElement[int]:
    """Which interval a turn was accepted in."""
    passed = epoch_s(turns.c.created_at) - literal(period.since.timestamp())
    return whole(passed / period.step_s)


async def _outcomes(conn: Connection, scope: Scope, period: Period) -> dict[str, list[int]]:
    """Turns accepted in each interval by what became of them; `failed` and `parked` are outcomes here."""
    became = case((turns.c.status == "finished", turns.c.outcome), else_=turns.c.status)
    place = _place(period)
    found = await conn.execute(
        select(became.label("became"), place.label("place"), func.count().label("n"))
        .where(_ended(scope, period))
        .group_by(became, place)
    )
    series: dict[str, list[int]] = {}
    for row in found:
        if row.place is not None and 0 <= row.place < period.steps:
            series.setdefault(row.became or "finished", [0] * period.steps)[row.place] += row.n
    return series


async def _percentiles(
    conn: Connection, scope: Scope, period: Period, until: ColumnElement[datetime]
) -> dict[str, Any]:
    """The median and the 95th percentile (nearest rank) of accepted-to-`until`: of each interval, and of all."""
    place = _place(period)
    seconds = epoch_s(until) - epoch_s(turns.c.created_at)
    taken = (
        select(place.label("place"), seconds.label("seconds"))
        .where(_ended(scope, period), turns.c.status == "finished", until.is_not(None))
        .subquery()
    )
    result: dict[str, Any] = {"p50": [None] * period.steps, "p95": [None] * period.steps, "all": None}
    for by_place in (True, False):
        groups = (taken.c.place,) if by_place else ()
        ranked = select(
            taken.c.place,
            taken.c.seconds,
            func.row_number().over(partition_by=groups or None, order_by=taken.c.seconds).label("rank"),
            func.count().over(partition_by=groups or None).label("n"),
        ).subquery()
        at = [_rank(ranked.c.n, percent) for percent in (50, 95)]
        query = select(ranked).where(or_(ranked.c.rank == at[0], ranked.c.rank == at[1]))
        for row in await conn.execute(query):
            for name, percent in (("p50", 50), ("p95", 95)):
                if row.rank != (row.n * percent + 99) // 100:
                    continue
                if not by_place:
                    result["all"] = {**(result["all"] or {"n": row.n}), name: round(row.seconds, 3)}
                elif 0 <= row.place < period.steps:
                    result[name][row.place] = round(row.seconds, 3)
    return result


def _rank(n: ColumnElement[int], percent: int) -> ColumnElement[int]:
    return (n * percent + 99) // 100


async def _conversations(conn: Connection, scope: Scope, period: Period) -> dict[str, int]:
    """Conversations in which a turn ended, and those of them in which a person was asked for or came."""
    with_person = exists().where(
        handoffs.c.conversation_id == turns.c.conversation_id,
        handoffs.c.workspace_id == scope.workspace_id,
        or_(handoffs.c.closed_at.is_(None), handoffs.c.closed_at >= period.since),
    )
    distinct = select(turns.c.conversation_id).where(_ended(scope, period)).distinct()
    total = (await conn.execute(select(func.count()).select_from(distinct.subquery()))).scalar_one()
    asked = distinct.where(with_person).subquery()
    return {"n": total, "with_person": (await conn.execute(select(func.count()).select_from(asked))).scalar_one()}


async def _engine(conn: Connection, scope: Scope, period: Period) -> dict[str, Any]:
    """What the turns of the period cost, and in what models failed."""
    mine = and_(
        events.c.conversation_id.in_(select(turns.c.conversation_id).where(_ended(scope, period))),
        events.c.workspace_id == scope.workspace_id,
        events.c.kind == Custom.ENGINE.value,
        events.c.at >= period.since,
    )
    names = ("calls", "input_tokens", "output_tokens", "cost")
    sums = [func.coalesce(func.sum(custom_number(events.c.event, literal(name))), 0).label(name) for name in names]
    total = (await conn.execute(select(*sums).where(mine))).one()
    # The JSON is ours, written without spaces.
    failed = select(events.c.event).where(mine, type_coerce(events.c.event, SafeText).like('%"fallbacks":[{%'))
    fallbacks: dict[tuple[str, str], int] = {}
    for event in (await conn.execute(failed.order_by(events.c.at.desc()).limit(_FALLBACKS_READ))).scalars():
        for fallback in event["value"]["fallbacks"]:
            key = (fallback["ability"], fallback["reason"])
            fallbacks[key] = fallbacks.get(key, 0) + 1
    return {
        "calls": int(total.calls),
        "input_tokens": int(total.input_tokens),
        "output_tokens": int(total.output_tokens),
        "cost": round(float(total.cost), 6),
        "fallbacks": [
            {"ability": ability, "reason": reason, "n": n}
            for (ability, reason), n in sorted(fallbacks.items(), key=lambda item: -item[1])
        ],
    }


async def _queues(conn: Connection, scope: Scope, now: datetime) -> list[dict[str, Any]]:
    """Handoffs that nobody has taken, by queue, the longest queue first."""
    found = await conn.execute(
        select(
            handoffs.c.queue_id,
            func.count().label("open"),
            func.sum(case((handoffs.c.promised_by < now, 1), else_=0)).label("overdue"),
            func.min(handoffs.c.waiting_since).label("oldest"),
        )
        .where(
            handoffs.c.workspace_id == scope.workspace_id, handoffs.c.closed_at.is_(None), handoffs.c.taken_at.is_(None)
        )
        .group_by(handoffs.c.queue_id)
        .order_by(func.count().desc(), handoffs.c.queue_id)
    )
    return [
        {"queue_id": row.queue_id, "open": row.open, "overdue": row.overdue, "oldest": row.oldest.isoformat()}
        for row in found
    ]


async def _troubled(conn: Connection, scope: Scope, period: Period) -> Sequence[dict[str, Any]]:
    """The newest turns that failed or were parked, each with the conversation to look at."""
    found = await conn.execute(
        select(turns)
        .where(
            turns.c.workspace_id == scope.workspace_id,
            turns.c.status.in_(("failed", "parked")),
            turns.c.created_at >= period.since,
        )
        .order_by(turns.c.created_at.desc())
        .limit(_SHOWN)
    )
    return [
        {
            "turn_id": row.turn_id,
            "conversation_id": row.conversation_id,
            "status": row.status,
            "attempts": row.attempts,
            "at": row.created_at.isoformat(),
        }
        for row in found
    ]
