"""The data files that come with the engine."""

from importlib.resources import files
from typing import Any

import yaml

from agent.errors import Misconfigured
from agent.fast_yaml import parse_yaml


def read_data(name: str) -> dict[str, Any]:
    """Read one of the shipped YAML files, which are mappings all.

    Raises:
        Misconfigured: the installation is damaged.
    """
    try:
        data = parse_yaml((files("tools.engines.local") / "data" / f"{name}.yaml").read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as exc:
        raise Misconfigured(f"the shipped file {name}.yaml is damaged: reinstall helpgraph") from exc
    if not isinstance(data, dict):
        raise Misconfigured(f"the shipped file {name}.yaml is damaged: reinstall helpgraph")
    return data


def as_text(item: object) -> str:
    """Return `item`, which must be a text: YAML reads a bare `no` as false and a bare `on` as true.

    Raises:
        Misconfigured: it isn't one.
    """
    if not isinstance(item, str):
        raise Misconfigured(f"a shipped file has {item!r} where a text belongs: put it in quotes")
    return item
