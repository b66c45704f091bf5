"""What a benchmark found, as JSON and as a table."""

import platform
import subprocess
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

from evals.bench.arena import COSTS
from evals.statistics.measured import Measured

Curve = list[tuple[float, float, float]]


@dataclass(frozen=True, slots=True)
class OperatingPoint:
    """What the decisions taken come to: the share answered, and the share of wrong ones among those, if any."""

    coverage: float
    risk: float | None


@dataclass(frozen=True, slots=True)
class Part:
    """One part of a data set: its metrics, and the risk-coverage curve where answers can be left unsaid.

    The curve answers from each probability of the evidence on; the operating point is what the decisions, which weigh
    more than the evidence, came to. It needn't lie on the curve.
    """

    name: str
    metrics: dict[str, Measured]
    curve: Curve = field(default_factory=list)
    operating_point: OperatingPoint | None = None
    notes: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class BenchResult:
    """What a benchmark found, part by part."""

    name: str
    parts: list[Part]

    def to_json(self, *, settings: dict[str, Any], seconds: float) -> dict[str, Any]:
        """As one JSON object; a single part's metrics stand at the top as well."""
        whole: dict[str, Any] = {
            "benchmark": self.name,
            "made_at": datetime.now(UTC).isoformat(timespec="seconds"),
            "version": version("helpgraph"),
            "revision": revision(),
            "python": platform.python_version(),
            "seconds": round(seconds, 1),
            "settings": {**settings, "costs": {name: getattr(COSTS, name) for name in type(COSTS).__slots__}},
            "parts": {part.name: _part_json(part) for part in self.parts},
        }
        if len(self.parts) == 1:
            whole["metrics"] = whole["parts"][self.parts[0].name]["metrics"]
        return whole


def revision() -> str:
    """The commit that is measured, with `+changes` when files differ from it; "unknown" outside a checkout."""
    folder = Path(__file__).resolve().parent
    try:
        commit = _git(folder, "rev-parse", "HEAD").strip()
        return commit + ("+changes" if _git(folder, "status", "--porcelain").strip() else "")
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def _git(folder: Path, *arguments: str) -> str:
    done = subprocess.run(  # noqa: S603  # Nothing in it comes from outside.
        ["git", "-C", str(folder), *arguments],  # noqa: S607  # Whichever git the developer has.
        check=True,
        capture_output=True,
        text=True,
        timeout=20,
    )
    return done.stdout


def _part_json(part: Part) -> dict[str, Any]:
    found: dict[str, Any] = {"metrics": {name: measured.to_json() for name, measured in part.metrics.items()}}
    if part.curve:
        found["risk_coverage"] = [
            {"threshold": round(threshold, 2), "coverage": round(coverage, 4), "risk": round(risk, 4)}
            for threshold, coverage, risk in part.curve
        ]
    if part.operating_point is not None:
        point = part.operating_point
        found["operating_point"] = {
            "coverage": round(point.coverage, 4),
            "risk": None if point.risk is None else round(point.risk, 4),
        }
    if part.notes:
        found["notes"] = part.notes
    return found
