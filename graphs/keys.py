"""Adding, listing and revoking keys of bots."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict

from agent.wire import JsonObject
from graphs.names import usable_name
from graphs.privacy import read_body
from graphs.stores import Stores
from tools.storage.api_keys import ApiKeys


class KeysBody(BaseModel):
    """What to do; a name is needed for all but the list."""

    model_config = ConfigDict(extra="forbid")

    do: Literal["add", "list", "revoke"]
    name: str | None = None


async def keys(stores: Stores, given: JsonObject) -> JsonObject:
    """Do it; the answer to `add` is the only place where the key ever stands.

    Raises:
        BadTurn: the name can't be used, or is missing.
        Conflict, NotFound: as `ApiKeys`.
    """
    body = read_body(KeysBody, given)
    kept, now = ApiKeys(stores.db), datetime.now(UTC)
    if body.do == "list":
        return {
            "keys": [
                {
                    "name": entry.name,
                    "created_at": entry.created_at.isoformat(),
                    "last_used_on": entry.last_used_on,
                    "revoked_at": entry.revoked_at.isoformat() if entry.revoked_at else None,
                }
                for entry in await kept.entries(stores.workspace_id)
            ]
        }
    name = usable_name(body.name, of="a key's")
    if body.do == "add":
        return {"key": await kept.add(stores.workspace_id, name, now=now)}
    await kept.revoke(stores.workspace_id, name, now=now)
    return {}
