"""Every table, by whether it holds what customers said or who they are. A test fails for a table that is in no list."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, Table, and_, false, or_, select

from agent.errors import BadTurn
from tools.storage import schema
from tools.storage.connection import Connection
from tools.storage.schema import bug_occurrences, conversations, sessions
from tools.storage.sql_functions import among


@dataclass(frozen=True, slots=True)
class Holding:
    """A table with personal text, and what erasing does to its rows. `withheld` columns are in no export."""

    table: Table
    erased_by: Literal["removed", "blanked"]
    withheld: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """The table's name, as plain text: SQLAlchemy's own kind of it is no key for JSON."""
        return str(self.table.name)


HOLDINGS: tuple[Holding, ...] = (
    # In the order of removal: what refers to a row goes before it.
    Holding(schema.deliveries, "removed"),
    Holding(schema.desk_replies, "removed"),
    Holding(schema.desk_acts, "removed"),
    Holding(schema.handoffs, "removed"),
    Holding(schema.client_messages, "removed"),
    Holding(schema.turns, "removed"),
    Holding(schema.events, "removed"),
    Holding(sessions, "removed", withheld=("token_hash",)),
    Holding(conversations, "removed"),
    # The count of a bug's reports stays; see `tools.storage.bug_words`.
    Holding(bug_occurrences, "blanked"),
    Holding(schema.bugs, "blanked", withheld=("vector",)),
)

IMPERSONAL: dict[str, str] = {
    "api_keys": "names and hashes of the team's own keys",
    "people": "names and roles of people on the team, hashes of their passwords",
    "webhooks": "addresses of the team's own systems",
    "webhook_kinds": "what the team's own systems are told of",
    "bug_counters": "a number for each workspace",
    "bug_filings": "hashes of random ids, and which bug was meant",
    "kb_generations": "the team's articles",
    "kb_articles": "the team's articles",
    "kb_passages": "the team's articles",
    "kb_questions": "the team's articles",
    "kb_refusals": "files that weren't read, and why",
}
"""Tables that hold nothing of a customer, with what they hold."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose data is meant: an owner's (`user:...`, `visitor:...`, `key:...`), or one conversation's.

    Raises:
        BadTurn: it names neither, or both.
    """

    owner_id: str | None = None
    conversation_id: str | None = None

    def __post_init__(self) -> None:
        if bool(self.owner_id) == bool(self.conversation_id):
            raise BadTurn("name a user, a visitor or a conversation", field="user")


async def conversations_of(conn: Connection, workspace_id: str, subject: Subject) -> list[str]:
    """Return the ids of the subject's conversations."""
    mine = (
        conversations.c.owner_id == subject.owner_id
        if subject.owner_id
        else conversations.c.conversation_id == subject.conversation_id
    )
    query = select(conversations.c.conversation_id).where(conversations.c.workspace_id == workspace_id, mine)
    return list((await conn.execute(query.order_by(conversations.c.created_at))).scalars())


def rows_of(
    table: Table, workspace_id: str, conversation_ids: Sequence[str], owner_id: str | None
) -> ColumnElement[bool]:
    """Return the predicate of a table's rows that belong to these conversations, or to their owner.

    `bugs` has none: whose words a bug is told in is found by `tools.storage.bug_words`.
    """
    of_conversations = among(table.c.conversation_id, conversation_ids)
    of_owner = table.c.owner_id == owner_id if owner_id and "owner_id" in table.c else false()
    return and_(table.c.workspace_id == workspace_id, or_(of_conversations, of_owner))
