"""Names in the environment, and in `.env`, that no setting has: mostly misspelt ones."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches

from dotenv import dotenv_values

from graphs.settings import Settings
from server.settings import ServerSettings

_PREFIX = "HELPGRAPH_"
# What Kubernetes tells each pod of a service that is called helpgraph.
_OF_A_SERVICE = re.compile(r"SERVICE_(HOST|PORT.*)|PORT_\d+_(TCP|UDP).*")


def unknown_settings(environment: Mapping[str, str] = os.environ) -> list[str]:
    """Say of each name in `environment` and in `.env` that looks like a setting and is none, what it may have meant."""
    known = {*Settings.model_fields, *ServerSettings.model_fields}
    found = {name for name in (*environment, *_in_the_file()) if name.upper().startswith(_PREFIX)}
    said = []
    for name in sorted(found):
        field = name[len(_PREFIX) :]
        if field.lower() not in known and not _OF_A_SERVICE.fullmatch(field):
            meant = get_close_matches(field.lower(), known, n=1)
            hint = f"; did you mean {_PREFIX}{meant[0].upper()}?" if meant else ""
            said.append(f"{name} is no setting, and nothing reads it{hint}")
    return said


def _in_the_file() -> list[str]:
    return list(dotenv_values(str(Settings.model_config["env_file"]), interpolate=False))
