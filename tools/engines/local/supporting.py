"""The probability that a source says a sentence, learnt from the shipped pairs of passages and sentences."""

import hashlib
import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from agent.errors import ConnectorError, Misconfigured
from tools.arrays import read_arrays, write_arrays
from tools.engines.local.aligning import Source, align, read_source
from tools.engines.local.entailing import Entailment
from tools.engines.local.likeness import features
from tools.engines.local.shipped import as_text, read_data
from tools.engines.local.trees import Trees, array_names, grow
from tools.engines.local.wording import Worded, worded

logger = logging.getLogger(__name__)

# Part of the cache key: goes up when features or training change what is learnt from the same examples.
_FORMAT = 2
# So many slow trees stop short of what they know: on passages that were left out, the log-odds should be steeper.
_TEMPERATURE = 0.86
# The examples are half right, half wrong. A wrong sentence that is let out costs more than a right one that is put in
# the source's words, so the border is drawn where nine of ten wrong examples, left out of the training, are stopped.
# In log-odds: as if there were three wrong sentences for each right one.
_CAUTION = 1.15
# The same two for trees that know what an entailment model says.
_ENTAILED_TEMPERATURE = 0.9
_ENTAILED_CAUTION = 0.73
_FOREIGN_AMOUNT = 0.03
# What is told apart easily must not outweigh what is hard.
_STRANGERS_WEIGHT = 0.1
_APART = 7


@dataclass(frozen=True, slots=True)
class Example:
    """A sentence that was written about a passage; `what` says in which way a wrong one is wrong, "" when right."""

    passage: str
    sentence: str
    what: str

    @property
    def right(self) -> bool:
        """Whether the passage says what the sentence says."""
        return not self.what


@dataclass(frozen=True, slots=True)
class SupportModel:
    """Trees over the named features. Deterministic, and needs no embeddings; `entailment` is the operator's own.

    `without` goes by words alone, for when that fails.
    """

    names: tuple[str, ...]
    trees: Trees
    entailment: Entailment | None = None
    without: "SupportModel | None" = None

    def __call__(self, said: str, source: str, headings: tuple[str, ...] = ()) -> float:
        """The probability, in (0, 1), that `source` under `headings` says what `said` says."""
        try:
            found = _features(said, read_source(source, headings), self.entailment)
        except ConnectorError:
            if self.without is None:
                raise
            logger.exception("the entailment model failed on a sentence, compared by words instead")
            return self.without(said, source, headings)
        row = np.array([found[name] for name in self.names], dtype=np.float32)
        caution, temperature = (
            (_CAUTION, _TEMPERATURE) if self.entailment is None else (_ENTAILED_CAUTION, _ENTAILED_TEMPERATURE)
        )
        value = float(1 / (1 + np.exp(caution - self.trees(row) / temperature)))
        return min(value, _FOREIGN_AMOUNT) if found["amount_foreign"] else value


def load_support_examples() -> list[Example]:
    """Read the shipped pairs.

    Raises:
        Misconfigured: the installation is damaged.
    """
    examples: list[Example] = []
    for group in read_data("support")["groups"]:
        passage = as_text(group["passage"])
        examples += [Example(passage, as_text(text), "") for text in group["right"]]
        examples += [Example(passage, as_text(wrong["text"]), as_text(wrong["what"])) for wrong in group["wrong"]]
    if not examples:
        raise Misconfigured("the shipped file support.yaml is damaged: reinstall helpgraph")
    return examples


def train_support(cache_dir: Path, entailment: Entailment | None = None) -> SupportModel:
    """Learn from the shipped pairs, or read back what was learnt; blocks.

    A few seconds the first time; with an entailment model a minute or two, since it reads every pair.
    """
    examples = load_support_examples()
    said = "\x1e".join(f"{e.passage}\x1f{e.sentence}\x1f{e.what}" for e in examples) + repr(read_data("wording"))
    without = None
    if entailment is not None:
        without = train_support(cache_dir)
        said += f"\x1e{entailment.name}"
    key = hashlib.sha256(f"{_FORMAT}\x1e{said}".encode()).hexdigest()[:24]
    path = cache_dir / f"support-{key}.npz"
    stored = read_arrays(path, ("names", *array_names()))
    if stored is not None:
        trees = Trees.from_arrays(stored)
        if trees is not None:
            return SupportModel(tuple(str(name) for name in stored["names"]), trees, entailment, without)
    model = replace(learn(examples, entailment), without=without)
    write_arrays(path, {"names": np.array(model.names, dtype=np.str_), **model.trees.to_arrays()})
    return model


def learn(examples: Sequence[Example], entailment: Entailment | None = None) -> SupportModel:
    """Learn from examples, and from sentences about something else: right ones, each beside another's passage."""
    passages = list(dict.fromkeys(example.passage for example in examples))
    another = dict(zip(passages, passages[_APART:] + passages[:_APART], strict=True))
    strangers = [Example(another[e.passage], e.sentence, "other") for e in examples if e.right]
    names, rows = feature_rows([*examples, *strangers], entailment)
    right = np.array([example.right for example in (*examples, *strangers)])
    weights = np.array([1.0] * len(examples) + [_STRANGERS_WEIGHT] * len(strangers))
    return SupportModel(names, grow(rows, right, weights), entailment)


def feature_rows(
    examples: Sequence[Example], entailment: Entailment | None = None
) -> tuple[tuple[str, ...], NDArray[np.float64]]:
    """The names of the features and a row of them for each example."""
    found = [_features(example.sentence, read_source(example.passage), entailment) for example in examples]
    names = tuple(sorted(found[0]))
    return names, np.array([[values[name] for name in names] for values in found])


def _features(said: str, source: Source, entailment: Entailment | None) -> dict[str, float]:
    read = worded(said)
    values = features(read, source)
    # Only where it is asked: the stretch of the source that has most of the sentence's words.
    return values if entailment is None else {**values, "entailed": entailment(_stretch(read, source), said)}


def _stretch(said: Worded, source: Source) -> str:
    found = align(said.content, source)
    return " ".join(source.units[found.first : found.last + 1])
