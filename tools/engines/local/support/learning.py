"""Learning from examples whether a source says a sentence, and where the border lies between said and not said."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from tools.engines.local.support.aligning import read_source
from tools.engines.local.support.diction import Diction, learn_diction
from tools.engines.local.support.entailing import Entails
from tools.engines.local.support.examples import Example, strangers
from tools.engines.local.support.model import Comparison, SupportModel, compare
from tools.engines.local.support.trees import Trees, grow

logger = logging.getLogger(__name__)

# What is told apart easily must not outweigh what is hard, nor take its time.
_ONE_STRANGER_IN = 5
_STRANGERS_WEIGHT = 0.5
_LEAST_SHARE = 0.05
# A wrong sentence that is let out costs more than a right one that is put in the source's words: the border is drawn
# where so many wrong examples are stopped. They were written to be hard: of others nine of ten are (docs/quality.md).
_WRONG_STOPPED = 0.88
_FOLDS = 6
_TOLD_EVERY = 1_000
_TEMPERATURES = np.geomspace(0.5, 2, 57)


@dataclass(frozen=True, slots=True)
class Lessons:
    """Compared examples: a row of `rows` and a member of `differing` for each, and the group that it is left out with.

    `own` are those that stand beside the passage they were written about.
    """

    names: tuple[str, ...]
    rows: NDArray[np.float64]
    differing: tuple[frozenset[str], ...]
    right: NDArray[np.bool_]
    own: NDArray[np.bool_]
    group: NDArray[np.int64]

    def without(self, out: NDArray[np.bool_]) -> "Lessons":
        """Those that are not in `out`."""
        kept = np.flatnonzero(~out)
        differing = tuple(self.differing[each] for each in kept)
        return Lessons(self.names, self.rows[kept], differing, self.right[kept], self.own[kept], self.group[kept])


def learn(examples: Sequence[Example], entails: Entails | None = None) -> SupportModel:
    """Learn from examples, and from sentences about something else: right ones, each beside another's passage.

    With thousands of examples it takes some minutes; blocks.
    """
    lessons = prepare(examples, entails)
    temperature, caution = _border(lessons)
    diction, trees = _fit(lessons)
    return SupportModel(lessons.names, trees, diction, temperature, caution)


def prepare(examples: Sequence[Example], entails: Entails | None = None) -> Lessons:
    """Compare every example with its passage, and right ones with another's."""
    others = strangers(examples)[::_ONE_STRANGER_IN]
    # They are left out with the passage that they are about, whose words they have.
    about = [each.passage for each in examples] + [each.passage for each in examples if each.right][::_ONE_STRANGER_IN]
    numbers = {passage: number for number, passage in enumerate(dict.fromkeys(about))}
    compared = compare_all([*examples, *others], entails)
    names = tuple(sorted(compared[0].values))
    return Lessons(
        names,
        np.array([[each.values[name] for name in names] for each in compared]),
        tuple(each.differences for each in compared),
        np.array([each.right for each in [*examples, *others]]),
        np.arange(len(about)) < len(examples),
        np.array([numbers[passage] for passage in about]),
    )


def compare_all(examples: Sequence[Example], entails: Entails | None = None) -> list[Comparison]:
    """Compare every example with its passage."""
    compared = []
    for number, example in enumerate(examples):
        found = compare(example.sentence, read_source(example.passage))
        if entails is not None:
            if number % _TOLD_EVERY == 0:
                logger.info(
                    "the entailment model reads the shipped examples, once count=%d rows=%d", number, len(examples)
                )
            found = found.read_by(entails)
        compared.append(found)
    return compared


def left_out(lessons: Lessons) -> NDArray[np.float64]:
    """The log-odds of every example by a model that saw no sentence about its passage."""
    values = np.zeros(len(lessons.right))
    groups = np.random.default_rng(0).permutation(np.unique(lessons.group))
    for some in np.array_split(groups, min(_FOLDS, len(groups))):
        out = np.isin(lessons.group, some)
        diction, trees = _fit(lessons.without(out))
        for each in np.flatnonzero(out):
            said = diction(lessons.differing[each])
            values[each] = trees(np.append(lessons.rows[each], said).astype(np.float32))
    return values


def _fit(lessons: Lessons) -> tuple[Diction, Trees]:
    diction, said = learn_diction(lessons.differing, lessons.right, lessons.own, lessons.group)
    return diction, grow(np.column_stack([lessons.rows, said]), lessons.right, weigh(lessons))


def weigh(lessons: Lessons) -> NDArray[np.float64]:
    """How much each example counts, 1 at the mean: right and wrong ones the same in all, strangers less."""
    return np.where(lessons.own, _evenly(lessons), _STRANGERS_WEIGHT)


def _evenly(lessons: Lessons) -> NDArray[np.float64]:
    """A weight for each example by which right and wrong ones, strangers left out, weigh the same; 1 at the mean."""
    share = float(lessons.right[lessons.own].mean())
    return np.where(lessons.right, 0.5 / max(share, _LEAST_SHARE), 0.5 / max(1 - share, _LEAST_SHARE))


def _border(lessons: Lessons) -> tuple[float, float]:
    """By what the log-odds are divided to be as sure as they may be, and where in them the border is drawn.

    Both are measured on left-out passages, the temperature by the log loss (Guo et al., 2017).
    """
    values = left_out(lessons)[lessons.own]
    right = lessons.right[lessons.own]
    weights = _evenly(lessons)[lessons.own]
    losses = [
        np.average(np.logaddexp(0, np.where(right, -values, values) / each), weights=weights) for each in _TEMPERATURES
    ]
    temperature = float(_TEMPERATURES[int(np.argmin(losses))])
    # These are stopped without any border.
    foreign = lessons.rows[lessons.own, lessons.names.index("amount_foreign")] > 0
    wrong = np.where(foreign, -np.inf, values)[~right]
    return temperature, float(np.quantile(wrong, _WRONG_STOPPED, method="higher")) / temperature
