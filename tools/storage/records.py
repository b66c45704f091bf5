"""The values that storage takes and returns. Times are aware UTC; `seq` counts events from 1."""

from dataclasses import dataclass
from datetime import datetime

from agent.types import Identity, Mode

UNFINISHED = ("accepted", "running")
# What ids of messages that aren't a customer's begin with: the turn's id follows, or one of chance.
BOT_MESSAGE, PERSONS_MESSAGE = "msg_", "person_"


@dataclass(frozen=True, slots=True)
class Conversation:
    """A conversation as it stands now."""

    conversation_id: str
    workspace_id: str
    owner_id: str
    thread_id: str
    identity: Identity
    channel: str
    language: str
    mode: Mode
    last_seq: int
    created_at: datetime
    updated_at: datetime
    contact_email: str | None
    asked_email: bool
    handbacks: int


@dataclass(frozen=True, slots=True)
class NewEvent:
    """An AG-UI event (camelCase keys and `type`) to append; only the audience "all" reaches customers."""

    event: dict[str, object]
    audience: str = "all"


@dataclass(frozen=True, slots=True)
class LogEvent:
    """An event of the log."""

    seq: int
    at: datetime
    turn_id: str | None
    audience: str
    event: dict[str, object]


@dataclass(frozen=True, slots=True)
class Accepted:
    """Where a customer's message went. `seq` is the message's own event; the run's events follow it.

    `joined`: it became part of a turn that was already there. `duplicate`: the same message came before, and
    this is what became of it. `run_started_seq` is None until the turn has begun.
    """

    turn_id: str
    seq: int
    run_id: str
    joined: bool
    duplicate: bool
    run_started_seq: int | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to write for the bot, until another epoch begins."""

    conversation_id: str
    workspace_id: str
    epoch: int
    holder: str


@dataclass(frozen=True, slots=True)
class TurnMessage:
    """One of the customer's messages that a turn answers."""

    client_message_id: str
    text: str
    page: dict[str, object] | None
    wish: bool
    at: datetime
    seq: int


@dataclass(frozen=True, slots=True)
class TurnWork:
    """A turn to run. `attempts` counts this one; `restarted_after_words`: an earlier attempt has spoken."""

    turn_id: str
    run_id: str
    messages: tuple[TurnMessage, ...]
    attempts: int
    conversation: Conversation
    restarted_after_words: bool


@dataclass(frozen=True, slots=True)
class ActiveTurn:
    """The turn that is being worked on, or waits for it."""

    turn_id: str
    run_id: str
    run_started_seq: int | None


@dataclass(frozen=True, slots=True)
class Replied:
    """Where a person's reply went. `duplicate`: the same reply came before."""

    message_id: str
    seq: int
    duplicate: bool


@dataclass(frozen=True, slots=True)
class Stamp:
    """Enough of a conversation to see that it changed."""

    conversation_id: str
    mode: Mode
    last_seq: int


@dataclass(frozen=True, slots=True)
class OverdueHandoff:
    """A handoff that nobody has taken within its promise."""

    conversation_id: str
    workspace_id: str
    queue_id: str
    promised_by: datetime
    language: str
