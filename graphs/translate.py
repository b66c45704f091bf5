"""The one translator of the graph's stream into wire events (AG-UI)."""

import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from langchain_core.callbacks import BaseCallbackHandler
from langchain_core.runnables import RunnableConfig
from langchain_core.runnables.config import merge_configs

from agent.deps import TurnDeps
from agent.dialogue import OFFERED_BUG, OFFERED_PERSON
from agent.errors import SupportError
from agent.events import STAFF_ONLY, Custom
from agent.ports import EngineReport
from agent.speech import Words
from agent.state import TurnState
from agent.types import Author, Handoff, Mode, Reply, Route, TurnRequest
from agent.wire import (
    JsonObject,
    decision_value,
    evidence_value,
    guidance_value,
    handoff_value,
    message_value,
    mode_value,
    ticket_value,
    to_json,
)
from graphs.checkpoint_serializer import SHAPE
from graphs.turn_graph import TurnGraph


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event for the log. `says` marks the first piece of a message: from here on the turn can't start anew."""

    event: JsonObject
    audience: str = "all"
    says: bool = False


@dataclass(frozen=True, slots=True)
class Finished:
    """The end of a turn: its reply and the events that go into the log together with it.

    `state` is what the nodes left, for whoever measures; the customer's reply and the log don't need it.
    """

    reply: Reply
    events: tuple[Emitted, ...]
    route: str | None
    state: TurnState
    engine: EngineReport | None = None


TurnEvent = Emitted | Finished
NodeTimer = Callable[[str, float], None]


def custom(name: Custom, value: JsonObject) -> Emitted:
    """One of our own facts as an AG-UI CUSTOM event, for whoever may see it."""
    audience = "staff" if name in STAFF_ONLY else "all"
    return Emitted({"type": "CUSTOM", "name": name.value, "value": value}, audience)


async def run_turn(
    graph: TurnGraph,
    deps: TurnDeps,
    request: TurnRequest,
    *,
    thread_id: str | None = None,
    resume: bool = False,
    on_node: NodeTimer | None = None,
    callbacks: Sequence[BaseCallbackHandler] = (),
) -> AsyncIterator[TurnEvent]:
    """Run one turn and yield its events; the last is always a `Finished`.

    The server and the evals enter here. `thread_id` is the checkpoint's thread (None for a graph without one);
    with `resume` the turn continues after the last finished node that the checkpoint has. `callbacks` trace it.

    Raises:
        SupportError: the graph ended without a reply.
    """
    config: Any = {"configurable": {"thread_id": thread_id}, "metadata": {"shape": SHAPE}} if thread_id else {}
    if callbacks:
        config = merge_configs(config, _traced(request, callbacks))
    graph_input: Any = None if resume else {"request": request}
    engine = deps.engine.for_turn(request.spent)
    translator = _Translator(request, on_node)
    if resume:
        for event in translator.remember((await graph.aget_state(config)).values):
            yield event
    stream = graph.astream(
        graph_input,
        config,
        context=replace(deps, engine=engine),
        stream_mode=["tasks", "custom"],
        durability="async" if thread_id else None,
    )
    part: Any
    async for mode, part in stream:
        if mode == "custom":
            for event in translator.words(part):
                yield event
        else:
            for event in translator.task(part):
                yield event
    if translator.finished is None:
        raise SupportError(f"turn {request.turn_id!r} ended without a reply")
    report = engine.report()
    told = engine_report(report, turn_id=request.turn_id)
    yield replace(translator.finished, events=(told, *translator.finished.events), engine=report)


def _traced(request: TurnRequest, callbacks: Sequence[BaseCallbackHandler]) -> RunnableConfig:
    """What LangChain hands down to the nodes and to their calls of models."""
    ids = {"turn_id": request.turn_id, "conversation_id": request.conversation_id, "workspace_id": request.workspace_id}
    return {"run_name": "turn", "callbacks": list(callbacks), "metadata": ids}


def engine_report(report: EngineReport, *, turn_id: str) -> Emitted:
    """Which engine did the turn, at what cost, and what another had to take over; for the team only."""
    return custom(Custom.ENGINE, {"turn_id": turn_id, **to_json(report)})


# The nodes that settle a turn's route, each with the key that says how.
_DECIDING = (("judge", "verdict"), ("propose", "proposal"), ("check", "check_report"), ("bug_report", "ticket"))


