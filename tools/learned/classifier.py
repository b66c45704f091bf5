"""A classifier learnt from tickets: logistic regression over `tools/learned/texts.py`, calibrated on left-out ones."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

from tools.arrays import Arrays
from tools.learned.texts import TicketFeatures, TicketText, Vectors, rarity, weigh

MIN_PER_LABEL = 5
ARRAYS = ("labels", "weights", "intercept", "idf", "examples")
_STRENGTH = 3.0
_FOLDS = 3
_MOST_FOR_FOLDS = 4000
_TEMPERATURES = np.geomspace(0.3, 4.0, 40)


@dataclass(frozen=True, slots=True)
class LearnedClassifier:
    """Labels with their probabilities for a ticket. `weights` has a row per feature and a column per label.

    `examples` says from how many tickets it learnt.
    """

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]
    idf: NDArray[np.float32]
    examples: int

    def __call__(self, texts: Sequence[TicketText], meanings: Sequence[Vectors]) -> NDArray[np.float64]:
        """Probabilities, a row per text and a column per label; `meanings` as in training."""
        rows = weigh(TicketFeatures().count(texts), self.idf, meanings, texts)
        return _softmax(np.asarray(rows @ self.weights, dtype=np.float64) + self.intercept)

    @property
    def trust(self) -> float:
        """How much its word counts beside that of the shipped classifier, in [0, 1): more with more examples."""
        return min(0.95, self.examples / (self.examples + 50))

    def to_arrays(self) -> Arrays:
        """As arrays that need no pickle."""
        return {
            "labels": np.array(self.labels, dtype=np.str_),
            "weights": self.weights,
            "intercept": self.intercept,
            "idf": self.idf,
            "examples": np.array([self.examples]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "LearnedClassifier":
        """Read back what `to_arrays` gave.

        Raises:
            ValueError: the arrays don't fit together.
        """
        labels = tuple(str(label) for label in arrays["labels"])
        weights = arrays["weights"]
        if weights.ndim != 2 or not weights.shape[1] == len(labels) == len(arrays["intercept"]):
            raise ValueError("the arrays of a learnt classifier are of different lengths")
        if len(arrays["idf"]) != TicketFeatures.width or weights.shape[0] < TicketFeatures.width:
            raise ValueError("the arrays of a learnt classifier are of another version")
        return cls(
            labels,
            weights.astype(np.float32),
            arrays["intercept"].astype(np.float32),
            arrays["idf"].astype(np.float32),
            int(arrays["examples"][0]),
        )


def learn_classifier(
    texts: Sequence[TicketText], labels: Sequence[str], meanings: Sequence[Vectors]
) -> LearnedClassifier | None:
    """Train; None when fewer than two labels have five examples each. Rarer labels are left out.

    The probabilities are calibrated with one temperature on left-out folds, of four thousand tickets at most.
    """
    names, sizes = np.unique(np.array(labels, dtype=np.str_), return_counts=True)
    known = [str(name) for name, size in zip(names, sizes, strict=True) if size >= MIN_PER_LABEL]
    if len(known) < 2:
        return None
    places = np.array([place for place, label in enumerate(labels) if label in set(known)])
    texts = [texts[place] for place in places]
    meanings = [meaning[places] for meaning in meanings]
    target = np.array([known.index(labels[place]) for place in places])
    counted = TicketFeatures().count(texts)
    idf = rarity(counted)
    rows = weigh(counted, idf, meanings, texts)
    temperature = _temperature(rows, target)
    weights, intercept = _fit(rows, target)
    return LearnedClassifier(
        tuple(known),
        (weights / temperature).astype(np.float32),
        (intercept / temperature).astype(np.float32),
        idf,
        len(texts),
    )


def _fit(rows: csr_matrix, target: NDArray[np.int64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    # Imported here because every start would wait for it, and few learn anything.
    from sklearn.linear_model import LogisticRegression

    # Columns that no row has get no weight: leaving them out first changes nothing and is many times faster.
    used = np.unique(rows.indices)
    model = LogisticRegression(C=_STRENGTH, max_iter=300).fit(rows[:, used], target)
    found, intercept = model.coef_.T, model.intercept_
    if len(model.classes_) == 2:
        found, intercept = np.hstack([-found, found]) / 2, np.array([-intercept[0], intercept[0]]) / 2
    weights = np.zeros((rows.shape[1], found.shape[1]))
    weights[used] = found
    return weights, intercept


def _temperature(rows: csr_matrix, target: NDArray[np.int64]) -> float:
    """Source: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017."""
    from sklearn.model_selection import StratifiedKFold

    chosen = np.sort(np.random.default_rng(0).permutation(len(target))[:_MOST_FOR_FOLDS])
    rows, target = rows[chosen], target[chosen]
    if np.bincount(target, minlength=1)[np.unique(target)].min() < _FOLDS:
        return 1.0
    logits = np.zeros((len(target), int(target.max()) + 1))
    for train, test in StratifiedKFold(_FOLDS, shuffle=True, random_state=0).split(rows, target):
        weights, intercept = _fit(rows[train], target[train])
        logits[test[:, np.newaxis], np.unique(target[train])] = rows[test] @ weights + intercept
    losses = [-float(np.log(_softmax(logits / t)[np.arange(len(target)), target] + 1e-9).mean()) for t in _TEMPERATURES]
    return float(_TEMPERATURES[int(np.argmin(losses))])


def _softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    normal: NDArray[np.float64] = powers / powers.sum(axis=1, keepdims=True)
    return normal
