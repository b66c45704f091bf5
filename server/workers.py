"""Several processes behind one port: a parent that owns the data folder, and workers that answer."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import uvicorn
from rich.console import Console
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from agent.errors import Misconfigured, SupportError
from graphs.assembly import SHUTDOWN_GRACE_S
from server.arriving import BoundedHttp
from server.installation import Installation
from server.metrics import SHARED_FOLDER, empty_shared_folder, forget_process
from server.serving import open_served
from server.vector_server import ChromaServer
from tools.observing.logs import set_up_logging

logger = logging.getLogger(__name__)

GRACE_S = 15
KEEP_ALIVE_S = 5
# So long a new worker may take until it answers, and an old one to answer its parent before it is taken to hang. A
# worker loads its models and the articles; a busy machine takes its time.
_HEALTH_S = 120
_LOOK_S = 1.0
# So long workers may take to end: requests, then turns have their grace, and then everything is closed.
_END_S = GRACE_S + SHUTDOWN_GRACE_S + 5


@dataclass(frozen=True, slots=True)
class WorkerPlan:
    """What a parent tells its workers. Pickled into their processes."""

    installation: Installation
    parent: int
    log_level: str


def run_workers(plan: WorkerPlan, sockets: list[socket.socket], *, workers: int) -> None:
    """Serve until SIGINT or SIGTERM. SIGHUP replaces the workers one by one; a dead one is replaced at once.

    Raises:
        Misconfigured: a worker, or the server of the vector index, can't start.
    """
    # Workers inherit the environment: together they answer `/metrics`, whichever is asked.
    settings = plan.installation.settings
    shared = os.environ.setdefault(SHARED_FOLDER, str(settings.data_dir.resolve() / "metrics"))
    empty_shared_folder(Path(shared))
    chroma = None
    if settings.chroma_url is None:
        chroma = ChromaServer(settings.data_dir / "vectors", settings.data_dir / "chroma.log")
        chroma.start()
        on_server = settings.model_copy(update={"chroma_url": chroma.url})
        plan = replace(plan, installation=replace(plan.installation, settings=on_server))
    config = uvicorn.Config(
        partial(Worker, plan),
        factory=True,
        lifespan="on",
        workers=workers,
        log_config=None,
        access_log=False,
        http=BoundedHttp,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_worker_healthcheck=_HEALTH_S,
        server_header=False,
    )
    parent = _Parent(config, sockets, chroma)
    try:
        parent.run()
    finally:
        if chroma is not None:
            chroma.close()
    if any(process.exitcode == STARTUP_FAILURE for process in parent.processes):
        raise Misconfigured("a worker can't start, see above")


class _Parent(Multiprocess):
    """Looks after the workers, and the server of the vector index that they share."""

    def __init__(self, config: uvicorn.Config, sockets: list[socket.socket], chroma: ChromaServer | None) -> None:
        super().__init__(config, sockets)
        self._chroma = chroma
        # Those that were told to end since others have taken their place.
        self._leaving: list[Process] = []
        # Workers by process number, each with when it last answered, or was first asked.
        self._answered: dict[int, float] = {}

    def keep_subprocess_alive(self) -> None:
        """Replace what died or hangs; stop when a worker can't start, as no other could.

        uvicorn's own waits for one worker's answer as long as a worker may take to start, also for one that dies
        meanwhile (the parent holds both ends of the pipe, which then never breaks), and hears no signal in that time.
        """
        if self.should_exit.is_set():
            return
        if self._chroma is not None:
            self._chroma.keep_alive()
        for index, process in enumerate(self.processes):
            if self._is_well(process):
                continue
            process.kill()
            process.join()
            if process.exitcode == STARTUP_FAILURE:
                logger.error("a worker can't start, stopping pid=%s", process.pid)
                self.should_exit.set()
                return
            logger.error("a worker died or hangs, starting another pid=%s", process.pid)
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()
        self._forget_gone()

    def _is_well(self, process: Process) -> bool:
        """Whether it lives and has answered lately; one that doesn't is asked again in the next round."""
        now, pid = time.monotonic(), process.pid or 0
        last = self._answered.setdefault(pid, now)
        if process.exitcode is not None:
            return False
        if process.ping(timeout=_LOOK_S):
            self._answered[pid] = now
            # Answers that came late are none to the next question.
            while process.parent_conn.poll():
                process.parent_conn.recv()
            return True
        return now - last < _HEALTH_S

    def _forget_gone(self) -> None:
        """Those that others have taken the place of, here or in a restart."""
        for gone in self._answered.keys() - {process.pid for process in self.processes}:
            forget_process(gone)
            del self._answered[gone]

    def restart_all(self) -> None:
        """Replace the workers one by one, each when its successor answers.

        uvicorn's own hears no signal until all are replaced, looks after no other worker meanwhile, and waits without
        end for an old one that hangs.
        """
        for index in range(len(self.processes)):
            successor = Process(self.config, self.sockets)
            successor.start()
            if not self._comes_up(successor):
                successor.kill()
                successor.join()
                if not self.should_exit.is_set():
                    logger.error("a new worker doesn't come up, the old ones stay pid=%s", successor.pid)
                return
            # Looked up now: it may have died, and been replaced, meanwhile.
            old, self.processes[index] = self.processes[index], successor
            old.terminate()
            self._leaving.append(old)
            deadline = time.monotonic() + _END_S
            while old.exitcode is None and time.monotonic() < deadline and not self._is_to_stop():
                old.process.join(_LOOK_S)
            if self.should_exit.is_set():
                return
            self._end(self._leaving, deadline)
            self._leaving.clear()

    def _comes_up(self, successor: Process) -> bool:
        """Wait until it answers, and look after the others meanwhile."""
        deadline = time.monotonic() + _HEALTH_S
        while time.monotonic() < deadline and not self._is_to_stop() and successor.exitcode is None:
            if successor.is_ready(timeout=_LOOK_S):
                return True
            time.sleep(_LOOK_S / 10)
            self.keep_subprocess_alive()
        return False

    def _is_to_stop(self) -> bool:
        """Whether it was told to: what else came waits until the workers are replaced."""
        if {signal.SIGINT, signal.SIGTERM} & set(self.signal_queue):
            self.should_exit.set()
        return self.should_exit.is_set()

    def join_all(self) -> None:
        """Wait for the workers to end; those that don't are killed, which loses nothing."""
        self._end([*self.processes, *self._leaving], time.monotonic() + _END_S)

    @staticmethod
    def _end(processes: Sequence[Process], deadline: float) -> None:
        for process in processes:
            process.process.join(max(deadline - time.monotonic(), 0))
            if process.exitcode is None:
                logger.error("a worker doesn't end, killing it pid=%s", process.pid)
                process.kill()
            process.join()


