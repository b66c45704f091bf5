"""Where every path ends: the only writer of messages, outcome and mode."""

import re
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

from langgraph.runtime import Runtime
from typing_extensions import TypedDict

from agent.deps import TurnDeps
from agent.dialogue import conversation_language
from agent.handoff import promise
from agent.links import title_in_words
from agent.phrases import Phrase, phrase
from agent.policy import Policy
from agent.speech import Words
from agent.state import TurnState
from agent.types import (
    Author,
    Citation,
    Handoff,
    Kind,
    Language,
    Mode,
    Outcome,
    QuickReply,
    Reason,
    Reply,
    Route,
    TurnRequest,
)

_EMAIL = re.compile(r"[A-Za-z0-9._%+-]{1,64}@[A-Za-z0-9-]{1,63}(?:\.[A-Za-z0-9-]{1,63}){0,4}\.[A-Za-z]{2,24}")


class FinishUpdate(TypedDict):
    """The key this node owns."""

    reply: Reply


async def finish(state: TurnState, runtime: Runtime[TurnDeps]) -> FinishUpdate:
    """Compose what the turn leaves behind, and say what hasn't been said yet."""
    request = state["request"]
    if request.mode in (Mode.WAITING, Mode.WITH_PERSON):
        reply = _passed_on(request)
    elif "handoff" in state:
        reply = _handed_off(state["handoff"], request, runtime.context.policy)
    elif "bug_message" in state:
        reply = _bug(state)
    elif "clarification" in state:
        reply = _asked(state)
    else:
        return {"reply": _answered(state)}
    if reply.message_id is not None:
        reply = _after_what_was_said(reply, state, runtime)
    return {"reply": reply}


def _after_what_was_said(reply: Reply, state: TurnState, runtime: Runtime[TurnDeps]) -> Reply:
    """Stream the reply, below what the answer had said before the turn took another way."""
    assert reply.message_id is not None  # noqa: S101  # Narrows the type; the caller asked.
    draft = state.get("draft")
    if draft is None or not draft.text:
        runtime.stream_writer(Words(reply.message_id, reply.text))
        return reply
    runtime.stream_writer(Words(reply.message_id, f"\n\n{reply.text}"))
    return replace(reply, text=f"{draft.text}\n\n{reply.text}", citations=draft.citations, guidance=draft.guidance)


def _answered(state: TurnState) -> Reply:
    draft, heard = state["draft"], state["understanding"]
    claims = any(sentence.claim for sentence in draft.sentences)
    return Reply(
        outcome=Outcome.ANSWERED,
        mode=Mode.BOT,
        message_id=state["request"].reply_message_id,
        text=draft.text,
        citations=draft.citations,
        guidance=draft.guidance,
        quick_replies=_after_answer(heard.language) if claims and heard.kind is not Kind.SMALL_TALK else (),
    )


def _asked(state: TurnState) -> Reply:
    language = state["understanding"].language
    return Reply(
        outcome=Outcome.ASKED,
        mode=Mode.BOT,
        message_id=state["request"].reply_message_id,
        text=state["clarification"],
        citations=state["nearest"],
        quick_replies=_yes_or_no(language)
        if "proposal" in state
        else (
            *_picks(state["nearest"], language),
            QuickReply(phrase(Phrase.QR_PERSON, language), phrase(Phrase.QR_PERSON_TEXT, language)),
            QuickReply(phrase(Phrase.QR_REPHRASE, language), ""),
        ),
    )


def _bug(state: TurnState) -> Reply:
    ticket = state["ticket"]
    outcome = Outcome.ASKED if ticket is None else Outcome.BUG_FILED if ticket.is_new else Outcome.BUG_COUNTED
    return Reply(
        outcome=outcome,
        mode=Mode.BOT,
        message_id=state["request"].reply_message_id,
        text=state["bug_message"],
        ticket=ticket,
    )


def _handed_off(handoff: Handoff, request: TurnRequest, policy: Policy) -> Reply:
    return Reply(
        outcome=Outcome.HANDED_OFF,
        mode=Mode.WAITING,
        message_id=request.reply_message_id,
        text=_told(handoff, policy),
        handoff=handoff,
        asked_email=handoff.ask_email,
    )


