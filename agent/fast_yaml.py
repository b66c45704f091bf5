"""YAML read quickly: what every start reads, and so every start after a crash."""

from typing import Any

import yaml

# libyaml is eight times as fast; PyYAML's wheels have it, a build without a C compiler may not.
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def parse_yaml(text: str) -> Any:
    """Return what a YAML document says: plain values only.

    Raises:
        yaml.YAMLError: it isn't YAML, or names anything but plain values.
    """
    return yaml.load(text, Loader=_LOADER)  # noqa: S506  # One of the two safe ones.
