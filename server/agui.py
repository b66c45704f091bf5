"""The AG-UI door: one message in, one run out; and the resuming of streams."""

import json
import logging
from collections.abc import AsyncIterator, Iterator
from functools import partial
from typing import Annotated, Any
from uuid import uuid4

from fastapi import APIRouter, Header, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from agent.errors import BadTurn
from agent.events import Custom
from agent.types import Author, IdentityLevel
from agent.wire import JsonObject
from graphs.turns import SubmittedMessage
from server.auth import Caller, InCaller, still_known
from server.context import Doors, InDoors, client_address
from server.limits import RateLimit
from server.problems import Problem
from server.run_stream import ENDS, RunStream, snapshot
from server.sse import encode, respond, tail, unbroken
from server.threads import InConversation, open_thread, with_id
from tools.storage.codec import custom
from tools.storage.log import Accepted, ActiveTurn, Conversation
from tools.storage.scope import Scope

logger = logging.getLogger(__name__)
router = APIRouter(tags=["conversations"])

MAX_PAGE_CHARS = 32 * 1024
# How often a rejoining stream looks for a moment at which no turn makes way for another.
_LOOKS = 5
_ID = Field(min_length=1, max_length=200)
PageJson = dict[str, Any]


class AguiMessage(BaseModel):
    """A message of the client. Only the newest one is read, and only if the customer wrote it."""

    model_config = ConfigDict(extra="ignore")

    id: str = _ID
    role: str = Field(max_length=40)
    content: str | list[dict[str, Any]] | None = None


class RunInput(BaseModel):
    """AG-UI's `RunAgentInput`. History, state, tools and context of the client are accepted and not believed."""

    model_config = ConfigDict(extra="ignore")

    threadId: str = _ID  # AG-UI's own name.
    runId: str = _ID  # AG-UI's own name.
    messages: list[AguiMessage] = Field(max_length=2000)
    forwardedProps: dict[str, Any] | None = None  # AG-UI's own name.


@router.post("/v1/agui", response_class=EventSourceResponse)
async def run(body: RunInput, request: Request, doors: InDoors, caller: InCaller) -> EventSourceResponse:
    """Take the newest message of the customer and stream the run that answers it.

    The same message id again gives the same run; with another text it is a 409.
    """
    message = _newest(body.messages)
    page = (body.forwardedProps or {}).get("page")
    # Before anything is made: a refused message leaves no empty conversation behind.
    refuse_hurry(doors, caller, request)
    text = doors.runtime.turns.readable(text_of(message.content))
    conversation = await open_thread(doors, caller, body.threadId, page)
    accepted = await submit(doors, caller, conversation, message_id=message.id, text=text, run_id=body.runId, page=page)
    stream = RunStream(run_id=body.runId, thread_id=body.threadId)
    events = run_events(doors, caller.scope, conversation.conversation_id, accepted, stream)
    answer = respond(doors, request, caller.owner, events, known=partial(still_known, request, doors))
    return with_id(answer, conversation)


@router.get("/v1/conversations/{conversation_id}/events", response_class=EventSourceResponse)
async def events(
    conversation: InConversation,
    request: Request,
    doors: InDoors,
    caller: InCaller,
    follow: Annotated[bool, Query(description="Stay open after the current run, for what people say.")] = False,
    last_event_id: Annotated[str | None, Header(description="The last event's id that was seen.")] = None,
) -> EventSourceResponse:
    """Resume a conversation's stream after `Last-Event-ID`; without it, begin with a snapshot."""
    after = last_seen(last_event_id, conversation)
    if after is None:
        found = rejoin(doors, caller.scope, conversation, follow=follow)
    else:
        found = resume(doors, caller.scope, conversation, after_seq=after, follow=follow)
    answer = respond(doors, request, caller.owner, found, known=partial(still_known, request, doors))
    return with_id(answer, conversation)


async def submit(
    doors: Doors,
    caller: Caller,
    conversation: Conversation,
    *,
    message_id: str,
    text: str,
    run_id: str,
    page: object,
    wish: bool = False,
) -> Accepted:
    """Accept a message.

    Raises:
        BadTurn, Conflict: as `TurnService.submit`.
    """
    message = SubmittedMessage(
        client_message_id=message_id, text=text, run_id=run_id, page=_bounded_page(page), wish=wish
    )
    accepted = await doors.runtime.turns.submit(caller.scope, conversation.conversation_id, message)
    doors.metrics.message_accepted(caller.channel)
    logger.info(
        "message accepted turn_id=%s conversation_id=%s door=%s new=%s",
        accepted.turn_id,
        conversation.conversation_id,
        caller.channel,
        not accepted.duplicate,
    )
    return accepted


