"""People on the team: a name, a role, and a password of which only a salted, slow hash is kept."""

import asyncio
import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, get_args

from sqlalchemy import Row, delete, insert, select
from sqlalchemy.exc import IntegrityError

from agent.errors import BadTurn, Conflict, NotFound
from tools.storage.database import Database
from tools.storage.schema import people

StaffRole = Literal["viewer", "agent", "admin"]
ROLES: tuple[StaffRole, ...] = get_args(StaffRole)
"""From the least to the most: each may do what the ones before it may."""
MIN_PASSWORD = 12
# 32 MB and some 60 ms for each try. The numbers stand in each hash, so that they can grow.
_COST = {"n": 2**15, "r": 8, "p": 1}
_MEMORY = 64 * 1024 * 1024
# Nobody's name: what stays of somebody who was removed.
_GONE = ""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the team. `stamp` changes with the password, and ends what was begun with another one."""

    name: str
    role: StaffRole
    stamp: str
    created_at: datetime


class People:
    """Adds, finds and removes people."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._insert_if_new = db.insert(people).on_conflict_do_nothing(index_elements=["workspace_id", "name"])

    async def add(self, workspace_id: str, name: str, role: StaffRole, password: str, *, now: datetime) -> None:
        """Add somebody.

        Raises:
            BadTurn: the password is short.
            Conflict: there is somebody of that name.
        """
        if len(password) < MIN_PASSWORD:
            raise BadTurn(f"the password is too short: use at least {MIN_PASSWORD} characters", field="password")
        hashed = await asyncio.to_thread(hash_password, password)
        row = {"workspace_id": workspace_id, "name": name, "role": role, "password_hash": hashed, "created_at": now}
        try:
            async with self._db.transaction() as conn:
                await conn.execute(insert(people).values(**row))
        except IntegrityError as exc:
            raise Conflict(f"there is a {name!r} already: remove them first, or choose another name") from exc

    async def everyone(self, workspace_id: str) -> list[Person]:
        """Return the workspace's people by name."""
        query = select(people).where(people.c.workspace_id == workspace_id, people.c.name != _GONE)
        async with self._db.reading() as conn:
            return [_person(row) for row in await conn.execute(query.order_by(people.c.name))]

    async def in_use(self, workspace_id: str) -> bool:
        """Whether there ever was somebody: from then on one has to sign in."""
        query = select(people.c.name).where(people.c.workspace_id == workspace_id).limit(1)
        async with self._db.reading() as conn:
            return (await conn.execute(query)).first() is not None

    async def find(self, workspace_id: str, name: str) -> Person | None:
        """Return somebody by name, or None."""
        row = await self._row(workspace_id, name)
        return None if row is None else _person(row)

    async def check(self, workspace_id: str, name: str, password: str) -> Person | None:
        """Return whoever has that name and password, or None; it takes as long for a name that isn't there."""
        row = await self._row(workspace_id, name)
        hashed = row.password_hash if row is not None else _nobodys()
        right = await asyncio.to_thread(matches, password, hashed)
        return _person(row) if row is not None and right else None

    async def remove(self, workspace_id: str, name: str) -> None:
        """Remove somebody: they are out with their next request, and no door opens because they were the last.

        Raises:
            NotFound: there is nobody of that name.
        """
        mine = (people.c.workspace_id == workspace_id, people.c.name == name, people.c.name != _GONE)
        gone = {"workspace_id": workspace_id, "name": _GONE, "role": ROLES[0], "password_hash": _nobodys()}
        async with self._db.transaction() as conn:
            row = (await conn.execute(delete(people).where(*mine).returning(people.c.created_at))).one_or_none()
            if row is None:
                raise NotFound(f"there is no {name!r}")
            await conn.execute(self._insert_if_new, {**gone, "created_at": row.created_at})

    async def _row(self, workspace_id: str, name: str) -> Row[Any] | None:
        mine = (people.c.workspace_id == workspace_id, people.c.name == name, people.c.name != _GONE)
        async with self._db.reading() as conn:
            return (await conn.execute(select(people).where(*mine))).one_or_none()


def hash_password(password: str) -> str:
    """Return scrypt's hash with its numbers and its salt. Blocks for a moment."""
    return _hash(password, secrets.token_bytes(16), **_COST)


def matches(password: str, hashed: str) -> bool:
    """Whether the password is the one that was hashed. Blocks for a moment."""
    _, n, r, p, salt, _ = hashed.split("$")
    again = _hash(password, base64.b64decode(salt), n=int(n), r=int(r), p=int(p))
    return hmac.compare_digest(again, hashed)


def _hash(password: str, salt: bytes, *, n: int, r: int, p: int) -> str:
    digest = hashlib.scrypt(password.encode("utf-8", "replace"), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY, dklen=32)
    return f"scrypt${n}${r}${p}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def _nobodys() -> str:
    """A hash that no password has."""
    numbers = "$".join(str(number) for number in _COST.values())
    return f"scrypt${numbers}${base64.b64encode(bytes(16)).decode()}$"


def _person(row: Row[Any]) -> Person:
    return Person(row.name, row.role, hashlib.sha256(row.password_hash.encode()).hexdigest()[:32], row.created_at)
