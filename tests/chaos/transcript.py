"""What clients did and saw, written down by themselves. Nothing here knows the product."""

from dataclasses import dataclass, field
from typing import Any, Literal

Event = dict[str, Any]
ENDS = ("RUN_FINISHED", "RUN_ERROR")


@dataclass
class Received:
    """One event of a stream, and its number if it has one."""

    event: Event
    seq: int | None


@dataclass
class Stream:
    """One connection that was read: a run as it was asked for, or the log from an event on.

    `follow` is the watcher that was open all the time, over all its connections; `staff` is what the person saw
    who took the conversation.
    """

    kind: Literal["run", "resume", "follow", "staff"]
    message_id: str | None = None
    run_id: str | None = None
    after: int = 0
    received: list[Received] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The number of the last event that had one."""
        return max((item.seq for item in self.received if item.seq is not None), default=self.after)

    @property
    def ended(self) -> bool:
        """Whether the run's end was seen."""
        return any(item.event.get("type") in ENDS for item in self.received)


@dataclass
class Message:
    """A message of a customer: how often it was sent, when it was acknowledged, when its end was seen."""

    message_id: str
    text: str
    sent_at: float
    posts: int = 0
    acknowledged: bool = False
    ended_at: float | None = None


@dataclass
class Told:
    """What the team's own system was told, under which id."""

    event_id: str
    body: dict[str, Any]


@dataclass
class Deed:
    """What a person did in the inbox: how often it was sent, and whether it was answered that it is done."""

    what: Literal["take", "reply", "hand_back", "resolve"]
    person: str
    text: str = ""
    client_message_id: str = ""
    posts: int = 0
    acknowledged: bool = False


@dataclass
class Refusal:
    """An answer that wasn't what was asked for, and what it said about trying again."""

    request: str
    status: int
    retry_after: str | None


@dataclass
class Talk:
    """A conversation as its client saw it. `reads` are answers to being read while the disk was full."""

    conversation_id: str
    messages: list[Message] = field(default_factory=list)
    streams: list[Stream] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    reads: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    watched: bool = False
    newest: int = 0

    def in_flight(self, at: float) -> list[Message]:
        """Messages that had been sent and whose end hadn't been seen."""
        return [m for m in self.messages if m.sent_at <= at and (m.ended_at is None or m.ended_at > at)]

    def deeds_of(self, what: str) -> list[Deed]:
        """What a person did of one kind."""
        return [deed for deed in self.deeds if deed.what == what]
