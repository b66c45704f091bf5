"""The data files that come with the engine."""

from importlib.resources import files
from typing import Any

import yaml

from agent.errors import Misconfigured
from agent.fast_yaml import parse_yaml

_DATA = files("tools.engines.local") / "data"


def read_data(name: str) -> dict[str, Any]:
    """Read one of the shipped YAML files, which are mappings all; one in a folder is named "folder/name".

    Raises:
        Misconfigured: the installation is damaged.
    """
    try:
        data = parse_yaml(read_text(name))
    except yaml.YAMLError as exc:
        raise damaged(name) from exc
    if not isinstance(data, dict):
        raise damaged(name)
    return data


def read_text(name: str) -> str:
    """The text of one of the shipped YAML files, with line ends as they are here.

    Raises:
        Misconfigured: the installation is damaged.
    """
    try:
        return (_DATA / f"{name}.yaml").read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise damaged(name) from exc


def names_in(folder: str) -> list[str]:
    """The names of the shipped YAML files of a folder, in order.

    Raises:
        Misconfigured: the installation is damaged.
    """
    try:
        names = [entry.name for entry in (_DATA / folder).iterdir()]
    except OSError as exc:
        raise damaged(folder) from exc
    return [f"{folder}/{name.removesuffix('.yaml')}" for name in sorted(names) if name.endswith(".yaml")]


def damaged(name: str) -> Misconfigured:
    """What to say of a shipped file that isn't what it was."""
    return Misconfigured(f"the shipped file {name}.yaml is damaged: reinstall helpgraph")


def as_text(item: object) -> str:
    """Return `item`, which must be a text: YAML reads a bare `no` as false and a bare `on` as true.

    Raises:
        Misconfigured: it isn't one.
    """
    if not isinstance(item, str):
        raise Misconfigured(f"a shipped file has {item!r} where a text belongs: put it in quotes")
    return item
