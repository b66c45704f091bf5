"""One question from the command line: the same turn as everyone's, with its path and signals to look at."""

from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from agent.errors import BadTurn
from agent.events import Custom
from agent.ports import BugReport, TicketTracker
from agent.types import BugTicket, Identity, IdentityLevel, Source, TurnRequest, Untrusted
from agent.wire import JsonObject, citation_value, guidance_value
from graphs.assembly import Runtime
from graphs.translate import Finished, run_turn
from graphs.turn_graph import build_turn_graph


class AskBody(BaseModel):
    """A question. `page` is a route of the page map, `account` an account id of the workspace."""

    model_config = ConfigDict(extra="forbid")

    question: str = Field(max_length=8000)
    page: str | None = Field(None, max_length=300)
    account: str | None = Field(None, max_length=200)


class Asked(BaseModel):
    """What came back."""

    answer: str = ""
    outcome: str = ""
    engine: str = ""
    engine_report: JsonObject = {}
    path: list[str] = []
    citations: list[JsonObject] = []
    decision: JsonObject = {}
    evidence: JsonObject = {}
    guidance: JsonObject | None = None
    handoff: JsonObject | None = None


@dataclass
class DryTracker:
    """Looks for the same bug and files nothing."""

    tracker: TicketTracker
    filed: list[str] = field(default_factory=list)

    async def find_same(self, report: BugReport) -> BugTicket | None:
        """Look in the real tracker."""
        return await self.tracker.find_same(report)

    async def already_filed(self, workspace_id: str, effect_key: str) -> bool:
        """Nothing is ever filed here."""
        return False

    async def file(self, report: BugReport) -> BugTicket:
        """Return what filing would have given."""
        known = await self.tracker.find_same(report)
        if known is not None:
            return replace(known, occurrences=known.occurrences + 1, is_new=False)
        return BugTicket("(dry run)", report.draft.title, 1, is_new=True, status="open")


async def ask(runtime: Runtime, body: AskBody) -> Asked:
    """Run one turn of which nothing is logged, filed or handed to anyone; where turns are traced, it is too.

    Raises:
        BadTurn: the question is empty, or there is no such page or account.
    """
    text = Untrusted.of(body.question, Source.CUSTOMER, limit=runtime.settings.max_message_chars)
    if not text:
        raise BadTurn("the question is empty", field="question")
    request = TurnRequest(
        turn_id=uuid4().hex,
        conversation_id="ask",
        workspace_id=runtime.workspace.workspace_id,
        reply_message_id="ask",
        texts=(text,),
        identity=await _identity(runtime, body.account),
        now=datetime.now(UTC),
        page=_page(runtime, body.page),
    )
    deps = replace(runtime.deps, tracker=DryTracker(runtime.tracker))
    asked = Asked(engine=runtime.engine.name)
    async for event in run_turn(build_turn_graph(), deps, request, callbacks=runtime.tracing.callbacks()):
        if isinstance(event, Finished):
            reply = event.reply
            asked.answer, asked.outcome = reply.text, reply.outcome.value
            asked.citations = [citation_value(citation) for citation in reply.citations]
            asked.guidance = guidance_value(reply.guidance) if reply.guidance else None
        for emitted in event.events if isinstance(event, Finished) else (event,):
            _note(asked, emitted.event)
    return asked


def _note(asked: Asked, event: JsonObject) -> None:
    if event["type"] == "STEP_STARTED":
        asked.path.append(event["stepName"])
    elif event.get("name") == Custom.DECISION:
        asked.decision = event["value"]
    elif event.get("name") == Custom.EVIDENCE:
        asked.evidence = event["value"]
    elif event.get("name") == Custom.ENGINE:
        asked.engine_report = event["value"]
    elif event.get("name") == Custom.HANDOFF:
        asked.handoff = event["value"]


async def _identity(runtime: Runtime, account_id: str | None) -> Identity:
    if account_id is None:
        return Identity()
    identity = Identity(IdentityLevel.VERIFIED, account_id=account_id)
    if await runtime.accounts.facts(identity) is None:
        raise BadTurn(f"no account {account_id!r} in this workspace", field="account")
    return identity


def _page(runtime: Runtime, route: str | None) -> dict[str, object] | None:
    """A page as its widget would report it: every element of the map is there."""
    if route is None:
        return None
    elements = runtime.pages.element_ids(route)
    if elements is None:
        known = ", ".join(runtime.pages.routes) or "none: the workspace has no pages.yaml"
        raise BadTurn(f"no page {route!r} in this workspace; there are: {known}", field="page")
    return {"route": route, "elements": [{"id": element_id} for element_id in elements]}
