"""Small classifiers, trained from examples: logistic regression, regularised by cross-validation, calibrated."""

import hashlib
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

if TYPE_CHECKING:
    from sklearn.linear_model import LogisticRegression

Floats = NDArray[np.float64]

FORMAT = 3
"""Part of the keys of all that is kept or shipped: goes up when features or training change what is learnt."""

# Inverse strengths of the regularisation that cross-validation chooses from.
_STRENGTHS = (1.0, 3.0, 12.0)
# Of thousands: weaker regularisation than that gains nothing and takes minutes.
_STRENGTHS_OF_MANY = (0.5, 1.0, 2.0)
_DEFAULT_STRENGTH = 3.0
_TEMPERATURES = np.geomspace(0.2, 4.0, 53)
_FOLDS = 4
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Scored:
    """The likeliest label and the probability of each."""

    label: str
    confidence: float
    probabilities: dict[str, float]

    def of(self, label: str) -> float:
        """The probability of a label; 0 for one that the classifier doesn't know."""
        return self.probabilities.get(label, 0.0)


def likeliest(probabilities: dict[str, float]) -> Scored:
    """The best of labels with their probabilities."""
    best = max(probabilities, key=lambda label: probabilities[label])
    return Scored(best, probabilities[best], probabilities)


NOTHING = Scored("other", 0.0, {})


@dataclass(frozen=True, slots=True)
class Classifier:
    """Trained weights: `weights` has a row per feature and a column per label. Deterministic."""

    labels: tuple[str, ...]
    weights: NDArray[np.float32]
    intercept: NDArray[np.float32]

    def __call__(self, row: csr_matrix) -> Scored:
        """Classify one row; a classifier without labels says "other" with confidence 0."""
        if not self.labels:
            return NOTHING
        logits = np.asarray(row @ self.weights, dtype=np.float64)[0] + self.intercept
        return scored(self.labels, logits.tolist())


def scored(labels: Sequence[str], logits: Sequence[float]) -> Scored:
    """Return the probabilities that logits stand for, one of each label."""
    highest = max(logits)
    powers = [math.exp(logit - highest) for logit in logits]
    total = sum(powers)
    by_label = {label: power / total for label, power in zip(labels, powers, strict=True)}
    return likeliest(by_label)


def train(rows: csr_matrix, labels: Sequence[str], texts: Sequence[str], *, tuned: bool = True) -> Classifier:
    """Train on one row per example.

    The regularisation is chosen, and the probabilities are calibrated with one temperature, on examples that were
    left out of training, unless `tuned` is false. `texts` only decide which example falls in which fold.

    Source of the calibration: Guo et al., "On Calibration of Modern Neural Networks", ICML 2017.
    """
    names = tuple(sorted(set(labels)))
    if len(names) < 2:
        weights = np.zeros((rows.shape[1], len(names)), dtype=np.float32)
        return Classifier(names, weights, np.zeros(len(names), dtype=np.float32))
    target = np.array([names.index(label) for label in labels])
    # Far more features than examples: the same optimum is found in the space that the examples span, a hundred
    # times faster, and carried back.
    values, basis = np.linalg.eigh(np.asarray((rows @ rows.T).todense(), dtype=np.float64))
    kept = values > _TINY * values[-1]
    scale = np.sqrt(values[kept])
    compact = basis[:, kept] * scale
    strength, temperature = _DEFAULT_STRENGTH, 1.0
    if tuned:
        strength, temperature = _choose(compact, target, _folds(target, texts), len(names))
    model = _fit(compact, target, strength)
    coefficients, intercept = _columns(model, len(names))
    weights = rows.T @ (basis[:, kept] / scale @ coefficients)
    return Classifier(
        names, (np.asarray(weights) / temperature).astype(np.float32), (intercept / temperature).astype(np.float32)
    )


