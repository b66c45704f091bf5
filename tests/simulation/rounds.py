"""One simulated round: customers talk, machines die and stand still, everybody gets to their end, the checker looks."""

import asyncio
import gc
import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from random import Random
from types import SimpleNamespace
from typing import cast

from graphs.checkpoints import FILE_NAME as CHECKPOINTS
from graphs.retention import prune_checkpoints
from graphs.settings import Settings
from graphs.stores import Stores
from tests.chaos.checker import Finding, check
from tests.chaos.tables import Tables, read_tables
from tests.chaos.transcript import Talk
from tests.simulation.chance import BEGINNING, taken_over
from tests.simulation.client import Client
from tests.simulation.disk import Drive, copy_of
from tests.simulation.engine import RoteEngine
from tests.simulation.loop import Machine, SimulatedLoop, Stalled
from tests.simulation.network import Hints, Network, Receiver
from tests.simulation.plan import Plan, Strike
from tests.simulation.server import WORKSPACE, Server, open_server
from tools.storage.database import FILE_NAME

# Beyond all reason, counted from the last time that something broke: whoever has no end by then never gets one.
PATIENCE_S = 200.0
_LOOK_S = 0.5
_DOWN_S = 1.0
# A strike that waits for steps of a process that has nothing to do falls then.
_OVERDUE_S = 6.0
_OUTAGE_S = 3.0


@dataclass
class Result:
    """What a round came to. `digest` stands for its schedule and `log` for what is in its log."""

    plan: Plan
    kills: int = 0
    struck: list[int] = field(default_factory=list)
    messages: int = 0
    restarted: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)
    deeds: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    simulated_s: float = 0.0
    steps: int = 0
    digest: int = 0
    log: str = ""
    tables: Tables | None = None
    talks: list[Talk] = field(default_factory=list)

    def write(self, folder: Path) -> Path:
        """Keep what was found, and all that it was found in."""
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.plan.seed}.json"
        # Counters of dataclasses come out of `asdict` as something else.
        kept = asdict(replace(self, outcomes=Counter(), deeds=Counter(), refusals=Counter(), told=Counter()))
        path.write_text(json.dumps(kept, default=str, indent=1))
        return path


