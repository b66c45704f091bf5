"""What a real server costs over HTTP: chats at once, long conversations, idle streams, resuming, and a kill.

The server, the endpoint and the bare relay of it (the baseline) are processes of their own on one machine with the
client. What counts are the ratios within one run: machines differ, and so do minutes.
"""

import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from evals.bench.arena import Progress
from evals.bench.endpoint import Pace, endpoint
from evals.bench.report import BenchResult, Part
from evals.bench.serve_clients import Customer, Timed, ask_relay, clients
from evals.bench.serve_figures import Round, chat_metrics, mean, once, percentile, ratio_of
from evals.bench.serve_idle import allow_files, hold_idle
from evals.bench.served import Process, helpgraph, relaying
from evals.bench.stream_turns import ARTICLE, QUESTION

NAME = "serve"
CHATS = (1, 50, 200)
_DRAWS_OF_ONE = 5


@dataclass(frozen=True, slots=True)
class Sizes:
    """How much is asked of it; a test asks for little."""

    pace: Pace = field(default_factory=lambda: Pace(tokens=100, gap_s=0.01))
    rounds: int = 3
    chats: tuple[int, ...] = CHATS
    messages: tuple[int, ...] = (100, 1000)
    turns_each: int = 20
    idle: int = 10_000
    idle_s: float = 10.0
    resumes: int = 50
    kills: int = 3


def splits(data: Path) -> list[str]:
    """What can be measured; `data` isn't looked at."""
    return ["chats", "unpaced", "growth", "idle", "resume", "recovery"]


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Measure what is named."""
    return BenchResult(NAME, await measure(parts, Sizes(), on_progress))


async def measure(
    parts: Sequence[str], sizes: Sizes, on_progress: Progress, *, models: Path | None = None
) -> list[Part]:
    """Measure what is named; `models` is where an engine has learnt before."""
    with tempfile.TemporaryDirectory(prefix="helpgraph-serve-") as folder:
        root = Path(folder)
        allow_files()
        workspace = write_workspace(root / "workspace")
        if models is None:
            # Learnt once: later servers of this run find it.
            models = root / "models"
            models.mkdir()
        found: list[Part] = []
        async with AsyncExitStack() as stack:
            bench = _Bench(workspace, root, models, sizes, on_progress, stack)
            measuring = {
                "chats": bench.chats,
                "unpaced": bench.unpaced,
                "growth": bench.growth,
                "idle": bench.idle,
                "resume": bench.resume,
                "recovery": bench.recovery,
            }
            for part in parts:
                found += await measuring[part]()
        return found


def write_workspace(folder: Path) -> Path:
    """A product with the one article that the endpoint's answer is taken from, in other words."""
    (folder / "articles").mkdir(parents=True)
    (folder / "articles" / "change-plan.md").write_text(f"# {QUESTION}\n\n{ARTICLE}\n", encoding="utf-8")
    # An answer always pays, so that what is measured is an answer and not the decision to give one.
    costs = {"wrong_answer": 0.01, "needless_handoff": 1000.0, "needless_question": 1000.0, "needless_ticket": 1000.0}
    workspace = {"workspace_id": "bench", "name": "Bench", "costs": costs}
    (folder / "workspace.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")
    return folder


_Ask = Callable[[], Awaitable[Timed]]
_Crowd = Callable[[int], Awaitable[list[_Ask]]]


