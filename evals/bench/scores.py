"""What several benchmarks are scored by."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evals.bench.arena import Asked
from evals.bench.report import OperatingPoint
from evals.statistics.measured import Measured, bootstrap, expected_calibration_error, risk_coverage


def calibration(labels: Sequence[str], asked: Sequence[Asked]) -> Measured:
    """How far the probability that the best article answers is from how often it does; no article has the label ""."""
    promised, right = _promises(labels, asked)
    return bootstrap(len(labels), lambda drawn: expected_calibration_error(promised[drawn], right[drawn]))


def answer_curve(labels: Sequence[str], asked: Sequence[Asked]) -> list[tuple[float, float, float]]:
    """The risk-coverage curve of answering from each probability on."""
    return risk_coverage(*_promises(labels, asked))


def operating_point(labels: Sequence[str], asked: Sequence[Asked]) -> OperatingPoint:
    """How much the decisions taken answer, and how much of that with another article than the label."""
    wrong = [one.answered != label for one, label in zip(asked, labels, strict=True) if one.answered is not None]
    return OperatingPoint(len(wrong) / len(asked), sum(wrong) / len(wrong) if wrong else None)


def _promises(labels: Sequence[str], asked: Sequence[Asked]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    promised = np.array([one.probability for one in asked])
    return promised, np.array([one.article_id == label for one, label in zip(asked, labels, strict=True)])