class Round:
    """One round, in a folder that holds an empty installation."""

    def __init__(self, plan: Plan, folder: Path, loop: SimulatedLoop) -> None:
        self.result = Result(plan)
        self.talks: list[Talk] = []
        self.orphans: set[str] = set()
        self.network = Network(loop, _random(plan, "network"), plan.network_s)
        self.receiver = Receiver(self.network, plan.receiver_fails) if plan.webhooks else None
        self._plan = plan
        self._folder = folder
        self._loop = loop
        self._random = _random(plan, "round")
        self._hints = Hints(self.network, plan.hints_lost) if plan.servers > 1 else None
        self._machines: list[Machine] = []
        self._drives: list[Drive] = []
        self._servers: list[Server | None] = []
        self._holders: dict[str, Machine] = {}
        self._again: dict[int, int] = {}
        self._calm_since = 0.0
        self._leaving: set[str] = set()
        self._over = False

    def now(self) -> datetime:
        """The time of the round."""
        return datetime.fromtimestamp(self.clock(), UTC)

    def clock(self) -> float:
        """The same in seconds since 1970."""
        return BEGINNING.timestamp() + self._loop.time()

    async def play(self) -> None:
        """Play it to its end, or until patience is over."""
        for n in range(self._plan.servers):
            self._machines.append(self._loop.world)
            self._drives.append(self._drive(self._loop.world))
            self._servers.append(None)
            self._start(n)
        storm = asyncio.create_task(self._storm())
        talking = []
        for n, customer in enumerate(self._plan.customers):
            client = Client(self.network, self._address, self.now, _random(self._plan, f"client:{n}"))
            talking.append(asyncio.create_task(client.talk(customer, self.talks.append)))
        waiting = {storm, *talking}
        while waiting and self._patient():
            _, waiting = await asyncio.wait(waiting, timeout=_LOOK_S)
            self._look()
        for task in (storm, *talking):
            if task.done():
                task.result()
        if self.receiver is not None:
            self.receiver.calm = True
        while self._look() and self._patient():
            await asyncio.sleep(_LOOK_S)
        self._over = True
        await self._stop()

    def _patient(self) -> bool:
        return self._loop.time() < self._calm_since + PATIENCE_S

    # Processes that come and go.

    def _drive(self, machine: Machine) -> Drive:
        return Drive(self._loop, machine, self.clock, _random(self._plan, f"disk:{machine.name}"), self._plan.disk_s)

    def _start(self, n: int) -> None:
        machine = self._loop.machine(f"server-{n}-{len(self._loop.machines)}")
        self._machines[n], self._drives[n] = machine, self._drive(machine)
        machine.at_death.append(partial(self._died, n))
        if (steps := self._again.pop(n, None)) is not None:
            machine.after(steps, machine.kill)
        self._loop.start(machine, self._boot(n, machine, self._drives[n]))

    async def _boot(self, n: int, machine: Machine, drive: Drive) -> None:
        try:
            server = await self._open(n, machine, drive)
        except Exception as exc:
            # As a service that couldn't start is started again: the disk was away, or a frozen process kept its lock.
            if not (drive.failed or "is locked" in str(exc)):
                self.network.unexpected.append(f"start: {type(exc).__name__}: {exc}")
            self._leaving.add(machine.name)
            machine.kill()
        else:
            self._servers[n] = server
            self._calm_since = self._loop.time()

    async def _open(self, n: int, machine: Machine, drive: Drive) -> Server:
        return await open_server(
            machine,
            drive,
            self._folder,
            RoteEngine(slowness_s=self._plan.engine_s, moods=self._plan.moods),
            host="here" if self._plan.one_host else f"host-{n}",
            machines=self._holders,
            channel=self._hints.channel(machine) if self._hints is not None else None,
            sender=self.receiver,
            keeps=self._plan.keeps,
        )

    def _died(self, n: int) -> None:
        self.result.kills += self._machines[n].name not in self._leaving
        self._servers[n] = None
        self._calm_since = self._loop.time()
        if not self._over:
            self._loop.tell(self._loop.world, partial(self._start, n), _DOWN_S * self._random.random())

    def _address(self) -> Server | None:
        alive = [server for server in self._servers if server is not None]
        return self._random.choice(alive) if alive else None

    # What breaks.

    async def _storm(self) -> None:
        for strike in self._plan.strikes:
            await self._strike(strike, strike.victim % self._plan.servers)
            self._calm_since = self._loop.time()

    async def _strike(self, strike: Strike, n: int) -> None:
        while self._machines[n].dead:
            await asyncio.sleep(_LOOK_S / 10)
        machine, drive = self._machines[n], self._drives[n]
        struck = asyncio.Event()
        machine.at_death.append(struck.set)
        match strike.fault:
            case "kill" | "kill_again":
                happens: Callable[[], None] = machine.kill
                if strike.fault == "kill_again":
                    self._again[n] = strike.second_steps
            case "kill_at_commit":
                drive.fatal_commit = (strike.commits, "after" if strike.after_commit else "before")
                happens = machine.kill
            case "freeze":
                happens = partial(self._freeze, machine, strike.lasts_s, struck)
            case "outage":
                happens = partial(self._cut_off, drive, strike.lasts_s, struck)
            case "terminate":
                happens = partial(self._terminate, n)
        if strike.fault != "kill_at_commit":
            machine.after(strike.steps, happens)
        try:
            async with asyncio.timeout(_OVERDUE_S):
                await struck.wait()
        except TimeoutError:
            machine.alarm = None
            if not machine.dead and not machine.frozen:
                happens()
                await struck.wait()
        self.result.struck.append(sum(len(talk.in_flight(self._loop.time())) for talk in self.talks))

    def _freeze(self, machine: Machine, lasts_s: float, struck: asyncio.Event) -> None:
        machine.frozen = True
        struck.set()
        self._loop.tell(self._loop.world, partial(self._thaw, machine), lasts_s)

    def _thaw(self, machine: Machine) -> None:
        machine.frozen = False
        self._calm_since = self._loop.time()

    def _cut_off(self, drive: Drive, lasts_s: float, struck: asyncio.Event) -> None:
        drive.fails_until = self._loop.time() + min(lasts_s, _OUTAGE_S)
        struck.set()

    def _terminate(self, n: int) -> None:
        machine, server = self._machines[n], self._servers[n]
        self._servers[n] = None
        self._loop.start(machine, self._leave(machine, server))

    async def _leave(self, machine: Machine, server: Server | None) -> None:
        self._leaving.add(machine.name)
        if server is not None:
            await server.stop()
        machine.kill()

    # The end.

    def _look(self) -> bool:
        """Whether anything is being worked on, held, or waits to be told; and note what is held by nobody."""
        asked = "SELECT count(*) FROM turns WHERE status IN ('accepted', 'running')"
        told = "SELECT count(*) FROM deliveries WHERE status = 'waiting'"
        held = "SELECT conversation_id, lease_holder FROM conversations WHERE lease_until > ?"
        with closing(sqlite3.connect(self._folder / FILE_NAME)) as file:
            holders = dict(file.execute(held, (self.clock(),)).fetchall())
            self.orphans |= {conversation_id for conversation_id, holder in holders.items() if holder is None}
            return bool(holders or file.execute(asked).fetchone()[0] or file.execute(told).fetchone()[0])

    async def _stop(self) -> None:
        """Stop every process, as an operator does; what killed ones left is cleaned up as the next start does it."""
        for n, machine in enumerate(self._machines):
            if not machine.dead:
                gone = asyncio.Event()
                machine.at_death.append(gone.set)
                self._terminate(n)
                await gone.wait()
        if self._kept():
            machine = self._loop.machine("cleaner")
            drive = self._drive(machine)
            server = await self._loop.start(machine, self._open(0, machine, drive))
            settings = cast(Settings, SimpleNamespace(data_dir=self._folder))
            stores = Stores(settings, WORKSPACE, server.log, server.checkpointer)
            await self._loop.start(machine, prune_checkpoints(stores))
            await self._loop.start(machine, server.stop())

    def _kept(self) -> bool:
        if not self._plan.keeps:
            return False
        with closing(sqlite3.connect(self._folder / CHECKPOINTS)) as file:
            return file.execute("SELECT 1 FROM checkpoints UNION SELECT 1 FROM writes").fetchone() is not None


