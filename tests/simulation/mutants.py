"""Defences of the product taken away, one at a time: the rounds have to notice each."""

import asyncio
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Double, bindparam, select, update

from agent.ports import BugReport
from agent.types import BugTicket
from graphs import turn_effects, turns
from server import agui
from server.sse import tail
from tools.storage import leases, outbox, rows, tracker, turn_log
from tools.storage.connection import Connection
from tools.storage.database import Database
from tools.storage.records import Lease
from tools.storage.schema import conversations
from tools.storage.scope import Scope
from tools.storage.sql_functions import database_now

Mutation = Callable[[pytest.MonkeyPatch], None]


def epochs_unchecked(patch: pytest.MonkeyPatch) -> None:
    """Whoever has lost a conversation writes on."""
    append, load = rows.append, rows.load

    async def append_all_the_same(conn: Any, conversation: Any, *args: Any, **kw: Any) -> int:
        if isinstance(conversation, Lease):
            conversation = SimpleNamespace(
                conversation_id=conversation.conversation_id, workspace_id=conversation.workspace_id
            )
        return await append(conn, conversation, *args, **kw)

    async def load_all_the_same(conn: Any, lease: Lease) -> Any:
        return await load(conn, Scope.system(lease.workspace_id), lease.conversation_id)

    patch.setattr(rows, "append", append_all_the_same)
    patch.setattr(rows, "load_leased", load_all_the_same)


def leases_ignored(patch: pytest.MonkeyPatch) -> None:
    """A conversation is claimed though another holds it, in the same epoch."""

    async def claim(conn: Any, conversation_id: str, holder: str, ttl_s: float) -> Any:
        mine = conversations.c.conversation_id == conversation_id
        row = (await conn.execute(select(conversations).where(mine))).one()
        return Lease(conversation_id, row.workspace_id, row.epoch, holder), rows.to_conversation(row)

    patch.setattr(turn_log, "claim", claim)


def leases_renewed_after_all(patch: pytest.MonkeyPatch) -> None:
    """A lease that was let go of can be prolonged: what the first simulated rounds found in the product."""

    mine = (
        conversations.c.conversation_id == bindparam("of_conversation"),
        conversations.c.epoch == bindparam("of_epoch"),
    )
    until = database_now() + bindparam("ttl_s", type_=Double)
    renew = update(conversations).where(*mine).values(lease_until=until).returning(conversations.c.epoch)
    patch.setattr(leases, "_RENEW", renew)


def effects_without_key(patch: pytest.MonkeyPatch) -> None:
    """A bug is filed under another key each time."""
    file = tracker.BuiltInTracker.file

    async def file_anew(self: tracker.BuiltInTracker, report: BugReport) -> BugTicket:
        return await file(self, replace(report, effect_key=secrets.token_hex(32)))

    patch.setattr(tracker.BuiltInTracker, "file", file_anew)


def filings_forgotten(patch: pytest.MonkeyPatch) -> None:
    """A turn that begins anew doesn't look whether it has filed a bug: what chaos found in the product."""

    async def already_filed(self: tracker.BuiltInTracker, workspace_id: str, effect_key: str) -> bool:
        return False

    patch.setattr(tracker.BuiltInTracker, "already_filed", already_filed)


def turns_left_open(patch: pytest.MonkeyPatch) -> None:
    """Messages may join a turn that has filed a bug."""

    async def file(self: turn_effects.ClosingTracker, report: BugReport) -> BugTicket:
        return await self.tracker.file(report)

    patch.setattr(turn_effects.ClosingTracker, "file", file)
    # The turn that starts anew with the message would find the filing all the same.
    filings_forgotten(patch)


def nobody_sweeps(patch: pytest.MonkeyPatch) -> None:
    """What a dead process left is looked for by nobody."""

    async def start(self: turns.TurnService) -> None:
        pass

    patch.setattr(turns.TurnService, "start", start)


def acknowledged_early(patch: pytest.MonkeyPatch) -> None:
    """What is written counts as kept a moment before it is committed."""

    transaction = Database._transaction

    @asynccontextmanager
    async def left_to_itself(self: Database, lengthy: bool) -> AsyncIterator[Connection]:
        async with AsyncExitStack() as stack:
            yield await stack.enter_async_context(transaction(self, lengthy))
            under_way.add(asyncio.ensure_future(stack.pop_all().aclose()))

    under_way: set[asyncio.Future[None]] = set()
    patch.setattr(Database, "_transaction", left_to_itself)


def people_overtaken(patch: pytest.MonkeyPatch) -> None:
    """A person who takes a conversation begins no new epoch."""
    append = rows.append

    async def append_in_the_same_epoch(*args: Any, **kw: Any) -> int:
        if "epoch" in kw:
            for name in ("epoch", "lease_holder", "lease_until"):
                del kw[name]
        return await append(*args, **kw)

    patch.setattr(rows, "append", append_in_the_same_epoch)


def streams_skip(patch: pytest.MonkeyPatch) -> None:
    """A stream that is resumed leaves out an event."""

    def tail_later(*args: Any, after_seq: int, **kw: Any) -> Any:
        return tail(*args, after_seq=after_seq + 1, **kw)

    patch.setattr(agui, "tail", tail_later)


def told_before_sent(patch: pytest.MonkeyPatch) -> None:
    """A delivery counts as made when it is taken."""
    take = outbox.Outbox.take

    async def take_and_settle(self: outbox.Outbox, **kw: Any) -> list[outbox.Delivery]:
        taken = await take(self, **kw)
        for each in taken:
            await self.delivered(each, now=each.created_at)
        return taken

    patch.setattr(outbox.Outbox, "take", take_and_settle)


MUTATIONS: dict[str, Mutation] = {
    each.__name__: each
    for each in (
        epochs_unchecked,
        leases_ignored,
        leases_renewed_after_all,
        effects_without_key,
        filings_forgotten,
        turns_left_open,
        nobody_sweeps,
        acknowledged_early,
        people_overtaken,
        streams_skip,
        told_before_sent,
    )
}
