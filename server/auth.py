"""Who is calling, and what they may see. The only place that makes a `Scope` for a request."""

import hmac
import logging
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import jwt
from fastapi import Depends, Request

from agent.types import Identity, IdentityLevel
from server.context import Doors, InDoors
from server.problems import Problem
from tools.storage.api_keys import hash_key
from tools.storage.scope import Scope

logger = logging.getLogger(__name__)

SESSION_PREFIX = "hgs_"
_LEEWAY_S = 60
_MAX_LIFETIME_S = 3600
_ID_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Caller:
    """A customer's browser or a bot. `session_token` is set for browsers."""

    scope: Scope
    identity: Identity
    channel: str
    session_token: str | None = None

    @property
    def owner(self) -> str:
        """The key that limits count by."""
        return self.scope.owner_id or "nobody"


def unauthorized(detail: str) -> Problem:
    """A 401."""
    return Problem(401, detail, headers={"WWW-Authenticate": "Bearer"})


async def get_caller(request: Request, doors: InDoors) -> Caller:
    """Resolve the bearer token: a widget's session, or a bot's key.

    Raises:
        Problem: 401, the token is unknown or over.
    """
    token = bearer(request)
    if token is not None and token.startswith(SESSION_PREFIX):
        return await session_caller(doors, token)
    keys = [key.get_secret_value() for key in doors.settings.api_keys]
    if token is not None and any([hmac.compare_digest(token.encode(), key.encode()) for key in keys]):  # noqa: C419  # Every key is compared.
        return _bot(doors, token)
    workspace_id = doors.runtime.workspace.workspace_id
    if token is not None and await doors.api_keys.opens(workspace_id, token, now=datetime.now(UTC)):
        return _bot(doors, token)
    if not keys and doors.settings.on_loopback and not await doors.api_keys.in_use(workspace_id):
        # A developer's own machine, nothing configured: whatever key a client insists on names its conversations.
        return _bot(doors, token or "local")
    if token is not None:
        # The same for one that never was and one that was revoked.
        raise unauthorized("the API key that was sent isn't valid here")
    raise unauthorized("a session token or an API key is needed: Authorization: Bearer ...")


InCaller = Annotated[Caller, Depends(get_caller)]


async def still_known(request: Request, doors: Doors) -> bool:
    """Whether the request's bearer token still opens what it opened: the session isn't over, the key not revoked."""
    try:
        await get_caller(request, doors)
    except Problem as exc:
        if exc.status != 401:
            raise
        return False
    return True


async def session_caller(doors: Doors, token: str) -> Caller:
    """Resolve a widget's session token.

    Raises:
        Problem: 401, it is unknown or over.
    """
    workspace_id = doors.runtime.workspace.workspace_id
    found = await doors.runtime.sessions.lookup(workspace_id, token.removeprefix(SESSION_PREFIX), now=datetime.now(UTC))
    if found is None or found.scope.role != "customer":
        raise unauthorized("this session is over; begin a new one with POST /v1/sessions")
    return Caller(found.scope, found.identity, "widget", token)


def _bot(doors: Doors, token: str) -> Caller:
    owner = f"key:{hash_key(token)[:32]}"
    return Caller(Scope(doors.runtime.workspace.workspace_id, owner, "bot"), Identity(), "api")


def bearer(request: Request) -> str | None:
    """The bearer token, or None."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


def verify_identity(doors: Doors, token: str) -> Identity:
    """Read a JWT by which the product says who its signed-in user is.

    HS256 only; `sub` (user id), `exp` (at most an hour ahead) and `aud` (the workspace) are required, `account_id` and
    `name` are optional.

    Raises:
        Problem: 401, the token doesn't verify, or no secret is set.
    """
    if doors.identity_secret is None:
        raise unauthorized("identity tokens are not set up: HELPGRAPH_IDENTITY_SECRET is not set")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            doors.identity_secret,
            algorithms=["HS256"],
            audience=doors.runtime.workspace.workspace_id,
            leeway=_LEEWAY_S,
            options={"require": ["exp", "sub", "aud"]},
        )
    except jwt.InvalidTokenError as exc:
        logger.info("identity token refused error=%s", type(exc).__name__)
        raise unauthorized("the identity token doesn't verify") from exc
    if claims["exp"] > datetime.now(UTC).timestamp() + _MAX_LIFETIME_S + _LEEWAY_S:
        raise unauthorized("the identity token lives longer than an hour")
    user_id, account_id, name = claims["sub"], claims.get("account_id"), claims.get("name")
    for value in (user_id, account_id, name):
        if value is not None and (not isinstance(value, str) or not 0 < len(value) <= _ID_LIMIT):
            raise unauthorized("the identity token has an unusable claim")
    return Identity(IdentityLevel.VERIFIED, user_id=user_id, account_id=account_id, display_name=name)


def verify_hash(doors: Doors, user_id: str, user_hash: str) -> Identity:
    """Believe a user id that comes with its HMAC-SHA256 under the product's other secret, in hexadecimal.

    Raises:
        Problem: 401, the hash is of something else, or no secret is set.
    """
    secret = doors.settings.identity_hash_secret
    if secret is None:
        raise unauthorized("hashes of user ids are not set up: HELPGRAPH_IDENTITY_HASH_SECRET is not set")
    wanted = hmac.new(secret.get_secret_value().encode(), user_id.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(wanted.encode(), user_hash.lower().encode()):
        logger.info("user hash refused")
        raise unauthorized("the user hash doesn't verify")
    return Identity(IdentityLevel.VERIFIED, user_id=user_id)


def sign_identity(secret: str, *, workspace_id: str, user_id: str, account_id: str, name: str) -> str:
    """Sign an identity as a product's own backend would; the example product uses it."""
    now = int(datetime.now(UTC).timestamp())
    claims = {
        "sub": user_id,
        "account_id": account_id,
        "name": name,
        "aud": workspace_id,
        "iat": now,
        "exp": now + 1800,
    }
    return jwt.encode(claims, secret, algorithm="HS256")


def owner_of(identity: Identity) -> str:
    """The owner of a new session's conversations: the verified user, or a visitor nobody else can be."""
    if identity.level is IdentityLevel.VERIFIED:
        return f"user:{identity.user_id}"
    return f"visitor:{secrets.token_hex(16)}"


# --- the machine's owner -----------------------------------------------------------------------------------------


def require_admin(request: Request, doors: InDoors) -> Scope:
    """Let through who can read the data folder, where the token is.

    Raises:
        Problem: 401.
    """
    token = bearer(request)
    if token is None or not hmac.compare_digest(token.encode(), doors.admin_token.encode()):
        raise unauthorized("the token of the data folder's owner is needed")
    return Scope(doors.runtime.workspace.workspace_id, None, "system")


InAdmin = Annotated[Scope, Depends(require_admin)]
