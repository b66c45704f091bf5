"""Adding, listing and removing people on the team."""

from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from agent.errors import BadTurn
from agent.untrusted import clean
from agent.wire import JsonObject
from graphs.privacy import read_body
from graphs.stores import Stores
from tools.storage.people import People, StaffRole


class PeopleBody(BaseModel):
    """What to do; all of it is needed to add, the name to remove."""

    model_config = ConfigDict(extra="forbid", hide_input_in_errors=True)

    do: Literal["add", "list", "remove"]
    name: str | None = Field(None, max_length=100)
    role: StaffRole | None = None
    password: str | None = Field(None, max_length=1000)


async def people(stores: Stores, given: JsonObject) -> JsonObject:
    """Do it.

    Raises:
        BadTurn: the name can't be used, something is missing, or the password is short.
        Conflict, NotFound: as `People`.
    """
    body = read_body(PeopleBody, given)
    kept = People(stores.db)
    if body.do == "list":
        return {
            "people": [
                {"name": person.name, "role": person.role, "created_at": person.created_at.isoformat()}
                for person in await kept.everyone(stores.workspace_id)
            ]
        }
    name = " ".join(clean(body.name or "", limit=100).split())
    if not name:
        raise BadTurn("a name is needed", field="name")
    if body.do == "remove":
        await kept.remove(stores.workspace_id, name)
        return {}
    if body.role is None or body.password is None:
        raise BadTurn("a role and a password are needed", field="role" if body.role is None else "password")
    await kept.add(stores.workspace_id, name, body.role, body.password, now=datetime.now(UTC))
    return {}
