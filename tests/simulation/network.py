"""What lies between machines: connections that are cut, hints that get lost, and a receiver of webhooks that fails."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from random import Random
from typing import Any

from sse_starlette import ServerSentEvent

from agent.errors import SupportError
from agent.wire import JsonObject
from server.problems import Problem, from_support_error
from tests.chaos.transcript import Received, Told
from tests.simulation.loop import Machine, SimulatedLoop
from tools.webhooks.sender import Sent

# As long as a client of the chaotic rounds waits for a server that says nothing.
SILENCE_S = 10.0
_CUT = object()
_ENDED = object()


class Cut(Exception):
    """The connection broke, nobody listens, or nothing was heard for too long."""


class Ended(Exception):
    """The server said all that it had to say."""


@dataclass
class Refused(Exception):
    """The server answered that it can't, or won't, and what it said of trying again."""

    status: int
    retry_after: str | None


class Line:
    """A connection to a machine: `work` runs there, and what it sends arrives here, in order or not at all."""

    def __init__(self, network: "Network", machine: Machine, work: Callable[["Line"], Awaitable[None]]) -> None:
        self._network = network
        self._machine = machine
        self._arrivals: asyncio.Queue[Any] = asyncio.Queue()
        self._newest = 0.0
        self._deaf = False
        self._task: asyncio.Task[None] | None = None
        machine.at_death.append(self._broke)
        network.loop.tell(machine, partial(self._begin, work), network.latency_s())

    def send(self, item: object) -> None:
        """From the machine's side: let it travel."""
        loop = self._network.loop
        self._newest = max(self._newest, loop.time() + self._network.latency_s())
        loop.tell(loop.world, partial(self._arrive, item), self._newest - loop.time())

    async def receive(self) -> Any:
        """From the client's side: what came.

        Raises:
            Cut: nothing comes any more.
            Ended: nothing more was to come.
            Refused: the server said no.
        """
        try:
            async with asyncio.timeout(SILENCE_S):
                item = await self._arrivals.get()
        except TimeoutError:
            self.leave()
            raise Cut from None
        if item is _CUT:
            raise Cut
        if item is _ENDED:
            raise Ended
        if isinstance(item, Refused):
            raise item
        return item

    def leave(self) -> None:
        """Hang up; the server hears of it."""
        self._deaf = True
        self._network.loop.tell(self._machine, self._hung_up, self._network.latency_s())

    def _begin(self, work: Callable[["Line"], Awaitable[None]]) -> None:
        self._task = self._network.loop.create_task(self._serve(work))

    def _hung_up(self) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _serve(self, work: Callable[["Line"], Awaitable[None]]) -> None:
        try:
            await work(self)
        except Exception as exc:
            self.send(self._network.refusal(exc))
        else:
            self.send(_ENDED)

    def _arrive(self, item: object) -> None:
        if not self._deaf:
            self._arrivals.put_nowait(item)

    def _broke(self) -> None:
        network = self._network
        # What was on its way may be lost as well.
        self._deaf = self._deaf or network.random.random() < 0.5
        left_s = max(0.0, self._newest - network.loop.time())
        network.loop.tell(network.loop.world, partial(self._arrivals.put_nowait, _CUT), left_s)


class Network:
    """Makes lines. `unexpected` are errors that no door knows, for which a server answers 500."""

    def __init__(self, loop: SimulatedLoop, random: Random, latency_s: float) -> None:
        self.loop = loop
        self.random = random
        self.unexpected: list[str] = []
        self._latency_s = latency_s

    def latency_s(self) -> float:
        """How long one way takes, this time."""
        return self._latency_s * self.random.random() ** 2

    def line(self, machine: Machine, work: Callable[[Line], Awaitable[None]]) -> Line:
        """Connect to a machine, to have it do something."""
        return Line(self, machine, work)

    def refusal(self, exc: Exception) -> Refused:
        """What a door answers instead of an error."""
        if isinstance(exc, SupportError):
            answer = from_support_error(exc)
            return Refused(answer.status_code, answer.headers.get("retry-after"))
        if isinstance(exc, Problem):
            return Refused(exc.status, exc.headers.get("Retry-After"))
        self.unexpected.append(f"{type(exc).__name__}: {exc}")
        return Refused(500, None)


async def send_all(line: Line, events: AsyncIterator[ServerSentEvent]) -> None:
    """Have a stream of the server's travel over a line."""
    async for event in events:
        line.send(event)


def received(sent: ServerSentEvent) -> Received | None:
    """What a client reads of an event; None for a comment."""
    if sent.data is None:
        return None
    return Received(json.loads(sent.data), int(sent.id) if sent.id is not None else None)


class Hints:
    """Carries wake-ups between machines, late, and a share of them never."""

    def __init__(self, network: Network, lost: float) -> None:
        self._network = network
        self._lost = lost
        self._listeners: list[HintsOfOne] = []

    def channel(self, machine: Machine) -> "HintsOfOne":
        """What a machine sends and receives by."""
        made = HintsOfOne(self, machine)
        self._listeners.append(made)
        return made

    def spread(self, payloads: list[str]) -> None:
        """Have them travel to every machine, the sender's too."""
        for each in self._listeners:
            if not each.machine.dead and self._network.random.random() >= self._lost:
                self._network.loop.tell(each.machine, partial(each.arrive, payloads), self._network.latency_s())


class HintsOfOne:
    """Implements `tools.storage.wakeups.Channel` for one machine."""

    def __init__(self, hints: Hints, machine: Machine) -> None:
        self.machine = machine
        self._hints = hints
        self._arrived: asyncio.Queue[str] = asyncio.Queue()

    async def send(self, payloads: list[str]) -> None:
        """Send hints to every machine that listens."""
        self._hints.spread(payloads)

    async def receive(self) -> str:
        """Return the next hint."""
        return await self._arrived.get()

    async def close(self) -> None:
        """Nothing is held."""

    def arrive(self, payloads: list[str]) -> None:
        """Some have come."""
        for payload in payloads:
            self._arrived.put_nowait(payload)


class Receiver:
    """The team's own system: takes what it is told, late, twice or not at first, and keeps a journal."""

    def __init__(self, network: Network, fails: float) -> None:
        self.journal: list[Told] = []
        self.said: Counter[str] = Counter()
        self.calm = False
        self._network = network
        self._fails = fails

    async def send(self, name: str, url: str, event_id: str, body: JsonObject) -> Sent:
        """What the webhook's sender does: one attempt, and what came of it."""
        random = self._network.random
        await asyncio.sleep(self._network.latency_s())
        answer = random.random()
        if not self.calm and answer < self._fails:
            self.said["failed"] += 1
            return Sent("refused", "status 400") if answer < self._fails / 4 else Sent("away", "status 503")
        self.journal.append(Told(event_id, json.loads(json.dumps(body))))
        self.said["taken"] += 1
        await asyncio.sleep(self._network.latency_s())
        if not self.calm and random.random() < self._fails / 2:
            self.said["lost"] += 1
            return Sent("away", "ReadError")
        return Sent("delivered")
