"""What tickets like this one came to: an article answered, a bug was reported, a person was needed, or a courtesy.

A linear classifier over the signals of the shipped engine (so it begins where that stands), the message's meaning, and
how near the nearest ticket of each outcome is. Of the tickets it keeps vectors, and none of their words.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tools.arrays import Arrays

Floats = NDArray[np.float32]

OUTCOMES = ARTICLE, BUG, COURTESY, PERSON = "article", "bug", "courtesy", "person"
ARRAYS = ("labels", "names", "means", "weights", "intercept", "vectors", "targets")
MIN_PER_OUTCOME = 5
_STRENGTH = 0.6
_MEANING, _NEAREST = 2.0, 6.0
_FOLDS = 5
_MOST_COMPARED = 4000
# What so many tickets say counts as much as what is shipped.
_HALF_TRUSTED = 25


@dataclass(frozen=True, slots=True)
class Outcomes:
    """The outcomes' probabilities for a message.

    `weights` has a row per signal, per dimension of a vector and per label, and a column per label; `vectors` are the
    tickets that are compared with, and `targets` the places of their labels.
    """

    labels: tuple[str, ...]
    names: tuple[str, ...]
    means: Floats
    weights: Floats
    intercept: Floats
    vectors: Floats
    targets: NDArray[np.int64]

    def __call__(self, signals: Mapping[str, float], vector: Floats) -> dict[str, float]:
        """Probabilities by label; a signal that isn't there counts as usual."""
        row = np.array([[signals.get(name, mean) for name, mean in zip(self.names, self.means, strict=True)]])
        near = _nearest(vector[np.newaxis] @ self.vectors.T, self.targets, len(self.labels))
        (found,) = self._probabilities(_rows(row - self.means, vector[np.newaxis], near))
        return {label: float(p) for label, p in zip(self.labels, found, strict=True)}

    @property
    def trust(self) -> float:
        """How much it counts beside what is shipped, in [0, 1)."""
        return len(self.targets) / (len(self.targets) + _HALF_TRUSTED)

    def _probabilities(self, rows: NDArray[np.float64]) -> NDArray[np.float64]:
        logits = rows @ self.weights + self.intercept
        powers = np.exp(logits - logits.max(axis=1, keepdims=True))
        normal: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
        return normal

    def to_arrays(self) -> Arrays:
        """As arrays that need no pickle."""
        return {
            "labels": np.array(self.labels, dtype=np.str_),
            "names": np.array(self.names, dtype=np.str_),
            "means": self.means,
            "weights": self.weights,
            "intercept": self.intercept,
            "vectors": self.vectors,
            "targets": self.targets,
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "Outcomes":
        """Read back what `to_arrays` gave.

        Raises:
            ValueError: the arrays don't fit together.
        """
        labels = tuple(str(label) for label in arrays["labels"])
        names = tuple(str(name) for name in arrays["names"])
        vectors, weights = arrays["vectors"], arrays["weights"]
        rows = len(names) + vectors.shape[1] + len(labels)
        if weights.shape != (rows, len(labels)) or len(arrays["means"]) != len(names):
            raise ValueError("the arrays of learnt outcomes are of different lengths")
        if len(vectors) != len(arrays["targets"]) or len(arrays["intercept"]) != len(labels):
            raise ValueError("the arrays of learnt outcomes are of different lengths")
        return cls(labels, names, arrays["means"], weights, arrays["intercept"], vectors, arrays["targets"])


@dataclass(frozen=True, slots=True)
class Taught:
    """Tickets to learn outcomes from: a row of signals (the same names in each), a vector and a label per ticket."""

    signals: tuple[Mapping[str, float], ...]
    vectors: Floats
    labels: tuple[str, ...]

    def take(self, places: Sequence[int] | NDArray[np.int64]) -> "Taught":
        """Return those at `places`."""
        return Taught(
            tuple(self.signals[place] for place in places),
            self.vectors[np.array(places, dtype=np.int64)],
            tuple(self.labels[place] for place in places),
        )


def learn_outcomes(taught: Taught) -> Outcomes | None:
    """Train; None when fewer than two outcomes have five tickets each. Rarer outcomes are left out."""
    sizes = {label: taught.labels.count(label) for label in sorted(set(taught.labels))}
    labels = tuple(label for label, size in sizes.items() if size >= MIN_PER_OUTCOME)
    if len(labels) < 2:
        return None
    # Imported here because every start would wait for it, and few learn anything.
    from sklearn.linear_model import LogisticRegression

    taught = taught.take([place for place, label in enumerate(taught.labels) if label in labels])
    names = tuple(taught.signals[0])
    numbers = np.array([[row[name] for name in names] for row in taught.signals], dtype=np.float32)
    means = numbers.mean(axis=0)
    targets = np.array([labels.index(label) for label in taught.labels], dtype=np.int64)
    compared = np.sort(np.random.default_rng(0).permutation(len(targets))[:_MOST_COMPARED])
    cosines = taught.vectors @ taught.vectors[compared].T
    # A ticket is no neighbour of its own.
    cosines[compared, np.arange(len(compared))] = -1.0
    near = _nearest(cosines, targets[compared], len(labels))
    rows = _rows(numbers - means, taught.vectors, near)
    model = LogisticRegression(C=_STRENGTH, max_iter=500).fit(rows, targets)
    weights, intercept = model.coef_.T, model.intercept_
    if len(labels) == 2:
        weights, intercept = np.hstack([-weights, weights]) / 2, np.array([-intercept[0], intercept[0]]) / 2
    return Outcomes(
        labels,
        names,
        means,
        weights.astype(np.float32),
        intercept.astype(np.float32),
        taught.vectors[compared],
        targets[compared],
    )


def left_out(taught: Taught) -> list[dict[str, float]]:
    """What is said of each ticket by what was learnt from others, in five folds; nothing where that can't be learnt."""
    from sklearn.model_selection import StratifiedKFold

    said: list[dict[str, float]] = [{} for _ in taught.labels]
    sizes = [taught.labels.count(label) for label in set(taught.labels)]
    if max(sizes, default=0) < _FOLDS:
        return said
    labels = [label if taught.labels.count(label) >= _FOLDS else "" for label in taught.labels]
    if 0 < labels.count("") < _FOLDS:
        labels = [label or max(set(labels), key=labels.count) for label in labels]
    for learnt_from, asked in StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(labels, labels):
        outcomes = learn_outcomes(taught.take(learnt_from))
        if outcomes is not None:
            for place in asked:
                said[place] = outcomes(taught.signals[place], taught.vectors[place])
    return said


def _rows(signals: NDArray[Any], vectors: Floats, near: NDArray[Any]) -> NDArray[np.float64]:
    return np.hstack([signals, vectors * _MEANING, near * _NEAREST]).astype(np.float64)


def _nearest(cosines: NDArray[Any], targets: NDArray[np.int64], labels: int) -> NDArray[np.float64]:
    """For each row, the highest cosine with a ticket of each label."""
    found = np.zeros((len(cosines), labels))
    for label in range(labels):
        own = cosines[:, targets == label]
        if own.shape[1]:
            found[:, label] = own.max(axis=1)
    return found
