"""A round: customers talk, things break, they come back, everybody gets to their end, and the checker looks."""

import asyncio
import json
import signal
import time
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from random import Random

import httpx

from tests.chaos import plan
from tests.chaos.checker import Finding, check
from tests.chaos.client import SILENCE_S, Client
from tests.chaos.patience import Patience
from tests.chaos.plan import Plan, Strike
from tests.chaos.tables import Tables, read_tables
from tests.chaos.transcript import Talk
from tests.chaos.world import World
from tests.loopback import NO_TLS

_STILL_S = 90.0
# Longer than a lease lives: its holder wakes up as somebody who has lost it.
_FROZEN_S = 14.0
_PEEK_S = 0.2
_ENGINE = "helpgraph.engine.v1"


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
    refusals: dict[str, int] = field(default_factory=dict)
    reads_of_a_full_disk: int = 0
    deeds: dict[str, int] = field(default_factory=dict)
    engines: dict[str, int] = field(default_factory=dict)
    endpoint: dict[str, int] = field(default_factory=dict)
    receiver: dict[str, int] = field(default_factory=dict)
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
        self._talking: dict[int, Client] = {}
        self._events = 0
        self._over = asyncio.Event()
        self._patience = Patience()
        # What is done to one server is done in order; two may be down at once.
        self._server = [asyncio.Lock() for _ in world.servers]
        self._struck_at: list[float] = []
        self._result = Result(plan)

    async def run(self) -> Result:
        """Play it and return what it came to."""
        began = time.monotonic()
        await self._world.use_model(self._plan.model)
        await self._world.close_bugs()
        timeout = httpx.Timeout(SILENCE_S, connect=2.0)
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=0)
        async with (
            httpx.AsyncClient(timeout=timeout, limits=limits, trust_env=False, verify=NO_TLS) as http,
            self._endpoint(),
            self._receiver(),
            asyncio.TaskGroup() as talking,
        ):
            for place in range(self._plan.conversations):
                talking.create_task(self._place(http, place))
            await self._storm()
        tables = await self._still()
        self._sum_up(tables)
        self._result.seconds = time.monotonic() - began
        return self._result

    async def _storm(self) -> None:
        """Break one thing after the other; of two servers one may be down while the other is struck."""
        async with asyncio.TaskGroup() as blows:
            for strike in self._plan.strikes:
                await self._until(self._events + strike.after)
                await asyncio.sleep(strike.delay_s)
                blow = blows.create_task(self._strike(strike))
                if len(self._server) == 1:
                    await asyncio.wait([blow])
        self._over.set()

    async def _place(self, http: httpx.AsyncClient, place: int) -> None:
        """One customer after the other, until the storm is over."""
        turn = 0
        while turn == 0 or not self._over.is_set():
            random = Random(f"{self._plan.seed}:{place}:{turn}:client")  # noqa: S311  # Not for secrets.
            client = Client(http, self._world.address, self._seen, random, self._patience)
            self._talking[place] = client
            await client.talk(self._plan.customer(place, turn), self._talks.append)
            turn += 1

    @asynccontextmanager
    async def _endpoint(self) -> AsyncIterator[None]:
        endpoint = self._world.endpoint
        endpoint.begin(self._plan.seed)
        coming_and_going = asyncio.create_task(endpoint.come_and_go(self._plan.gaps if self._plan.model else ()))
        try:
            yield
        finally:
            coming_and_going.cancel()
            await asyncio.wait([coming_and_going])
            self._result.endpoint = dict(endpoint.said)

    @asynccontextmanager
    async def _receiver(self) -> AsyncIterator[None]:
        receiver = self._world.receiver
        receiver.begin(self._plan.seed)
        coming_and_going = asyncio.create_task(receiver.come_and_go())
        try:
            yield
        finally:
            coming_and_going.cancel()
            await asyncio.wait([coming_and_going])
            receiver.stay()

    def _seen(self) -> None:
        self._events += 1

    async def _until(self, events: int) -> None:
        while self._events < events:
            await asyncio.sleep(0.01)

    async def _strike(self, strike: Strike) -> None:
        await self._blow(strike)
        self._patience.renew()

    async def _blow(self, strike: Strike) -> None:
        world, victim = self._world, strike.victim % len(self._world.servers)
        match strike.fault:
            case "kill":
                async with self._server[victim]:
                    self._kill(victim)
                    await self._restart(victim)
            case "kill_again":
                async with self._server[victim]:
                    self._kill(victim)
                    await world.kill_in_its_start(victim, strike.second_delay_s)
                    self._result.kills += 1
                    await self._restart(victim)
            case "terminate":
                async with self._server[victim]:
                    self._mark()
                    await world.terminate(victim)
                    await self._restart(victim)
            case "freeze":
                async with self._server[victim]:
                    await self._freeze(victim, strike.lasts_s)
            case "disk_full":
                async with self._server[victim]:
                    await self._fill_disk(strike.lasts_s)
            case "postgres_kill":
                assert world.postgres is not None
                self._mark()
                world.postgres.kill()
                await asyncio.sleep(strike.lasts_s)
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

    async def _freeze(self, victim: int, lasts_s: float) -> None:
        server = self._world.servers[victim]
        assert server is not None
        self._mark()
        server.send(signal.SIGSTOP)
        await asyncio.sleep(_FROZEN_S if len(self._world.servers) > 1 else lasts_s)
        server.send(signal.SIGCONT)

    async def _fill_disk(self, lasts_s: float) -> None:
        """No write lasts for a while; meanwhile every customer reads what there is."""
        self._mark()
        self._world.fill_disk()
        try:
            end = time.monotonic() + lasts_s
            while time.monotonic() < end:
                await asyncio.gather(*(client.peek() for client in self._talking.values()))
                await asyncio.sleep(_PEEK_S)
        finally:
            self._world.free_disk()

    def _mark(self) -> None:
        self._patience.renew()
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
            undelivered = any(row["status"] == "waiting" for row in tables.deliveries)
            if not (busy or held or undelivered) or time.monotonic() > deadline:
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
        result.refusals = dict(Counter(str(refusal.status) for talk in self._talks for refusal in talk.refusals))
        result.reads_of_a_full_disk = sum(len(talk.reads) for talk in self._talks)
        result.deeds = dict(Counter(deed.what for talk in self._talks for deed in talk.deeds))
        for event in tables.events:
            if event["kind"] == _ENGINE:
                # Which engine did the turn, or who had to be replaced and why.
                value = event["event"]["value"]
                names = [f"without it: {each['reason']}" for each in value["fallbacks"]] or [str(value["engine"])]
                for name in names:
                    result.engines[name] = result.engines.get(name, 0) + 1
        receiver = self._world.receiver
        result.receiver = dict(receiver.said)
        tables.told, tables.forged = list(receiver.journal), receiver.forged
        receiver.journal.clear()
        result.findings = check(tables, self._talks, whole=False)
        result.tables = tables
        result.talks = self._talks


async def play(world: World, seed: str, *, conversations: int) -> Result:
    """Play the round that belongs to a seed."""
    return await Round(world, plan.draw(seed, world.database, conversations=conversations)).run()
