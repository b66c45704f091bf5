"""A process of the product: the real log, leases, turns, tracker, desk, outbox and streams, opened on a machine."""

import asyncio
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import anyio

from agent.ports import Engine
from graphs.checkpoints import FILE_NAME as CHECKPOINTS
from graphs.checkpoints import kept_in
from graphs.deliveries import Sender, deliver_for_ever
from graphs.holder import Holder
from graphs.supervisor import Supervisor
from graphs.turn_graph import TurnGraph, build_turn_graph
from graphs.turn_metrics import NoMetrics
from graphs.turns import TurnLimits, TurnService
from server.context import Doors
from tests.fakes import fake_deps
from tests.simulation.disk import Drive
from tests.simulation.loop import Machine
from tools.storage.database import Database
from tools.storage.desk import Desk
from tools.storage.log import ConversationLog
from tools.storage.outbox import Outbox
from tools.storage.tracker import BuiltInTracker
from tools.storage.wakeups import Channel, Wakeups

WORKSPACE = "example"
LIMITS = TurnLimits(turn_timeout_s=30, concurrent_turns=8, max_message_chars=8000)
GRACE_S = 10.0


@dataclass(frozen=True, slots=True)
class SimulatedHolder(Holder):
    """A name in a lease that belongs to a machine of the round; on the same host it is seen when that one has died."""

    machines: dict[str, Machine]

    def is_gone(self, name: str) -> bool:
        """Whether `name` is of a machine of this host that is dead."""
        found = self.machines.get(name)
        return found is not None and found.dead and name.partition(":")[0] == self.machine


class NoDeliveryMetrics:
    """Counts nothing."""

    def delivery_tried(self, result: str) -> None:
        """Ignore it."""

    def delivery_seconds(self, seconds: float) -> None:
        """Ignore it."""


@dataclass
class Server:
    """A running process: what doors need of it."""

    machine: Machine
    drive: Drive
    db: Database
    log: ConversationLog
    desk: Desk
    turns: TurnService
    wakeups: Wakeups
    supervisor: Supervisor
    doors: Doors
    checkpointer: Any
    endless: list[asyncio.Task[Any]]

    async def stop(self) -> None:
        """End as at SIGTERM: running turns get a moment, then everything is closed."""
        for task in self.endless:
            task.cancel()
        self.doors.stopping.set()
        self.wakeups.rouse()
        self.turns.stop()
        await self.supervisor.close(grace_s=GRACE_S)
        await self.wakeups.stop()
        await self.db.close()
        if self.checkpointer is not None:
            await self.checkpointer.conn.close()


async def open_server(
    machine: Machine,
    drive: Drive,
    folder: Path,
    engine: Engine,
    *,
    host: str,
    machines: dict[str, Machine],
    channel: Channel | None,
    sender: Sender | None,
    keeps: bool,
) -> Server:
    """Start a process on a folder, as `open_runtime` and the application do; `keeps` turns' places in checkpoints."""
    db = await Database.open(None, data_dir=folder, disk=drive)
    _compile_once(db)
    wakeups = Wakeups(channel)
    await wakeups.start()
    checkpointer = None
    graph = _graph()
    if keeps:
        checkpointer = await kept_in(await drive.connect_plainly(str(folder / CHECKPOINTS)))
        graph = graph.copy({"checkpointer": checkpointer})
    log = ConversationLog(db, wakeups)
    supervisor = Supervisor()
    holder = SimulatedHolder(host, machine.number, "0", machine.name, machines)
    machines[holder.name] = machine
    tracker = BuiltInTracker(db, None)
    turns = TurnService(
        log,
        graph,
        fake_deps(engine=engine, tracker=tracker),
        workspace_id=WORKSPACE,
        wakeups=wakeups,
        limits=LIMITS,
        metrics=NoMetrics(),
        supervisor=supervisor,
        holder=holder,
    )
    await turns.start()
    endless = []
    if sender is not None:
        outbox = Outbox(db, WORKSPACE)
        endless.append(
            supervisor.spawn(deliver_for_ever(outbox, sender, NoDeliveryMetrics(), holder=holder), name="deliveries")
        )
    runtime = SimpleNamespace(log=log, wakeups=wakeups)
    metrics = SimpleNamespace(stream_lag_s=SimpleNamespace(observe=lambda seconds: None))
    # As much of the doors as streams look at.
    doors = cast(Doors, SimpleNamespace(runtime=runtime, metrics=metrics, stopping=anyio.Event()))
    return Server(machine, drive, db, log, Desk(log), turns, wakeups, supervisor, doors, checkpointer, endless)


_DIALECT: list[Any] = []


def _compile_once(db: Database) -> None:
    """Have all processes of all rounds share what SQLAlchemy has compiled; it would be half of what a round costs."""
    if not _DIALECT:
        _DIALECT.append((db.engine.dialect, db.engine._compiled_cache))
    db.engine.dialect, db.engine._compiled_cache = _DIALECT[0]


@cache
def _graph() -> TurnGraph:
    return build_turn_graph()
