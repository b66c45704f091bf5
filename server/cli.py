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

from agent.errors import Misconfigured
from graphs.assembly import make_data_dir, open_runtime, open_workspace
from graphs.running import RunningServer, announce
from graphs.settings import Settings, load_settings
from server.app import create_app
from server.metrics import Metrics
from server.opening import make_doors, make_secrets, prepare
from server.settings import ServerSettings, load_server_settings
from server.workers import GRACE_S, KEEP_ALIVE_S, WorkerPlan, run_workers
from tools.knowledge.owner import Ownership
from tools.observing.logs import set_up_logging
from tools.workspace import Workspace

logger = logging.getLogger(__name__)

_SEND_BUFFER = 64 * 1024


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(serve_command)


def serve_command(
    host: Annotated[str | None, typer.Option(help="Address to listen on. [env: HELPGRAPH_HOST]")] = None,
    port: Annotated[int | None, typer.Option(help="Port to listen on. [env: HELPGRAPH_PORT]")] = None,
    workspace: Annotated[Path | None, typer.Option(help="Workspace folder. [env: HELPGRAPH_WORKSPACE]")] = None,
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

    A workspace that ships articles has them ingested on first use. Ctrl-C stops: running turns get a moment, the rest
    goes on at the next start.
    """
    if log_level not in ("debug", "info", "warning", "error"):
        raise typer.BadParameter("choose debug, info, warning or error", param_hint="--log-level")
    settings = load_settings(workspace=workspace, data_dir=data_dir)
    server_settings = load_server_settings(host=host, port=port, demo=demo, log_format=log_format)
    set_up_logging(log_level, server_settings.log_format)
    listener = _listen(server_settings)
    console = Console(highlight=False)
    if workers > 1:
        with listener:
            _serve_in_workers(settings, server_settings, listener, console, workers=workers, log_level=log_level)
        return
    # uvicorn, which is started within a loop that runs, can't choose its faster one.
    with suppress(KeyboardInterrupt), listener, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(settings, server_settings, listener, console))


def _serve_in_workers(
    settings: Settings,
    server_settings: ServerSettings,
    listener: socket.socket,
    console: Console,
    *,
    workers: int,
    log_level: str,
) -> None:
    if not settings.database.startswith("postgresql"):
        raise Misconfigured(
            "--workers needs PostgreSQL, which several processes may write to: set HELPGRAPH_DATABASE_URL "
            "to postgresql://..., or leave --workers out"
        )
    workspace = open_workspace(settings)
    secrets = make_secrets(server_settings)
    address, port = listener.getsockname()[:2]
    make_data_dir(settings)
    with (
        Ownership(settings.data_dir),
        announced(settings.data_dir, RunningServer(_own_url(address, port), secrets.admin)),
    ):
        _say_what_is_where(console, f"http://{_host(address)}:{port}", workspace, settings, server_settings, workers)
        run_workers(WorkerPlan(settings, server_settings, secrets, os.getpid(), log_level), [listener], workers=workers)


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


async def _serve(
    settings: Settings, server_settings: ServerSettings, listener: socket.socket, console: Console
) -> None:
    metrics = Metrics()
    async with open_runtime(settings, metrics=metrics) as runtime:
        with console.status(f"preparing {runtime.workspace.name}: reading its articles (only on first use)"):
            report = await prepare(runtime)
        if report is not None:
            console.print(f"read {report.added} articles, {report.passages} passages in {report.seconds:.0f} s")
        doors = make_doors(runtime, server_settings, metrics)
        address, port = listener.getsockname()[:2]
        config = uvicorn.Config(
            create_app(doors),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=GRACE_S,
            timeout_keep_alive=KEEP_ALIVE_S,
            server_header=False,
        )
        with announced(settings.data_dir, RunningServer(_own_url(address, port), doors.admin_token)):
            _say_what_is_where(console, f"http://{_host(address)}:{port}", runtime.workspace, settings, server_settings)
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
def announced(data_dir: Path, server: RunningServer) -> Iterator[None]:
    """Let commands beside the server find it while it runs."""
    path = announce(data_dir, server)
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


def _say_what_is_where(
    console: Console,
    url: str,
    workspace: Workspace,
    settings: Settings,
    server_settings: ServerSettings,
    workers: int = 1,
) -> None:
    engine = settings.model or "local"
    rows = [("workspace", f"{workspace.name}, engine {engine}" + (f", {workers} workers" if workers > 1 else ""))]
    if server_settings.demo:
        rows.append(("try it", f"{url}/demo/settings/billing"))
    rows += [
        ("inbox", f"{url}/inbox" + ("" if server_settings.inbox_password else "  (no password: this machine only)")),
        ("bugs", f"{url}/bugs"),
        ("API", f"{url}/docs"),
        ("widget", f'<script src="{url}/widget.js" defer></script>'),
        ("data", str(settings.data_dir.resolve())),
    ]
    console.print(f"[bold]Helpgraph[/] serves on {url}")
    for name, where in rows:
        console.print(f"  {name:<10} ", end="")
        console.print(where, markup=False, soft_wrap=True)
    console.print("Ctrl-C stops.")
