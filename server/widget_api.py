"""The widget's door beside the stream: sessions, typing, a person, feedback."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from fastapi import APIRouter, Request
from pydantic import BaseModel, ConfigDict, Field

from agent.errors import BadTurn
from agent.events import Custom
from agent.handoff import promise
from agent.phrases import Phrase, phrase
from agent.types import Identity, IdentityLevel, Language, Mode
from agent.untrusted import clean
from agent.wire import JsonObject, mode_value
from server.agui import refuse_beyond, refuse_hurry, submit
from server.auth import SESSION_PREFIX, Caller, InCaller, owner_of, session_caller, verify_hash, verify_identity
from server.context import Doors, InDoors, client_address
from server.problems import Problem
from server.speaking import language_of
from server.threads import InConversation, open_thread
from tools.storage.codec import custom
from tools.storage.log import Conversation, NewEvent
from tools.storage.scope import Scope

router = APIRouter(prefix="/v1", tags=["widget"])

_TEXT = Field(None, max_length=2000)


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class SessionBody(_Body):
    """Begin or resume: `session_token` says which session to go on with.

    Who the product's user is says `identity_token`, or `user_id` with `user_hash`; one of the two ways.
    """

    identity_token: str | None = Field(None, max_length=4000)
    user_id: str | None = Field(None, min_length=1, max_length=200)
    user_hash: str | None = Field(None, max_length=64)
    session_token: str | None = Field(None, max_length=200)
    page: dict[str, Any] | None = None
    language: str | None = Field(None, max_length=35)


class HandoffBody(_Body):
    """A wish for a person, with the words that go with it; `client_message_id` makes repeating it harmless."""

    text: str | None = _TEXT
    client_message_id: str | None = Field(
        None,
        min_length=1,
        max_length=200,
        description="The id of the wish's message in the log: again with the same text it is the same wish, with "
        "another one a 409. Without it, each request is a wish of its own.",
    )
    page: dict[str, Any] | None = None


class FeedbackBody(_Body):
    """Whether a message helped."""

    message_id: str = Field(min_length=1, max_length=200)
    helpful: bool


class RatingBody(_Body):
    """The conversation, in stars."""

    stars: int = Field(ge=1, le=5)
    comment: str | None = _TEXT


@router.post("/sessions")
async def begin_session(body: SessionBody, request: Request, doors: InDoors) -> JsonObject:
    """Begin or resume a widget's session, knowing the page and the account before the first message."""
    refuse_beyond(doors, doors.sessions, client_address(request), "too many new sessions")
    identity = _identity(doors, body)
    language = _language(body, doors)
    caller, conversation, token, expires_at = await _session(doors, body, identity, language)
    log = doors.runtime.log
    active = await log.active_turn(caller.scope, conversation.conversation_id)
    opening, suggestions = doors.runtime.pages.opening(_route(body.page), language)
    facts = await doors.runtime.accounts.facts(identity)
    return {
        "session_token": token,
        "expires_at": expires_at.isoformat(),
        "conversation_id": conversation.conversation_id,
        "mode": conversation.mode.value,
        "mode_value": await _mode(doors, caller.scope, conversation),
        "opening": opening,
        "suggestions": list(suggestions),
        "identity": {
            "level": identity.level.value,
            "display_name": identity.display_name,
            "account": facts.name.render_plain() if facts else None,
            "plan": facts.plan if facts else None,
        },
        "workspace": workspace_value(doors),
        "messages": await log.messages(caller.scope, conversation.conversation_id),
        "last_event_id": str(conversation.last_seq),
        "active_run": {"turn_id": active.turn_id} if active else None,
    }


def _identity(doors: Doors, body: SessionBody) -> Identity:
    """Who begins the session; nobody in particular when the product vouches for nobody."""
    hashed = body.user_id is not None or body.user_hash is not None
    if body.identity_token and hashed:
        raise BadTurn("give an identity_token, or a user_id with its user_hash, not both", field="identity_token")
    if body.identity_token:
        return verify_identity(doors, body.identity_token)
    if body.user_id is not None and body.user_hash is not None:
        return verify_hash(doors, body.user_id, body.user_hash)
    if hashed:
        raise BadTurn("a user_id needs its user_hash, and the other way round", field="user_hash")
    return Identity()


@router.get("/conversations/{conversation_id}/messages")
async def messages(conversation: InConversation, doors: InDoors, caller: InCaller) -> JsonObject:
    """The conversation so far."""
    log, conversation_id = doors.runtime.log, conversation.conversation_id
    active = await log.active_turn(caller.scope, conversation_id)
    return {
        "messages": await log.messages(caller.scope, conversation_id),
        "mode": conversation.mode.value,
        "last_event_id": str(conversation.last_seq),
        "active_run": {"turn_id": active.turn_id} if active else None,
    }


@router.post("/conversations/{conversation_id}/typing", status_code=204)
async def typing(conversation: InConversation, doors: InDoors, caller: InCaller) -> None:
    """Say that the customer is typing: the answer's first word waits a moment."""
    refuse_beyond(doors, doors.typing, caller.owner, "too much typing at once")
    await doors.runtime.log.typing(caller.scope, conversation.conversation_id, datetime.now(UTC))


