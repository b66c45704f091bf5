"""One conversation in which something breaks, and the look at it once all of it is over."""

import asyncio
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from random import Random

import httpx
import psycopg

from tests.chaos.checker import Finding, check
from tests.chaos.client import SILENCE_S, Client
from tests.chaos.reading import Address
from tests.chaos.routes import Route
from tests.chaos.tables import Tables, read_tables
from tests.chaos.transcript import Talk
from tests.chaos.world import World
from tests.loopback import NO_TLS

# Longer than a delivery to a webhook is held by somebody who died with it elsewhere.
_STILL_S = 75.0
_LOOK_S = 0.1


@dataclass
class Settled:
    """What is there once everything holds, or after a time beyond all reason, and what doesn't hold then."""

    tables: Tables
    talks: list[Talk]
    findings: list[Finding]


async def prepare(world: World, route: Route) -> None:
    """Have all as a route needs it: a model, or none; bugs that are closed, or one that is open."""
    await world.use_model(route.model)
    if route.new_bugs:
        await world.close_bugs()
    else:
        await converse(world, route, [])


async def converse(
    world: World, route: Route, talks: list[Talk], seen: Callable[[], None] = lambda: None, *, watched: bool = True
) -> None:
    """Hold the conversation of a route to its end: with the first server while it lives, then with another."""
    async with httpx.AsyncClient(timeout=httpx.Timeout(SILENCE_S, connect=2.0), trust_env=False, verify=NO_TLS) as http:
        client = Client(http, _first(world), seen, Random(0))  # noqa: S311  # Not for secrets.
        await client.talk(replace(route.customer, watched=watched), talks.append)


def _first(world: World) -> Address:
    def address() -> str:
        first = world.servers[0]
        return first.url if first is not None else world.address()

    return address


async def settle(world: World, route: Route, talks: list[Talk]) -> Settled:
    """Wait until everything holds, and take down what doesn't."""
    mine = [talk.conversation_id for talk in talks]
    deadline = time.monotonic() + _STILL_S
    while True:
        try:
            tables = await asyncio.to_thread(read_tables, world.where, world.checkpoints, mine)
        except psycopg.OperationalError:
            # It lost a process, and recovers.
            await asyncio.sleep(_LOOK_S)
            continue
        tables.told, tables.forged = list(world.receiver.journal), world.receiver.forged
        found = [
            finding
            for finding in (*check(tables, talks, whole=False), *_ended_otherwise(tables, route, talks))
            if not _is_a_dead_lease(finding, tables)
        ]
        if not found or time.monotonic() > deadline:
            world.receiver.journal.clear()
            return Settled(tables, talks, found)
        await asyncio.sleep(_LOOK_S)


def _ended_otherwise(tables: Tables, route: Route, talks: Sequence[Talk]) -> Iterator[Finding]:
    """A turn that was interrupted comes to the end to which it comes undisturbed."""
    for each in talks:
        ends = tuple(row["outcome"] for row in tables.turns if row["conversation_id"] == each.conversation_id)
        if ends != route.outcomes:
            yield Finding("I2", "wrong", f"conversation {each.conversation_id}", f"ended as {ends}")


def _is_a_dead_lease(finding: Finding, tables: Tables) -> bool:
    """Whoever died between a turn's end and letting go holds nothing up: whoever needs the conversation frees it.

    Waiting for the 12 s in which such a lease runs out would be most of the time there.
    """
    return finding.what == "still held by a worker" and all(
        row["status"] not in ("accepted", "running") for row in tables.turns
    )
