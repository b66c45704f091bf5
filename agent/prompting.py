"""Prompts as files: each has a hash, which goes into traces, events and eval logs."""

import hashlib
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files

from agent.errors import Misconfigured


@dataclass(frozen=True, slots=True)
class Prompt:
    """A prompt of ours. `digest` is the first 12 hex digits of the SHA-256 of the file as it is shipped."""

    name: str
    text: str
    digest: str


@lru_cache(maxsize=32)
def load_prompt(name: str) -> Prompt:
    """Read a prompt of `agent/prompts`.

    Raises:
        Misconfigured: the installation lacks the file.
    """
    try:
        raw = files("agent.prompts").joinpath(f"{name}.md").read_bytes()
    except OSError as exc:
        raise Misconfigured(f"the prompt {name!r} is missing from the installation") from exc
    return Prompt(name, raw.decode("utf-8").strip(), digest(raw))


def digest(raw: bytes) -> str:
    """The first 12 hex digits of the SHA-256 of `raw`."""
    return hashlib.sha256(raw).hexdigest()[:12]


def prompt_digests() -> dict[str, str]:
    """The digest of every prompt that is shipped, by name."""
    shipped = (entry.name for entry in files("agent.prompts").iterdir())
    names = sorted(name.removesuffix(".md") for name in shipped if name.endswith(".md"))
    return {name: load_prompt(name).digest for name in names}
