"""The inbox's door: handoffs, replies, hand-backs, bugs."""

import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import uuid4

from fastapi import APIRouter, Header, Query, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from agent.errors import BadTurn
from agent.types import Mode
from agent.untrusted import clean
from agent.wire import JsonObject
from server.agui import last_seen
from server.context import Doors, InDoors, client_address
from server.place import below
from server.problems import Problem
from server.sse import MAX_AGE_S, encode, respond, tail, unbroken
from server.staff import COOKIE, HOURS, InAgent, InInboxAdmin, InStaff, frame_of, refuse_other_sites, sign_in, still_in
from server.widget_api import workspace_value
from tools.storage.scope import Scope
from tools.storage.wakeups import inbox_key

router = APIRouter(tags=["inbox"])

_NAME = Field(None, max_length=100, description="Who acts; not needed by one who signed in with their name.")
_TEXT_LIMIT = 20_000
_POLL_S = 5.0


ActId = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        min_length=1,
        max_length=200,
        description="An act that is sent again under its key happens once; the key of another act is a 409.",
    ),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class LoginBody(_Body):
    """A person's name and password; without a name the inbox's own password."""

    password: str = Field(max_length=1000)
    name: str | None = Field(None, max_length=100)


class TakeBody(_Body):
    """Who takes the conversation."""

    person: str | None = _NAME


class ReplyBody(_Body):
    """What a person says to the customer; `client_message_id` makes repeating it harmless."""

    text: str = Field(min_length=1, max_length=_TEXT_LIMIT)
    client_message_id: str = Field(min_length=1, max_length=200)
    person: str | None = _NAME


class HandBackBody(_Body):
    """A note for the log; customers don't see it."""

    note: str | None = Field(None, max_length=2000)
    person: str | None = _NAME


class ResolveBody(_Body):
    """How it ended."""

    outcome: Literal["solved", "not_solved", "duplicate", "spam"]
    note: str | None = Field(None, max_length=2000)
    person: str | None = _NAME


class BugStatusBody(_Body):
    """Where a bug stands."""

    status: Literal["open", "fixed", "dismissed"]


@router.post("/inbox/login", status_code=204)
async def login(body: LoginBody, request: Request, response: Response, doors: InDoors) -> None:
    """Sign in with a password; at most ten tries a minute from one address."""
    wait_s = doors.logins.take(client_address(request))
    if wait_s > 0:
        raise Problem(429, "too many tries", headers={"Retry-After": str(int(wait_s) + 1)})
    response.set_cookie(
        COOKIE,
        await sign_in(doors, body.name, body.password),
        max_age=HOURS * 3600,
        path=below(request) or "/",
        httponly=True,
        samesite="strict",
        secure=not doors.settings.on_loopback,
    )


@router.post("/inbox/logout", status_code=204)
async def logout(request: Request, response: Response) -> None:
    """Sign out: this browser forgets its cookie, which is all that there is of a session."""
    refuse_other_sites(request)
    response.delete_cookie(COOKIE, path=below(request) or "/", httponly=True, samesite="strict")


@router.get("/v1/inbox/handoffs")
async def handoffs(
    doors: InDoors,
    staff: InStaff,
    mode: Annotated[Literal["waiting", "with_person", "all"], Query()] = "waiting",
) -> JsonObject:
    """What waits for a person, the most pressing first; or all conversations, the newest first."""
    wanted = None if mode == "all" else Mode(mode)
    return {"handoffs": await doors.runtime.desk.handoffs(staff.scope, wanted), **frame_of(doors, staff)}


@router.get("/v1/inbox/conversations/{conversation_id}")
async def conversation(conversation_id: str, doors: InDoors, staff: InStaff) -> JsonObject:
    """The summary and the whole conversation, with what the agent saw and cited."""
    view = await doors.runtime.desk.conversation_view(staff.scope, conversation_id)
    return {**view, "workspace": workspace_value(doors), **frame_of(doors, staff)}


@router.post("/v1/inbox/conversations/{conversation_id}/take")
async def take(
    conversation_id: str, body: TakeBody, doors: InDoors, agent: InAgent, act_id: ActId = None
) -> JsonObject:
    """Take the conversation, from another person too: the agent is silent, and the customer is told who is there."""
    moved = await doors.runtime.desk.take(
        agent.scope, conversation_id, agent.person(body.person), _now(), act_id=act_id
    )
    return {"mode": moved.mode.value}


