"""A process that replays tickets for a run: jobs come in as lines, played tickets go out as lines.

It runs as `python -m evals.replay.worker` with a `Start` as its first line, and ends when its input does: when the
run is killed, its workers go with it.
"""

import asyncio
import gc
import logging
import os
import signal
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

import uvloop
from pydantic import BaseModel, ConfigDict

from agent.errors import ConnectorError, Misconfigured
from agent.prompting import prompt_digests
from evals.replay.case import Case, Timing
from evals.replay.models import ModelsInTime, younger_than
from evals.replay.play import AsOf, Player
from evals.tickets.index import TicketIndex
from graphs.assembly import Runtime, open_runtime
from graphs.settings import load_settings
from tools.embedding.sentences import open_model
from tools.knowledge.owner import Ownership
from tools.observing.logs import set_up_logging

logger = logging.getLogger(__name__)

_FREE_S = 30.0


class _Line(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Start(_Line):
    """What a worker opens. Other settings come from the environment, as for every command."""

    data_dir: Path
    workspace: Path | None
    index: Path
    in_flight: int


class Job(_Line):
    """Play the ticket at this place of the index; `run` counts the repetitions."""

    place: int
    run: int


class Done(_Line):
    """A played ticket. `gist` is what its bug is compared by, `vector` that text's embedding as hexadecimal float32."""

    place: int
    run: int
    case: Case
    timing: Timing
    gist: str | None = None
    vector: str | None = None


class Ready(_Line):
    """What a worker says first: what it answers with. `prompts` are the hashes of a model's prompts, by name."""

    name: str
    embedding: str | None
    prompts: dict[str, str]


def main() -> None:
    """Answer jobs until the input ends."""
    # The run decides when to stop; Ctrl-C on a terminal reaches the whole group.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with os.fdopen(os.dup(1), "wb") as out:
        # Whatever a library prints must not be taken for an answer.
        os.dup2(2, 1)
        set_up_logging("warning")
        # The loop that serves customers: uvicorn chooses it too.
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_work(out))


async def _work(out: BinaryIO) -> None:
    reader = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    start = Start.model_validate_json(await reader.readline())
    settings = load_settings(workspace=start.workspace, data_dir=start.data_dir)
    index = TicketIndex(start.index)
    await _until_free(start.data_dir)
    async with open_runtime(settings) as runtime:
        await runtime.knowledge.settled()
        if runtime.embedder is not None:
            # A second of importing would be in the time of the first ticket that is answered.
            with suppress(ConnectorError):
                await asyncio.to_thread(open_model)
        worker = _Worker(runtime, index, out)
        # Models and articles stay: the collector needn't look through them again and again.
        gc.collect()
        gc.freeze()
        ready = Ready(
            name=runtime.engine.name,
            embedding=runtime.embedder.name if runtime.embedder else None,
            prompts=prompt_digests() if settings.model is not None else {},
        )
        out.write(ready.model_dump_json().encode() + b"\n")
        out.flush()
        tasks = set[asyncio.Task[None]]()
        async with asyncio.TaskGroup() as group:
            slots = asyncio.Semaphore(start.in_flight)

            async def answer(job: Job) -> None:
                async with slots:
                    await worker.answer(job)

            # It reads on while all are busy (the run sends few ahead), so that the end is noticed at once.
            while line := await reader.readline():
                task = group.create_task(answer(Job.model_validate_json(line)))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            # The run is gone, and nobody hears the answers.
            for task in tasks:
                task.cancel()


async def _until_free(data_dir: Path) -> None:
    """Wait until nobody has the copy open: a run that was killed leaves workers that are about to end."""
    until = time.monotonic() + _FREE_S
    while time.monotonic() < until:
        with suppress(Misconfigured):
            Ownership(data_dir).close()
            return
        await asyncio.sleep(0.1)


class _Worker:
    def __init__(self, runtime: Runtime, index: TicketIndex, out: BinaryIO) -> None:
        self._runtime = runtime
        self._index = index
        self._out = out
        self._player = Player(runtime)
        self._models = ModelsInTime.of(runtime)
        self._articles = runtime.knowledge.catalogue()
        self._playing = 0
        self._idle = asyncio.Condition()

    async def answer(self, job: Job) -> None:
        ticket = await asyncio.to_thread(self._index.get, job.place)
        async with self._idle:
            # The installation learns another model only when nobody is using the one before.
            if self._models.at(ticket.created_at) != self._models.current:
                await self._idle.wait_for(lambda: self._playing == 0)
                await self._models.switch(self._runtime, self._models.at(ticket.created_at))
            self._playing += 1
        try:
            as_of = AsOf(self._models.current, younger_than(self._articles, ticket))
            played = await self._player.play(ticket, as_of, run=job.run)
            vector = await self._vector(played.gist)
        finally:
            async with self._idle:
                self._playing -= 1
                self._idle.notify_all()
        done = Done(
            place=job.place, run=job.run, case=played.case, timing=played.timing, gist=played.gist, vector=vector
        )
        with suppress(BrokenPipeError):
            self._out.write(done.model_dump_json().encode() + b"\n")
            self._out.flush()

    async def _vector(self, gist: str | None) -> str | None:
        if gist is None or self._runtime.embedder is None:
            return None
        rows = await self._runtime.embedder.embed([gist])
        return str(rows[0].astype("<f4").tobytes().hex())


if __name__ == "__main__":
    main()
