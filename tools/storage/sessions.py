"""Sessions: who a token speaks for. Tokens are kept hashed, so the table alone opens nothing."""

import hashlib
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, insert, select, update

from agent.errors import NotFound
from agent.types import Identity
from tools.storage.codec import identity_from_json, identity_to_json
from tools.storage.database import Database
from tools.storage.schema import sessions
from tools.storage.scope import Scope


@dataclass(frozen=True, slots=True)
class Session:
    """A live session: the scope it grants, who it is and the conversation it is in."""

    scope: Scope
    identity: Identity
    conversation_id: str | None
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class NewSession:
    """A session just made. The token is never shown again."""

    token: str
    expires_at: datetime


class Sessions:
    """Makes, finds and ends sessions."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def create(
        self,
        scope: Scope,
        *,
        identity: Identity,
        conversation_id: str | None,
        ttl_s: float,
        now: datetime,
    ) -> NewSession:
        """Begin a session that lasts `ttl_s` seconds and return its token: 256 random bits, URL-safe."""
        token = secrets.token_urlsafe(32)
        expires_at = now + timedelta(seconds=ttl_s)
        async with self._db.transaction() as conn:
            await conn.execute(
                insert(sessions).values(
                    token_hash=_hash(token),
                    workspace_id=scope.workspace_id,
                    owner_id=scope.owner_id,
                    role=scope.role,
                    identity=identity_to_json(identity),
                    conversation_id=conversation_id,
                    created_at=now,
                    expires_at=expires_at,
                )
            )
        return NewSession(token, expires_at)

    async def lookup(self, workspace_id: str, token: str, *, now: datetime) -> Session | None:
        """Return the token's session in the workspace, or None when there is none or its time is over."""
        query = select(sessions).where(
            sessions.c.token_hash == _hash(token),
            sessions.c.workspace_id == workspace_id,
            sessions.c.expires_at > now,
        )
        async with self._db.reading() as conn:
            row = (await conn.execute(query)).one_or_none()
        if row is None:
            return None
        return Session(
            scope=Scope(row.workspace_id, row.owner_id, row.role),
            identity=identity_from_json(row.identity),
            conversation_id=row.conversation_id,
            expires_at=row.expires_at,
        )

    async def prolong(
        self, workspace_id: str, token: str, *, conversation_id: str | None, ttl_s: float, now: datetime
    ) -> datetime:
        """Let a live session last `ttl_s` seconds from now, in that conversation, and return when it ends.

        Raises:
            NotFound: there is no such session, or its time is over.
        """
        expires_at = now + timedelta(seconds=ttl_s)
        statement = (
            update(sessions)
            .where(
                sessions.c.token_hash == _hash(token),
                sessions.c.workspace_id == workspace_id,
                sessions.c.expires_at > now,
            )
            .values(expires_at=expires_at, conversation_id=conversation_id)
            .returning(sessions.c.token_hash)
        )
        async with self._db.transaction() as conn:
            if (await conn.execute(statement)).one_or_none() is None:
                raise NotFound("no such session")
        return expires_at

    async def expire(self, workspace_id: str, token: str) -> None:
        """End a session; ending one that isn't there does nothing."""
        async with self._db.transaction() as conn:
            await conn.execute(
                delete(sessions).where(sessions.c.token_hash == _hash(token), sessions.c.workspace_id == workspace_id)
            )

    async def purge(self, *, now: datetime) -> int:
        """Delete the sessions of all workspaces whose time is over, and return how many."""
        async with self._db.transaction(lengthy=True) as conn:
            result = await conn.execute(
                delete(sessions).where(sessions.c.expires_at <= now).returning(sessions.c.token_hash)
            )
            return len(result.all())


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
