"""What webhooks are to be told of: taken, sent and settled. It was posted with the log (`tools.storage.posting`).

A delivery happens at least once: whoever takes one holds it for a while, and when he dies with it another takes it
again, under the same id. Those of one webhook about one conversation go one after the other, in the order of its log.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
    Select,
    and_,
    bindparam,
    delete,
    exists,
    or_,
    select,
    true,
    tuple_,
    update,
)

from agent.wire import JsonObject
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.schema import deliveries, webhooks
from tools.storage.sql_functions import database_now

HELD_S = 60.0
MAX_REFUSALS = 8
MAX_AGE = timedelta(days=3)
KEPT = timedelta(days=30)
# One connection that breaks is no reason to keep all others waiting.
_TOLERATED = 2
_FIRST_WAIT_S, _MAX_WAIT_S, _MAX_RETRY_AFTER_S = 2.0, 600.0, 3600.0

Status = Literal["waiting", "delivered", "given_up"]


@dataclass(frozen=True, slots=True)
class Delivery:
    """An event on its way to a webhook. `tries` counts this one; `held_by` is whoever took it."""

    workspace_id: str
    name: str
    url: str
    conversation_id: str
    seq: int
    kind: str
    body: JsonObject
    tries: int
    created_at: datetime
    held_by: str

    @property
    def event_id(self) -> str:
        """The same for each attempt, and for no other event."""
        return f"{self.conversation_id}.{self.seq}"


@dataclass(frozen=True, slots=True)
class Settled:
    """How a delivery is doing, for people."""

    name: str
    conversation_id: str
    seq: int
    kind: str
    status: str
    refusals: int
    last_error: str | None
    created_at: datetime


def _refusals(row: Row[Any]) -> int:
    """How often the receiver has refused a delivery: each try that reached it, but for the one that it took."""
    tries: int = row.tries
    return tries - 1 if row.status == "delivered" else tries


async def workspaces_with_deliveries(db: Database) -> frozenset[str]:
    """Return the workspaces that have deliveries due, or under way."""
    query = (
        select(deliveries.c.workspace_id)
        .where(deliveries.c.status == "waiting", deliveries.c.due_at <= database_now())
        .distinct()
    )
    async with db.reading() as conn:
        return frozenset((await conn.execute(query)).scalars())


class Outbox:
    """Takes what is due, and keeps what became of it."""

    def __init__(self, db: Database, workspace_id: str) -> None:
        self._db = db
        self._workspace_id = workspace_id

    async def take(self, *, limit: int, holder: str, busy: Mapping[str, int] | None = None) -> list[Delivery]:
        """Take what is due; nobody else gets it for 60 s, unless the holder is seen to die.

        Of each webhook it is up to `limit`, those included of which `busy` says that they are under way, so that none
        waits for another. Of one that couldn't be reached three times in a row only one is taken, to see whether it
        can be now, and none while another is on its way.
        """
        counts = dict(busy or {})
        full = {name for name, number in counts.items() if number >= limit}
        # Looked at first: there hardly ever is something, and a write would keep others waiting each time.
        async with self._db.reading() as conn:
            if not await self._due(conn, _DUE, full | await self._probed(conn), 1):
                return []
        token = f"{holder}/{uuid4().hex}"
        taken: list[Delivery] = []
        async with self._db.transaction() as conn:
            full |= await self._probed(conn)
            while due := await self._due(conn, _TAKE, full, limit):
                new: list[Delivery] = []
                for row in due:
                    if row.name not in full:
                        new.append(_taken(row, token))
                        counts[row.name] = counts.get(row.name, 0) + 1
                        if counts[row.name] >= limit or row.failures > _TOLERATED:
                            full.add(row.name)
                await self._hold(conn, new, token)
                taken += new
                if len(due) < limit:
                    break
        return taken

    async def _due(self, conn: Connection, query: Select[Any], full: Collection[str], most: int) -> list[Row[Any]]:
        """The most pressing deliveries of webhooks that aren't full."""
        found = await conn.execute(query, {"of_workspace": self._workspace_id, "full": sorted(full), "most": most})
        return list(found.all())

    async def _probed(self, conn: Connection) -> set[str]:
        """The webhooks of which it is being found out whether they can be reached again."""
        return set((await conn.execute(_PROBED, {"of_workspace": self._workspace_id})).scalars())

    async def _hold(self, conn: Connection, taken: Sequence[Delivery], token: str) -> None:
        key = tuple_(deliveries.c.name, deliveries.c.conversation_id, deliveries.c.seq)
        await conn.execute(
            update(deliveries)
            .where(
                deliveries.c.workspace_id == self._workspace_id,
                key.in_([(each.name, each.conversation_id, each.seq) for each in taken]),
            )
            .values(held_until=database_now() + HELD_S, held_by=token, tries=deliveries.c.tries + 1)
        )

    async def holders(self) -> list[str]:
        """Return who holds deliveries now."""
        async with self._db.reading() as conn:
            found = await conn.execute(_HOLDERS, {"of_workspace": self._workspace_id})
            return sorted({str(held_by).rpartition("/")[0] for held_by in found.scalars()})

    async def free(self, holder: str, *, but: Collection[str] = ()) -> int:
        """Let others take what a dead holder holds, and return how much it is.

        Should it live after all, the receiver is told twice, under the same id. `but` are takings of a living one that
        it knows of.
        """
        async with self._db.transaction(lengthy=True) as conn:
            freed = await conn.execute(
                update(deliveries)
                .where(
                    deliveries.c.workspace_id == self._workspace_id,
                    deliveries.c.status == "waiting",
                    deliveries.c.held_by.startswith(f"{holder}/", autoescape=True),
                    deliveries.c.held_by.not_in(but),
                )
                .values(held_until=0.0)
                .returning(deliveries.c.seq)
            )
            return len(freed.all())

    async def delivered(self, delivery: Delivery, *, now: datetime) -> None:
        """It arrived."""
        async with self._db.transaction() as conn:
            if await _settle(conn, delivery, status="delivered", settled_at=now, last_error=None):
                await _webhook(conn, delivery, failures=0, paused_until=0.0, last_error=None)

    async def refused(self, delivery: Delivery, error: str, *, now: datetime, for_good: bool = False) -> bool:
        """The receiver is there and won't have it: it is tried again later, eight times in all; whether it will be."""
        again = delivery.tries < MAX_REFUSALS and not for_good
        async with self._db.transaction() as conn:
            if again:
                due_at = database_now() + waiting_s(delivery.tries)
                await _settle(conn, delivery, due_at=due_at, last_error=error)
            else:
                await _settle(conn, delivery, status="given_up", settled_at=now, last_error=error)
            await _webhook(conn, delivery, failures=0, paused_until=0.0, last_error=error)
        return again

    async def away(self, delivery: Delivery, error: str, *, now: datetime, retry_after_s: float | None) -> bool:
        """The receiver can't be reached, or wants to be left alone: this waits, for up to three days; whether it does.

        After the third time in a row, and when it asks for it, all that goes to it waits. That counts as no try.
        """
        again = now - delivery.created_at < MAX_AGE
        async with self._db.transaction() as conn:
            # Deliveries before webhooks, as everywhere: two that lock in another order would wait for each other.
            if again:
                due_at = database_now() + waiting_s(1)
                await _settle(conn, delivery, tries=deliveries.c.tries - 1, due_at=due_at, last_error=error)
            else:
                given_up = {"tries": deliveries.c.tries - 1, "status": "given_up", "settled_at": now}
                await _settle(conn, delivery, **given_up, last_error=error)
            counted = await conn.execute(
                update(webhooks)
                # What was on its way when all began to wait says nothing new: of sixteen at once that find nobody
                # each would double the wait.
                .where(*_webhook_of(delivery), webhooks.c.paused_until <= database_now())
                .values(failures=webhooks.c.failures + 1, last_error=error)
                .returning(webhooks.c.failures)
            )
            failures = counted.scalar_one_or_none() or 0
            if failures > _TOLERATED or retry_after_s:
                wait_s = waiting_s(failures - _TOLERATED) if failures > _TOLERATED else 0.0
                until = database_now() + max(wait_s, min(retry_after_s or 0.0, _MAX_RETRY_AFTER_S))
                await conn.execute(
                    update(webhooks)
                    .where(*_webhook_of(delivery), webhooks.c.paused_until < until)
                    .values(paused_until=until)
                )
        return again

    async def retry(self, name: str | None, *, now: datetime) -> int:
        """Let what was given up wait again, of one webhook or of all, and leave nobody alone any more; how many."""
        ours = deliveries.c.workspace_id == self._workspace_id
        mine = webhooks.c.workspace_id == self._workspace_id
        async with self._db.transaction(lengthy=True) as conn:
            again = await conn.execute(
                update(deliveries)
                .where(ours, deliveries.c.status == "given_up", true() if name is None else deliveries.c.name == name)
                .values(status="waiting", tries=0, due_at=0.0, settled_at=None, created_at=now)
                .returning(deliveries.c.seq)
            )
            number = len(again.all())
            await conn.execute(
                update(deliveries)
                .where(ours, deliveries.c.status == "waiting", true() if name is None else deliveries.c.name == name)
                .values(due_at=0.0)
            )
            await conn.execute(
                update(webhooks)
                .where(mine, true() if name is None else webhooks.c.name == name)
                .values(paused_until=0.0)
            )
        return number

    async def shown(self, *, unsettled: bool, limit: int) -> list[Settled]:
        """Return the newest deliveries; with `unsettled` only what waits and what was given up."""
        query = select(deliveries).where(deliveries.c.workspace_id == self._workspace_id)
        if unsettled:
            query = query.where(deliveries.c.status != "delivered")
        async with self._db.reading() as conn:
            found = await conn.execute(query.order_by(deliveries.c.created_at.desc()).limit(limit))
            return [
                Settled(r.name, r.conversation_id, r.seq, r.kind, r.status, _refusals(r), r.last_error, r.created_at)
                for r in found
            ]

    async def expire(self, *, now: datetime) -> int:
        """Give up what has waited for three days for webhooks that can't be reached; how many.

        `away` does so too, with the one delivery in ten minutes that is tried.
        """
        unreached = exists().where(*_same_webhook(webhooks), webhooks.c.failures > _TOLERATED)
        last_error = select(webhooks.c.last_error).where(*_same_webhook(webhooks)).scalar_subquery()
        async with self._db.transaction(lengthy=True) as conn:
            given_up = await conn.execute(
                update(deliveries)
                .where(
                    deliveries.c.workspace_id == self._workspace_id,
                    deliveries.c.status == "waiting",
                    deliveries.c.created_at <= now - MAX_AGE,
                    deliveries.c.held_until <= database_now(),
                    unreached,
                )
                .values(status="given_up", settled_at=now, last_error=last_error)
                .returning(deliveries.c.seq)
            )
            return len(given_up.all())

    async def prune(self, *, now: datetime) -> int:
        """Forget what was settled 30 days ago, and what was for a webhook that is gone; how many."""
        nobodys = ~exists().where(*_same_webhook(webhooks))
        async with self._db.transaction(lengthy=True) as conn:
            gone = await conn.execute(
                delete(deliveries)
                .where(
                    deliveries.c.workspace_id == self._workspace_id, or_(deliveries.c.settled_at < now - KEPT, nobodys)
                )
                .returning(deliveries.c.seq)
            )
            return len(gone.all())


