"""Exporting and erasing what is held about somebody, wherever it is held, and proving it."""

import asyncio
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import BadTurn, NotFound
from agent.wire import JsonObject, to_json
from graphs.checkpoints import checkpoint_files, kept_state, scrub_checkpoints, stored_threads
from graphs.stores import Stores
from tools.storage import erasing
from tools.storage.exporting import export as export_rows
from tools.storage.personal import HOLDINGS, Subject
from tools.storage.scrubbing import ids_in_bytes

EXPORT_FORMAT = "helpgraph.export.v1"
PROOF_FORMAT = "helpgraph.erasure.v1"
_LOOKS = 5
HOW = {holding.name: holding.erased_by for holding in HOLDINGS}
_Body = TypeVar("_Body", bound=BaseModel)


class SubjectBody(BaseModel):
    """Whose data is meant: exactly one of them."""

    model_config = ConfigDict(extra="forbid")

    user: str | None = Field(None, min_length=1, max_length=400)
    visitor: str | None = Field(None, min_length=1, max_length=400)
    conversation: str | None = Field(None, min_length=1, max_length=200)

    @property
    def subject(self) -> Subject:
        """The subject.

        Raises:
            BadTurn: none is named, or more than one.
        """
        if sum(value is not None for value in (self.user, self.visitor, self.conversation)) != 1:
            raise BadTurn("name exactly one of a user, a visitor and a conversation", field="user")
        if self.user is not None:
            return Subject(owner_id=f"user:{self.user}")
        if self.visitor is not None:
            return Subject(owner_id=f"visitor:{self.visitor.removeprefix('visitor:')}")
        return Subject(conversation_id=self.conversation)


class EraseBody(SubjectBody):
    """Whose data to erase. Without `yes` it is only counted."""

    yes: bool = False


async def export(stores: Stores, given: JsonObject) -> JsonObject:
    """Return everything that is held about the subject.

    Raises:
        NotFound: there is nothing.
        BadTurn: the subject isn't named well.
    """
    subject = read_body(SubjectBody, given).subject
    tables = await export_rows(stores.db, stores.workspace_id, subject)
    checkpoints = []
    for thread_id in await _threads(stores, subject):
        assert stores.checkpointer is not None  # noqa: S101  # It named the thread.
        states = await kept_state(stores.checkpointer, thread_id)
        checkpoints += [{"thread_id": thread_id, "values": to_json(state)} for state in states]
    if not checkpoints and not any(tables.values()):
        raise NotFound("nothing is held about them in this workspace")
    return {
        "format": EXPORT_FORMAT,
        "exported_at": _now(),
        "workspace_id": stores.workspace_id,
        "subject": {"owner_id": subject.owner_id, "conversation_id": subject.conversation_id},
        "tables": tables,
        "checkpoints": checkpoints,
        "not_included": not_reached(stores),
    }


async def erase(stores: Stores, given: JsonObject) -> JsonObject:
    """Erase the subject's data and return the proof; without `yes` only count it.

    `erased` in the proof is false when there was nothing.

    Raises:
        BadTurn: the subject isn't named well.
    """
    body = read_body(EraseBody, given)
    subject = body.subject
    began = _now()
    found = await erasing.count(stores.db, stores.workspace_id, subject)
    found["checkpoints"] = len(await _threads(stores, subject))
    if not body.yes:
        return {"erased": False, "found": found}
    turn_ids: set[str] = set()
    conversation_ids: list[str] = []
    gone = dict.fromkeys(found, 0)
    wait_s = stores.settings.turn_timeout_s + 5
    for _ in range(_LOOKS):
        turn_ids.update(await erasing.turns_of(stores.db, stores.workspace_id, subject))
        ids = await erasing.hold(stores.log, stores.workspace_id, subject, wait_s=wait_s)
        counts = await erasing.erase(stores.db, stores.workspace_id, ids, owner_id=subject.owner_id)
        counts["checkpoints"] = await forget(stores, turn_ids)
        conversation_ids += ids
        for name, number in counts.items():
            gone[name] += number
        left = await _left(stores, conversation_ids, turn_ids, subject)
        if not any(left.values()):
            break
    # Where nothing was found, too: an earlier erasure may have died before it.
    scrubbed = await scrub(stores)
    return {
        "format": PROOF_FORMAT,
        # Of somebody of whom nothing is held nothing was erased: mostly the id is another's.
        "erased": any(found.values()) or any(gone.values()),
        "workspace_id": stores.workspace_id,
        "subject_sha256": hashlib.sha256((subject.owner_id or subject.conversation_id or "").encode()).hexdigest(),
        "began_at": began,
        "ended_at": _now(),
        "database": stores.db.dialect,
        "found": found,
        "gone": {name: {"rows": number, "how": HOW.get(name, "removed")} for name, number in gone.items()},
        "looked_again": {
            "at": _now(),
            "rows": await _left(stores, conversation_ids, turn_ids, subject),
            "bytes": await _look_at_bytes(stores, [*conversation_ids, *turn_ids]),
        },
        "files_scrubbed": scrubbed,
        "not_reached": not_reached(stores),
    }