@router.post("/v1/inbox/conversations/{conversation_id}/reply")
async def reply(conversation_id: str, body: ReplyBody, doors: InDoors, agent: InAgent) -> JsonObject:
    """Answer the customer; they see it live. A 409 when nobody, or somebody else, has the conversation."""
    text = clean(body.text, limit=_TEXT_LIMIT).strip()
    if not text:
        raise BadTurn("the reply is empty", field="text")
    person = agent.person(body.person)
    replied = await doors.runtime.desk.reply(agent.scope, conversation_id, text, body.client_message_id, person, _now())
    return {"message_id": replied.message_id, "duplicate": replied.duplicate}


@router.post("/v1/inbox/conversations/{conversation_id}/hand_back")
async def hand_back(
    conversation_id: str, body: HandBackBody, doors: InDoors, agent: InAgent, act_id: ActId = None
) -> JsonObject:
    """Give the conversation back to the agent."""
    moved = await doors.runtime.desk.hand_back(
        agent.scope, conversation_id, body.note, _now(), person=agent.known_as(body.person), act_id=act_id
    )
    return {"mode": moved.mode.value}


@router.post("/v1/inbox/conversations/{conversation_id}/resolve")
async def resolve(
    conversation_id: str, body: ResolveBody, doors: InDoors, agent: InAgent, act_id: ActId = None
) -> JsonObject:
    """Close the conversation with an outcome; it opens again when the customer writes."""
    moved = await doors.runtime.desk.resolve(
        agent.scope,
        conversation_id,
        body.outcome,
        body.note,
        _now(),
        person=agent.known_as(body.person),
        act_id=act_id,
    )
    return {"mode": moved.mode.value}


@router.get("/v1/inbox/bugs")
async def bugs(doors: InDoors, staff: InStaff) -> JsonObject:
    """Every bug with its counts."""
    return {"bugs": await doors.runtime.tracker.bugs(staff.scope), "you": staff.value()}


@router.get("/v1/inbox/bugs/{bug_id}")
async def bug(bug_id: str, doors: InDoors, staff: InStaff) -> JsonObject:
    """A bug with its draft and every report."""
    return await doors.runtime.tracker.bug(staff.scope, bug_id)


@router.post("/v1/inbox/bugs/{bug_id}/status", status_code=204)
async def set_bug_status(bug_id: str, body: BugStatusBody, doors: InDoors, admin: InInboxAdmin) -> None:
    """Mark a bug as open, fixed or dismissed; only open ones are counted up."""
    await doors.runtime.tracker.set_status(admin.scope, bug_id, body.status)


@router.get("/v1/inbox/conversations/{conversation_id}/events", response_class=EventSourceResponse)
async def conversation_events(
    conversation_id: str,
    request: Request,
    doors: InDoors,
    staff: InStaff,
    last_event_id: Annotated[str | None, Header()] = None,
) -> EventSourceResponse:
    """A conversation live, with what only the team sees; from its first event without `Last-Event-ID`."""
    after = last_seen(last_event_id, await doors.runtime.log.conversation(staff.scope, conversation_id)) or 0

    async def follow() -> AsyncIterator[ServerSentEvent]:
        first = True
        async for logged in tail(doors, staff.scope, conversation_id, after_seq=after, staff=True):
            if not await unbroken(still_in(request, doors)):
                return
            yield encode(logged.event, logged.seq, first=first)
            first = False

    return respond(doors, request, _stream_owner(), follow())


@router.get("/v1/inbox/events", response_class=EventSourceResponse)
async def inbox_events(request: Request, doors: InDoors, staff: InStaff) -> EventSourceResponse:
    """A hint for every conversation that changes."""
    return respond(doors, request, _stream_owner(), _changes(request, doors, staff.scope))


async def _changes(request: Request, doors: Doors, staff: Scope) -> AsyncIterator[ServerSentEvent]:
    log = doors.runtime.log
    seen = {stamp.conversation_id: stamp for stamp in await unbroken(log.recent(staff))}
    yield encode({"type": "CUSTOM", "name": "helpgraph.inbox.v1", "value": {}}, first=True)
    began = time.monotonic()
    while not doors.stopping.is_set() and time.monotonic() - began < MAX_AGE_S:
        await doors.runtime.wakeups.wait(inbox_key(staff.workspace_id), timeout_s=_POLL_S)
        if doors.stopping.is_set() or not await unbroken(still_in(request, doors)):
            return
        for stamp in reversed(await unbroken(log.recent(staff))):
            if seen.get(stamp.conversation_id) != stamp:
                seen[stamp.conversation_id] = stamp
                value = {"conversation_id": stamp.conversation_id, "mode": stamp.mode.value}
                yield encode({"type": "CUSTOM", "name": "helpgraph.inbox.v1", "value": value})


def _stream_owner() -> str:
    """People on the team share one cookie's name, not one allowance: only their address's share counts."""
    return f"staff:{uuid4().hex}"


def _now() -> datetime:
    return datetime.now(UTC)
