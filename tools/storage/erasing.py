"""Taking somebody's data out of the database, and looking whether it is gone."""

import asyncio
from collections.abc import Sequence

from sqlalchemy import ColumnElement, delete, func, select, true

from tools.storage import bug_words
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.personal import HOLDINGS, Subject, conversations_of, rows_of
from tools.storage.schema import bugs, conversations, turns
from tools.storage.sql_functions import among
from tools.storage.turn_log import TurnLog

HOLDER = "erasure"
_LEASE_S = 120.0
_POLL_S = 0.1

Counts = dict[str, int]


async def count(db: Database, workspace_id: str, subject: Subject) -> Counts:
    """Return how many rows about the subject each table holds; for `bugs`, how many are told in their words."""
    async with db.reading() as conn:
        ids = await conversations_of(conn, workspace_id, subject)
        return await _count(conn, workspace_id, ids, subject.owner_id)


async def turns_of(db: Database, workspace_id: str, subject: Subject) -> list[str]:
    """Return the ids of the subject's turns, by which the graph's checkpoints are found."""
    async with db.reading() as conn:
        ids = await conversations_of(conn, workspace_id, subject)
        query = select(turns.c.turn_id).where(turns.c.workspace_id == workspace_id, among(turns.c.conversation_id, ids))
        return list((await conn.execute(query)).scalars())


async def hold(log: TurnLog, workspace_id: str, subject: Subject, *, wait_s: float) -> list[str]:
    """Take the leases of the subject's conversations, so that no turn writes while they go; return their ids.

    A turn that runs is waited for, at most `wait_s` seconds in all; after that it loses its conversation under its
    hands, which it survives.
    """
    async with log.database.reading() as conn:
        ids = await conversations_of(conn, workspace_id, subject)
    deadline = asyncio.get_running_loop().time() + wait_s
    waiting = list(ids)
    while waiting:
        waiting = [each for each in waiting if await log.claim(each, holder=HOLDER, ttl_s=_LEASE_S) is None]
        if asyncio.get_running_loop().time() > deadline:
            break
        if waiting:
            await asyncio.sleep(_POLL_S)
    return ids


async def erase(
    db: Database,
    workspace_id: str,
    conversation_ids: Sequence[str],
    *,
    owner_id: str | None = None,
    only_if: ColumnElement[bool] | None = None,
    keep_open_bugs: bool = False,
) -> Counts:
    """Remove these conversations, and the owner's sessions, in one transaction; return the rows by table.

    With `only_if` those of them that meet it as they go. Reports of bugs are blanked, and bugs told in other words;
    with `keep_open_bugs` only those that are closed.
    """
    async with db.transaction(lengthy=True) as conn:
        # Locked, so that nobody adds to a conversation while it goes.
        locked = await conn.execute(
            select(conversations.c.conversation_id)
            .where(
                conversations.c.workspace_id == workspace_id,
                among(conversations.c.conversation_id, conversation_ids),
                true() if only_if is None else only_if,
            )
            .with_for_update()
        )
        ids = list(locked.scalars())
        gone = await _count(conn, workspace_id, ids, owner_id, keep_open_bugs=keep_open_bugs)
        await bug_words.blank(conn, workspace_id, ids, keep_open=keep_open_bugs)
        for holding in HOLDINGS:
            if holding.erased_by == "removed":
                # A conversation that the owner began just now is left for the next look: its rows are still there.
                owner = None if holding.table is conversations else owner_id
                await conn.execute(delete(holding.table).where(rows_of(holding.table, workspace_id, ids, owner)))
    return gone


async def left_of(db: Database, workspace_id: str, conversation_ids: Sequence[str], subject: Subject) -> Counts:
    """Look again: rows that name one of these conversations or their owner, by table."""
    async with db.reading() as conn:
        new = await conversations_of(conn, workspace_id, subject)
        return await _count(conn, workspace_id, [*conversation_ids, *new], subject.owner_id)


async def count_rows(
    db: Database, workspace_id: str, conversation_ids: Sequence[str], *, keep_open_bugs: bool
) -> Counts:
    """Return how many rows of these conversations each table holds."""
    async with db.reading() as conn:
        return await _count(conn, workspace_id, conversation_ids, None, keep_open_bugs=keep_open_bugs)


async def _count(
    conn: Connection,
    workspace_id: str,
    conversation_ids: Sequence[str],
    owner_id: str | None,
    *,
    keep_open_bugs: bool = False,
) -> Counts:
    found: Counts = {}
    for holding in HOLDINGS:
        if holding.table is bugs:
            told = await bug_words.told_by(conn, workspace_id, conversation_ids, keep_open=keep_open_bugs)
            found[holding.name] = len(told)
            continue
        mine = rows_of(holding.table, workspace_id, conversation_ids, owner_id)
        counted = await conn.execute(select(func.count()).select_from(holding.table).where(mine))
        found[holding.name] = int(counted.scalar_one())
    return found
