"""Small classifiers on sentence embeddings and character n-grams, trained at start from examples."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import LogisticRegression

Vectors = NDArray[np.float32]

_NGRAM_BUCKETS = 2**13
# The embedding knows what is meant, the characters know how it is spelt; together they beat either.
_NGRAM_WEIGHT = 0.6
_EMBEDDING_WEIGHT = 2.0
_C = 8.0


@dataclass(frozen=True, slots=True)
class Scored:
    """The likeliest label and the probability of each."""

    label: str
    confidence: float
    probabilities: dict[str, float]


class Featurizer:
    """Texts with their embeddings (or None) to one sparse matrix."""

    def __init__(self) -> None:
        self._ngrams = HashingVectorizer(
            n_features=_NGRAM_BUCKETS, analyzer="char_wb", ngram_range=(2, 4), alternate_sign=False, lowercase=True
        )

    def __call__(self, texts: Sequence[str], vectors: Vectors | None) -> csr_matrix:
        """Return one row per text."""
        ngrams = self._ngrams.transform(texts) * _NGRAM_WEIGHT
        if vectors is None:
            return csr_matrix(ngrams)
        return csr_matrix(hstack([ngrams, csr_matrix(vectors * _EMBEDDING_WEIGHT)]))


class Classifier:
    """A logistic regression over labelled examples. Deterministic: same examples, same weights."""

    def __init__(self, featurize: Featurizer) -> None:
        self._featurize = featurize
        self._model: LogisticRegression | None = None
        self._only: str | None = None

    def fit(self, examples: Mapping[str, Sequence[str]], vectors: Mapping[str, Vectors] | None) -> "Classifier":
        """Train on examples by label. One label alone is answered always; none at all leaves it untrained."""
        texts = [text for label in examples for text in examples[label]]
        labels = [label for label in examples for _ in examples[label]]
        if len(set(labels)) < 2:
            self._only = labels[0] if labels else None
            return self
        matrix = np.stack([vectors[text] for text in texts]) if vectors is not None else None
        self._model = LogisticRegression(C=_C, class_weight="balanced", max_iter=2000)
        self._model.fit(self._featurize(texts, matrix), labels)
        return self

    def __call__(self, text: str, vector: Vectors | None) -> Scored:
        """Classify one text; an untrained classifier says "other" with confidence 0."""
        if self._model is None:
            label = self._only or "other"
            return Scored(label, 1.0 if self._only else 0.0, {label: 1.0 if self._only else 0.0})
        matrix = vector.reshape(1, -1) if vector is not None else None
        probabilities = self._model.predict_proba(self._featurize([text], matrix))[0]
        best = int(np.argmax(probabilities))
        by_label = {str(label): float(p) for label, p in zip(self._model.classes_, probabilities, strict=True)}
        return Scored(str(self._model.classes_[best]), float(probabilities[best]), by_label)
