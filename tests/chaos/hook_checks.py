"""What the team's own system was told, beside the log: I10 of docs/chaos.md. It shares no code with the product."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Literal

from tests.chaos.tables import Row, Tables
from tests.chaos.transcript import Told

_TYPES = {
    "helpgraph.message.v1": ("message.created", ("message_id", "author", "outcome")),
    "helpgraph.mode.v1": ("conversation.mode_changed", ("mode", "queue", "promised_by", "in_business_hours")),
    "helpgraph.outcome.v1": ("turn.ended", ("turn_id", "outcome", "route")),
    "helpgraph.ticket.v1": ("bug.reported", ("bug_id", "occurrences", "is_new")),
    "helpgraph.rating.v1": ("conversation.rated", ("stars",)),
    "helpgraph.feedback.v1": ("message.judged", ("message_id", "helpful")),
}
Harm = Literal["lost", "doubled", "gap", "wrong", "crossed"]


def check_hooks(tables: Tables) -> Iterator[tuple[Harm, str, str]]:
    """Everything that doesn't hold: kind of harm, where, what."""
    if tables.told is None:
        return
    if tables.forged:
        yield "wrong", "the receiver", f"{tables.forged} requests whose signature is wrong"
    due = {f"{row['conversation_id']}.{row['seq']}": row for row in tables.events if row["kind"] in _TYPES}
    threads = {row["conversation_id"]: row["thread_id"] for row in tables.conversations}
    seen: dict[str, Told] = {}
    order: dict[str, list[int]] = defaultdict(list)
    for each in tables.told:
        conversation_id, _, seq = each.event_id.partition(".")
        if conversation_id not in threads:
            continue
        where = f"delivery {each.event_id}"
        if each.event_id in seen:
            if each.body != seen[each.event_id].body:
                yield "wrong", where, "came twice, with another body"
            continue
        seen[each.event_id] = each
        row = due.get(each.event_id)
        if row is None:
            yield "wrong", where, "tells of nothing in the log"
            continue
        order[conversation_id].append(int(seq))
        if each.body != _body(row, threads[conversation_id]):
            yield "wrong", where, f"says {each.body}"
    for event_id in due.keys() - seen.keys():
        yield "lost", f"delivery {event_id}", f"never came ({due[event_id]['kind']})"
    for conversation_id, numbers in order.items():
        if numbers != sorted(numbers):
            yield "gap", f"conversation {conversation_id}", f"was told of in another order: {numbers}"
    for row in tables.deliveries:
        if row["status"] != "delivered" or row["held_by"] is not None:
            where = f"delivery {row['conversation_id']}.{row['seq']}"
            yield "wrong", where, f"is {row['status']}, held by {row['held_by']}, and it came"


def _body(row: Row, thread_id: str) -> dict[str, object]:
    kind, names = _TYPES[row["kind"]]
    value = row["event"]["value"]
    # SQLite keeps it as text, in UTC.
    at = datetime.fromisoformat(row["at"]).replace(tzinfo=UTC) if isinstance(row["at"], str) else row["at"]
    return {
        "type": kind,
        "timestamp": at.astimezone(UTC).isoformat(),
        "workspace_id": row["workspace_id"],
        "data": {
            "conversation_id": row["conversation_id"],
            "thread_id": thread_id,
            "seq": row["seq"],
            **{name: value.get(name) for name in names},
        },
    }
