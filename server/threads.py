"""Which conversation a request means: by its id, or by the name that the caller gave it."""

from datetime import UTC, datetime
from typing import Annotated, TypeVar

from fastapi import Depends, Path, Response

from server.auth import Caller, InCaller
from server.context import Doors, InDoors
from server.speaking import language_of
from tools.storage.log import Conversation

HEADER = "X-Conversation-Id"
"""Has the conversation's id in answers; a bot that sends it, or a name of its own, goes on with it."""

_Answer = TypeVar("_Answer", bound=Response)
_NAME = Path(description="The conversation's id, or the thread id under which the caller began it; an id goes first.")


async def open_thread(doors: Doors, caller: Caller, thread_id: str, page: object) -> Conversation:
    """Return the caller's conversation of that thread or id, made if there was none. Another's is never found."""
    language = page.get("language") if isinstance(page, dict) else None
    return await doors.runtime.log.create_conversation(
        caller.scope,
        thread_id=thread_id,
        identity=caller.identity,
        channel=caller.channel,
        language=language_of(language, doors.runtime.workspace),
        now=datetime.now(UTC),
    )


async def get_conversation(conversation_id: Annotated[str, _NAME], doors: InDoors, caller: InCaller) -> Conversation:
    """Return the caller's conversation of that id or thread.

    Raises:
        NotFound: the caller has none.
    """
    return await doors.runtime.log.find(caller.scope, conversation_id)


InConversation = Annotated[Conversation, Depends(get_conversation)]


def with_id(answer: _Answer, conversation: Conversation) -> _Answer:
    """Let the answer's header say which conversation it is about."""
    answer.headers[HEADER] = conversation.conversation_id
    return answer
