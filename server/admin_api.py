"""The door of commands on this machine: they go through the process that owns the data folder."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import BadTurn, NotFound, SupportError
from agent.wire import JsonObject
from graphs.acts import ACTS
from graphs.asking import AskBody, Asked, ask
from graphs.stores import stores_of
from server.auth import InAdmin
from server.context import Doors, InDoors

router = APIRouter(prefix="/v1/admin", include_in_schema=False)


class IngestBody(BaseModel):
    """Which path of this machine to ingest."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(min_length=1, max_length=4096)
    force: bool = False


@router.post("/ask")
async def ask_one(body: AskBody, doors: InDoors, admin: InAdmin) -> Asked:
    """Run one turn of which nothing is logged, filed or handed to anyone."""
    return await ask(doors.runtime, body)


@router.post("/status")
async def status(doors: InDoors, admin: InAdmin) -> JsonObject:
    """What the running installation has open."""
    return await describe(doors)


@router.post("/ingest")
async def ingest(body: IngestBody, doors: InDoors, admin: InAdmin) -> StreamingResponse:
    """Ingest a path; JSON lines of progress, the last one with the report or the error."""

    async def work(tell: Callable[[JsonObject], None]) -> JsonObject:
        def on_progress(stage: str, done: int, total: int) -> None:
            tell({"stage": stage, "done": done, "total": total})

        report = await doors.runtime.knowledge.ingest(Path(body.path), on_progress, force=body.force)
        return report.to_json()

    return _detached(doors, "ingest", work, failed="the old knowledge base still answers")


@router.post("/acts/{name}")
async def act(name: str, body: JsonObject, doors: InDoors, admin: InAdmin) -> StreamingResponse:
    """Do what an operator's command asks; JSON lines, the last one with the report or the error."""
    if name not in ACTS:
        raise NotFound("no such act")

    async def work(tell: Callable[[JsonObject], None]) -> JsonObject:
        return await ACTS[name](stores_of(doors.runtime), body)

    return _detached(doors, name, work, failed="look at the server's log, then do it again")


def _detached(
    doors: Doors,
    name: str,
    work: Callable[[Callable[[JsonObject], None]], Awaitable[JsonObject]],
    *,
    failed: str,
) -> StreamingResponse:
    """Run the work apart from the request: a command that is stopped doesn't leave half of it behind."""
    lines: asyncio.Queue[JsonObject] = asyncio.Queue()

    async def whole() -> None:
        try:
            lines.put_nowait({"report": await work(lines.put_nowait)})
        except SupportError as exc:
            lines.put_nowait({"error": str(exc), "usage": isinstance(exc, BadTurn)})
        except Exception as exc:
            lines.put_nowait({"error": f"the {name} failed ({type(exc).__name__}); {failed}", "usage": False})
            raise

    async def told() -> AsyncIterator[bytes]:
        while True:
            line = await lines.get()
            yield orjson.dumps(line) + b"\n"
            if "report" in line or "error" in line:
                return

    doors.runtime.supervisor.spawn(whole(), name=name)
    return StreamingResponse(told(), media_type="application/x-ndjson")


async def describe(doors: Doors) -> JsonObject:
    """The state of each part, in words."""
    runtime = doors.runtime
    known = await runtime.knowledge.status()
    return {
        "workspace": f"{runtime.workspace.name} ({runtime.workspace.workspace_id})",
        "database": runtime.db.dialect,
        "knowledge": f"{known.articles} articles, {known.passages} passages",
        "embedding": runtime.embedder.name if runtime.embedder else "none: search is by words alone",
        "engine": runtime.engine.name,
    }
