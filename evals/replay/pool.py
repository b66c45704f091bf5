"""Worker processes of a run: jobs handed out, answers taken in, a process that dies started again."""

import asyncio
import contextlib
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import ValidationError

from agent.errors import Misconfigured
from evals.replay.worker import Done, Job, Ready, Start

LINE_LIMIT = 64 * 1024 * 1024
"""How many bytes a worker's answer may have at most."""
_START_S = 600.0
_LOG_LINES = 6


@dataclass(frozen=True, slots=True)
class Lost:
    """A job that took its process with it, twice: the second time with nothing else running there."""

    place: int
    run: int
    how: str


class _Died(Exception):
    """The process ended, or had to be ended, before it answered."""


async def start_process(env: Mapping[str, str], log: Path) -> Process:
    """Start a worker's process; what it says beside its answers is added to the file `log`."""
    with log.open("ab") as said:
        command = (sys.executable, "-m", "evals.replay.worker")
        return await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=said, env=dict(env), limit=LINE_LIMIT
        )


@dataclass
class _Worker:
    start: Start
    env: Mapping[str, str]
    log: Path
    deadline_s: float
    process: Process | None = None
    ready: Ready | None = None
    waiting: dict[tuple[int, int], asyncio.Future[Done]] = field(default_factory=dict)
    alone: asyncio.Lock = field(default_factory=asyncio.Lock)
    idle: asyncio.Event = field(default_factory=asyncio.Event)
    reader: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Start the process and wait until it can answer.

        Raises:
            Misconfigured: it ends at once; what it said last is in the message.
        """
        self.process = await start_process(self.env, self.log)
        self.idle.set()
        try:
            async with asyncio.timeout(_START_S):
                self._send(self.start.model_dump_json().encode())
                assert self.process.stdout is not None  # noqa: S101  # It was asked for; narrows the type.
                line = await self.process.stdout.readline()
            if not line:
                raise Misconfigured(f"a replay worker can't start: {self._last_words()}")
            self.ready = Ready.model_validate_json(line)
        except TimeoutError:
            await self.close()
            raise Misconfigured(f"a replay worker isn't ready after {_START_S:.0f} s; see {self.log}") from None
        self.reader = asyncio.create_task(self._read(self.process))

    async def play(self, job: Job) -> Done | Lost:
        """Have a ticket played. When the process dies under it, it is tried once more, alone."""
        try:
            async with self.alone:
                await self._alive()
                answer = self._ask(job)
            return await self._answered(job, answer)
        except _Died:
            pass
        async with self.alone:
            await self.idle.wait()
            await self._alive()
            try:
                return await self._answered(job, self._ask(job))
            except _Died as exc:
                return Lost(job.place, job.run, str(exc))

    async def close(self) -> None:
        """End the process."""
        if self.process is not None and self.process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self.process.kill()
            await self.process.wait()
        if self.reader is not None:
            self.reader.cancel()
            await asyncio.wait([self.reader])

    async def _alive(self) -> None:
        if self.process is None or self.process.returncode is not None or (self.reader and self.reader.done()):
            await self.close()
            await self.open()

    def _ask(self, job: Job) -> asyncio.Future[Done]:
        answer: asyncio.Future[Done] = asyncio.get_running_loop().create_future()
        self.waiting[job.place, job.run] = answer
        self.idle.clear()
        self._send(job.model_dump_json().encode())
        return answer

    async def _answered(self, job: Job, answer: asyncio.Future[Done]) -> Done:
        try:
            async with asyncio.timeout(self.deadline_s):
                return await answer
        except TimeoutError:
            await self.close()
            raise _Died(f"not done after {self.deadline_s:.0f} s") from None
        finally:
            self.waiting.pop((job.place, job.run), None)
            if not self.waiting:
                self.idle.set()

    def _send(self, line: bytes) -> None:
        assert self.process is not None and self.process.stdin is not None  # noqa: S101, PT018  # Open by now.
        with contextlib.suppress(ConnectionError):
            self.process.stdin.write(line + b"\n")

    async def _read(self, process: Process) -> None:
        assert process.stdout is not None  # noqa: S101  # It was asked for; narrows the type.
        try:
            while line := await process.stdout.readline():
                done = Done.model_validate_json(line)
                answer = self.waiting.get((done.place, done.run))
                if answer is not None and not answer.done():
                    answer.set_result(done)
        except (ValidationError, ValueError):
            # Half a line, or one beyond all bounds: the process is not to be trusted any more.
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        finally:
            code = await process.wait()
            how = f"the process died of signal {-code}" if code < 0 else f"the process ended with code {code}"
            for answer in self.waiting.values():
                if not answer.done():
                    answer.set_exception(_Died(how))

    def _last_words(self) -> str:
        try:
            lines = self.log.read_text(encoding="utf-8", errors="replace").splitlines()
        except OSError:
            lines = []
        return f"{' / '.join(lines[-_LOG_LINES:]) or 'it said nothing'} (see {self.log})"


class Pool:
    """The workers of a run. Open it with `open_pool`."""

    def __init__(self, workers: Sequence[_Worker], *, in_flight: int) -> None:
        self._workers = workers
        self._in_flight = in_flight

    @property
    def engine(self) -> Ready:
        """What the workers answer with."""
        ready = self._workers[0].ready
        assert ready is not None  # noqa: S101  # `open_pool` waits for it; narrows the type.
        return ready

    @property
    def lanes(self) -> int:
        """How many tickets are played at the same time."""
        return len(self._workers) * self._in_flight

    async def play(self, jobs: Iterator[Job], *, ahead: int) -> AsyncIterator[Done | Lost]:
        """Yield what became of the jobs, in their order. At most `ahead` are begun before the oldest is done."""
        pending: dict[tuple[int, int], asyncio.Task[Done | Lost]] = {}
        free: asyncio.Queue[_Worker] = asyncio.Queue()
        for _ in range(self._in_flight):
            for worker in self._workers:
                free.put_nowait(worker)

        async def one(job: Job) -> Done | Lost:
            worker = await free.get()
            try:
                return await worker.play(job)
            finally:
                free.put_nowait(worker)

        try:
            for job in jobs:
                pending[job.place, job.run] = asyncio.create_task(one(job))
                if len(pending) >= ahead:
                    yield await pending.pop(next(iter(pending)))
            while pending:
                yield await pending.pop(next(iter(pending)))
        finally:
            for task in pending.values():
                task.cancel()
            await asyncio.gather(*pending.values(), return_exceptions=True)


@asynccontextmanager
async def open_pool(
    starts: Sequence[Start], *, logs: Path, in_flight: int, deadline_s: float, threads: int
) -> AsyncIterator[Pool]:
    """Start the workers; on leaving they are ended, whatever they are doing.

    Raises:
        Misconfigured: one can't start.
    """
    env = {
        **os.environ,
        # A copy is a SQLite file in its own folder, whatever the installation is kept in.
        "HELPGRAPH_DATABASE_URL": "",
        # Traces are of customers' conversations; a replay's log says more than they would.
        "HELPGRAPH_LANGSMITH_KEY": "",
        "HELPGRAPH_OTLP_ENDPOINT": "",
        "HELPGRAPH_EMBEDDING_THREADS": str(threads),
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
    }
    workers = [_Worker(start, env, logs / f"worker-{number}.log", deadline_s) for number, start in enumerate(starts, 1)]
    try:
        async with asyncio.TaskGroup() as group:
            for worker in workers:
                group.create_task(worker.open())
        yield Pool(workers, in_flight=in_flight)
    except* Misconfigured as failed:
        raise failed.exceptions[0] from None
    finally:
        for worker in workers:
            await worker.close()
