"""The door of the operations page."""

from typing import Annotated

from fastapi import APIRouter, Query

from agent.wire import JsonObject
from server.context import InDoors
from server.ops_figures import Last
from server.staff import InStaff, frame_of

router = APIRouter(tags=["inbox"])


@router.get("/v1/inbox/ops")
async def ops(doors: InDoors, staff: InStaff, last: Annotated[Last, Query()] = "24h") -> JsonObject:
    """How the workspace's last hours were: turns by outcome, times, queues, engines, and what went wrong."""
    return {**await doors.ops.overview(staff.scope, last), **frame_of(doors, staff)}
