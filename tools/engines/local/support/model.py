"""The probability that a source says a sentence, learnt from the shipped pairs of passages and sentences."""

import logging
from dataclasses import dataclass

import numpy as np

from agent.errors import ConnectorError
from tools.engines.local.support.aligning import Source, align, read_source
from tools.engines.local.support.diction import Diction, differences
from tools.engines.local.support.entailing import Entails
from tools.engines.local.support.likeness import features
from tools.engines.local.support.trees import Trees
from tools.engines.local.support.wording import worded

logger = logging.getLogger(__name__)

_FOREIGN_AMOUNT = 0.03


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sentence beside a source: the values by name, and the words by which they differ."""

    values: dict[str, float]
    differences: frozenset[str]


@dataclass(frozen=True, slots=True)
class SupportModel:
    """Trees over the named values of a comparison and the diction. Deterministic, and needs no embeddings.

    Log-odds are divided by `temperature`, and 0.5 stands for log-odds of `caution`: wrong sentences cost more.
    `entailment` is the operator's own, `without` goes by words alone, for when that fails.
    """

    names: tuple[str, ...]
    trees: Trees
    diction: Diction
    temperature: float
    caution: float
    entailment: Entails | None = None
    without: "SupportModel | None" = None

    def __call__(self, said: str, source: str, headings: tuple[str, ...] = ()) -> float:
        """The probability, in (0, 1), that `source` under `headings` says what `said` says."""
        try:
            found = compare(said, read_source(source, headings), self.entailment)
        except ConnectorError:
            if self.without is None:
                raise
            logger.exception("the entailment model failed on a sentence, compared by words instead")
            return self.without(said, source, headings)
        row = [found.values[name] for name in self.names]
        odds = self.trees(np.array([*row, self.diction(found.differences)], dtype=np.float32))
        value = float(1 / (1 + np.exp(self.caution - odds / self.temperature)))
        return min(value, _FOREIGN_AMOUNT) if found.values["amount_foreign"] else value


def compare(said: str, source: Source, entailment: Entails | None) -> Comparison:
    """Compare a sentence with a source.

    Raises:
        ConnectorError: the entailment model failed.
    """
    read = worded(said)
    found = align(read.content, source)
    values = features(read, source, found)
    if entailment is not None:
        # Only where it is asked: the stretch of the source that has most of the sentence's words.
        values["entailed"] = entailment(" ".join(source.units[found.first : found.last + 1]), said)
    return Comparison(values, differences(said, found, source))
