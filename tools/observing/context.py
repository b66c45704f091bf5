"""Whose work is being done: ids bound at a door or by the runner of a turn, and what it spent in the database.

They follow the work into tasks and threads that are started from it, as context variables do.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field


@dataclass(slots=True)
class DatabaseTime:
    """Statements so far, and the seconds that they took."""

    statements: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Work:
    """The ids of what is being done; an empty one is not known. `database` counts on."""

    request_id: str = ""
    turn_id: str = ""
    conversation_id: str = ""
    workspace_id: str = ""
    database: DatabaseTime = field(default_factory=DatabaseTime)

    def ids(self) -> dict[str, str]:
        """Those that are known, by name."""
        return {name: value for name in _IDS if (value := getattr(self, name))}


_IDS = ("turn_id", "conversation_id", "workspace_id", "request_id")
_NOTHING = Work()
_current: ContextVar[Work] = ContextVar("helpgraph_work", default=_NOTHING)


def current_work() -> Work:
    """What is being done here and now."""
    return _current.get()


@contextmanager
def working_on(
    *, request_id: str = "", turn_id: str = "", conversation_id: str = "", workspace_id: str = ""
) -> Iterator[Work]:
    """Everything inside is done for these ids and for no others; its database time is counted from zero."""
    work = Work(request_id, turn_id, conversation_id, workspace_id)
    token = _current.set(work)
    try:
        yield work
    finally:
        _current.reset(token)


def count_statement(kind: str, seconds: float) -> None:
    """Add a statement, or a commit, to what is being done."""
    work = _current.get()
    if work is not _NOTHING:
        work.database.statements += kind != "commit"
        work.database.seconds += seconds
