"""Webhooks of a workspace: where it wants to be told of what, and what an event of the log says to them."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete, func, insert, select
from sqlalchemy.exc import IntegrityError

from agent.errors import Conflict, NotFound
from agent.events import Custom
from agent.wire import JsonObject
from tools.storage.database import Database
from tools.storage.schema import deliveries, webhook_kinds, webhooks


def _only(*names: str) -> Callable[[Mapping[str, Any]], JsonObject]:
    return lambda value: {name: value.get(name) for name in names}


# No words of a customer's: whoever is told reads them through the API, where it is decided who may.
_TOLD: dict[Custom, tuple[str, Callable[[Mapping[str, Any]], JsonObject]]] = {
    Custom.MESSAGE: ("message.created", _only("message_id", "author", "outcome")),
    Custom.MODE: ("conversation.mode_changed", _only("mode", "queue", "promised_by", "in_business_hours")),
    Custom.OUTCOME: ("turn.ended", _only("turn_id", "outcome", "route")),
    Custom.TICKET: ("bug.reported", _only("bug_id", "occurrences", "is_new")),
    Custom.RATING: ("conversation.rated", _only("stars")),
    Custom.FEEDBACK: ("message.judged", _only("message_id", "helpful")),
}
KINDS = tuple(kind for kind, _ in _TOLD.values())
USUAL_KINDS = tuple(kind for kind in KINDS if kind != "message.created")
"""What a webhook is told of unless it says otherwise."""


def announcement(row: Mapping[str, Any]) -> tuple[str, JsonObject] | None:
    """What a row of `events` is to webhooks: the kind and the body; None when it is nothing to them."""
    told = _TOLD.get(row["kind"]) if row["audience"] == "all" else None
    if told is None:
        return None
    kind, facts = told
    body: JsonObject = {
        "type": kind,
        "timestamp": row["at"].isoformat(),
        "workspace_id": row["workspace_id"],
        "data": {
            "conversation_id": row["conversation_id"],
            "seq": row["seq"],
            **facts(row["event"]["value"]),
        },
    }
    return kind, body


@dataclass(frozen=True, slots=True)
class Webhook:
    """Where to tell what. `waiting` and `given_up` count its deliveries; `failures` in a row didn't reach it."""

    name: str
    url: str
    kinds: tuple[str, ...]
    created_at: datetime
    failures: int = 0
    last_error: str | None = None
    waiting: int = 0
    given_up: int = 0


class Webhooks:
    """Adds, lists and removes them."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, workspace_id: str, name: str, url: str, kinds: Sequence[str], *, now: datetime) -> None:
        """Tell `url` of these kinds from now on.

        Raises:
            Conflict: there is one of that name.
        """
        try:
            async with self._db.transaction() as conn:
                await conn.execute(
                    insert(webhooks).values(workspace_id=workspace_id, name=name, url=url, created_at=now)
                )
                await conn.execute(
                    insert(webhook_kinds),
                    [{"workspace_id": workspace_id, "kind": kind, "name": name} for kind in dict.fromkeys(kinds)],
                )
        except IntegrityError as exc:
            raise Conflict(f"there is a webhook {name!r} already: remove it first, or choose another name") from exc

    async def entries(self, workspace_id: str) -> list[Webhook]:
        """Return the workspace's webhooks, the oldest first."""
        mine = webhooks.c.workspace_id == workspace_id
        async with self._db.reading() as conn:
            found = (await conn.execute(select(webhooks).where(mine).order_by(webhooks.c.created_at))).all()
            wanted = await conn.execute(select(webhook_kinds).where(webhook_kinds.c.workspace_id == workspace_id))
            kinds: dict[str, set[str]] = {}
            for row in wanted:
                kinds.setdefault(row.name, set()).add(row.kind)
            counted = await conn.execute(
                select(deliveries.c.name, deliveries.c.status, func.count())
                .where(deliveries.c.workspace_id == workspace_id, deliveries.c.status != "delivered")
                .group_by(deliveries.c.name, deliveries.c.status)
            )
            counts = {(name, status): number for name, status, number in counted}
        return [
            Webhook(
                row.name,
                row.url,
                tuple(kind for kind in KINDS if kind in kinds.get(row.name, ())),
                row.created_at,
                row.failures,
                row.last_error,
                counts.get((row.name, "waiting"), 0),
                counts.get((row.name, "given_up"), 0),
            )
            for row in found
        ]

    async def remove(self, workspace_id: str, name: str) -> None:
        """Tell it of nothing more, and forget what was to be told.

        Raises:
            NotFound: there is no such webhook.
        """
        async with self._db.transaction(lengthy=True) as conn:
            for table in (deliveries, webhook_kinds):
                await conn.execute(delete(table).where(table.c.workspace_id == workspace_id, table.c.name == name))
            gone = await conn.execute(
                delete(webhooks)
                .where(webhooks.c.workspace_id == workspace_id, webhooks.c.name == name)
                .returning(webhooks.c.name)
            )
            if gone.one_or_none() is None:
                raise NotFound(f"there is no webhook {name!r}")
