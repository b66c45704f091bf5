"""What was committed in this process, at hand for whoever follows a conversation here: nobody reads back what he wrote.

It is a shortcut and no more. Who finds nothing at hand, or something missing in between, reads the log.
"""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from tools.storage.columns import as_stored
from tools.storage.connection import Connection
from tools.storage.records import LogEvent

_APPENDED = "helpgraph_appended"
# More than a turn writes. Who is further behind reads the log.
_AT_HAND = 256


def note(conn: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
    """Note rows of `events` that the connection's transaction appends."""
    conn.info.setdefault(_APPENDED, []).extend(rows)


def noted(conn: Connection) -> Sequence[Mapping[str, Any]]:
    """Return what was noted since this was asked last."""
    rows: list[Mapping[str, Any]] = conn.info.pop(_APPENDED, [])
    return rows


class Follower:
    """What one reader of one conversation hasn't taken yet."""

    def __init__(self) -> None:
        self._told: list[LogEvent] = []
        self._passed = 0

    def tell(self, event: LogEvent) -> None:
        """Put an event at hand."""
        if len(self._told) <= _AT_HAND:
            self._told.append(event)

    def is_past(self, seq: int) -> bool:
        """Whether something after `seq` was put at hand, though whoever told of it may have been forgotten since."""
        return any(event.seq > seq for event in self._told)

    def take(self, after_seq: int, *, known_seq: int, staff: bool) -> list[LogEvent]:
        """Return what a read of the log would find after `after_seq`; nothing when not all is at hand.

        All is at least what the conversation is known to have, up to `known_seq`. Without `staff` only events of the
        audience "all" are returned, as to a customer.
        """
        told = [event for event in self._told if event.seq > after_seq]
        self._told.clear()
        first = max(after_seq, self._passed) + 1
        if not told or len(told) > _AT_HAND or told[-1].seq < known_seq:
            return []
        if [event.seq for event in told] != list(range(first, first + len(told))):
            return []
        self._passed = told[-1].seq
        return [event for event in told if staff or event.audience == "all"]


class Following:
    """Who follows what in this process."""

    def __init__(self) -> None:
        self._followers: dict[str, list[Follower]] = {}

    @contextmanager
    def follow(self, conversation_id: str) -> Iterator[Follower]:
        """Enter to be told from now on what is committed here to a conversation."""
        follower = Follower()
        followers = self._followers.setdefault(conversation_id, [])
        followers.append(follower)
        try:
            yield follower
        finally:
            followers.remove(follower)
            if not followers:
                del self._followers[conversation_id]

    def tell(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Tell of rows of `events`, after their commit."""
        for row in rows:
            followers = self._followers.get(row["conversation_id"])
            if followers is None:
                continue
            event = LogEvent(row["seq"], row["at"], row["turn_id"], row["audience"], as_stored(row["event"]))
            for follower in followers:
                follower.tell(event)
