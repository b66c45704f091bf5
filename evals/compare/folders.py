"""Run folders: what a run says of itself, and how two differ."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson

from agent.errors import BadTurn, Misconfigured
from agent.wire import JsonObject
from evals.compare.comparison import MIN_SHARED, Comparison, compare
from evals.scoring.written import read_scored_by, read_scores

_MANIFEST = "run.json"
_CLOCK = ("started_at", "finished_at")
_LONG = 60


@dataclass(frozen=True, slots=True)
class Differing:
    """One thing that differs between two manifests, by its dotted name."""

    name: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Compared:
    """Two run folders compared: what differs in how they were made, and what came of it.

    `same_run` is true where both are one folder.
    """

    differs: tuple[Differing, ...]
    comparison: Comparison
    same_run: bool = False


def compare_folders(before: Path, after: Path, *, min_shared: float = MIN_SHARED) -> Compared:
    """Compare two scored run folders.

    Raises:
        Misconfigured: a folder is no run's, or isn't scored.
        BadTurn: as `compare`; or the two were scored by different rules or costs.
    """
    manifests = _manifest(before), _manifest(after)
    scored_by = [name for name, *_ in _differing(read_scored_by(before), read_scored_by(after), "")]
    if scored_by:
        raise BadTurn(
            f"the runs were scored by different rules ({', '.join(scored_by)}): score both again by the same "
            "(`helpgraph score TICKETS BEFORE AFTER`)"
        )
    comparison = compare(
        read_scores(before),
        read_scores(after),
        same_file=_tickets_of(manifests[0]) == _tickets_of(manifests[1]) is not None,
        min_shared=min_shared,
    )
    one, other = (_without_clock(manifest) for manifest in manifests)
    differs = sorted(_differing(one, other, ""), key=lambda found: found[0])
    named = tuple(Differing(name, _short(was), _short(now)) for name, was, now in differs)
    return Compared(named, comparison, same_run=before.resolve() == after.resolve())


def _manifest(folder: Path) -> JsonObject:
    path = folder / _MANIFEST
    try:
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError as exc:
        raise Misconfigured(f"{folder} is not a run's folder: there is no {_MANIFEST} in it") from exc
    except (OSError, orjson.JSONDecodeError) as exc:
        raise Misconfigured(f"{path} can't be read: replay the run again") from exc
    if not isinstance(found, dict):
        raise Misconfigured(f"{path} can't be read: replay the run again")
    return found


def _tickets_of(manifest: JsonObject) -> str | None:
    tickets = manifest.get("tickets")
    return tickets.get("sha256") if isinstance(tickets, dict) else None


def _without_clock(manifest: JsonObject) -> JsonObject:
    return {name: value for name, value in manifest.items() if name not in _CLOCK}


def _differing(one: Any, other: Any, name: str) -> list[tuple[str, Any, Any]]:
    if isinstance(one, dict) and isinstance(other, dict):
        return [
            found
            for key in one.keys() | other.keys()
            for found in _differing(one.get(key), other.get(key), f"{name}.{key}" if name else str(key))
        ]
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        pairs = enumerate(zip(one, other, strict=True))
        return [found for place, pair in pairs for found in _differing(*pair, f"{name}[{place}]")]
    return [] if one == other else [(name, one, other)]


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return text if len(text) <= _LONG else f"{text[:_LONG]}..."
