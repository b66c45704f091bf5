"""Keys of bots. Only a hash of a key is kept: it is shown once, and nobody can read it from the table."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.exc import IntegrityError

from agent.errors import Conflict, NotFound
from tools.storage.database import Database
from tools.storage.schema import api_keys

PREFIX = "hgk_"


@dataclass(frozen=True, slots=True)
class KeyEntry:
    """What is known of a key. `last_used_on` is a day, YYYY-MM-DD in UTC."""

    name: str
    created_at: datetime
    last_used_on: str | None
    revoked_at: datetime | None


class ApiKeys:
    """Makes, finds and revokes keys."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, workspace_id: str, name: str, *, now: datetime) -> str:
        """Make a key of 256 random bits and return it; it is never shown again.

        Raises:
            Conflict: there is, or was, a key of that name.
        """
        key = PREFIX + secrets.token_urlsafe(32)
        row = {"workspace_id": workspace_id, "name": name, "key_hash": hash_key(key), "created_at": now}
        try:
            async with self._db.transaction() as conn:
                await conn.execute(insert(api_keys).values(**row))
        except IntegrityError as exc:
            raise Conflict(f"there is a key {name!r} already, or was one: choose another name") from exc
        return key

    async def entries(self, workspace_id: str) -> list[KeyEntry]:
        """Return the workspace's keys, revoked ones too, the oldest first."""
        query = select(api_keys).where(api_keys.c.workspace_id == workspace_id)
        async with self._db.reading() as conn:
            found = await conn.execute(query.order_by(api_keys.c.created_at, api_keys.c.name))
            return [KeyEntry(row.name, row.created_at, row.last_used_on, row.revoked_at) for row in found]

    async def revoke(self, workspace_id: str, name: str, *, now: datetime) -> None:
        """Let a key open nothing from now on.

        Raises:
            NotFound: there is no such key that isn't revoked.
        """
        statement = (
            update(api_keys)
            .where(api_keys.c.workspace_id == workspace_id, api_keys.c.name == name, api_keys.c.revoked_at.is_(None))
            .values(revoked_at=now)
            .returning(api_keys.c.name)
        )
        async with self._db.transaction() as conn:
            if (await conn.execute(statement)).one_or_none() is None:
                raise NotFound(f"there is no key {name!r}, or it is revoked already")

    async def opens(self, workspace_id: str, key: str, *, now: datetime) -> bool:
        """Whether this is a key of the workspace; the day of its use is noted."""
        if not key.startswith(PREFIX):
            return False
        # Looked up by the hash of 256 random bits: the time that takes says nothing of any key.
        mine = (
            api_keys.c.workspace_id == workspace_id,
            api_keys.c.key_hash == hash_key(key),
            api_keys.c.revoked_at.is_(None),
        )
        async with self._db.reading() as conn:
            found = (await conn.execute(select(api_keys.c.last_used_on).where(*mine))).one_or_none()
        if found is None:
            return False
        today = now.date().isoformat()
        if found.last_used_on != today:
            async with self._db.transaction() as conn:
                await conn.execute(update(api_keys).where(*mine).values(last_used_on=today))
        return True

    async def in_use(self, workspace_id: str) -> bool:
        """Whether the workspace ever had a key: from then on a key is needed."""
        query = select(api_keys.c.name).where(api_keys.c.workspace_id == workspace_id).limit(1)
        async with self._db.reading() as conn:
            return (await conn.execute(query)).first() is not None


def hash_key(key: str) -> str:
    """Return the SHA-256 by which a key is kept and its conversations are owned."""
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()