def refuse_hurry(doors: Doors, caller: Caller, request: Request) -> None:
    """Take one message from the user's, the visitor's or the key's allowance.

    Raises:
        Problem: 429, nothing is left of it, or too much came from where the visitor is.
    """
    bot = caller.scope.role == "bot"
    refuse_beyond(doors, doors.key_messages if bot else doors.messages, caller.owner, "too many messages at once")
    # Nobody vouches for a visitor, and another session makes another visitor.
    if not bot and caller.identity.level != IdentityLevel.VERIFIED:
        refuse_beyond(doors, doors.address_messages, client_address(request), "too many messages from your network")


def refuse_beyond(doors: Doors, limit: RateLimit, key: str, detail: str) -> None:
    """Take one from the caller's allowance.

    Raises:
        Problem: 429, nothing is left of it.
    """
    wait_s = limit.take(key)
    if wait_s > 0:
        doors.metrics.request_refused(429)
        raise Problem(429, detail, headers={"Retry-After": str(int(wait_s) + 1)})


def _bounded_page(page: object) -> dict[str, object] | None:
    """The page's context, or None when it is none or too large: the message counts, its page is a help."""
    if not isinstance(page, dict) or len(json.dumps(page, ensure_ascii=False)) > MAX_PAGE_CHARS:
        return None
    return page


async def run_events(
    doors: Doors, scope: Scope, conversation_id: str, accepted: Accepted, stream: RunStream
) -> AsyncIterator[ServerSentEvent]:
    """Stream the run of an accepted message from its beginning to its end.

    It begins at once, when the message is kept, and not with the worker that takes it up: the first event carries the
    message's number, and whoever goes on from there misses nothing.
    """
    after = accepted.seq
    # The run may have begun before this message joined it.
    if accepted.run_started_seq is not None and accepted.duplicate:
        after = min(after, accepted.run_started_seq)
    for event in stream.begin():
        yield encode(event, after, first=True)
    async for logged in tail(doors, scope, conversation_id, after_seq=after, just_written=not accepted.duplicate):
        if logged.turn_id != accepted.turn_id:
            continue
        for sent in numbered(stream.take(logged.event), logged.seq):
            yield sent
        if stream.ended:
            return


async def resume(
    doors: Doors, scope: Scope, conversation: Conversation, *, after_seq: int, follow: bool
) -> AsyncIterator[ServerSentEvent]:
    """Go on exactly after an event: the log as it is, without a gap or a repeat."""
    log, conversation_id = doors.runtime.log, conversation.conversation_id
    active = await unbroken(log.active_turn(scope, conversation_id))
    first = True
    if not follow and active is None:
        rest = log.read(scope, conversation_id, after_seq=after_seq, staff=False, limit=5000)
        for logged in await unbroken(rest):
            yield encode(logged.event, logged.seq, first=first)
            first = False
        return
    async for logged in tail(doors, scope, conversation_id, after_seq=after_seq):
        yield encode(logged.event, logged.seq, first=first)
        first = False
        if not follow and active and logged.turn_id == active.turn_id and logged.event["type"] in ENDS:
            return


async def rejoin(
    doors: Doors, scope: Scope, conversation: Conversation, *, follow: bool
) -> AsyncIterator[ServerSentEvent]:
    """Begin in the middle: the run, what has been said, the open message, then what comes."""
    log, conversation_id = doors.runtime.log, conversation.conversation_id
    conversation, active = await _standing(doors, scope, conversation)
    run_id = active.run_id if active else f"rejoin-{uuid4().hex}"
    stream = RunStream(run_id=run_id, thread_id=conversation.thread_id)
    seen = conversation.last_seq
    open_id, open_text = await _open_message(doors, scope, conversation, active.run_started_seq if active else None)
    messages = await unbroken(log.messages(scope, conversation_id))
    begun: list[JsonObject] = [*stream.begin(), snapshot([m for m in messages if m["message_id"] != open_id])]
    if open_id is not None:
        begun += stream.open_message(open_id, open_text)
    if active is None:
        # A run that ended between two requests of a reload: a client that had the question has its answer here.
        begun += [custom(Custom.MESSAGE, message) for message in _since_the_customer(messages)]
        begun += stream.take({"type": "RUN_FINISHED", "threadId": "", "runId": ""})
    for sent in numbered(begun, seen):
        yield sent
    if active is None and not follow:
        return
    async for logged in tail(doors, scope, conversation_id, after_seq=seen):
        if active is not None and logged.turn_id == active.turn_id and not stream.ended:
            for sent in numbered(stream.take(logged.event), logged.seq):
                yield sent
            if stream.ended and not follow:
                return
        elif follow:
            yield encode(logged.event, logged.seq)


