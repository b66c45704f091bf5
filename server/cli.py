"""`helpgraph serve`."""

import asyncio
import errno
import logging
import os
import signal
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated

import typer
import uvicorn
import uvloop
from rich.console import Console
from rich.status import Status

from agent.errors import Misconfigured
from graphs.running import RunningServer, announce
from graphs.shared import make_data_dir
from server.arriving import BoundedHttp
from server.installation import Installation, Place, load_installation
from server.serving import open_served
from server.settings import ServerSettings
from server.welcome import say_what_is_where
from server.workers import GRACE_S, KEEP_ALIVE_S, WorkerPlan, run_workers
from tools.knowledge.owner import Ownership
from tools.observing.logs import set_up_logging

logger = logging.getLogger(__name__)

_SEND_BUFFER = 64 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve_command)


def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [env: HELPGRAPH_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [env: HELPGRAPH_PORT]")] = None,
    workspace: Annotated[
        Path | None,
        typer.Option(help="Workspace folder, or a folder of workspace folders. [env: HELPGRAPH_WORKSPACE]"),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
    demo: Annotated[
        bool | None, typer.Option("--demo/--no-demo", help="Serve the example product at /demo (loopback only).")
    ] = None,
    workers: Annotated[
        int, typer.Option(min=1, max=64, help="Processes that answer; more than one needs PostgreSQL.")
    ] = 1,
    log_level: Annotated[str, typer.Option(help="debug, info, warning or error.")] = "info",
    log_format: Annotated[str | None, typer.Option(help="text or json. [env: HELPGRAPH_LOG_FORMAT]")] = None,
) -> None:
    """Serve the widget, the inbox and the API.

    A workspace is served at the root; of a folder of workspaces each is below /w/WORKSPACE_ID/. A workspace that ships
    articles has them ingested on first use. Ctrl-C stops: running turns get a moment, the rest goes on at the next
    start.
    """
    if log_level not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter("choose debug, info, warning or error", param_hint="--log-level")
    installation = load_installation(
        {"workspace": workspace, "data_dir": data_dir},
        {"host": host, "port": port, "demo": demo, "log_format": log_format},
    )
    server_settings = installation.server_settings
    set_up_logging(log_level, server_settings.log_format)
    listener = _listen(server_settings)
    console = Console(highlight=False)
    if workers > 1:
        with listener:
            _serve_in_workers(installation, listener, console, workers=workers, log_level=log_level)
        return
    # uvicorn, which is started within a loop that runs, can't choose its faster one.
    with suppress(KeyboardInterrupt), listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(installation, listener, console))


def _serve_in_workers(
    installation: Installation, listener: socket.socket, console: Console, *, workers: int, log_level: str
) -> None:
    settings = installation.settings
    if not settings.database.startswith("postgresql"):
        raise Misconfigured(
            "--workers needs PostgreSQL, which several processes may write to: set HELPGRAPH_DATABASE_URL "
            "to postgresql://..., or leave --workers out"
        )
    address, port = listener.getsockname()[:2]
    make_data_dir(settings)
    with Ownership(settings.data_dir), announced(installation, _own_url(address, port)):
        say_what_is_where(console, f"http://{_host(address)}:{port}", installation, workers)
        run_workers(WorkerPlan(installation, os.getpid(), log_level), [listener], workers=workers)


def _listen(settings: ServerSettings) -> socket.socket:
    """Bind before anything is opened, so that a port in use is said at once.

    Raises:
        Misconfigured: the port is in use, or the address isn't this machine's.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Accepted connections inherit it: what a stalled reader can hold in the kernel stays small.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SEND_BUFFER)
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20_000)
    try:
        listener.bind((settings.host, settings.port))
    except OSError as exc:
        listener.close()
        if exc.errno == errno.EADDRINUSE:
            raise Misconfigured(
                f"port {settings.port} is in use: stop what listens there, or choose another with --port"
            ) from exc
        raise Misconfigured(f"can't listen on {settings.host} port {settings.port}: {exc.strerror}") from exc
    except OverflowError as exc:
        listener.close()
        raise Misconfigured(f"there is no port {settings.port}") from exc
    listener.listen(2048)
    return listener


async def _serve(installation: Installation, listener: socket.socket, console: Console) -> None:
    def preparing(place: Place) -> Status:
        return console.status(f"preparing {place.name}: reading its articles (only on first use)")

    async with open_served(installation, preparing=preparing) as served:
        for place, report in served.read:
            of = f" of {place.name}" if installation.several else ""
            console.print(
                f"read {report.added} articles{of}, {report.passages} passages in {report.seconds:.0f} s", markup=False
            )
        address, port = listener.getsockname()[:2]
        config = uvicorn.Config(
            served.app,
            log_config=None,
            access_log=False,
            http=BoundedHttp,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=KEEP_ALIVE_S,
            server_header=False,
        )
        with announced(installation, _own_url(address, port)):
            say_what_is_where(console, f"http://{_host(address)}:{port}", installation)
            with _stopped_by_uvicorn_alone():
                await uvicorn.Server(config).serve(sockets=[listener])


@contextmanager
def _stopped_by_uvicorn_alone() -> Iterator[None]:
    """uvicorn 0.54 raises its signal again once it has stopped; that would cut the closing of our own parts short."""
    before = {number: signal.signal(number, lambda *_: None) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@contextmanager
def announced(installation: Installation, url: str) -> Iterator[None]:
    """Let commands beside the server find it, and the workspaces that it serves, while it runs."""
    every = {
        place.workspace_id: RunningServer(f"{url}{place.path}", place.secrets.admin) for place in installation.places
    }
    path = announce(installation.settings.data_dir, url, every)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def _own_url(address: str, port: int) -> str:
    """How this machine itself reaches the server."""
    if address in ("0.0.0.0", ""):  # noqa: S104  # Compared, not bound.
        return f"http://127.0.0.1:{port}"
    if address == "::":
        return f"http://[::1]:{port}"
    return f"http://{_host(address)}:{port}"


def _host(address: str) -> str:
    return f"[{address}]" if ":" in address else address
