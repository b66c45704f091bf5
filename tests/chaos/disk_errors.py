"""Errors of the disk under SQLite, at one call of a turn or for a while, and a file that somebody else has locked."""

import asyncio
import sqlite3
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from typing import Literal

from tests.chaos.checker import Finding
from tests.chaos.halting import failing
from tests.chaos.routes import Route
from tests.chaos.settling import Settled, converse, settle
from tests.chaos.transcript import Talk
from tests.chaos.world import World

Call = Literal["fdatasync", "pwrite64", "pread64"]
Error = Literal["EIO", "ENOSPC", "EROFS"]

_LASTS_S = 2.0
_LOCK_AFTER_EVENTS = 4


@dataclass(frozen=True, slots=True)
class DiskError:
    """One call of each thread that fails, the `at`-th on the log's files, and all after it for 2 s if `lasting`."""

    call: Call
    error: Error
    at: int
    lasting: bool = False

    def __str__(self) -> str:
        return f"{self.error} at {self.call} {self.at}{' and for 2 s' if self.lasting else ''}"


@dataclass
class Broken:
    """What came of a turn during which calls failed: how many, and how long it took until all was over."""

    failures: int
    seconds: float
    settled: Settled

    @property
    def findings(self) -> list[Finding]:
        """What doesn't hold."""
        return self.settled.findings


# What fails once, and how far apart the places are that are tried: a turn makes a dozen syncs, and well over a hundred
# reads and writes.
ONCE: tuple[tuple[Call, Error, int], ...] = (
    ("fdatasync", "EIO", 1),
    ("fdatasync", "ENOSPC", 1),
    ("pwrite64", "EIO", 20),
    ("pwrite64", "ENOSPC", 20),
    ("pwrite64", "EROFS", 20),
    ("pread64", "EIO", 10),
)
LASTING = (
    DiskError("fdatasync", "EIO", 3, lasting=True),
    DiskError("pwrite64", "ENOSPC", 30, lasting=True),
    DiskError("pwrite64", "EROFS", 60, lasting=True),
    DiskError("pread64", "EIO", 5, lasting=True),
)
# A server waits 10 s for a lock: less than that, and more.
LOCKS_S = (3.0, 12.5)


async def break_disk(world: World, route: Route, fault: DiskError) -> Broken:
    """Hold the conversation of a route while calls on the log's files fail."""
    server = world.servers[0]
    assert server is not None
    began, talks = time.monotonic(), list[Talk]()
    files = [world.where, f"{world.where}-wal"]
    when = f"{fault.at}{'+' if fault.lasting else ''}"
    async with failing(server.pid, files, fault.call, f"error={fault.error}:when={when}") as failures:
        talking = asyncio.create_task(_over(world, route, talks))
        if fault.lasting:
            failed = asyncio.create_task(failures.first.wait())
            await asyncio.wait([talking, failed], return_when=asyncio.FIRST_COMPLETED)
            failed.cancel()
            await asyncio.sleep(_LASTS_S)
        else:
            await talking
    return Broken(failures.number, time.monotonic() - began, await talking)


async def lock_file(world: World, route: Route, lasts_s: float) -> Broken:
    """Hold the conversation of a route while somebody else holds the log's file locked, from its first events on."""
    seen, enough = 0, asyncio.Event()

    def count() -> None:
        nonlocal seen
        seen += 1
        if seen == _LOCK_AFTER_EVENTS:
            enough.set()

    began, talks = time.monotonic(), list[Talk]()
    talking = asyncio.create_task(_over(world, route, talks, count))
    await enough.wait()
    await asyncio.to_thread(_hold, world.where, lasts_s)
    return Broken(1, time.monotonic() - began, await talking)


async def _over(world: World, route: Route, talks: list[Talk], seen: Callable[[], None] = lambda: None) -> Settled:
    await converse(world, route, talks, seen)
    return await settle(world, route, talks)


def _hold(path: str, lasts_s: float) -> None:
    with closing(sqlite3.connect(path, timeout=5, isolation_level=None)) as file:
        file.execute("BEGIN IMMEDIATE")
        time.sleep(lasts_s)
        file.execute("ROLLBACK")
