"""The OpenAI-compatible door, for helpdesk bots: `/v1/chat/completions` and `/v1/models`."""

import math
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from functools import partial
from typing import Annotated, Any, Literal
from uuid import uuid4

import anyio
from fastapi import APIRouter, Header, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, ConfigDict, Field
from sse_starlette import EventSourceResponse, ServerSentEvent

from agent.errors import BadTurn
from agent.events import Custom
from agent.links import title_in_words
from agent.phrases import Phrase, phrase
from agent.wire import JsonObject
from server.agui import refuse_hurry, submit, text_of
from server.auth import Caller, InCaller, still_known
from server.context import Doors, InDoors
from server.problems import Problem
from server.run_stream import ENDS
from server.speaking import language_of
from server.sse import encode, respond, tail, unbroken
from server.threads import open_thread, with_id
from tools.storage.log import Accepted, Conversation

router = APIRouter(prefix="/v1", tags=["openai"])

MODEL = "helpgraph"
_WAIT_S = 60.0
# This format can't say where to go on, so that a turn under way may still end when the server stops.
_PATIENCE_S = 3.0
# Two messages of one turn, in one text: an answer that was broken off, and what was said then.
_BETWEEN = "\n\n"
_CUT: JsonObject = {
    "message": "the stream ended before the answer did; the message is kept, ask again with the same Idempotency-Key",
    "type": "server_error",
    "param": None,
    "code": "stream_ended",
}


class _SaysOtherwise(Exception):
    """A turn that began anew says something else than the reader has."""


class _SaidOnce:
    """A turn's words for a reader who can't be told that it began anew: what they have isn't said again."""

    def __init__(self) -> None:
        self._message_id: str | None = None
        self._sent = ""
        # How much of that the present attempt at the turn has said.
        self._said = 0
        self._before = ""

    def take(self, event: JsonObject) -> str:
        """Return what is new to the reader.

        Raises:
            _SaysOtherwise: what they have isn't what is said.
        """
        kind = event["type"]
        if kind == "TEXT_MESSAGE_START":
            self._said = 0
            if event["messageId"] != self._message_id:
                self._before = _BETWEEN if self._sent else ""
                self._message_id, self._sent = event["messageId"], ""
        elif kind == "TEXT_MESSAGE_CONTENT":
            repeated = self._sent[self._said : self._said + len(event["delta"])]
            if not event["delta"].startswith(repeated):
                raise _SaysOtherwise
            self._said += len(event["delta"])
            new = event["delta"][len(repeated) :]
            self._sent += new
            if new:
                new, self._before = self._before + new, ""
            return str(new)
        elif kind == "TEXT_MESSAGE_END" and self._said < len(self._sent):
            raise _SaysOtherwise
        return ""


@dataclass
class _Facts:
    """What a turn leaves behind beside its words, which this format has no place for."""

    citations: list[JsonObject] = field(default_factory=list)
    ticket: JsonObject | None = None
    outcome: str | None = None
    ended: bool = False

    def take(self, event: JsonObject) -> None:
        """Note what an event of the turn says."""
        self.ended = self.ended or event["type"] in ENDS
        name, value = event.get("name"), event.get("value", {})
        if name == Custom.OUTCOME:
            self.outcome = value["outcome"]
        elif name == Custom.MESSAGE and value["author"] == "bot":
            self.citations, self.ticket = value["citations"], value["ticket"]

    async def of(self, doors: Doors, caller: Caller, conversation: Conversation) -> JsonObject:
        """The `helpgraph` object, with who speaks now."""
        now = await unbroken(doors.runtime.log.conversation(caller.scope, conversation.conversation_id))
        return {
            "conversation_id": now.conversation_id,
            "thread_id": now.thread_id,
            "mode": now.mode.value,
            "outcome": self.outcome,
            "citations": self.citations,
            "ticket": self.ticket,
        }


class ChatMessage(BaseModel):
    """A message. Only the newest one is read, and only if the user wrote it."""

    model_config = ConfigDict(extra="ignore")

    role: str = Field(max_length=40)
    content: str | list[dict[str, Any]] | None = None


class ChatBody(BaseModel):
    """OpenAI's chat request. Other messages, `tools` and sampling settings are accepted and change nothing."""

    model_config = ConfigDict(extra="ignore")

    model: str = Field(MODEL, max_length=200)
    messages: list[ChatMessage] = Field(min_length=1, max_length=2000)
    n: Literal[1] | None = Field(None, description="There is one answer.")
    stream: bool = False
    stream_options: dict[str, Any] | None = None
    user: str | None = Field(None, max_length=200)
    metadata: dict[str, Any] | None = None


@router.get("/models")
async def models(caller: InCaller) -> JsonObject:
    """The one model there is."""
    return {"object": "list", "data": [{"id": MODEL, "object": "model", "created": 0, "owned_by": "helpgraph"}]}


