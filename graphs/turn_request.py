"""What a turn is asked, read from what the log has."""

from collections.abc import Sequence
from datetime import datetime

from agent.types import Author, Message, Source, TurnRequest, Untrusted
from tools.storage.log import TurnWork
from tools.storage.records import BOT_MESSAGE


def turn_request(work: TurnWork, messages: Sequence[Message], *, limit: int, now: datetime) -> TurnRequest:
    """Return the request of a turn.

    Args:
        work: the turn, with the customer's messages that it answers.
        messages: all messages of its conversation, the oldest first.
        limit: the most characters that are read of one message.
        now: when the turn runs.
    """
    conversation = work.conversation
    return TurnRequest(
        turn_id=work.turn_id,
        conversation_id=conversation.conversation_id,
        workspace_id=conversation.workspace_id,
        reply_message_id=f"{BOT_MESSAGE}{work.turn_id}",
        texts=tuple(Untrusted.of(message.text, Source.CUSTOMER, limit=limit) for message in work.messages),
        identity=conversation.identity,
        now=now,
        mode=conversation.mode,
        page=next((m.page for m in reversed(work.messages) if m.page is not None), None),
        history=_before(work, messages),
        asked_email=conversation.asked_email,
        contact_email=conversation.contact_email,
        interface_language=conversation.language,
        wish_for_person=any(message.wish for message in work.messages),
        handbacks=conversation.handbacks,
    )


def _before(work: TurnWork, messages: Sequence[Message]) -> tuple[Message, ...]:
    """The conversation before this turn. What the customer wrote since belongs to this turn or to a later one."""
    first = work.messages[0].client_message_id
    older: list[Message] = []
    reached = False
    for message in messages:
        reached = reached or (message.author is Author.CUSTOMER and message.message_id == first)
        if not reached or message.author is not Author.CUSTOMER:
            older.append(message)
    return tuple(older)
