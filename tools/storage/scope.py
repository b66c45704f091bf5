"""Who is asking, as every storage call needs it."""

from dataclasses import dataclass
from typing import Literal

from agent.errors import BadTurn, NotFound
from tools.storage.columns import storable_text

Role = Literal["customer", "staff", "bot", "system"]

_ID_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Scope:
    """What a caller may see: a workspace, and in it what `owner_id` owns; None (people on the team) is all.

    Only the auth layer makes one. Storage puts both into the SQL predicate: another's object is absent.

    Raises:
        BadTurn: an id is empty, longer than 500 characters or can't be stored as it is.
    """

    workspace_id: str
    owner_id: str | None
    role: Role

    def __post_init__(self) -> None:
        for field, value in (("workspace_id", self.workspace_id), ("owner_id", self.owner_id)):
            if value is None and field == "owner_id":
                continue
            # Two owners must never become one because a character was dropped on the way to the database.
            if not value or len(value) > _ID_LIMIT or storable_text(value) != value:
                raise BadTurn(f"the {field} can't be used", field=field)
        if self.owner_id is None and self.role in ("customer", "bot"):
            raise BadTurn(f"a {self.role} needs an owner_id", field="owner_id")

    @classmethod
    def system(cls, workspace_id: str) -> "Scope":
        """The scope of our own work in a workspace: it sees everything."""
        return cls(workspace_id, None, "system")

    @property
    def sees_everything(self) -> bool:
        """Whether this is somebody on the team (or the system itself) rather than a customer or a bot."""
        return self.owner_id is None

    def require_staff(self) -> None:
        """Raise NotFound unless the scope sees the whole workspace: for a customer the desk isn't there."""
        if not self.sees_everything:
            raise NotFound("no such object")
