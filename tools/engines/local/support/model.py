"""The probability that a source says a sentence, learnt from the shipped pairs of passages and sentences."""

import logging
from dataclasses import dataclass, replace

import numpy as np

from agent.errors import ConnectorError
from tools.engines.local.support.aligning import Source, align, read_source
from tools.engines.local.support.diction import Diction, differences
from tools.engines.local.support.entailing import Entailing, Entails
from tools.engines.local.support.likeness import features
from tools.engines.local.support.trees import Trees
from tools.engines.local.support.wording import worded

logger = logging.getLogger(__name__)

_FOREIGN_AMOUNT = 0.03


@dataclass(frozen=True, slots=True)
class Comparison:
    """A sentence beside a source: the values by name, the words by which they differ, and what is to be read of both.

    `stretch` is the part of the source that has most of the sentence's words.
    """

    values: dict[str, float]
    differences: frozenset[str]
    stretch: str
    said: str

    def read_by(self, entails: Entails) -> "Comparison":
        """The same with one value more: what a model that reads both says.

        Raises:
            ConnectorError: the model failed.
        """
        return replace(self, values={**self.values, "entailed": entails(self.stretch, self.said)})


@dataclass(frozen=True, slots=True)
class Glance:
    """What is known of a comparison, 0 when nothing is; and who has to read it, if anybody."""

    found: Comparison
    value: float
    reader: Entailing | None = None


@dataclass(frozen=True, slots=True)
class SupportModel:
    """Trees over the named values of a comparison and the diction. Deterministic, and needs no embeddings.

    Log-odds are divided by `temperature`, and 0.5 stands for log-odds of `caution`: wrong sentences cost more.
    `entailment` reads the sentence too. `without` goes by words alone: when that fails, and for sentences that aren't
    doubtful enough for it.
    """

    names: tuple[str, ...]
    trees: Trees
    diction: Diction
    temperature: float
    caution: float
    entailment: Entailing | None = None
    without: "SupportModel | None" = None

    def __call__(self, said: str, source: str, headings: tuple[str, ...] = ()) -> float:
        """The probability, in (0, 1), that `source` under `headings` says what `said` says; blocks for a reading."""
        found = self.by_words(said, source, headings)
        return found.value if found.reader is None else self.read(found, found.reader)

    def by_words(self, said: str, source: str, headings: tuple[str, ...] = ()) -> Glance:
        """What is known of the same before anything is read."""
        found = compare(said, read_source(source, headings))
        if self.entailment is None:
            return Glance(found, self._estimate(found))
        if self.without is None:
            return Glance(found, 0.0, self.entailment)
        value = self.without._estimate(found)
        least, most = self.entailment.doubtful
        return Glance(found, value, self.entailment if least <= value <= most else None)

    def read(self, glance: Glance, reader: Entailing) -> float:
        """The probability once `reader` has read the comparison; blocks.

        Raises:
            ConnectorError: it failed, and there is nothing else to go by.
        """
        try:
            return self._estimate(glance.found.read_by(reader))
        except ConnectorError:
            if self.without is None:
                raise
            logger.exception("the entailment model failed on a sentence, compared by words instead")
            return glance.value

    def _estimate(self, found: Comparison) -> float:
        row = [found.values[name] for name in self.names]
        odds = self.trees(np.array([*row, self.diction(found.differences)], dtype=np.float32))
        value = float(1 / (1 + np.exp(self.caution - odds / self.temperature)))
        return min(value, _FOREIGN_AMOUNT) if found.values["amount_foreign"] else value


def compare(said: str, source: Source) -> Comparison:
    """Compare a sentence with a source."""
    read = worded(said)
    found = align(read.content, source)
    stretch = " ".join(source.units[found.first : found.last + 1])
    return Comparison(features(read, source, found), differences(said, found, source), stretch, said)