def train_on_many(rows: csr_matrix, labels: Sequence[str], folds: NDArray[np.int64], weights: Floats) -> Classifier:
    """Train on thousands of examples, some seconds for each strength and fold.

    A label's probability is as high as it is frequent among them. `folds` has -1 for examples that are always trained
    on; what is alike belongs into one fold. An example counts as often as `weights` says.
    """
    names = tuple(sorted(set(labels)))
    target = np.array([names.index(label) for label in labels])
    strength, temperature = _choose(rows, target, folds, len(names), weights=weights)
    coefficients, intercept = _columns(_fit(rows, target, strength, weights), len(names))
    return Classifier(
        names, (coefficients / temperature).astype(np.float32), (intercept / temperature).astype(np.float32)
    )


def _fit(
    compact: Floats | csr_matrix, target: NDArray[np.int64], strength: float, weights: Floats | None = None
) -> "LogisticRegression":
    """Without `weights` each label weighs the same."""
    # Imported here because every start would wait for it, and few learn anything.
    from sklearn.linear_model import LogisticRegression

    balance = "balanced" if weights is None else None
    model = LogisticRegression(C=strength, class_weight=balance, max_iter=2000, tol=1e-3)
    return model.fit(compact, target, sample_weight=weights)


def _columns(model: "LogisticRegression", labels: int) -> tuple[Floats, Floats]:
    """Coefficients and intercept with one column per label; labels unseen in training are all but impossible."""
    seen = np.asarray(model.classes_, dtype=int)
    coefficients = np.zeros((model.coef_.shape[1], labels))
    intercept = np.full(labels, -30.0)
    if len(seen) == 2 and len(model.coef_) == 1:
        # Two labels share one column; half of it each gives the same probabilities.
        coefficients[:, seen] = np.stack([-model.coef_[0] / 2, model.coef_[0] / 2], axis=1)
        intercept[seen] = [-model.intercept_[0] / 2, model.intercept_[0] / 2]
    else:
        coefficients[:, seen] = model.coef_.T
        intercept[seen] = model.intercept_
    return coefficients, intercept


def _choose(
    compact: Floats | csr_matrix,
    target: NDArray[np.int64],
    folds: NDArray[np.int64],
    labels: int,
    *,
    weights: Floats | None = None,
) -> tuple[float, float]:
    """The strength and temperature with the lowest loss on left-out examples."""
    tested = folds >= 0
    if tested.sum() < 2 * labels:
        return _DEFAULT_STRENGTH, 1.0
    best = (np.inf, _DEFAULT_STRENGTH, 1.0)
    for strength in _STRENGTHS if weights is None else _STRENGTHS_OF_MANY:
        logits = np.zeros((len(target), labels))
        for fold in range(_FOLDS):
            held_out = folds == fold
            if not held_out.any():
                continue
            own = None if weights is None else weights[~held_out]
            coefficients, intercept = _columns(_fit(compact[~held_out], target[~held_out], strength, own), labels)
            logits[held_out] = compact[held_out] @ coefficients + intercept
        for temperature in _TEMPERATURES:
            loss = _loss(logits[tested] / temperature, target[tested], balanced=weights is None)
            best = min(best, (loss, strength, float(temperature)))
    return best[1], best[2]


def _folds(target: NDArray[np.int64], texts: Sequence[str]) -> NDArray[np.int64]:
    """A fold for each example, stratified by label; -1 (always trained on) where a label has too few to spare."""
    folds = np.full(len(target), -1)
    order = sorted(range(len(texts)), key=lambda index: hashlib.sha256(texts[index].encode()).digest())
    counted: dict[int, int] = {}
    sizes = np.bincount(target)
    for index in order:
        label = int(target[index])
        if sizes[label] >= _FOLDS:
            folds[index] = counted.get(label, 0) % _FOLDS
            counted[label] = counted.get(label, 0) + 1
    return folds


def _loss(logits: Floats, target: NDArray[np.int64], *, balanced: bool) -> float:
    """Mean negative log-likelihood; each label weighs the same if `balanced`, and each example otherwise."""
    likelihood = np.log(_softmax(logits)[np.arange(len(target)), target] + _TINY)
    if not balanced:
        return -float(np.mean(likelihood))
    return -float(np.mean([likelihood[target == label].mean() for label in np.unique(target)]))


def _softmax(logits: Floats) -> Floats:
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    normal: Floats = powers / powers.sum(axis=1, keepdims=True)
    return normal
