"""Logistic regression over named numbers, for the small heads that are learnt from a few hundred tickets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.arrays import Arrays

Floats = NDArray[np.float64]

ARRAYS = ("names", "means", "scales", "weights", "intercept")
_STRENGTH = 0.1
_MIN_EACH = 5


@dataclass(frozen=True, slots=True)
class Odds:
    """A probability from named numbers: `weights` belong to the numbers less their `means`, over their `scales`."""

    names: tuple[str, ...]
    means: Floats
    scales: Floats
    weights: Floats
    intercept: float

    def __call__(self, numbers: Mapping[str, float]) -> float:
        """The probability; a number that isn't there counts as usual."""
        row = np.array([numbers.get(name, mean) for name, mean in zip(self.names, self.means, strict=True)])
        total = float(((row - self.means) / self.scales) @ self.weights) + self.intercept
        return float(1 / (1 + np.exp(-total)))

    def to_arrays(self) -> Arrays:
        """As arrays that need no pickle."""
        return {
            "names": np.array(self.names, dtype=np.str_),
            "means": self.means,
            "scales": self.scales,
            "weights": self.weights,
            "intercept": np.array([self.intercept]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Odds":
        """Read back what `to_arrays` gave.

        Raises:
            ValueError: the arrays don't fit together.
        """
        names = tuple(str(name) for name in arrays["names"])
        if not len(names) == len(arrays["means"]) == len(arrays["scales"]) == len(arrays["weights"]):
            raise ValueError("the arrays of learnt odds are of different lengths")
        return cls(names, arrays["means"], arrays["scales"], arrays["weights"], float(arrays["intercept"][0]))


def learn_odds(rows: Sequence[Mapping[str, float]], kept: Sequence[bool]) -> Odds | None:
    """Learn when something was kept; None when it was, or wasn't, fewer than five times.

    The names are those of the first row. The penalty is a strong one: it takes many tickets to move far.
    """
    target = np.array(kept, dtype=bool)
    if min(target.sum(), (~target).sum()) < _MIN_EACH:
        return None
    # Imported here because every start would wait for it, and few learn anything.
    from sklearn.linear_model import LogisticRegression

    names = tuple(rows[0])
    numbers = np.array([[row[name] for name in names] for row in rows], dtype=np.float64)
    means, scales = numbers.mean(axis=0), numbers.std(axis=0)
    scales[scales < 1e-6] = 1.0
    model = LogisticRegression(C=_STRENGTH, max_iter=500).fit((numbers - means) / scales, target)
    return Odds(names, means, scales, model.coef_[0], float(model.intercept_[0]))
