"""An installation, opened and ready to be served: one application for one workspace or for several."""

import gc
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass

from fastapi import FastAPI

from agent.errors import Misconfigured
from graphs.assembly import Runtime, open_runtimes
from graphs.supervisor import Supervisor
from server.app import create_app
from server.context import Doors
from server.installation import Installation, Place
from server.metrics import Metrics
from server.opening import make_doors, prepare
from server.several import create_several
from tools.knowledge.ingest import IngestReport

Preparing = Callable[[Place], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True)
class Served:
    """The application, and what was read on first use."""

    app: FastAPI
    supervisor: Supervisor
    read: list[tuple[Place, IngestReport]]


@asynccontextmanager
async def open_served(
    installation: Installation, *, owns_folder: bool = True, preparing: Preparing = lambda place: nullcontext()
) -> AsyncIterator[Served]:
    """Open every workspace and build the application; on leaving, everything is closed.

    `preparing` is entered while a workspace's articles are looked at, and read on first use.

    Raises:
        Misconfigured: as `open_runtimes`; or a workspace has another id than when the installation was loaded.
    """
    # Code, models and articles stay: the collector needn't look through them again and again, which took a tenth of a
    # turn. Code first, which has no garbage, so that what is looked through below is little.
    gc.freeze()
    metrics = Metrics(by_workspace=installation.several)
    places = installation.places
    opening = open_runtimes(
        installation.settings, [place.settings for place in places], metrics.of, owns_folder=owns_folder
    )
    async with opening as runtimes:
        read: list[tuple[Place, IngestReport]] = []
        every: dict[str, Doors] = {}
        for place, runtime in zip(places, runtimes, strict=True):
            if installation.several:
                _refuse_another_id(place, runtime)
            with preparing(place):
                report = await prepare(runtime)
            if report is not None:
                read.append((place, report))
            of_this = metrics.of(place.workspace_id)
            every[place.workspace_id] = make_doors(runtime, place.server_settings, of_this, place.secrets)
        app = create_several(every, metrics) if installation.several else create_app(next(iter(every.values())))
        gc.collect()
        gc.freeze()
        yield Served(app, runtimes[0].supervisor, read)


def _refuse_another_id(place: Place, runtime: Runtime) -> None:
    """Its path and its secrets are the old one's."""
    if runtime.workspace.workspace_id != place.workspace_id:
        raise Misconfigured(
            f"{place.settings.workspace} had the workspace_id {place.workspace_id!r} when the server started, and has "
            "another now: start the server anew"
        )
