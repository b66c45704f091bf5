"""The door of commands on this machine: they go through the process that owns the data folder."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import SupportError
from agent.wire import JsonObject
from graphs.asking import AskBody, Asked, ask
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
    return StreamingResponse(_ingest(doors, body), media_type="application/x-ndjson")


async def _ingest(doors: Doors, body: IngestBody) -> AsyncIterator[bytes]:
    lines: asyncio.Queue[dict[str, Any]] = asyncio.Queue()

    def on_progress(stage: str, done: int, total: int) -> None:
        lines.put_nowait({"stage": stage, "done": done, "total": total})

    async def work() -> None:
        try:
            report = await doors.runtime.knowledge.ingest(Path(body.path), on_progress, force=body.force)
            lines.put_nowait({"report": report.to_json()})
        except SupportError as exc:
            lines.put_nowait({"error": str(exc)})
        except Exception as exc:
            lines.put_nowait(
                {"error": f"the ingest failed ({type(exc).__name__}); the old knowledge base still answers"}
            )
            raise

    # Detached from the request: a command that is stopped doesn't leave half a base behind.
    doors.runtime.supervisor.spawn(work(), name="ingest")
    while True:
        line = await lines.get()
        yield orjson.dumps(line) + b"\n"
        if "report" in line or "error" in line:
            return


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
