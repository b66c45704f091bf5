"""A gate for a pipeline: what may not get worse, and by how much it may seem to."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from agent.errors import Misconfigured
from evals.compare.comparison import Change, Comparison
from evals.scoring.measures import MEASURES
from evals.statistics.paired import Difference, holm, standing

PASSED, DROPPED, TOO_FEW = 0, 1, 3
"""Exit codes. 2 is that of a wrong call."""

Result = Literal["passed", "dropped", "too_few"]


class Check(BaseModel):
    """One metric: `margin` is how much worse is still no loss, in the metric's own unit."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    metric: str
    margin: float = Field(gt=0, allow_inf_nan=False)
    min_n: int | None = Field(default=None, ge=1)


class Gate(BaseModel):
    """A gate's file; docs/compare.md explains it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    checks: tuple[Check, ...] = Field(min_length=1)
    min_n: int = Field(default=100, ge=1)
    max_one_sided_share: float = Field(default=0.02, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class Checked:
    """One check's result, with the reason in words."""

    metric: str
    margin: float
    result: Result
    why: str


def read_gate(path: Path) -> Gate:
    """Read a gate's file.

    Raises:
        Misconfigured: it can't be read, or says something that isn't known.
    """
    try:
        gate = Gate.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as exc:
        raise Misconfigured(f"{path} can't be read as a gate: {str(exc).splitlines()[0]}") from exc
    except ValidationError as exc:
        first = exc.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise Misconfigured(f"{path}: {where}: {first['msg']}") from exc
    known = {measure.name for measure in MEASURES if measure.better != "neither"}
    unknown = [check.metric for check in gate.checks if check.metric not in known]
    if unknown:
        raise Misconfigured(f"{path}: no such metric to gate on: {unknown[0]!r} (docs/scores.md has them)")
    return gate


def check_gate(comparison: Comparison, gate: Gate) -> tuple[Checked, ...]:
    """Check every metric. Drops are judged together: one time in twenty one is seen where nothing changed."""
    changes = [comparison.change(check.metric) for check in gate.checks]
    raised = iter(holm([change.difference.p_value for change in changes if change]))
    return tuple(
        _check(check, change, next(raised) if change else 1.0, gate)
        for check, change in zip(gate.checks, changes, strict=True)
    )


def exit_code(checked: tuple[Checked, ...]) -> int:
    """A drop is a drop, whatever else can't be told; and what can't be told never passes."""
    results = {each.result for each in checked}
    return DROPPED if "dropped" in results else TOO_FEW if "too_few" in results else PASSED


def _check(check: Check, change: Change | None, p_value: float, gate: Gate) -> Checked:
    def result(what: Result, why: str) -> Checked:
        return Checked(check.metric, check.margin, what, why)

    if change is None:
        return result("too_few", "no ticket has it scored in both runs")
    better = _more_is_better(change)
    stands = standing(better, check.margin, p_value=p_value)
    shown = f"{change.before:.4f} -> {change.after:.4f}, at worst {max(0.0, -better.low):.4f} worse, n={better.n}"
    if stands == "worse":
        return result("dropped", f"{shown}: a significant drop")
    needed = check.min_n or gate.min_n
    if better.n < needed:
        return result("too_few", f"{shown}: not enough tickets to tell, {needed} are needed")
    if change.one_sided > gate.max_one_sided_share * (better.n + change.one_sided):
        return result("too_few", f"{shown}: {change.one_sided} more tickets are scored in one run only")
    if stands == "unclear":
        return result(
            "too_few", f"{shown}: not enough tickets to tell; a difference of {better.detectable:.4f} would show"
        )
    return result("passed", f"{shown}: within the margin of {check.margin:g}")


def _more_is_better(change: Change) -> Difference:
    found = change.difference
    if change.better == "more":
        return found
    return Difference(-found.value, -found.high, -found.low, found.n, found.groups, found.p_value, found.detectable)