def _taken(row: Row[Any], token: str) -> Delivery:
    return Delivery(
        row.workspace_id,
        row.name,
        row.url,
        row.conversation_id,
        row.seq,
        row.kind,
        row.body,
        row.tries + 1,
        row.created_at,
        token,
    )


def waiting_s(times: int) -> float:
    """How long to wait after so many failures in a row: 2 s, doubled each time, at most ten minutes."""
    return float(min(_FIRST_WAIT_S * 2 ** min(times - 1, 20), _MAX_WAIT_S))


def _same_webhook(other: Any) -> tuple[Any, ...]:
    return (other.c.workspace_id == deliveries.c.workspace_id, other.c.name == deliveries.c.name)


# Built once, see `rows`: servers that have nothing to deliver look all the same, once a second.
_EARLIER = deliveries.alias()
_DUE = (
    select(deliveries, webhooks.c.url, webhooks.c.failures)
    .join(webhooks, and_(*_same_webhook(webhooks)))
    .where(
        deliveries.c.workspace_id == bindparam("of_workspace"),
        deliveries.c.status == "waiting",
        deliveries.c.due_at <= database_now(),
        deliveries.c.held_until <= database_now(),
        webhooks.c.paused_until <= database_now(),
        webhooks.c.name.not_in(bindparam("full", expanding=True)),
        ~exists().where(
            *_same_webhook(_EARLIER),
            _EARLIER.c.conversation_id == deliveries.c.conversation_id,
            _EARLIER.c.seq < deliveries.c.seq,
            _EARLIER.c.status == "waiting",
        ),
    )
    .order_by(deliveries.c.due_at, deliveries.c.created_at)
    .limit(bindparam("most", type_=Integer))
)
_TAKE = _DUE.with_for_update(of=deliveries, skip_locked=True)
_PROBED = (
    select(deliveries.c.name)
    .join(webhooks, and_(*_same_webhook(webhooks)))
    .where(
        deliveries.c.workspace_id == bindparam("of_workspace"),
        deliveries.c.status == "waiting",
        deliveries.c.held_until > database_now(),
        webhooks.c.failures > _TOLERATED,
    )
    .distinct()
)
_HOLDERS = (
    select(deliveries.c.held_by)
    .where(
        deliveries.c.workspace_id == bindparam("of_workspace"),
        deliveries.c.status == "waiting",
        deliveries.c.held_until > database_now(),
    )
    .distinct()
)


async def _settle(conn: Connection, delivery: Delivery, **values: Any) -> bool:
    """Let go of a delivery, unless somebody else took it meanwhile."""
    settled = await conn.execute(
        update(deliveries)
        .where(
            deliveries.c.workspace_id == delivery.workspace_id,
            deliveries.c.name == delivery.name,
            deliveries.c.conversation_id == delivery.conversation_id,
            deliveries.c.seq == delivery.seq,
            deliveries.c.held_by == delivery.held_by,
            deliveries.c.status == "waiting",
        )
        .values(held_until=0.0, held_by=None, **values)
        .returning(deliveries.c.seq)
    )
    return settled.one_or_none() is not None


def _webhook_of(delivery: Delivery) -> tuple[ColumnElement[bool], ...]:
    return (webhooks.c.workspace_id == delivery.workspace_id, webhooks.c.name == delivery.name)


async def _webhook(conn: Connection, delivery: Delivery, **values: Any) -> None:
    await conn.execute(update(webhooks).where(*_webhook_of(delivery)).values(**values))
