"""All classifiers of the engine, trained at start or read back from the cache."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from tools.arrays import read_arrays, write_arrays
from tools.engines.local.ears.classify import FORMAT, NOTHING, Classifier, Floats, Scored, scored, train
from tools.engines.local.ears.examples import Examples
from tools.engines.local.ears.features import Featurizer, Vectors
from tools.engines.local.ears.store import Shipped


class Chorus:
    """Classifiers of the same features, side by side: a text's features are multiplied once for all of them."""

    def __init__(self, classifiers: Mapping[str, Classifier]) -> None:
        able = {name: classifier for name, classifier in classifiers.items() if classifier.labels}
        ends = np.cumsum([len(classifier.labels) for classifier in able.values()], dtype=int)
        self._places = {
            name: (classifier.labels, int(end) - len(classifier.labels), int(end))
            for (name, classifier), end in zip(able.items(), ends, strict=True)
        }
        self._weights = np.hstack([classifier.weights for classifier in able.values()]) if able else None
        self._intercept = np.concatenate([classifier.intercept for classifier in able.values()]) if able else None

    def __bool__(self) -> bool:
        return self._weights is not None

    def logits(self, features: csr_matrix) -> Floats:
        """One row per text, for `hear`."""
        if self._weights is None or self._intercept is None:
            return np.zeros((features.shape[0], 0))
        logits: Floats = np.asarray(features @ self._weights, dtype=np.float64) + self._intercept
        return logits

    def hear(self, name: str, logits: Floats) -> Scored:
        """What the named classifier makes of a text; "other" with confidence 0 when it knows no label."""
        if name not in self._places:
            return NOTHING
        labels, start, end = self._places[name]
        return scored(labels, logits[start:end].tolist())


@dataclass(frozen=True, slots=True)
class Row:
    """A text as the classifiers heard it, and which ones."""

    logits: Floats
    chorus: Chorus


@dataclass(frozen=True, slots=True)
class Choruses:
    """The same classifiers three times: by words, by what the text means, and by what it means to both models."""

    words_only: Chorus
    with_meaning: Chorus
    with_both: Chorus


class Ears:
    """The classifiers by name, for texts with two embeddings, with one, and for when the embedder is away."""

    def __init__(self, featurize: Featurizer, choruses: Choruses) -> None:
        self._featurize = featurize
        self._choruses = choruses

    def rows(self, texts: Sequence[str], vectors: Vectors | None, beside: Vectors | None = None) -> list[Row]:
        """Prepare texts; with `vectors` (one row per text) they are understood by meaning too.

        `beside` has a row per text of the second model: what a message in another language than English says there.
        """
        if not texts:
            return []
        there = self._choruses
        if vectors is not None and beside is not None and there.with_both:
            chorus, meaning = there.with_both, np.hstack([vectors, beside])
        elif vectors is not None and there.with_meaning:
            chorus, meaning = there.with_meaning, vectors
        else:
            chorus, meaning = there.words_only, None
        return [Row(row, chorus) for row in chorus.logits(self._featurize(texts, meaning))]

    def hear(self, name: str, row: Row) -> Scored:
        """Classify a prepared text with the named classifier."""
        return row.chorus.hear(name, row.logits)


@dataclass(frozen=True, slots=True)
class Meaning:
    """The vectors of the examples, by text: of the model that `embedder` names, and of a second one (None without)."""

    embedder: str
    vectors: Mapping[str, Vectors]
    beside: Mapping[str, Vectors] | None


def with_beside(embedder: str) -> str:
    """What the vectors of a model are known by that have a second model's beside them."""
    return f"{embedder}+beside"


def train_ears(sets: Mapping[str, Examples], meaning: Meaning | None, cache_dir: Path, ready: Shipped) -> Ears:
    """Train every set by words alone, and by meaning too where there is any; those that are `ready` are taken.

    Takes seconds the first time, and blocks.
    """
    featurize = Featurizer()

    def chorus(vectors: Mapping[str, Vectors] | None, embedder: str) -> Chorus:
        there = ready.get(embedder, {})
        return Chorus(
            {
                name: there[name] if name in there else trained(name, examples, featurize, vectors, embedder, cache_dir)
                for name, examples in sets.items()
            }
        )

    words_only, nothing = chorus(None, ""), Chorus({})
    if meaning is None:
        return Ears(featurize, Choruses(words_only, nothing, nothing))
    with_both = nothing
    beside = meaning.beside
    if beside is not None:
        both = {text: np.hstack([row, beside[text]]) for text, row in meaning.vectors.items()}
        with_both = chorus(both, with_beside(meaning.embedder))
    return Ears(featurize, Choruses(words_only, chorus(meaning.vectors, meaning.embedder), with_both))


def trained(
    name: str,
    examples: Examples,
    featurize: Featurizer,
    vectors: Mapping[str, Vectors] | None,
    embedder_name: str,
    cache_dir: Path,
    *,
    tuned: bool = True,
) -> Classifier:
    """Train one classifier, or read it back when it was trained from the same examples before."""
    texts = [text for label in sorted(examples) for text in examples[label]]
    labels = [label for label in sorted(examples) for _ in examples[label]]
    if not texts:
        return Classifier((), np.zeros((0, 0), dtype=np.float32), np.zeros(0, dtype=np.float32))
    said = "\x1e".join(f"{label}\x1f{text}" for label, text in zip(labels, texts, strict=True))
    key = hashlib.sha256(f"{FORMAT}\x1e{embedder_name}\x1e{said}".encode()).hexdigest()[:24]
    path = cache_dir / f"classifier-{name}-{key}.npz"
    known = _read(path, sorted(set(labels)))
    if known is not None:
        return known
    matrix = np.stack([vectors[text] for text in texts]) if vectors is not None else None
    # On matrices this small, two threads of the linear algebra wait for each other ten times longer than they work.
    with threadpool_limits(limits=1):
        made = train(featurize(texts, matrix), labels, texts, tuned=tuned)
    write_arrays(
        path, {"labels": np.array(made.labels, dtype=np.str_), "weights": made.weights, "intercept": made.intercept}
    )
    return made


def _read(path: Path, labels: list[str]) -> Classifier | None:
    stored = read_arrays(path, ("labels", "weights", "intercept"))
    if stored is None:
        return None
    names = tuple(str(label) for label in stored["labels"])
    fits = stored["weights"].ndim == 2 and stored["weights"].shape[1] == len(names) == len(stored["intercept"])
    if list(names) != labels or not fits:
        return None
    return Classifier(names, stored["weights"].astype(np.float32), stored["intercept"].astype(np.float32))