async def _standing(doors: Doors, scope: Scope, conversation: Conversation) -> tuple[Conversation, ActiveTurn | None]:
    """The conversation, and the turn that was under way at its last event; read again while one makes way for another.

    Without that the rest of a turn that has ended between the two reads would follow, and nothing of its beginning.
    """
    log = doors.runtime.log
    for _ in range(_LOOKS):
        active = await unbroken(log.active_turn(scope, conversation.conversation_id))
        began = active.run_started_seq if active is not None else None
        if began is not None and began <= conversation.last_seq:
            break
        now = await unbroken(log.conversation(scope, conversation.conversation_id))
        if now.last_seq == conversation.last_seq:
            break
        conversation = now
    return conversation, active


def _since_the_customer(messages: list[JsonObject]) -> list[JsonObject]:
    """What was said after the customer's last message."""
    last = max((n for n, message in enumerate(messages) if message["author"] == Author.CUSTOMER), default=-1)
    return messages[last + 1 :] if last >= 0 else []


async def _open_message(
    doors: Doors, scope: Scope, conversation: Conversation, since: int | None
) -> tuple[str | None, str]:
    """The message that is being written up to the conversation's last event, and its text so far."""
    if since is None:
        return None, ""
    open_id: str | None = None
    text = ""
    log = doors.runtime.log
    run = log.read(scope, conversation.conversation_id, after_seq=since - 1, staff=False, limit=10_000)
    for logged in await unbroken(run):
        if logged.seq > conversation.last_seq:
            break
        event = logged.event
        if event["type"] == "TEXT_MESSAGE_START":
            open_id, text = str(event["messageId"]), ""
        elif event["type"] == "TEXT_MESSAGE_CONTENT" and event["messageId"] == open_id:
            text += str(event["delta"])
        elif event["type"] in ("TEXT_MESSAGE_END", "MESSAGES_SNAPSHOT"):
            open_id = None
    return open_id, text


def numbered(events: list[JsonObject], seq: int) -> Iterator[ServerSentEvent]:
    """Events that stand for one of the log: the last carries its number.

    A client that is cut between them comes back with the number before and gets all of them, not only the rest.
    """
    for index, event in enumerate(events, start=1):
        yield encode(event, seq if index == len(events) else None, first=event["type"] == "RUN_STARTED")


def last_seen(header: str | None, conversation: Conversation) -> int | None:
    """The number in `Last-Event-ID`, or None without one.

    Raises:
        BadTurn: it is no number.
        Problem: 409, it lies in the future.
    """
    if header is None or header == "":
        return None
    if not header.isascii() or not header.isdigit() or len(header) > 18:
        raise BadTurn("Last-Event-ID is not an event's number", field="Last-Event-ID")
    seen = int(header)
    if seen > conversation.last_seq:
        raise Problem(409, f"Last-Event-ID {seen} lies after the conversation's last event {conversation.last_seq}")
    return seen


def _newest(messages: list[AguiMessage]) -> AguiMessage:
    if not messages or messages[-1].role != "user":
        raise BadTurn("the last message must be the user's", field="messages")
    return messages[-1]


def text_of(content: str | list[dict[str, Any]] | None) -> str:
    """The text of a message, which may come in parts; parts of other kinds beside it aren't read.

    Raises:
        BadTurn: there are parts, and none is a text.
    """
    if isinstance(content, str):
        return content
    texts = [part.get("text") for part in content or [] if part.get("type") == "text"]
    if content and not texts:
        raise BadTurn("only text is read, and the last message has none", field="messages")
    return "\n".join(text for text in texts if isinstance(text, str))
