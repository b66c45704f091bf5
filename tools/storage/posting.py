"""Into the outbox, in the transaction that writes the log: what webhooks want to know of its events."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import bindparam, insert, select

from tools.storage.connection import Connection
from tools.storage.hooks import announcement
from tools.storage.schema import conversations, deliveries, webhook_kinds


async def post(conn: Connection, rows: Sequence[dict[str, Any]]) -> None:
    """Put what webhooks want to know of these rows of `events`, all of one conversation, into the outbox.

    It happens in the transaction that writes them.
    """
    told = [(row, said) for row in rows if (said := announcement(row)) is not None]
    if not told:
        return
    workspace_id = told[0][0]["workspace_id"]
    kinds = sorted({said[0] for _, said in told})
    wanted = await conn.execute(_WANTED, {"of_workspace": workspace_id, "kinds": kinds})
    names: dict[str, list[str]] = {}
    for kind, name in wanted:
        names.setdefault(kind, []).append(name)
    new = [
        {
            "workspace_id": workspace_id,
            "name": name,
            "conversation_id": row["conversation_id"],
            "seq": row["seq"],
            "kind": kind,
            "body": body,
            "status": "waiting",
            "created_at": row["at"],
        }
        for row, (kind, body) in told
        for name in names.get(kind, ())
    ]
    if not new:
        return
    # Asked for only where somebody is told: the log's rows don't have it.
    whose = {"of_workspace": workspace_id, "of_conversation": told[0][0]["conversation_id"]}
    thread_id = (await conn.execute(_THREAD, whose)).scalar_one()
    for each in new:
        each["body"]["data"]["thread_id"] = thread_id
    await conn.execute(_INSERT, new)


_INSERT = insert(deliveries)
_WANTED = select(webhook_kinds.c.kind, webhook_kinds.c.name).where(
    webhook_kinds.c.workspace_id == bindparam("of_workspace"),
    webhook_kinds.c.kind.in_(bindparam("kinds", expanding=True)),
)
_THREAD = select(conversations.c.thread_id).where(
    conversations.c.workspace_id == bindparam("of_workspace"),
    conversations.c.conversation_id == bindparam("of_conversation"),
)
