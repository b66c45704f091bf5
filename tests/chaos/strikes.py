"""One kill right after one point of a turn, whichever process it is that makes it."""

import asyncio
import os
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from tests.chaos.checker import Finding
from tests.chaos.halting import Halts, go_on, halting
from tests.chaos.plan import Database
from tests.chaos.routes import Route
from tests.chaos.sends import SENDS, SYNCS, Sends, name_sync, name_wal
from tests.chaos.settling import Settled, converse, settle
from tests.chaos.transcript import Talk
from tests.chaos.world import World

Points = Literal["syncs", "commits", "sends", "wal"]
POINTS: dict[Database, tuple[Points, ...]] = {"sqlite": ("syncs", "sends"), "postgres": ("commits", "sends", "wal")}
# More points than any turn has: it passes untouched.
NEVER = 1_000_000


@dataclass
class Struck:
    """What came of a turn: its points up to the kill, if it came to that, and how long until all was over."""

    labels: list[str]
    struck: bool
    recovery_s: float
    settled: Settled

    @property
    def findings(self) -> list[Finding]:
        """What doesn't hold."""
        return self.settled.findings


async def strike(world: World, route: Route, points: Points, at: int) -> Struck:
    """Hold the conversation of a route, and kill what makes the `at`-th point of this kind right after it.

    That is the first server, which is started again while another goes on if there is one; or with `wal` a process of
    PostgreSQL's, which starts itself again.
    """
    struck_at = 0.0
    others = [server for server in world.servers[1:] if server is not None and points != "wal"]

    def wake() -> None:
        for server in others:
            server.send(signal.SIGCONT)

    def kill(pid: int) -> None:
        nonlocal struck_at
        struck_at = time.monotonic()
        wake()
        if points == "wal":
            os.kill(pid, signal.SIGKILL)
        else:
            world.kill(0)

    # Until then there is but one, or it would be up to chance who makes which point.
    for server in others:
        server.send(signal.SIGSTOP)
    talks: list[Talk] = []
    async with halting(*_watched(world, points), at=at, kill=kill, threads=points in ("syncs", "wal")) as halts:
        restarting = asyncio.create_task(_restarted(world, halts))
        try:
            # Two readers of the same events would only double the sends.
            await converse(world, route, talks, watched=points != "sends")
            # What is still on its way to a webhook has points as well.
            settled = await settle(world, route, talks)
        finally:
            wake()
            if not halts.struck:
                restarting.cancel()
            await asyncio.wait([restarting])
    return Struck(halts.labels, halts.struck, time.monotonic() - struck_at if halts.struck else 0.0, settled)


def _watched(world: World, points: Points) -> tuple[list[int], str, Callable[..., str | None]]:
    if points == "wal":
        assert world.postgres is not None
        return world.postgres.pids, SYNCS, name_wal
    server = world.servers[0]
    assert server is not None
    if points == "syncs":
        return [server.pid], SYNCS, name_sync
    peers = {world.receiver.port: "webhook", world.endpoint.port: "model"}
    return [server.pid], SENDS, Sends(peers, database=points == "commits")


async def _restarted(world: World, halts: Halts) -> None:
    """Start a server that was killed; nothing is to be done if it was a process of PostgreSQL's."""
    while not halts.struck:
        await asyncio.sleep(0.02)
    if world.postgres is not None:
        # One that it had just started may have been halted, and not let go.
        for pid in world.postgres.pids:
            go_on(pid)
    await world.restart(0)