def _told(handoff: Handoff, policy: Policy) -> str:
    """That someone comes, and when; outside opening hours also the one question for an e-mail address."""
    when = _local_time(handoff.promised_by, policy, handoff.language)
    if handoff.in_business_hours:
        return phrase(Phrase.HANDOFF_OPEN, handoff.language, minutes=policy.reply_promise_minutes)
    told = phrase(Phrase.HANDOFF_CLOSED, handoff.language, when=when)
    return f"{told} {phrase(Phrase.ASK_EMAIL, handoff.language)}" if handoff.ask_email else told


def _local_time(at: datetime | None, policy: Policy, language: Language) -> str:
    if at is None:
        return ""
    local = at.astimezone(ZoneInfo(policy.business_hours.timezone))
    pattern = {"en": "%Y-%m-%d at %H:%M", "de": "%d.%m.%Y um %H:%M Uhr", "es": "%d/%m/%Y a las %H:%M"}[language]
    return f"{local.strftime(pattern)} ({policy.business_hours.timezone})"


def _passed_on(request: TurnRequest) -> Reply:
    """A person has the conversation or is on the way: the message is theirs. Only the asked-for e-mail is confirmed."""
    language = conversation_language(request)
    if request.mode is Mode.WAITING and request.asked_email and request.contact_email is None:
        found = _EMAIL.search("\n".join(text.render_plain() for text in request.texts))
        if found:
            return Reply(
                outcome=Outcome.CONTACT_TAKEN,
                mode=request.mode,
                message_id=request.reply_message_id,
                text=phrase(Phrase.EMAIL_TAKEN, language),
                contact_email=found.group(),
            )
    if request.mode is Mode.WAITING and not _acknowledged(request):
        return Reply(
            outcome=Outcome.DELIVERED,
            mode=request.mode,
            message_id=request.reply_message_id,
            text=phrase(Phrase.ADDED_TO_REQUEST, language),
        )
    return Reply(outcome=Outcome.DELIVERED, mode=request.mode)


def _acknowledged(request: TurnRequest) -> bool:
    """Whether the bot has already said, since the handoff, that it passes messages on: once is enough."""
    for message in reversed(request.history):
        if message.author is Author.BOT:
            return message.route is None
    return False


def last_rung(request: TurnRequest, policy: Policy, *, cause: str) -> Reply:
    """The reply when everything else failed: "we have your message, a person will answer". Needs no collaborator."""
    language = conversation_language(request)
    if request.mode in (Mode.WAITING, Mode.WITH_PERSON):
        return Reply(outcome=Outcome.DELIVERED, mode=request.mode)
    promised = promise(request.now, policy.business_hours, minutes=policy.reply_promise_minutes)
    handoff = Handoff(
        wanted="\n".join(text.render_plain() for text in request.texts)[:300],
        tried=(),
        reason=cause,
        reasons=(Reason(cause, 1.0, 1.0, Route.HANDOFF),),
        sentiment=0.0,
        queue_id=policy.queues[0].queue_id,
        priority="high",
        suggested_next_step="The agent failed on this message: answer it, and report the turn to its operator.",
        language=language,
        promised_by=promised.by,
        in_business_hours=promised.open_now,
        ask_email=not promised.open_now and not request.asked_email and request.contact_email is None,
    )
    return Reply(
        outcome=Outcome.HANDED_OFF,
        mode=Mode.WAITING,
        message_id=f"{request.reply_message_id}_last",
        text=f"{phrase(Phrase.LAST_RUNG, language)} {_told(handoff, policy)}",
        handoff=handoff,
        asked_email=handoff.ask_email,
    )


def _picks(nearest: tuple[Citation, ...], language: Language) -> list[QuickReply]:
    """Yes to the one article that was named, or each of several by its title."""
    titles = [title_in_words(article.title) for article in nearest]
    if len(titles) == 1:
        titles = [phrase(Phrase.QR_THAT, language)]
    return [QuickReply(title, title) for title in titles]


def _yes_or_no(language: Language) -> tuple[QuickReply, ...]:
    yes, no = phrase(Phrase.QR_YES, language), phrase(Phrase.QR_NO, language)
    return QuickReply(yes, yes), QuickReply(no, no)


def _after_answer(language: Language) -> tuple[QuickReply, ...]:
    return (
        QuickReply(phrase(Phrase.QR_SOLVED, language), phrase(Phrase.QR_SOLVED_TEXT, language)),
        QuickReply(phrase(Phrase.QR_UNSOLVED, language), phrase(Phrase.QR_UNSOLVED_TEXT, language)),
        QuickReply(phrase(Phrase.QR_PERSON, language), phrase(Phrase.QR_PERSON_TEXT, language)),
    )
