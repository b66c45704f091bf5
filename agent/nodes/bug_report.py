"""One good bug ticket per bug, however many people report it."""

import logging
import re
from dataclasses import replace

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import OFFERED_BUG, is_courtesy, last_bot_route, offers_report, report_offered
from agent.effects import effect_key
from agent.errors import TrackerError
from agent.phrases import Phrase, phrase
from agent.ports import BugReport
from agent.state import TurnState
from agent.types import (
    Author,
    BugDraft,
    BugTicket,
    Language,
    Message,
    Route,
    Source,
    TurnRequest,
    Understanding,
    Untrusted,
)

logger = logging.getLogger(__name__)

_ASKS: tuple[tuple[str, Phrase], ...] = (
    ("steps", Phrase.BUG_ASK_STEPS),
    ("actual", Phrase.BUG_ASK_ACTUAL),
    ("expected", Phrase.BUG_ASK_EXPECTED),
    ("environment", Phrase.BUG_ASK_ENVIRONMENT),
)


_VERDICT_WORDS = 4


class BugReportUpdate(TypedDict):
    """The keys this node owns."""

    ticket: BugTicket | None
    bug_message: str


async def bug_report(state: TurnState, runtime: Runtime[TurnDeps]) -> BugReportUpdate:
    """Gather what engineers need, file it or count it on the same bug, and tell the customer which of the two.

    Filing comes before the question for missing details, so that a customer who leaves has still reported it; the
    answer to the question reaches the same ticket, as the same conversation.
    """
    deps = runtime.context
    request, language = state["request"], state["understanding"].language
    reported = _reported_in(request)
    described, heard = _described_in(reported, request, state["understanding"])
    draft = await deps.engine.draft_bug(described, request.history, state["page"], heard)
    account = state["account"]
    report = BugReport(
        workspace_id=request.workspace_id,
        conversation_id=request.conversation_id,
        effect_key=effect_key(request, "bug"),
        draft=draft,
        said=Untrusted.of("\n".join(text.render_plain() for text in _newly_said(request, reported)), Source.CUSTOMER),
        reported_at=request.now,
        account_id=account.account_id if account else None,
        account_tier=account.tier if account else None,
    )
    try:
        ticket = await deps.tracker.file(report)
    except TrackerError:
        logger.exception("tracker failed turn_id=%s", request.turn_id)
        return {"ticket": None, "bug_message": phrase(Phrase.BUG_NOT_FILED, language)}
    # What the tracker calls a bug that is known are another customer's words.
    shown = replace(ticket, title=draft.title)
    return {"ticket": shown, "bug_message": _message(ticket, draft, request, language)}


def _reported_in(request: TurnRequest) -> tuple[Untrusted, ...]:
    """The messages that describe the bug: these, and those since the bug was first mentioned."""
    earlier: list[Untrusted] = []
    for message in reversed(request.history):
        if message.author is Author.CUSTOMER:
            earlier.insert(0, message.text)
        elif message.author is Author.PERSON or not _is_about_a_bug(message):
            break
    if last_bot_route(request.history) == OFFERED_BUG:
        # "Yes" says nothing of the bug: what was said before the offer does.
        return tuple(earlier) or request.texts
    goes_on = last_bot_route(request.history) == Route.BUG_REPORT or report_offered(request.history)
    return (*earlier, *request.texts) if goes_on else request.texts


def _described_in(
    reported: tuple[Untrusted, ...], request: TurnRequest, heard: Understanding
) -> tuple[tuple[Untrusted, ...], Understanding]:
    """What describes the bug, and what was heard without the rest: that a remedy didn't help describes nothing."""
    words = sum(len(text.render_plain().split()) for text in request.texts)
    verdict = report_offered(request.history) and heard.says_unsolved >= 0.5 and words <= _VERDICT_WORDS
    described = reported[: -len(request.texts)]
    if not verdict or not described:
        return reported, heard
    question = "\n".join(text.render_plain() for text in described)
    return described, replace(heard, question=Untrusted.of(question, heard.question.source))


def _newly_said(request: TurnRequest, reported: tuple[Untrusted, ...]) -> tuple[Untrusted, ...]:
    """What this report adds: after an offer, all that was said before; else this turn's words, the rest is there."""
    offered = last_bot_route(request.history) == OFFERED_BUG or report_offered(request.history)
    return reported if offered else request.texts


def _is_about_a_bug(message: Message) -> bool:
    """Whether what the bot said doesn't lead away from the bug."""
    return message.route in (Route.BUG_REPORT, OFFERED_BUG) or offers_report(message) or is_courtesy(message)


def _was_told(bug_id: str, history: tuple[Message, ...]) -> bool:
    """Whether the customer knows this bug from the conversation already: it is their own then, not a known one."""
    name = re.compile(rf"\b{re.escape(bug_id)}\b")
    return any(message.author is Author.BOT and name.search(message.text.render_plain()) for message in history)


def _message(ticket: BugTicket, draft: BugDraft, request: TurnRequest, language: Language) -> str:
    if _was_told(ticket.bug_id, request.history):
        return phrase(Phrase.BUG_DETAILS_ADDED, language, bug_id=ticket.bug_id)
    if ticket.is_new:
        told = phrase(Phrase.BUG_FILED, language, bug_id=ticket.bug_id)
    else:
        told = phrase(Phrase.BUG_COUNTED, language, bug_id=ticket.bug_id, count=ticket.occurrences)
    ask = next((key for name, key in _ASKS if name in draft.missing), None)
    return f"{told}\n\n{phrase(ask, language)}" if ask else told
