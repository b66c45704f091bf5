"""Who on the team is signed in to the inbox, and what they may do there."""

import base64
import hmac
from dataclasses import dataclass
from typing import Annotated

import orjson
from fastapi import Depends, Request
from itsdangerous import BadSignature, TimestampSigner

from agent.errors import BadTurn
from agent.untrusted import clean
from agent.wire import JsonObject
from server.context import Doors, InDoors
from server.problems import Problem
from tools.storage.people import ROLES, StaffRole
from tools.storage.scope import Scope

COOKIE = "hg_staff"
HOURS = 12


@dataclass(frozen=True, slots=True)
class Staff:
    """Somebody in the inbox. `name` is None for whoever came by the inbox's one password, or by an open door."""

    scope: Scope
    role: StaffRole
    name: str | None
    signed_in: bool = True

    def value(self) -> JsonObject:
        """What the team's pages say of whoever looks at them."""
        return {"name": self.name, "role": self.role, "signed_in": self.signed_in}

    def person(self, given: str | None) -> str:
        """The name under which they act: their own if it is known, else the one they give.

        Raises:
            BadTurn: neither is there.
        """
        name = self.known_as(given)
        if name is None:
            raise BadTurn("a name is needed", field="person")
        return name

    def known_as(self, given: str | None) -> str | None:
        """The same where a name isn't needed: None when neither is there."""
        return self.name or " ".join(clean(given or "", limit=100).split()) or None

    def may(self, role: StaffRole) -> bool:
        """Whether they may do what this role may."""
        return ROLES.index(self.role) >= ROLES.index(role)


def refuse_other_sites(request: Request) -> None:
    """Let no other site's page act for whoever is signed in.

    Raises:
        Problem: 403.
    """
    origin = request.headers.get("origin")
    if origin is not None and origin.split("://")[-1] != request.headers.get("host"):
        raise Problem(403, "the inbox is for its own pages")


def frame_of(doors: Doors, staff: Staff) -> JsonObject:
    """What each of the team's pages knows: who looks at it, and what the queues are called."""
    names = {queue.queue_id: queue.name for queue in doors.runtime.workspace.policy.queues}
    return {"you": staff.value(), "queue_names": names}


async def get_staff(request: Request, doors: InDoors) -> Staff:
    """Let people on the team through: the inbox's cookie, or anyone on an open loopback installation.

    Raises:
        Problem: 401 without the cookie, or when its owner was removed; 403 from another site's page.
    """
    refuse_other_sites(request)
    workspace_id = doors.runtime.workspace.workspace_id
    scope = Scope(workspace_id, None, "staff")
    signed_in = await _signed_in(doors, scope, request.cookies.get(COOKIE, ""))
    if signed_in is not None:
        return signed_in
    if doors.settings.inbox_password is None and not await doors.people.in_use(workspace_id):
        return Staff(scope, "admin", None, signed_in=False)
    raise Problem(401, "sign in to the inbox first")


async def _signed_in(doors: Doors, scope: Scope, cookie: str) -> Staff | None:
    try:
        signed = _signer(doors).unsign(cookie, max_age=HOURS * 3600)
    except BadSignature:
        return None
    name, stamp = orjson.loads(base64.urlsafe_b64decode(signed))
    if name is None:
        # Without a password it was an open door, through which nobody comes once there were people.
        return Staff(scope, "admin", None) if doors.settings.inbox_password is not None else None
    person = await doors.people.find(scope.workspace_id, name)
    # Another password, or another person of that name, is not who signed in.
    return Staff(scope, person.role, person.name) if person is not None and person.stamp == stamp else None


async def still_in(request: Request, doors: Doors) -> bool:
    """Whether whoever opened a stream may still see it."""
    try:
        await get_staff(request, doors)
    except Problem:
        return False
    return True


InStaff = Annotated[Staff, Depends(get_staff)]


def get_agent(staff: InStaff) -> Staff:
    """Let through who may answer customers.

    Raises:
        Problem: 403, they may only read.
    """
    return _at_least("agent", staff)


def get_inbox_admin(staff: InStaff) -> Staff:
    """Let through who may do everything.

    Raises:
        Problem: 403, they may not.
    """
    return _at_least("admin", staff)


InAgent = Annotated[Staff, Depends(get_agent)]
InInboxAdmin = Annotated[Staff, Depends(get_inbox_admin)]


async def sign_in(doors: Doors, name: str | None, password: str) -> str:
    """Return the cookie for the right password: a person's own, or without a name the inbox's.

    Raises:
        Problem: 401, it is another.
    """
    workspace_id = doors.runtime.workspace.workspace_id
    if name is not None:
        person = await doors.people.check(workspace_id, " ".join(clean(name, limit=100).split()), password)
        if person is None:
            raise Problem(401, "that is not the name and its password")
        return _cookie(doors, person.name, person.stamp)
    wanted = doors.settings.inbox_password
    if wanted is None:
        if await doors.people.in_use(workspace_id):
            raise Problem(401, "sign in with your name")
    elif not hmac.compare_digest(password.encode(), wanted.get_secret_value().encode()):
        raise Problem(401, "that is not the password")
    return _cookie(doors, None, None)


def _cookie(doors: Doors, name: str | None, stamp: str | None) -> str:
    return _signer(doors).sign(base64.urlsafe_b64encode(orjson.dumps([name, stamp]))).decode()


def _signer(doors: Doors) -> TimestampSigner:
    # The workspace is part of the key: a cookie of one opens no other.
    return TimestampSigner(doors.cookie_secret, salt=f"helpgraph-inbox-{doors.runtime.workspace.workspace_id}")


def _at_least(role: StaffRole, staff: Staff) -> Staff:
    if not staff.may(role):
        raise Problem(403, f"a {staff.role} may not do this")
    return staff