def play(plan: Plan, template: Path, folder: Path) -> Result:
    """Play a round in `folder`, which is empty, on a copy of the installation in `template`."""
    copy_of(template, folder)
    if not plan.webhooks:
        with closing(sqlite3.connect(folder / FILE_NAME)) as file:
            file.executescript("DELETE FROM webhook_kinds; DELETE FROM webhooks")
    loop = SimulatedLoop(_random(plan, "schedule"))
    found = Round(plan, folder, loop)
    result, trouble = found.result, ""
    collects = gc.isenabled()
    # What it finds is closed by tasks, at moments that no seed decides.
    gc.disable()
    with taken_over(found.clock, f"{plan.seed}:chance"):
        asyncio.set_event_loop(loop)
        try:
            loop.run_until_complete(found.play())
        except Stalled:
            trouble = "nobody has anything to do, and the round isn't over"
        finally:
            # The dead say things as well when they are buried.
            troubles = [trouble, *found.network.unexpected, *loop.errors]
            asyncio.set_event_loop(None)
            loop.bury()
            if collects:
                gc.enable()
    result.simulated_s, result.steps, result.digest = loop.time(), loop.steps, loop.digest
    tables = read_tables(str(folder / FILE_NAME), str(folder / CHECKPOINTS))
    tables.now = found.clock()
    if found.receiver is not None:
        tables.told = found.receiver.journal
        result.told = found.receiver.said
    result.tables, result.talks = tables, found.talks
    result.findings = check(tables, found.talks, whole=True)
    for conversation_id in sorted(found.orphans):
        result.findings.append(Finding("I5", "stuck", f"conversation {conversation_id}", "held, and by nobody"))
    result.findings += [Finding("I2", "wrong", "the round", text) for text in troubles if text]
    _sum_up(result, tables)
    return result


def _sum_up(result: Result, tables: Tables) -> None:
    result.messages = sum(len(talk.messages) for talk in result.talks)
    for turn in tables.turns:
        result.outcomes["parked" if turn["status"] == "parked" else str(turn["outcome"])] += 1
        result.restarted += turn["attempts"] > 1
    result.deeds = Counter(deed.what for talk in result.talks for deed in talk.deeds)
    result.refusals = Counter(str(refusal.status) for talk in result.talks for refusal in talk.refusals)
    said = json.dumps([tables.events, tables.turns, tables.client_messages, tables.bugs], sort_keys=True, default=str)
    result.log = hashlib.sha256(said.encode()).hexdigest()


def _random(plan: Plan, part: str) -> Random:
    return Random(f"{plan.seed}:{part}")  # noqa: S311  # Not for secrets.
