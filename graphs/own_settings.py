"""Settings that a workspace has of its own, in a file of its folder."""

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from dotenv import dotenv_values
from pydantic_settings import BaseSettings

from agent.errors import Misconfigured
from graphs.model_settings import ModelSettings

FILE_NAME = "settings.env"
_PREFIX = "HELPGRAPH_"

BEHIND_THE_DOORS = frozenset(
    {
        "turn_timeout_s",
        "max_message_chars",
        "retention_days",
        "webhook_secret",
        "concurrent_turns",
        *ModelSettings.model_fields,
    }
)
"""Fields of `Settings` that may be a workspace's own. The rest is the process's: one database, one embedding model."""

AT_THE_DOORS = frozenset(
    {
        "inbox_password",
        "cookie_secret",
        "api_keys",
        "allowed_origins",
        "identity_secret",
        "identity_hash_secret",
        "session_hours",
        "messages_per_minute",
        "key_messages_per_minute",
        "streams_per_owner",
        "streams_per_address",
        "sessions_per_minute",
    }
)
"""Fields of the server's settings that may be a workspace's own."""

# A key goes to its own endpoint and to no other.
_GOES_WITH = {"model_url": "model_key", "small_model_url": "small_model_key"}


@dataclass(frozen=True, slots=True, repr=False)
class OwnSettings:
    """What the file says of some fields: they win over the environment. `path` is for messages."""

    path: Path
    values: dict[str, object]


def read_own(folder: Path | None, kind: type[BaseSettings], fields: Collection[str]) -> OwnSettings | None:
    """Read those of `fields` (of `kind`) that the workspace in `folder` has of its own; None when it has no file.

    A name without a value is the field's default, whatever the environment says.

    Raises:
        Misconfigured: the file can't be read, or names what can't be a workspace's own.
    """
    if folder is None or not (folder / FILE_NAME).is_file():
        return None
    path = folder / FILE_NAME
    try:
        # Not interpolated: a password may have a dollar sign, and the environment's secrets are no workspace's affair.
        found = dotenv_values(path, interpolate=False, encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise Misconfigured(f"{path}: can't be read ({type(exc).__name__})") from exc
    given = {}
    for name, value in found.items():
        field = name.removeprefix(_PREFIX).lower()
        if not name.startswith(_PREFIX) or field not in BEHIND_THE_DOORS | AT_THE_DOORS:
            raise Misconfigured(f"{path}: {name} can't be a workspace's own setting; see docs/workspace.md")
        given[field] = value
    values: dict[str, object] = {
        field: value or kind.model_fields[field].get_default(call_default_factory=True)
        for field, value in given.items()
        if field in fields
    }
    for url, key in _GOES_WITH.items():
        if url in values:
            values.setdefault(key, None)
    return OwnSettings(path, values)
