"""What a run was made from, so that its log describes itself and only the same inputs go on with it."""

import hashlib
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import orjson

from agent.errors import Misconfigured
from agent.wire import JsonObject, to_json
from evals.bench.report import revision
from evals.replay.case import CASE_FORMAT
from evals.replay.snapshot import Installed
from evals.tickets.index import TicketIndex
from graphs.assembly import open_workspace
from graphs.settings import Settings

NAME = "run.json"
_FILES = ("workspace.yaml", "pages.yaml", "accounts.json")
# What may differ between a run and the one that goes on with it.
_CLOCK = ("started_at", "finished_at")


def manifest(settings: Settings, installed: Installed, index: TicketIndex, chosen: JsonObject) -> JsonObject:
    """Everything that decides what a replay comes to; workers add what only an open engine knows.

    `chosen` are the options of the run itself.
    """
    workspace = open_workspace(settings)
    content = {
        "format": CASE_FORMAT,
        "version": version("helpgraph"),
        "revision": revision(),
        "started_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "finished_at": None,
        "tickets": {
            "sha256": index.sha256,
            "format": index.format.value,
            "tickets": len(index),
            "refused": dict(index.refused.reasons),
            "remarks": dict(index.remarks),
            "duplicates": index.duplicates,
            "cut_off": index.cut_off,
        },
        "workspace": {
            "workspace_id": workspace.workspace_id,
            "name": workspace.name,
            "files": {name: _hash(workspace.folder, name) for name in _FILES},
        },
        "policy": to_json(workspace.policy),
        "engine": {},
        "settings": {"model": settings.model, "small_model": settings.small_model, "embedding": settings.embedding},
        "knowledge": {
            "generation_id": installed.generation_id,
            "articles": installed.articles,
            "passages": installed.passages,
        },
        "learned": {"in_use": installed.history[-1], "history": list(installed.history)},
        "chosen": chosen,
    }
    # As it will be read again, so that the two can be compared.
    return dict(orjson.loads(orjson.dumps(content)))


def differences(before: JsonObject, now: JsonObject) -> list[str]:
    """Dotted names of what differs between two manifests, clocks aside."""
    return sorted(_differing(_without_clock(before), _without_clock(now), ""))


def read_manifest(folder: Path) -> JsonObject | None:
    """The manifest of a run; None when the folder holds none.

    Raises:
        Misconfigured: it is damaged.
    """
    try:
        found = orjson.loads((folder / NAME).read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, orjson.JSONDecodeError) as exc:
        raise Misconfigured(f"{folder / NAME} can't be read: choose another folder with --out") from exc
    if not isinstance(found, dict):
        raise Misconfigured(f"{folder / NAME} is not a run's: choose another folder with --out")
    return found


def write_manifest(folder: Path, content: JsonObject) -> None:
    """Write it, whole or not at all."""
    partial = folder / f"{NAME}.tmp"
    partial.write_bytes(orjson.dumps(content, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS) + b"\n")
    partial.replace(folder / NAME)


def _without_clock(content: JsonObject) -> JsonObject:
    return {name: value for name, value in content.items() if name not in _CLOCK}


def _differing(one: Any, other: Any, path: str) -> list[str]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            name
            for key in one.keys() | other.keys()
            for name in _differing(one.get(key), other.get(key), f"{path}.{key}" if path else str(key))
        ]
    return [] if one == other else [path]


def _hash(folder: Path | None, name: str) -> str | None:
    if folder is None or not (folder / name).exists():
        return None
    return hashlib.sha256((folder / name).read_bytes()).hexdigest()
