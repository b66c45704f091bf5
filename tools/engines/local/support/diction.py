"""What the words say by which a sentence differs from its source: some are brought by those who put it otherwise.

Who says the same in other words writes "whoever" and "takes"; who adds something writes "immediately" or
"automatically". Neither is any proof, so this is one number beside those of `likeness`. Words that change a claim by
themselves (not, only, a number) are left out: whether they stand where they should is for the comparison to see.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from tools.arrays import Arrays
from tools.engines.local.support.aligning import Alignment, Source
from tools.engines.local.support.wording import Sort, Token, changes_a_claim
from tools.engines.local.words import words

# A word that fewer examples have tells more about them than about others.
_SELDOM = 3
_STRENGTH = 0.2
_STEPS = 300
_GROUPS = 5
_ARRAYS = ("words", "weights", "words_base")


@dataclass(frozen=True, slots=True)
class Diction:
    """A weight, in log-odds, for each way to differ by a word."""

    weights: dict[str, float]
    base: float

    def __call__(self, differences: frozenset[str]) -> float:
        """The log-odds, by words alone, that who differs by these says what the source says."""
        known = sorted(differences & self.weights.keys())
        return self.base + sum(self.weights[each] for each in known)

    def to_arrays(self) -> Arrays:
        """For keeping."""
        return {
            "words": np.array(list(self.weights), dtype=np.str_),
            "weights": np.array(list(self.weights.values()), dtype=np.float64),
            "words_base": np.array(self.base),
        }

    @classmethod
    def from_arrays(cls, stored: Arrays) -> "Diction | None":
        """Read back; None when the arrays don't fit together."""
        if (
            stored["words"].ndim != 1
            or stored["words"].shape != stored["weights"].shape
            or stored["words_base"].shape != ()
        ):
            return None
        weights = dict(zip(stored["words"].tolist(), stored["weights"].tolist(), strict=True))
        return cls(weights, float(stored["words_base"]))


def array_names() -> tuple[str, ...]:
    """What `to_arrays` gives."""
    return _ARRAYS


def differences(text: str, found: Alignment, source: Source) -> frozenset[str]:
    """By which words a sentence differs from the stretch of the source that it is held against.

    A content word may be missing there, stand for another one, or be left over from the clauses that are drawn on;
    and any word at all may be new or gone.
    """
    used = {place for place in found.to if place >= 0}
    clauses = {found.window[place].clause for place in used}
    ways: set[str] = set()
    for token, place in zip(found.said, found.to, strict=True):
        if place < 0:
            ways.add(f"missing {_kind(token)}")
        elif found.window[place].token.text != token.text:
            ways.add(f"{found.window[place].token.text} > {_kind(token)}")
    ways |= {
        f"left {_kind(placed.token)}"
        for number, placed in enumerate(found.window)
        if placed.clause in clauses and number not in used
    }
    said = _telling(text)
    there = _telling(" ".join(source.units[found.first : found.last + 1]))
    return frozenset(ways | {f"new {word}" for word in said - there} | {f"gone {word}" for word in there - said})


def _kind(token: Token) -> str:
    return token.text if token.sort is Sort.WORD else token.sort.name


def _telling(text: str) -> set[str]:
    return {word for word in words(text) if not changes_a_claim(word)}


def learn_diction(
    differing: Sequence[frozenset[str]], right: NDArray[np.bool_], own: NDArray[np.bool_], group: NDArray[np.int64]
) -> tuple[Diction, NDArray[np.float64]]:
    """Learn the weights from the examples in `own`, and what every example says by those of other groups alone.

    A group are the examples about one passage: what is said of it elsewhere would give an example away.
    """
    taught = [ways for ways, each in zip(differing, own, strict=True) if each]
    counted = Counter(way for ways in taught for way in ways)
    columns = {way: number for number, way in enumerate(sorted(way for way in counted if counted[way] >= _SELDOM))}
    rows = _matrix(differing, columns)
    values = np.zeros(len(right))
    groups = np.random.default_rng(0).permutation(np.unique(group))
    for some in np.array_split(groups, min(_GROUPS, len(groups))):
        out = np.isin(group, some)
        weights, base = _fit(rows[own & ~out], right[own & ~out])
        values[out] = rows[out] @ weights + base
    weights, base = _fit(rows[own], right[own])
    return Diction(dict(zip(columns, weights.tolist(), strict=True)), base), values


def _matrix(differing: Sequence[frozenset[str]], columns: dict[str, int]) -> csr_matrix:
    places = [sorted(columns[way] for way in ways if way in columns) for ways in differing]
    ends = np.cumsum([0, *(len(each) for each in places)])
    flat = np.array([place for each in places for place in each], dtype=np.int64)
    return csr_matrix((np.ones(len(flat)), flat, ends), shape=(len(differing), len(columns)))


def _fit(rows: csr_matrix, right: NDArray[np.bool_]) -> tuple[NDArray[np.float64], float]:
    # Imported here because every start would wait for it, and few learn anything.
    from sklearn.linear_model import LogisticRegression

    if right.all() or not right.any():
        return np.zeros(rows.shape[1]), 0.0
    with threadpool_limits(limits=1):
        fitted = LogisticRegression(C=_STRENGTH, max_iter=_STEPS).fit(rows, right)
    return np.asarray(fitted.coef_[0], dtype=np.float64), float(fitted.intercept_[0])