@router.post("/conversations/{conversation_id}/handoff", status_code=202)
async def ask_for_person(
    conversation: InConversation, body: HandoffBody, request: Request, doors: InDoors, caller: InCaller
) -> JsonObject:
    """Ask for a person; the wish is honoured whatever the agent thinks.

    The same `client_message_id` again finds the same turn; with another text, or as a message's id, it is a 409.
    """
    refuse_hurry(doors, caller, request)
    text = body.text or phrase(Phrase.WANTS_PERSON_BUTTON, language_of(conversation.language, doors.runtime.workspace))
    run_id = uuid4().hex
    message_id = body.client_message_id or f"wish-{run_id}"
    accepted = await submit(
        doors, caller, conversation, message_id=message_id, text=text, run_id=run_id, page=body.page, wish=True
    )
    return {"turn_id": accepted.turn_id}


@router.post("/conversations/{conversation_id}/feedback", status_code=204)
async def feedback(conversation: InConversation, body: FeedbackBody, doors: InDoors, caller: InCaller) -> None:
    """Judge a message of the agent."""
    _pace_notes(doors, caller)
    await _record(doors, caller, conversation, Custom.FEEDBACK, body.model_dump())


@router.post("/conversations/{conversation_id}/rating", status_code=204)
async def rating(conversation: InConversation, body: RatingBody, doors: InDoors, caller: InCaller) -> None:
    """Rate the conversation."""
    _pace_notes(doors, caller)
    comment = clean(body.comment, limit=2000) if body.comment else None
    await _record(doors, caller, conversation, Custom.RATING, {"stars": body.stars, "comment": comment})


@router.post("/conversations/{conversation_id}/end")
async def end(conversation: InConversation, doors: InDoors, caller: InCaller) -> JsonObject:
    """End the chat, as the customer: whoever waits for a person no longer does, and a person who has it is told."""
    _pace_notes(doors, caller)
    left = await doors.runtime.desk.leave(caller.scope, conversation.conversation_id, datetime.now(UTC))
    return {"mode": left.mode.value}


def _pace_notes(doors: Doors, caller: Caller) -> None:
    refuse_beyond(doors, doors.notes, caller.owner, "too many ratings at once")


async def _record(doors: Doors, caller: Caller, conversation: Conversation, name: Custom, value: JsonObject) -> None:
    await doors.runtime.log.record(caller.scope, conversation.conversation_id, [NewEvent(custom(name, value))])


async def _session(
    doors: Doors, body: SessionBody, identity: Identity, language: Language
) -> tuple[Caller, Conversation, str, datetime]:
    """Go on with the given session when it is the same person's, else begin a new one."""
    now = datetime.now(UTC)
    ttl_s = doors.settings.session_hours * 3600
    workspace_id = doors.runtime.workspace.workspace_id
    if body.session_token is not None:
        caller = await _resumable(doors, body.session_token, identity)
        if caller is not None and caller.session_token is not None:
            plain = caller.session_token.removeprefix(SESSION_PREFIX)
            found = await doors.runtime.sessions.lookup(workspace_id, plain, now=now)
            if found is not None and found.conversation_id is not None:
                conversation = await doors.runtime.log.conversation(caller.scope, found.conversation_id)
                expires_at = await doors.runtime.sessions.prolong(
                    workspace_id, plain, conversation_id=conversation.conversation_id, ttl_s=ttl_s, now=now
                )
                return caller, conversation, caller.session_token, expires_at
    scope = Scope(workspace_id, owner_of(identity), "customer")
    caller = Caller(scope, identity, "widget")
    conversation = await open_thread(doors, caller, "", {"language": language})
    session = await doors.runtime.sessions.create(
        scope, identity=identity, conversation_id=conversation.conversation_id, ttl_s=ttl_s, now=now
    )
    return caller, conversation, f"{SESSION_PREFIX}{session.token}", session.expires_at


async def _resumable(doors: Doors, token: str, identity: Identity) -> Caller | None:
    """The session's caller if it lives and is the same person's, in the same account; another begins anew."""
    try:
        caller = await session_caller(doors, token)
    except Problem:
        return None
    return caller if _who(caller.identity) == _who(identity) else None


def _who(identity: Identity) -> tuple[IdentityLevel, str | None, str | None]:
    return identity.level, identity.user_id, identity.account_id


async def _mode(doors: Doors, scope: Scope, conversation: Conversation) -> JsonObject:
    """The newest word on who speaks, so that a reload knows the promise and the person."""
    if conversation.mode in (Mode.BOT, Mode.HANDED_BACK):
        return mode_value(conversation.mode)
    newest = mode_value(conversation.mode)
    after = 0
    while found := await doors.runtime.log.read(scope, conversation.conversation_id, after_seq=after, staff=False):
        after = found[-1].seq
        for logged in found:
            value = logged.event.get("value")
            if logged.event.get("name") == Custom.MODE and isinstance(value, dict):
                newest = value
    # Whoever has given an address isn't asked for it again.
    return {**newest, "ask_email": False} if conversation.contact_email is not None else newest


def workspace_value(doors: Doors) -> JsonObject:
    """What a page may know of the workspace."""
    workspace = doors.runtime.workspace
    hours = promise(datetime.now(UTC), workspace.policy.business_hours, minutes=workspace.policy.reply_promise_minutes)
    return {
        "name": workspace.name,
        "link_hosts": list(workspace.policy.link_hosts),
        "support_email": workspace.support_email,
        "people_are_there": hours.open_now,
    }


def _language(body: SessionBody, doors: Doors) -> Language:
    return language_of(body.language or (body.page or {}).get("language"), doors.runtime.workspace)


def _route(page: dict[str, Any] | None) -> str | None:
    route = (page or {}).get("route")
    return route if isinstance(route, str) else None
