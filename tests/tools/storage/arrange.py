"""What the storage tests arrange again and again."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from agent.events import Custom
from agent.types import Handoff, Identity, IdentityLevel, Language
from tools.storage.database import Database
from tools.storage.log import Accepted, Conversation, ConversationLog, Lease, NewEvent, TurnWork
from tools.storage.scope import Scope
from tools.storage.turn_log import Ended
from tools.storage.wakeups import Wakeups

NOW = datetime(2026, 3, 4, 10, 0, tzinfo=UTC)
ADA = Scope("orrery", "ada", "customer")
BEN = Scope("orrery", "ben", "customer")
OTHER_WORKSPACE = Scope("elsewhere", "ada", "customer")
STAFF = Scope("orrery", None, "staff")
OTHER_STAFF = Scope("elsewhere", None, "staff")
IDENTITY = Identity(IdentityLevel.VERIFIED, "user-1", "acct-1", "Ada")


def open_log(database: Database) -> ConversationLog:
    return ConversationLog(database, Wakeups())


async def converse(log: ConversationLog, scope: Scope = ADA, thread_id: str = "") -> Conversation:
    return await log.create_conversation(
        scope, thread_id=thread_id, identity=IDENTITY, channel="widget", language="en", now=NOW
    )


async def say(
    log: ConversationLog,
    conversation: Conversation,
    message_id: str,
    text: str = "How do I export?",
    *,
    scope: Scope = ADA,
    at_s: float = 0,
    wish: bool = False,
) -> Accepted:
    return await log.accept(
        scope,
        conversation.conversation_id,
        client_message_id=message_id,
        text=text,
        page=None,
        run_id=f"run-{message_id}",
        wish=wish,
        now=NOW + timedelta(seconds=at_s),
    )


async def begin(log: ConversationLog, conversation: Conversation, holder: str = "worker-1") -> tuple[Lease, TurnWork]:
    begun = await log.begin(conversation.conversation_id, holder=holder, ttl_s=30)
    assert begun is not None
    return begun


def finished(work: TurnWork) -> NewEvent:
    return NewEvent({"type": "RUN_FINISHED", "threadId": work.conversation.thread_id, "runId": work.run_id})


async def end_turn(
    log: ConversationLog,
    lease: Lease,
    work: TurnWork,
    *,
    message_count: int = 1,
    events: Sequence[NewEvent] | None = None,
    status: Literal["finished", "failed", "parked"] = "finished",
    outcome: str = "answered",
    **more: Any,
) -> Ended:
    """End it with RUN_FINISHED alone, as answered, unless told otherwise."""
    return await log.finish_turn(
        lease,
        work.turn_id,
        message_count=message_count,
        events=[finished(work)] if events is None else events,
        status=status,
        outcome=outcome,
        **more,
    )


def words(text: str, message_id: str = "answer") -> list[NewEvent]:
    return [
        NewEvent({"type": "TEXT_MESSAGE_START", "messageId": message_id, "role": "assistant"}),
        NewEvent({"type": "TEXT_MESSAGE_CONTENT", "messageId": message_id, "delta": text}),
    ]


def bot_message(text: str, message_id: str = "answer") -> NewEvent:
    value: dict[str, Any] = {
        "message_id": message_id,
        "author": "bot",
        "text": text,
        "at": NOW.isoformat(),
        "route": "answer",
        "citations": [{"n": 1, "article_id": "a1", "title": "Export", "section": "CSV", "url": None}],
    }
    return NewEvent({"type": "CUSTOM", "name": Custom.MESSAGE.value, "value": value})


def story(*, promised_by: datetime | None = None, priority: Any = "high", language: Language = "en") -> Handoff:
    return Handoff(
        wanted="A refund",
        tried=("Read the billing article",),
        reason="explicit_wish",
        reasons=(),
        sentiment=-0.4,
        queue_id="billing",
        priority=priority,
        suggested_next_step="Check the invoice",
        language=language,
        promised_by=promised_by,
        account_summary="Strategic, 40 seats",
        page="/settings/billing",
    )
