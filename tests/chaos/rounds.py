"""A round: customers talk, something breaks, it comes back, everybody gets to their end, and the checker looks."""

import asyncio
import json
import signal
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import httpx

from tests.chaos import plan
from tests.chaos.checker import Finding, check
from tests.chaos.client import SILENCE_S, Client
from tests.chaos.plan import Plan
from tests.chaos.tables import Tables, read_tables
from tests.chaos.transcript import Talk
from tests.chaos.world import World

_STILL_S = 60.0
# Longer than a lease lives: its holder wakes up as somebody who has lost it.
_FROZEN_S = 14.0


@dataclass
class Result:
    """What a round came to."""

    plan: Plan
    kills: int = 0
    conversations: int = 0
    messages: int = 0
    in_flight: list[int] = field(default_factory=list)
    recovery_s: list[float] = field(default_factory=list)
    restart_s: list[float] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)
    restarted_turns: int = 0
    findings: list[Finding] = field(default_factory=list)
    seconds: float = 0.0
    tables: Tables | None = None
    talks: list[Talk] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """Keep what was found, and all that it was found in."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.plan.seed}.json"
        path.write_text(json.dumps(asdict(self), default=str, indent=1))
        return path


class Round:
    """One round in a world that goes on afterwards."""

    def __init__(self, world: World, plan: Plan) -> None:
        self._world = world
        self._plan = plan
        self._talks: list[Talk] = []
        self._events = 0
        self._struck_at: list[float] = []
        self._result = Result(plan)

    async def run(self) -> Result:
        """Play it and return what it came to."""
        began = time.monotonic()
        await self._world.close_bugs()
        timeout = httpx.Timeout(SILENCE_S, connect=2.0)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False) as http:
            customers = [
                asyncio.create_task(
                    Client(http, self._world.address, self._seen, Random(f"{self._plan.seed}:{n}")).talk(  # noqa: S311
                        customer, self._talks.append
                    )
                )
                for n, customer in enumerate(self._plan.customers)
            ]
            await self._until_it_strikes(customers)
            await self._strike()
            await asyncio.gather(*customers)
        tables = await self._still()
        self._sum_up(tables)
        self._result.seconds = time.monotonic() - began
        return self._result

    def _seen(self) -> None:
        self._events += 1

    async def _until_it_strikes(self, customers: list[asyncio.Task[None]]) -> None:
        while self._events < self._plan.strikes_after and not all(customer.done() for customer in customers):
            await asyncio.sleep(0.01)
        await asyncio.sleep(self._plan.delay_s)

    async def _strike(self) -> None:
        world, victim = self._world, self._plan.victim
        match self._plan.fault:
            case "kill":
                self._kill(victim)
                await self._restart(victim)
            case "kill_again":
                self._kill(victim)
                await self._restart(victim)
                await asyncio.sleep(self._plan.second_delay_s)
                self._kill(victim + 1)
                await self._restart(victim + 1)
            case "terminate":
                self._mark()
                await world.terminate(victim)
                await self._restart(victim)
            case "freeze":
                await self._freeze(victim)
            case "postgres_kill":
                assert world.postgres is not None
                self._mark()
                world.postgres.kill()
                await asyncio.sleep(self._plan.second_delay_s)
                await world.postgres.back()
            case "postgres_cut":
                assert world.postgres is not None
                self._mark()
                await world.postgres.cut()

    def _kill(self, victim: int) -> None:
        self._mark()
        self._world.kill(victim)
        self._result.kills += 1

    async def _restart(self, victim: int) -> None:
        began = time.monotonic()
        await self._world.restart(victim)
        self._result.restart_s.append(time.monotonic() - began)

    async def _freeze(self, victim: int) -> None:
        server = self._world.servers[victim % len(self._world.servers)]
        assert server is not None
        self._mark()
        server.send(signal.SIGSTOP)
        await asyncio.sleep(_FROZEN_S if len(self._world.servers) > 1 else self._plan.frozen_s)
        server.send(signal.SIGCONT)

    def _mark(self) -> None:
        now = time.monotonic()
        self._struck_at.append(now)
        self._result.in_flight.append(sum(len(talk.in_flight(now)) for talk in self._talks))

    async def _still(self) -> Tables:
        """Wait until nothing is being worked on and read the log then, or after a time beyond all reason."""
        mine = [talk.conversation_id for talk in self._talks]
        deadline = time.monotonic() + _STILL_S
        while True:
            tables = await asyncio.to_thread(read_tables, self._world.where, self._world.checkpoints, mine)
            busy = any(row["status"] in ("accepted", "running") for row in tables.turns)
            held = any(row["lease_until"] > tables.now for row in tables.conversations)
            if not (busy or held) or time.monotonic() > deadline:
                return tables
            await asyncio.sleep(0.1)

    def _sum_up(self, tables: Tables) -> None:
        result = self._result
        result.conversations = len(self._talks)
        result.messages = sum(len(talk.messages) for talk in self._talks)
        for at in self._struck_at:
            for talk in self._talks:
                result.recovery_s += [m.ended_at - at for m in talk.in_flight(at) if m.ended_at is not None]
        for turn in tables.turns:
            name = "parked" if turn["status"] == "parked" else str(turn["outcome"])
            result.outcomes[name] = result.outcomes.get(name, 0) + 1
            result.restarted_turns += turn["attempts"] > 1
        result.findings = check(tables, self._talks, whole=False)
        result.tables = tables
        result.talks = self._talks


async def play(world: World, seed: str, *, conversations: int) -> Result:
    """Play the round that belongs to a seed."""
    return await Round(world, plan.draw(seed, world.database, conversations=conversations)).run()