class Worker:
    """One worker's application: it opens the installation when the server starts, and closes it when that stops."""

    def __init__(self, plan: WorkerPlan) -> None:
        set_up_logging(plan.log_level, plan.installation.server_settings.log_format)
        self._plan = plan
        self._app: ASGIApp | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan."""
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
        elif self._app is not None:
            await self._app(scope, receive, send)

    async def _lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            async with self._open() as self._app:
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except SupportError as exc:
            # For whoever started it, in words; log lines have none.
            Console(stderr=True, highlight=False).print(f"error: {exc}", markup=False, soft_wrap=True)
            await send({"type": "lifespan.startup.failed", "message": ""})
            return
        await send({"type": "lifespan.shutdown.complete"})

    @asynccontextmanager
    async def _open(self) -> AsyncIterator[ASGIApp]:
        async with open_served(self._plan.installation, owns_folder=False) as served:
            watching = served.supervisor.spawn(_end_with(self._plan.parent), name="watch-parent")
            async with served.app.router.lifespan_context(served.app):
                yield served.app
            watching.cancel()


async def _end_with(parent: int) -> None:
    """A worker without its parent would hold the port and answer from a folder that nobody owns."""
    while os.getppid() == parent:  # noqa: ASYNC110  # Nothing tells when a parent dies.
        await asyncio.sleep(_LOOK_S)
    logger.error("the parent is gone, stopping")
    os.kill(os.getpid(), signal.SIGTERM)