@router.post("/chat/completions", response_model=None)
async def chat(
    body: ChatBody,
    request: Request,
    doors: InDoors,
    caller: InCaller,
    x_conversation_id: Annotated[
        str | None,
        Header(max_length=200, description="The conversation to go on with: any string of yours, or its id."),
    ] = None,
    idempotency_key: Annotated[str | None, Header(max_length=200, description="Repeats find the same turn.")] = None,
) -> JSONResponse | EventSourceResponse:
    """Answer the newest user message. `X-Conversation-Id`, `metadata.conversation_id` or `user` keeps messages in one
    conversation."""
    refuse_hurry(doors, caller, request)
    text = doors.runtime.turns.readable(_text(body))
    # Without a conversation a repeat is found by its key, because each new conversation is empty.
    thread_id = x_conversation_id or _named(body) or body.user or idempotency_key or uuid4().hex
    conversation = await open_thread(doors, caller, thread_id, None)
    run_id = f"chatcmpl-{uuid4().hex}"
    accepted = await submit(
        doors,
        caller,
        conversation,
        message_id=idempotency_key or f"api-{uuid4().hex}",
        text=text,
        run_id=run_id,
        page=None,
    )
    if body.stream:
        usage = bool((body.stream_options or {}).get("include_usage"))
        chunks = _chunks(doors, caller, conversation, accepted, run_id, usage=usage)
        # Its clients take any field of SSE for an event.
        known = partial(still_known, request, doors)
        return with_id(respond(doors, request, caller.owner, chunks, known=known, resumable=False), conversation)
    try:
        # Not asyncio's: that one would break off a query.
        with anyio.fail_after(_WAIT_S):
            text, facts = await _whole(doors, caller, conversation, accepted)
    except TimeoutError as exc:
        raise Problem(504, "the answer takes too long; the message is kept") from exc
    whole = JSONResponse(
        {
            "id": run_id,
            "object": "chat.completion",
            "created": int(time.time()),
            "model": MODEL,
            "choices": [
                {
                    "index": 0,
                    "finish_reason": "stop",
                    "logprobs": None,
                    "message": {"role": "assistant", "content": text, "refusal": None},
                }
            ],
            "usage": _usage(),
            "helpgraph": facts,
        }
    )
    return with_id(whole, conversation)


async def _whole(
    doors: Doors, caller: Caller, conversation: Conversation, accepted: Accepted
) -> tuple[str, JsonObject]:
    """The finished answer's text, and the `helpgraph` object."""
    texts: dict[str, str] = {}
    facts = _Facts()
    # uvicorn waits for a request like this one, up to its own limit.
    async for event in _turn(doors, caller, conversation, accepted, patience_s=math.inf):
        facts.take(event)
        if event.get("name") == Custom.MESSAGE and event["value"]["author"] == "bot":
            value = event["value"]
            texts[value["message_id"]] = _with_sources(value)
    text = _BETWEEN.join(texts.values())
    return text or _passed_on(doors, conversation), await facts.of(doors, caller, conversation)


async def _chunks(
    doors: Doors, caller: Caller, conversation: Conversation, accepted: Accepted, run_id: str, *, usage: bool
) -> AsyncIterator[ServerSentEvent]:
    created = int(time.time())

    def chunk(choices: list[JsonObject], **more: Any) -> ServerSentEvent:
        base = {"id": run_id, "object": "chat.completion.chunk", "created": created, "model": MODEL}
        return encode({**base, "choices": choices, **more})

    def delta(content: JsonObject, finish: str | None = None) -> list[JsonObject]:
        return [{"index": 0, "delta": content, "finish_reason": finish, "logprobs": None}]

    yield chunk(delta({"role": "assistant", "content": ""}))
    said, facts, anything = _SaidOnce(), _Facts(), False
    async for event in _turn(doors, caller, conversation, accepted, patience_s=_PATIENCE_S):
        try:
            new = said.take(event)
        except _SaysOtherwise:
            break
        facts.take(event)
        if not new and event.get("name") == Custom.MESSAGE and event["value"]["author"] == "bot":
            new = _sources(event["value"])
        if new:
            anything = True
            yield chunk(delta({"content": new}))
    if not facts.ended:
        # "stop" would make a whole answer of it.
        yield encode({"error": _CUT})
        return
    if not anything:
        yield chunk(delta({"content": _passed_on(doors, conversation)}))
    yield chunk(delta({}, "stop"), helpgraph=await facts.of(doors, caller, conversation))
    if usage:
        yield chunk([], usage=_usage())
    yield ServerSentEvent(data="[DONE]", sep="\n")


def _passed_on(doors: Doors, conversation: Conversation) -> str:
    """What is said where the agent says nothing, because a person has the conversation: here something must be."""
    return phrase(Phrase.PASSED_ON, language_of(conversation.language, doors.runtime.workspace))


async def _turn(
    doors: Doors, caller: Caller, conversation: Conversation, accepted: Accepted, *, patience_s: float
) -> AsyncIterator[JsonObject]:
    after = accepted.seq
    if accepted.duplicate and accepted.run_started_seq is not None:
        after = min(after, accepted.run_started_seq - 1)
    followed = tail(
        doors,
        caller.scope,
        conversation.conversation_id,
        after_seq=after,
        patience_s=patience_s,
        just_written=not accepted.duplicate,
    )
    async for logged in followed:
        if logged.turn_id == accepted.turn_id:
            yield logged.event
            if logged.event["type"] in ENDS:
                return


def _with_sources(value: JsonObject) -> str:
    return str(value["text"]) + _sources(value)


def _sources(value: JsonObject) -> str:
    """The citations as lines under the text, because this format has no other place for them."""
    if not value["citations"]:
        return ""
    titles = [(c, title_in_words(c["title"], limit=200)) for c in value["citations"]]
    lines = [f"[{c['n']}] {title}" + (f": {c['url']}" if c["url"] else "") for c, title in titles]
    return "\n\n" + "\n".join(lines)


def _usage() -> JsonObject:
    """The local engine spends no tokens."""
    return {"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0}


def _named(body: ChatBody) -> str | None:
    """The conversation that the metadata names."""
    named = (body.metadata or {}).get("conversation_id")
    if named is None:
        return None
    if not isinstance(named, str) or len(named) > 200:
        raise BadTurn("conversation_id is a text of at most 200 characters", field="metadata.conversation_id")
    return named


def _text(body: ChatBody) -> str:
    newest = body.messages[-1]
    if newest.role != "user":
        raise BadTurn("the last message must be the user's", field="messages")
    return text_of(newest.content)