class _Translator:
    """Holds what one turn's translation must remember: whether a message is open, and when a node began."""

    def __init__(self, request: TurnRequest, on_node: NodeTimer | None) -> None:
        self._request = request
        self._on_node = on_node
        self._message_open = False
        self._started: dict[str, float] = {}
        self._route: str | None = None
        self._seen: JsonObject = {}
        self.finished: Finished | None = None

    def remember(self, values: JsonObject) -> list[Emitted]:
        """Take over what an interrupted run had found, and say again what it had said: not all of it was written."""
        self._seen = dict(values)
        for node, key in _DECIDING:
            if key in values:
                self._facts(node, {key: values[key]})
        draft = self._seen.get("draft")
        return self.words(Words(self._request.reply_message_id, draft.text)) if draft is not None and draft.text else []

    def words(self, part: object) -> list[Emitted]:
        if not isinstance(part, Words):
            return []
        events: list[Emitted] = []
        if not self._message_open:
            self._message_open = True
            start = {"type": "TEXT_MESSAGE_START", "messageId": part.message_id, "role": "assistant"}
            events.append(Emitted(start, says=True))
        content = {"type": "TEXT_MESSAGE_CONTENT", "messageId": part.message_id, "delta": part.delta}
        events.append(Emitted(content))
        return events

    def task(self, part: dict[str, Any]) -> list[Emitted]:
        """A task part without a result is a node's start; one with a result is its end."""
        name, task_id = part["name"], part["id"]
        if "result" not in part:
            self._started[task_id] = time.monotonic()
            return [Emitted({"type": "STEP_STARTED", "stepName": name})]
        if part.get("error"):
            return []
        if self._on_node and task_id in self._started:
            self._on_node(name, time.monotonic() - self._started.pop(task_id))
        events = self._facts(name, dict(part["result"]))
        events.append(Emitted({"type": "STEP_FINISHED", "stepName": name}))
        return events

    def _facts(self, node: str, update: dict[str, Any]) -> list[Emitted]:
        self._seen.update(update)
        if node == "judge":
            self._route = self._seen["verdict"].route.value
            decision = decision_value(
                self._seen["verdict"], self._seen["understanding"], self._seen["page"], self._seen["account"]
            )
            evidence = evidence_value(self._seen["evidence"], self._seen["passages"])
            message_id = self._request.reply_message_id
            return [
                custom(Custom.DECISION, {"message_id": message_id, **decision}),
                custom(Custom.EVIDENCE, {"message_id": message_id, **evidence}),
            ]
        if node == "propose":
            proposal = update["proposal"]
            bug = proposal.route is Route.BUG_REPORT
            offered = OFFERED_BUG if bug else OFFERED_PERSON
            self._route = proposal.route.value if proposal.allowed else offered
        if node == "check" and not update["check_report"].passed:
            self._route = Route.CLARIFY.value
        if node == "bug_report" and update["ticket"] is None:
            # Nothing was filed, and a person offered instead.
            self._route = OFFERED_PERSON
        if node == "finish":
            ending = tuple(self._ending(update["reply"]))
            self.finished = Finished(update["reply"], ending, self._route, cast(TurnState, self._seen))
        return []

    def _ending(self, reply: Reply) -> list[Emitted]:
        """Everything that becomes true at the end, in one batch."""
        events: list[Emitted] = []
        if self._message_open:
            events.append(Emitted({"type": "TEXT_MESSAGE_END", "messageId": self._request.reply_message_id}))
        events += reply_events(
            reply, turn_id=self._request.turn_id, at=self._request.now.isoformat(), route=self._route
        )
        return events


def reply_events(reply: Reply, *, turn_id: str, at: str, route: str | None) -> list[Emitted]:
    """The durable record of a reply: the message, what belongs to it, the mode and the outcome."""
    events: list[Emitted] = []
    if reply.message_id is not None:
        events.append(
            custom(
                Custom.MESSAGE,
                message_value(
                    message_id=reply.message_id,
                    author=Author.BOT,
                    text=reply.text,
                    at=at,
                    citations=reply.citations,
                    guidance=reply.guidance,
                    quick_replies=reply.quick_replies,
                    outcome=reply.outcome.value,
                    ticket=reply.ticket,
                    route=route,
                ),
            )
        )
        if reply.guidance is not None:
            value = {"message_id": reply.message_id, **guidance_value(reply.guidance)}
            events.append(custom(Custom.GUIDANCE, value))
    if reply.ticket is not None:
        events.append(custom(Custom.TICKET, ticket_value(reply.ticket)))
    if reply.contact_email is not None:
        events.append(custom(Custom.CONTACT, {"email": reply.contact_email}))
    if reply.handoff is not None:
        events.append(custom(Custom.HANDOFF, handoff_value(reply.handoff)))
        events.append(custom(Custom.MODE, _waiting_mode(reply.handoff)))
    outcome: JsonObject = {"turn_id": turn_id, "outcome": reply.outcome.value, "route": route}
    events.append(custom(Custom.OUTCOME, outcome))
    return events


def _waiting_mode(handoff: Handoff) -> JsonObject:
    return mode_value(
        Mode.WAITING,
        queue=handoff.queue_id,
        promised_by=handoff.promised_by,
        in_business_hours=handoff.in_business_hours,
        ask_email=handoff.ask_email,
    )
