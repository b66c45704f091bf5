"""Whether the process answers, whether its parts do, and what it counted."""

from fastapi import APIRouter
from fastapi.responses import Response

from agent.wire import JsonObject
from server.admin_api import describe
from server.context import InDoors

router = APIRouter(include_in_schema=False)


@router.get("/healthz")
async def healthz() -> JsonObject:
    """The process answers."""
    return {"status": "ok"}


@router.get("/readyz")
async def readyz(doors: InDoors) -> JsonObject:
    """The parts answer; 503 when the database doesn't."""
    await doors.runtime.log.waiting_work(doors.runtime.workspace.workspace_id, limit=1)
    return {"status": "ready", **await describe(doors)}


@router.get("/metrics")
async def metrics(doors: InDoors) -> Response:
    """What was counted, for Prometheus."""
    return exposed(doors.metrics.render({"": await doors.ops.queue()}))


def exposed(text: bytes) -> Response:
    """Metrics, as Prometheus reads them."""
    return Response(text, media_type="text/plain; version=0.0.4; charset=utf-8")
