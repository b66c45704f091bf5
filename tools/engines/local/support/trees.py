"""Small boosted trees as plain arrays, so that what was learnt can be kept without pickling it. Deterministic."""

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from tools.arrays import Arrays

_TREES = 600
_DEPTH = 6
_RATE = 0.04
_SHARE_OF_ROWS = 0.6
_SHARE_OF_FEATURES = 0.15
_LEAST_IN_A_LEAF = 15
_ARRAYS = ("feature", "threshold", "left", "right", "value", "base")


@dataclass(frozen=True, slots=True)
class Trees:
    """A row per tree and a column per node. A leaf has itself as both children; `value` is in log-odds."""

    feature: NDArray[np.int32]
    threshold: NDArray[np.float64]
    left: NDArray[np.int32]
    right: NDArray[np.int32]
    value: NDArray[np.float64]
    base: float
    _flat: "_Flat" = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_flat", _flatten(self))

    def __call__(self, row: NDArray[np.float32]) -> float:
        """The log-odds of a row of features."""
        flat, node = self._flat, self._flat.roots
        for _ in range(self.depth):
            below = row.take(flat.feature.take(node)) <= flat.threshold.take(node)
            node = flat.children.take(2 * node + below)
        return self.base + float(flat.value.take(node).sum())

    @property
    def depth(self) -> int:
        """How many questions lie between a root and its deepest leaf, at most."""
        return int(self.feature.shape[1] + 1).bit_length() - 2

    def to_arrays(self) -> Arrays:
        """For keeping."""
        return {name: np.asarray(getattr(self, name)) for name in _ARRAYS}

    @classmethod
    def from_arrays(cls, stored: Arrays) -> "Trees | None":
        """Read back; None when the arrays don't fit together."""
        shape = stored["feature"].shape
        same = all(stored[name].shape == shape for name in _ARRAYS[:-1])
        if len(shape) != 2 or not same or stored["base"].shape != ():
            return None
        return cls(
            stored["feature"],
            stored["threshold"],
            stored["left"],
            stored["right"],
            stored["value"],
            float(stored["base"]),
        )


@dataclass(frozen=True, slots=True)
class _Flat:
    """All trees in one row of nodes, each with its right child and its left one: a third of the time to read."""

    roots: NDArray[np.intp]
    feature: NDArray[np.intp]
    threshold: NDArray[np.float64]
    children: NDArray[np.intp]
    value: NDArray[np.float64]


def _flatten(trees: Trees) -> _Flat:
    first = np.arange(len(trees.feature), dtype=np.intp)[:, None] * trees.feature.shape[1]
    return _Flat(
        first[:, 0],
        trees.feature.ravel().astype(np.intp),
        trees.threshold.ravel(),
        np.stack([first + trees.right, first + trees.left], axis=-1).ravel(),
        trees.value.ravel(),
    )


def array_names() -> tuple[str, ...]:
    """What `to_arrays` gives."""
    return _ARRAYS


def grow(rows: NDArray[np.float64], right: NDArray[np.bool_], weights: NDArray[np.float64]) -> Trees:
    """Boost trees on rows of features."""
    # Imported here because every start would wait for it, and few learn anything.
    from sklearn.ensemble import GradientBoostingClassifier

    with threadpool_limits(limits=1):
        fitted = GradientBoostingClassifier(
            n_estimators=_TREES,
            max_depth=_DEPTH,
            learning_rate=_RATE,
            subsample=_SHARE_OF_ROWS,
            max_features=_SHARE_OF_FEATURES,
            min_samples_leaf=_LEAST_IN_A_LEAF,
            random_state=0,
        ).fit(rows, right, weights)
    nodes = 2 ** (_DEPTH + 1) - 1
    feature, left, right_child = (np.zeros((_TREES, nodes), dtype=np.int32) for _ in range(3))
    threshold, value = (np.zeros((_TREES, nodes)) for _ in range(2))
    for place, (estimator,) in enumerate(fitted.estimators_):
        tree = estimator.tree_
        own = np.arange(tree.node_count)
        leaf = tree.children_left < 0
        feature[place, own] = np.where(leaf, 0, tree.feature)
        threshold[place, own] = tree.threshold
        left[place, own] = np.where(leaf, own, tree.children_left)
        right_child[place, own] = np.where(leaf, own, tree.children_right)
        value[place, own] = _RATE * tree.value[:, 0, 0]
    prior = float(np.average(right, weights=weights))
    return Trees(feature, threshold, left, right_child, value, float(np.log(prior / (1 - prior))))
