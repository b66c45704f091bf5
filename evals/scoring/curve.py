"""What answering more or less often would do: the risk-coverage curve over the first turn's evidence."""

from dataclasses import dataclass

import numpy as np

from evals.scoring.metrics import Columns
from evals.statistics.measured import expected_calibration_error, risk_coverage


@dataclass(frozen=True, slots=True)
class CurvePoint:
    """If all tickets with evidence of `threshold` or more were answered at once: their share, and how many wrongly."""

    threshold: float
    coverage: float
    risk: float


@dataclass(frozen=True, slots=True)
class Curve:
    """The curve over `n` tickets; `coverage` and `risk` are what the agent did, whose decision sees more than evidence.

    Where the agent didn't answer, its answer is taken to be the best article found. `calibration_error` is how far
    the evidence is from the share that is right; `unscored` tickets are those of which nobody knows what is right.
    """

    points: tuple[CurvePoint, ...]
    n: int
    unscored: int
    coverage: float | None
    risk: float | None
    calibration_error: float | None


def draw_curve(columns: Columns) -> Curve:
    """Draw the curve."""
    right, evidence, answered = (columns.column(name) for name in ("first_right", "evidence", "first_answered"))
    unscored = int(np.isnan(right).sum())
    known = np.isfinite(right)
    right, evidence, answered = right[known] == 1, evidence[known], answered[known] == 1
    if not len(right):
        return Curve((), 0, unscored, None, None, None)
    points = tuple(CurvePoint(*point) for point in risk_coverage(evidence, right))
    return Curve(
        points=points,
        n=len(right),
        unscored=unscored,
        coverage=float(answered.mean()),
        risk=float(1 - right[answered].mean()) if answered.any() else None,
        calibration_error=expected_calibration_error(evidence, right),
    )
