"""What should have happened to a ticket, as far as it is known: the reference that replays are scored against."""

from dataclasses import dataclass
from typing import Literal

from agent.types import Kind

Source = Literal["gold", "hand", "rule"]


@dataclass(frozen=True, slots=True)
class Known:
    """Where one field of a label comes from.

    `rule` names the documented rule behind it ("gold" and "hand" for those sources); `confidence` lies in (0, 1] and
    is 1 for what a person said.
    """

    source: Source
    rule: str
    confidence: float


@dataclass(frozen=True, slots=True)
class Label:
    """One ticket's reference. A field is None where it isn't known: what depends on it is unscored.

    `articles` are ids of the articles that answer it, any of which will do; empty when it is known that none does,
    None when nobody said. `needs_person` is about the first message as it was asked. `queue` is where a person should
    get it. `is_bug` is about kind; `bug_id` groups reports of the same bug. `returned` says whether the customer came
    back about the same thing within seven days; `first_contact` whether the first human who had it solved it.
    `known` says for each field that is not None where it comes from.
    """

    ticket_id: str
    category: str | None = None
    kind: Kind | None = None
    articles: tuple[str, ...] | None = None
    needs_person: bool | None = None
    needs_person_reason: str | None = None
    complexity: Literal["simple", "moderate", "complex"] | None = None
    queue: str | None = None
    is_bug: bool | None = None
    bug_id: str | None = None
    returned: bool | None = None
    first_contact: bool | None = None
    satisfied: bool | None = None
    known: tuple[tuple[str, Known], ...] = ()
