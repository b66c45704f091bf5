"""Several processes behind one port: a parent that owns the data folder, and workers that answer."""

import asyncio
import logging
import os
import signal
import socket
import time
from collections.abc import AsyncIterator
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
        self._alive: set[int] = set()

    def keep_subprocess_alive(self) -> None:
        """Replace what died."""
        if self._chroma is not None and not self.should_exit.is_set():
            self._chroma.keep_alive()
        for process in self.processes:
            _wait_for(process)
        super().keep_subprocess_alive()
        alive = {process.pid for process in self.processes if process.pid is not None}
        for gone in self._alive - alive:
            forget_process(gone)
        self._alive = alive


def _wait_for(process: Process) -> None:
    """Wait until a worker answers, ends or seems to hang: uvicorn would wait as long for one that has just died."""
    deadline = time.monotonic() + _HEALTH_S
    while process.process.is_alive() and not process.ping(timeout=_LOOK_S) and time.monotonic() < deadline:
        pass


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
