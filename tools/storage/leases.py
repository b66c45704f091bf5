"""Who may write for the bot in a conversation: one holder at a time, for a while, in an epoch of its own."""

from typing import Any

from sqlalchemy import Double, Integer, bindparam, func, or_, select, update

from tools.storage import rows
from tools.storage.connection import Connection
from tools.storage.log_reader import LogReader
from tools.storage.records import UNFINISHED, Conversation, Lease
from tools.storage.schema import conversations, turns
from tools.storage.sql_functions import database_now


class Leases(LogReader):
    """Taking and keeping conversations, and finding those that nobody keeps."""

    async def claim(self, conversation_id: str, *, holder: str, ttl_s: float) -> Lease | None:
        """Begin a new epoch of the conversation, or return None while another holder's lease lives.

        Time is the database's. A holder that claims again gets a new epoch and loses the old one.
        """
        async with self._db.transaction() as conn:
            claimed = await claim(conn, conversation_id, holder, ttl_s)
        return None if claimed is None else claimed[0]

    async def renew(self, lease: Lease, ttl_s: float) -> bool:
        """Prolong the lease to `ttl_s` from now; False when another epoch has begun, or it was let go of."""
        async with self._db.transaction() as conn:
            return (await conn.execute(_RENEW, {**_of(lease), "ttl_s": ttl_s})).one_or_none() is not None

    async def release(self, lease: Lease) -> None:
        """Let go, so that another may claim at once; a lost lease is left alone."""
        async with self._db.transaction() as conn:
            await release(conn, lease)

    async def workspaces_with_work(self) -> frozenset[str]:
        """Return the workspaces that have unfinished turns, whoever works on them."""
        async with self._db.reading() as conn:
            return frozenset((await conn.execute(_WITH_WORK)).scalars())

    async def holders_of_work(self, workspace_id: str) -> list[str]:
        """Return who holds a live lease on a conversation of the workspace with unfinished turns."""
        async with self._db.reading() as conn:
            found = await conn.execute(_HOLDERS, {"of_workspace": workspace_id})
            return [holder for holder in found.scalars() if holder is not None]

    async def free(self, holder: str) -> int:
        """End a dead holder's leases on conversations with unfinished turns, and return how many there were.

        Should it live after all, nothing breaks: whoever claims next begins a new epoch, and its late writes are
        refused.
        """
        async with self._db.transaction(lengthy=True) as conn:
            freed = await conn.execute(
                update(conversations)
                .where(
                    # Only what there is to do for: a scan of all conversations would take a while.
                    conversations.c.conversation_id.in_(
                        select(turns.c.conversation_id).where(turns.c.status.in_(UNFINISHED))
                    ),
                    conversations.c.lease_holder == holder,
                    conversations.c.lease_until > database_now(),
                )
                .values(lease_until=0.0, lease_holder=None)
                .returning(conversations.c.conversation_id)
            )
            return len(freed.all())

    async def waiting_work(self, workspace_id: str, limit: int = 100, *, holder: str | None = None) -> list[str]:
        """Return conversations of the workspace with unfinished turns and no live lease, oldest turn first.

        Another workspace's turns are for a server that has its articles and its policy. Those of `holder` are among
        them, whether it works on them or not: it may hold one of which it was never told.
        """
        async with self._db.reading() as conn:
            found = await conn.execute(_WAITING, {"of_workspace": workspace_id, "for_holder": holder, "most": limit})
            return list(found.scalars())


async def claim(conn: Connection, conversation_id: str, holder: str, ttl_s: float) -> tuple[Lease, Conversation] | None:
    """As `Leases.claim`, within a transaction, with the conversation as it stands."""
    claimed = await conn.execute(_CLAIM, {"of_conversation": conversation_id, "for_holder": holder, "ttl_s": ttl_s})
    row = claimed.one_or_none()
    if row is None:
        return None
    return Lease(conversation_id, row.workspace_id, row.epoch, holder), rows.to_conversation(row)


async def release(conn: Connection, lease: Lease) -> None:
    """As `Leases.release`, within a transaction."""
    await conn.execute(_RELEASE, _of(lease))


def _of(lease: Lease) -> dict[str, Any]:
    return {**rows.whose(lease), "for_holder": lease.holder}


# Built once, see `rows`.
_UNTIL = database_now() + bindparam("ttl_s", type_=Double)
_FREE_FOR = or_(conversations.c.lease_until <= database_now(), conversations.c.lease_holder == bindparam("for_holder"))
_HELD = (
    conversations.c.conversation_id == bindparam("of_conversation"),
    conversations.c.workspace_id == bindparam("of_workspace"),
    conversations.c.epoch == bindparam("of_epoch"),
    # A renewal that comes after the release would keep everybody out, and nobody in.
    conversations.c.lease_holder == bindparam("for_holder"),
)
_CLAIM = (
    update(conversations)
    .where(conversations.c.conversation_id == bindparam("of_conversation"), _FREE_FOR)
    .values(epoch=conversations.c.epoch + 1, lease_holder=bindparam("for_holder"), lease_until=_UNTIL)
    .returning(conversations)
)
_RENEW = update(conversations).where(*_HELD).values(lease_until=_UNTIL).returning(conversations.c.epoch)
_RELEASE = update(conversations).where(*_HELD).values(lease_until=0.0, lease_holder=None)
_WITH_WORK = select(turns.c.workspace_id).where(turns.c.status.in_(UNFINISHED)).distinct()
_HOLDERS = (
    select(conversations.c.lease_holder)
    .join(turns, conversations.c.conversation_id == turns.c.conversation_id)
    .where(
        turns.c.workspace_id == bindparam("of_workspace"),
        turns.c.status.in_(UNFINISHED),
        conversations.c.lease_until > database_now(),
    )
    .distinct()
)
_WAITING = (
    select(turns.c.conversation_id)
    .join(conversations, conversations.c.conversation_id == turns.c.conversation_id)
    .where(turns.c.workspace_id == bindparam("of_workspace"), turns.c.status.in_(UNFINISHED), _FREE_FOR)
    .group_by(turns.c.conversation_id)
    .order_by(func.min(turns.c.created_at))
    .limit(bindparam("most", type_=Integer))
)
