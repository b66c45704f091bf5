"""Keeping nothing for longer than it is meant to be kept: old conversations, and checkpoints of turns that are over."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta

from pydantic import BaseModel, ConfigDict, Field

from agent.wire import JsonObject
from graphs.checkpoints import scrub_checkpoints, stored_threads, turn_of
from graphs.privacy import HOW, PROOF_FORMAT, not_reached, read_body, scrub
from graphs.stores import Stores
from tools.storage import erasing, retention

logger = logging.getLogger(__name__)

EVERY_S = 3600.0
_BATCH = 50
_THREADS_AT_ONCE = 500


class RetireBody(BaseModel):
    """Conversations that have been over for how long. Without `yes` they are only counted."""

    model_config = ConfigDict(extra="forbid")

    older_than_days: int = Field(ge=1, le=36_500)
    yes: bool = False


async def retire(stores: Stores, given: JsonObject) -> JsonObject:
    """Erase what has been over for so many days, and return the proof; without `yes` only count it.

    Raises:
        BadTurn: the days are no number from 1 on.
    """
    body = read_body(RetireBody, given)
    began = datetime.now(UTC)
    before = began - timedelta(days=body.older_than_days)
    db, workspace_id = stores.db, stores.workspace_id
    found: dict[str, int] = {}
    for ids in _batches(await retention.old_conversations(db, workspace_id, before)):
        _add(found, await erasing.count_rows(db, workspace_id, ids, keep_open_bugs=True))
    if not body.yes:
        return {"erased": False, "found": found}
    gone = await retire_before(stores, before)
    scrubbed = await scrub(stores)
    left: dict[str, int] = {}
    for ids in _batches(await retention.old_conversations(db, workspace_id, before)):
        _add(left, await erasing.count_rows(db, workspace_id, ids, keep_open_bugs=True))
    return {
        "format": PROOF_FORMAT,
        "erased": True,
        "workspace_id": workspace_id,
        "older_than_days": body.older_than_days,
        "over_before": before.isoformat(),
        "began_at": began.isoformat(),
        "ended_at": datetime.now(UTC).isoformat(),
        "database": db.dialect,
        "found": found,
        "gone": {name: {"rows": number, "how": HOW.get(name, "removed")} for name, number in gone.items()},
        "looked_again": {
            "at": datetime.now(UTC).isoformat(),
            "rows": {name: left.get(name, 0) for name in gone},
            "bytes": None,
        },
        "files_scrubbed": scrubbed,
        "not_reached": not_reached(stores),
    }


async def keep_for(every: Sequence[tuple[Stores, int | None]]) -> None:
    """Every hour, retire what has been over for so many days (None: nothing), and prune checkpoints; never ends.

    The workspaces of a process take turns, so that they hold one connection together.
    """
    while True:
        for stores, days in every:
            try:
                # One process of an installation does it for all.
                async with stores.db.exclusive(f"retention:{stores.workspace_id}", wait=False) as alone:
                    if alone and days is None:
                        await prune_checkpoints(stores)
                    elif alone and days is not None:
                        await retire_before(stores, datetime.now(UTC) - timedelta(days=days))
            except Exception:
                # Whatever it was: without this loop nothing would ever be retired again.
                logger.exception("retention failed, it is tried again workspace_id=%s", stores.workspace_id)
        await asyncio.sleep(EVERY_S)


async def retire_before(stores: Stores, before: datetime) -> dict[str, int]:
    """Erase what has been over since then, in small transactions; return the rows by table."""
    db, workspace_id = stores.db, stores.workspace_id
    gone: dict[str, int] = {}
    while ids := await retention.old_conversations(db, workspace_id, before, limit=_BATCH):
        counts = await erasing.erase(db, workspace_id, ids, only_if=retention.over_since(before), keep_open_bugs=True)
        _add(gone, counts)
        # Those who wait to write go first.
        await asyncio.sleep(0)
    while told := await retention.retell_closed_bugs(db, workspace_id, limit=_BATCH):
        _add(gone, {"bugs": told})
    _add(gone, {"checkpoints": await prune_checkpoints(stores)})
    if any(gone.values()):
        logger.info("retired conversations=%d rows=%d", gone.get("conversations", 0), sum(gone.values()))
    return gone


async def prune_checkpoints(stores: Stores) -> int:
    """Delete checkpoints of turns that are over, or gone: a killed process leaves them. Return of how many attempts."""
    saver = stores.checkpointer
    if saver is None:
        return 0
    pruned = 0
    for threads in _batches(await stored_threads(saver), _THREADS_AT_ONCE):
        needed = await retention.unfinished_among(stores.db, {turn_of(each) for each in threads})
        for thread_id in threads:
            if turn_of(thread_id) not in needed:
                await saver.adelete_thread(thread_id)
                pruned += 1
    if pruned:
        # What is left is small: turns that run.
        await scrub_checkpoints(saver, stores.settings.data_dir)
        logger.info("pruned checkpoints attempts=%d", pruned)
    return pruned


def _batches(ids: Sequence[str], size: int = _BATCH) -> Iterator[Sequence[str]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def _add(to: dict[str, int], counts: dict[str, int]) -> None:
    for name, number in counts.items():
        to[name] = to.get(name, 0) + number