async def forget(stores: Stores, turn_ids: set[str]) -> int:
    """Delete the checkpoints of these turns and return of how many attempts there were any."""
    if stores.checkpointer is None:
        return 0
    threads = await stored_threads(stores.checkpointer, turn_ids)
    for thread_id in threads:
        await stores.checkpointer.adelete_thread(thread_id)
    return len(threads)


async def scrub(stores: Stores) -> bool:
    """Leave nothing of what was deleted in the stores' own files; False when a reader was in the way."""
    done = await stores.db.scrub([holding.table for holding in HOLDINGS])
    if stores.checkpointer is not None:
        done = await scrub_checkpoints(stores.checkpointer, stores.settings.data_dir) and done
    return done


def not_reached(stores: Stores) -> list[str]:
    """What may hold something of the subject and is out of reach from here."""
    settings = stores.settings
    places = [
        "backups and snapshots of the database, the data folder or the disk",
        "earlier exports, and ticket files that were given to learn, replay or tickets, and what was learnt from them",
        "messages of other people that mention them",
        "conversations that they had under another identity, as a visitor before signing in or through a bot",
        "logs of the server and of proxies before it, which hold ids and addresses but no text",
        "accounts.json of the workspace, which is the team's own",
    ]
    if stores.db.dialect == "postgresql":
        places.append("PostgreSQL's write-ahead log, its replicas, and the unused space in its files")
    if settings.langsmith_key is not None:
        places.append("traces at LangSmith, which have a retention of their own")
    if settings.otlp_endpoint is not None:
        places.append("spans at the OpenTelemetry collector, which hold ids but no text")
    if settings.model is not None or settings.embedding == "openai":
        places.append("whatever the endpoints of language and embedding models keep of requests")
    return places


def read_body(kind: type[_Body], given: JsonObject) -> _Body:
    """Return what a command asks for.

    Raises:
        BadTurn: it doesn't fit.
    """
    try:
        return kind.model_validate(given)
    except ValidationError as exc:
        first: Any = exc.errors(include_input=False)[0]
        raise BadTurn(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from exc


async def _threads(stores: Stores, subject: Subject) -> list[str]:
    if stores.checkpointer is None:
        return []
    turn_ids = set(await erasing.turns_of(stores.db, stores.workspace_id, subject))
    return await stored_threads(stores.checkpointer, turn_ids)


async def _left(
    stores: Stores, conversation_ids: Sequence[str], turn_ids: set[str], subject: Subject
) -> dict[str, int]:
    left = await erasing.left_of(stores.db, stores.workspace_id, conversation_ids, subject)
    saver = stores.checkpointer
    return {**left, "checkpoints": len(await stored_threads(saver, turn_ids)) if saver else 0}


async def _look_at_bytes(stores: Stores, ids: Sequence[str]) -> JsonObject | None:
    """Look for the ids that stood beside every word in the files themselves; None when the files aren't ours."""
    files: list[Path] = stores.db.files
    if stores.checkpointer is not None:
        files = [*files, *checkpoint_files(stores.checkpointer, stores.settings.data_dir)]
    if not files:
        return None
    found = await asyncio.to_thread(ids_in_bytes, files, ids)
    return {
        "files": [path.name for path in files],
        "bytes_read": sum(path.stat().st_size for path in files),
        "ids_sought": len(ids),
        "ids_found": found,
    }


def _now() -> str:
    return datetime.now(UTC).isoformat()