@dataclass(frozen=True, slots=True)
class _Bench:
    workspace: Path
    root: Path
    models: Path
    sizes: Sizes
    on_progress: Progress
    stack: AsyncExitStack
    open: dict[str, Process] = field(default_factory=dict)

    async def _local(self) -> Process:
        """The server with the local engine, which the parts share."""
        if "local" not in self.open:
            self.open["local"] = await self.stack.enter_async_context(self._server("local"))
        return self.open["local"]

    def _server(self, name: str, url: str | None = None, **settings: str) -> AbstractAsyncContextManager[Process]:
        """A server of an installation of its own; with the URL of an endpoint it has a model."""
        data_dir = self.root / name
        if not data_dir.exists():
            data_dir.mkdir()
            (data_dir / "models").symlink_to(self.models, target_is_directory=True)
        model = {} if url is None else {"MODEL": "paced", "MODEL_URL": url, "MODEL_JUDGES": "never"}
        return helpgraph(
            self.workspace, data_dir, **{f"HELPGRAPH_{key}": value for key, value in model.items()}, **settings
        )

    async def chats(self) -> list[Part]:
        """Chats at once with a paced model and with the local engine, beside the relay."""
        return await self._beside_relay("", self.sizes.pace, {"local": _customers(await self._local())})

    async def unpaced(self) -> list[Part]:
        """Chats at once with a model that makes no pauses: how many a second a worker can take."""
        return await self._beside_relay("unpaced_", Pace(self.sizes.pace.tokens, 0.0), {})

    async def _beside_relay(self, prefix: str, pace: Pace, others: dict[str, _Crowd]) -> list[Part]:
        found: list[Part] = []
        async with (
            endpoint(pace) as url,
            relaying(url) as relay,
            self._server(f"{prefix}model", url) as model,
        ):
            crowds = {"relay": _relay_crowd(relay), "model": _customers(model), **others}
            for at_once in self.sizes.chats:
                rounds = await self._take_turns(crowds, at_once)
                for name, own in rounds.items():
                    ideal_s = pace.ideal_s if name != "local" else 0.0
                    base = rounds["relay"] if name != "relay" else None
                    metrics = chat_metrics(own, base, ideal_s)
                    found.append(Part(f"{prefix}{name}_{at_once}", metrics, notes={"chats": at_once}))
        return found

    async def _take_turns(self, crowds: dict[str, _Crowd], at_once: int) -> dict[str, list[Round]]:
        """Let each crowd ask once for the warmth, then all of them in every round."""
        found: dict[str, list[Round]] = {name: [] for name in crowds}
        # One chat is too few to draw from.
        rounds = self.sizes.rounds * (_DRAWS_OF_ONE if at_once == 1 else 1)
        for number in range(-1, rounds):
            for name, crowd in crowds.items():
                asks = await crowd(at_once)
                began = time.perf_counter()
                chats = await asyncio.gather(*(ask() for ask in asks))
                if number >= 0:
                    found[name].append(Round(time.perf_counter() - began, list(chats)))
            self.on_progress(f"{at_once} at once", number + 1, rounds)
        return found

    async def growth(self) -> list[Part]:
        """The cost of a turn early and late in one conversation."""
        spent: dict[int, tuple[list[float], float]] = {}
        each, most = self.sizes.turns_each, max(self.sizes.messages)
        server = await self._local()
        async with clients(server.url) as client:
            for _ in range(each):
                await _answered(await Customer.come(client))
            # A first message is measured in as many conversations as later ones are in one.
            visitors = [await Customer.come(client) for _ in range(each)]
            spent[1] = await self._cost(server, visitors)
            one = await Customer.come(client)
            for number in range(1, most + 1):
                if number in self.sizes.messages:
                    spent[number] = await self._cost(server, [one] * each)
                await _answered(one)
                self.on_progress("messages", number, most)
        return [
            Part(
                f"message_{at}",
                {
                    "turn_p50_ms": percentile(times, 50),
                    "turn_p95_ms": percentile(times, 95),
                    "cpu_ms": once(1000 * cpu_s / each, each),
                    "turn_over_first": ratio_of(times, spent[1][0]),
                },
                notes={"cpu_over_first": round(cpu_s / max(spent[1][1], 1e-9), 3)},
            )
            for at, (times, cpu_s) in spent.items()
        ]

    async def _cost(self, server: Process, customers: Sequence[Customer]) -> tuple[list[float], float]:
        cpu_s = server.cpu_s()
        times = [(await _answered(customer)).end_s for customer in customers]
        return times, server.cpu_s() - cpu_s

    async def idle(self) -> list[Part]:
        """Streams that nothing happens on."""
        server = await self._local()
        async with clients(server.url) as client:
            before = [(await _answered(await Customer.come(client))).end_s for _ in range(self.sizes.turns_each)]
            resident_mb = server.resident_mb()
            async with hold_idle(client, server.url, self.sizes.idle, self.on_progress) as held:
                grown_mb = server.resident_mb() - resident_mb
                cpu_s, began = server.cpu_s(), time.perf_counter()
                await asyncio.sleep(self.sizes.idle_s)
                share = (server.cpu_s() - cpu_s) / (time.perf_counter() - began)
                beside = [(await _answered(await Customer.come(client))).end_s for _ in range(self.sizes.turns_each)]
                whole_mb = server.resident_mb()
        metrics = {
            "kb_per_stream": once(1024 * grown_mb / held, held),
            "resident_mb": once(whole_mb, held),
            "cpu_share": once(share, held),
            "turn_p50_ms": percentile(beside, 50),
            "turn_over_without": ratio_of(beside, before),
        }
        return [Part(f"idle_{held}", metrics, notes={"streams": held})]

    async def resume(self) -> list[Part]:
        """Streams that were cut and go on."""
        server = await self._local()
        async with clients(server.url) as client:
            customer = await Customer.come(client)
            await _answered(customer)
            last = await customer.ended()
            times = [await customer.resume(after=last - 3) for _ in range(self.sizes.resumes)]
        return [
            Part("resume", {"first_event_p50_ms": percentile(times, 50), "first_event_p95_ms": percentile(times, 95)})
        ]

    async def recovery(self) -> list[Part]:
        """A kill in the middle of an answer, and a start right after it."""
        whole: list[float] = []
        after_start: list[float] = []
        async with endpoint(self.sizes.pace) as url:
            for number in range(self.sizes.kills):
                async with self._server("killed", url) as server, clients(server.url) as client:
                    customer = await Customer.come(client)
                    asking = asyncio.create_task(customer.say(QUESTION))
                    await asyncio.sleep(self.sizes.pace.ideal_s / 2)
                    await server.kill()
                    killed = time.perf_counter()
                    await asyncio.gather(asking, return_exceptions=True)
                async with self._server("killed", url) as again, clients(again.url) as client:
                    started = time.perf_counter()
                    await Customer(client, customer.conversation_id, customer.headers).ended()
                    ended = time.perf_counter()
                whole.append(ended - killed)
                after_start.append(ended - started)
                self.on_progress("kills", number + 1, self.sizes.kills)
        metrics = {
            "from_kill_s": mean(whole),
            "from_start_s": mean(after_start),
            "worst_from_kill_s": once(max(whole), len(whole)),
        }
        return [Part("recovery", metrics)]


def _customers(server: Process) -> _Crowd:
    """New conversations, with the question about to be asked in each."""

    async def come(at_once: int) -> list[_Ask]:
        async with clients(server.url) as begin:
            visitors = [await Customer.come(begin) for _ in range(at_once)]

        def asking(visitor: Customer) -> _Ask:
            async def ask() -> Timed:
                async with clients(server.url) as client:
                    return await _answered(Customer(client, visitor.conversation_id, visitor.headers))

            return ask

        return [asking(visitor) for visitor in visitors]

    return come


def _relay_crowd(relay: Process) -> _Crowd:
    async def come(at_once: int) -> list[_Ask]:
        async def ask() -> Timed:
            async with clients(relay.url) as client:
                return await ask_relay(client)

        return [ask] * at_once

    return come


async def _answered(customer: Customer) -> Timed:
    """Ask the question.

    Raises:
        RuntimeError: it was not answered, so that the time is another's.
    """
    timed = await customer.say(QUESTION)
    if timed.outcome != "answered":
        raise RuntimeError(f"the question was {timed.outcome} and not answered")
    return timed
