"""Which article answers this, going by questions that articles are known to answer.

A linear classifier over all known questions says which article a message belongs to; how near the nearest known
question is says whether it belongs to any. Both together, calibrated on articles that were left out on purpose, give
the probability that the best article answers. Nothing here holds a text: questions are vectors and hashed words.
"""

import hashlib
import math
import warnings
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, vstack
from threadpoolctl import threadpool_limits

from agent.fast_yaml import parse_yaml
from tools.hashing import Hasher, Part, SpellingTerms, WordTerms, side_by_side
from tools.knowledge.lexical import Analyzer

Floats = NDArray[np.float32]
Arrays = dict[str, NDArray[Any]]

FORMAT = 2
"""Part of every stored matcher's key: goes up when the same questions would give another matcher."""

ARRAYS = (
    "article_ids",
    "weights",
    "intercept",
    "calibration",
    "stems",
    "stem_counts",
    "rarity_stems",
    "rarity",
    "unseen",
)
"""What a stored matcher consists of."""

MIN_ARTICLES = 4
MIN_QUESTIONS = 20
_MOST_QUESTIONS = 20_000
_MOST_PER_ARTICLE = 400

_BUCKETS = 512
# Signed hashing keeps inner products without keeping a vocabulary. The meaning counts twice what the wording does.
_MEANING, _WORDING = 1.4, 0.7
_STRENGTH = 5.0
# The classifier's logit and the cosine, brought to one scale: both are about 1.5 for a clear match.
_LOGIT_SHARE, _COSINE_SHARE = 1 / 3, 3.0
_COVERAGE_SHARE, _MARGIN_SHARE = 0.5, 0.3
_ROUNDS = 16
_LARGE = 2000
_ROUNDS_WHEN_LARGE = 3
_LEFT_OUT_QUESTIONS, _LEFT_OUT_ARTICLES = 0.2, 0.25
_PER_ARTICLE_IN_ROUNDS = 30


@dataclass(frozen=True, slots=True)
class Questions:
    """Known questions, one row each.

    `vectors` are their embeddings (n, d), L2-normalised; `wording` their hashed words (n, 1024); `stems` the hashes of
    their stems. `article_ids` names the article that answers each.
    """

    article_ids: tuple[str, ...]
    vectors: Floats
    wording: csr_matrix
    stems: tuple[frozenset[int], ...]

    def __len__(self) -> int:
        return len(self.article_ids)

    def take(self, places: Sequence[int] | NDArray[np.int64]) -> "Questions":
        """Return those at `places`, in that order."""
        return Questions(
            tuple(self.article_ids[place] for place in places),
            self.vectors[places],
            self.wording[places],
            tuple(self.stems[place] for place in places),
        )

    def plus(self, other: "Questions") -> "Questions":
        """Return these and the other ones."""
        return Questions(
            self.article_ids + other.article_ids,
            np.concatenate([self.vectors, other.vectors]),
            csr_matrix(_stack(self.wording, other.wording)),
            self.stems + other.stems,
        )


@dataclass(frozen=True, slots=True)
class Match:
    """An article, and the calibrated probability that it answers."""

    article_id: str
    probability: float


class Wording:
    """Texts to hashed words and stems. Keeps nothing of them."""

    def __init__(self) -> None:
        self._words = Hasher(WordTerms(2), _BUCKETS, signed=True)
        self._ngrams = Hasher(SpellingTerms(2, 4), _BUCKETS, signed=True)
        self._analyzer = Analyzer()

    def rows(self, texts: Sequence[str]) -> csr_matrix:
        """One row of 1024 per text."""
        hashers = (self._words, self._ngrams)
        return side_by_side([Part([hasher(text) for text in texts], hasher.buckets) for hasher in hashers])

    def stems(self, text: str, language: str) -> frozenset[int]:
        """The hashes of the stems of `text`."""
        return frozenset(_hash(stem) for stem in self._analyzer.stems(text, language))

    def questions(
        self, texts: Sequence[str], languages: Sequence[str], article_ids: Sequence[str], vectors: Floats
    ) -> Questions:
        """Prepare texts that have been embedded."""
        stems = tuple(self.stems(text, language) for text, language in zip(texts, languages, strict=True))
        return Questions(tuple(article_ids), vectors.astype(np.float32), self.rows(texts), stems)


@dataclass(frozen=True, slots=True)
class Calibration:
    """Scores to probabilities: a logistic curve that rises with `slope` and crosses one half at `middle`."""

    slope: float
    middle: float

    def __call__(self, scores: NDArray[np.float64]) -> NDArray[np.float64]:
        exponent = np.clip(self.slope * (self.middle - scores), -30, 30)
        calibrated: NDArray[np.float64] = 1 / (1 + np.exp(exponent))
        return calibrated

    def mixed(self, other: "Calibration", share: float) -> "Calibration":
        """Return a curve between this one and the other, whose share is given."""
        return Calibration(
            self.slope * (1 - share) + other.slope * share, self.middle * (1 - share) + other.middle * share
        )


# What a base of few articles starts from, and what its own curve is drawn towards, as if ten articles had said so: a
# careful one, by which a cosine of 0.7 beside a logit of 4.5 is as likely right as wrong.
PRIOR = Calibration(slope=1.8, middle=3.8)
_PRIOR_ARTICLES = 10


@dataclass(frozen=True, slots=True)
class QuestionMatcher:
    """A trained matcher. `weights` has a row per feature and a column per article; deterministic."""

    article_ids: tuple[str, ...]
    weights: Floats
    intercept: Floats
    calibration: Calibration
    rarity: Mapping[int, float]
    unseen: float
    stems: tuple[frozenset[int], ...]

    def match(
        self, vector: Floats, wording: csr_matrix, stems: frozenset[int], nearest: Mapping[str, float]
    ) -> list[Match]:
        """Return the best articles for one message, best first.

        Args:
            vector: the message's embedding; `wording` and `stems` are its words.
            nearest: the highest cosine with a known question of each article near the message; the rest counts as
                no nearer than the farthest of these.
        """
        floor = min(nearest.values(), default=0.0)
        cosines = np.array([[nearest.get(article_id, floor) for article_id in self.article_ids]])
        logits = self._logits(vector.reshape(1, -1), wording)
        order = np.argsort(-_fused(logits, cosines)[0])[:10]
        scores = self._scores(logits, cosines, [stems] * len(order), order, np.zeros(len(order), dtype=np.int64))
        probabilities = self.calibration(scores)
        return [Match(self.article_ids[place], float(p)) for place, p in zip(order, probabilities, strict=True)]

    def to_arrays(self) -> Arrays:
        """As arrays that need no pickle."""
        flat = np.array([stem for stems in self.stems for stem in sorted(stems)], dtype=np.uint64)
        return {
            "article_ids": np.array(self.article_ids, dtype=np.str_),
            "weights": self.weights,
            "intercept": self.intercept,
            "calibration": np.array([self.calibration.slope, self.calibration.middle]),
            "stems": flat,
            "stem_counts": np.array([len(stems) for stems in self.stems]),
            "rarity_stems": np.array(list(self.rarity), dtype=np.uint64),
            "rarity": np.array(list(self.rarity.values())),
            "unseen": np.array([self.unseen]),
        }

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> "QuestionMatcher":
        """Read back what `to_arrays` gave.

        Raises:
            ValueError: they don't fit together.
        """
        article_ids = tuple(str(article_id) for article_id in arrays["article_ids"])
        ends = np.cumsum(arrays["stem_counts"])
        stems = tuple(
            frozenset(int(stem) for stem in part) for part in np.split(arrays["stems"], ends[:-1]) if len(ends)
        )
        slope, middle = (float(value) for value in arrays["calibration"])
        weights = arrays["weights"]
        if not len(article_ids) == weights.shape[1] == len(arrays["intercept"]) == len(stems):
            raise ValueError("the matcher's arrays are of different lengths")
        return cls(
            article_ids=article_ids,
            weights=weights.astype(np.float32),
            intercept=arrays["intercept"].astype(np.float32),
            calibration=Calibration(slope, middle),
            rarity={
                int(stem): float(value) for stem, value in zip(arrays["rarity_stems"], arrays["rarity"], strict=True)
            },
            unseen=float(arrays["unseen"][0]),
            stems=stems,
        )

    def _logits(self, vectors: Floats, wording: csr_matrix) -> NDArray[np.float64]:
        split = vectors.shape[1]
        meant = vectors @ self.weights[:split] * _MEANING
        return np.asarray(meant + (wording @ self.weights[split:]) * _WORDING + self.intercept, dtype=np.float64)

    def _scores(
        self,
        logits: NDArray[np.float64],
        cosines: NDArray[np.float64],
        stems: Sequence[frozenset[int]],
        places: NDArray[np.int64],
        rows: NDArray[np.int64],
    ) -> NDArray[np.float64]:
        """How well the article at each of `places` fits the message in the row beside it; about 3.5 for a clear fit."""
        fused = _fused(logits, cosines)
        scores = np.zeros(len(places))
        for index, (place, row) in enumerate(zip(places, rows, strict=True)):
            margin = fused[row, place] - np.delete(fused[row], place).max(initial=0.0)
            covered = self._coverage(stems[index], place)
            scores[index] = fused[row, place] + _COVERAGE_SHARE * covered + _MARGIN_SHARE * margin
        return scores

    def _coverage(self, stems: frozenset[int], place: int) -> float:
        """Which share of the message's words, by rarity, the article's known questions have."""
        weights = {stem: self.rarity.get(stem, self.unseen) for stem in stems}
        total = sum(weights.values())
        return sum(weight for stem, weight in weights.items() if stem in self.stems[place]) / total if total else 0.0


def elsewhere_texts() -> list[str]:
    """Messages that no article of any base answers, hand-written."""
    data = parse_yaml((files("tools.knowledge") / "data" / "elsewhere.yaml").read_text(encoding="utf-8"))
    return [str(text) for text in data["messages"]]


def fit(known: Questions, elsewhere: Questions) -> QuestionMatcher | None:
    """Train on the known questions; None when there are too few to tell articles apart.

    `elsewhere` are messages that no article of any base answers: greetings, chatter, other people's business.

    The calibration is learnt from rounds in which a quarter of the articles, and a fifth of the other questions, were
    left out: a question of an article that isn't there must not be answered. Messages that can be answered and those
    that can't count the same in total.

    Source of the left-out classes as stand-ins for the unknown: Fei and Liu, "Breaking the closed world assumption in
    text classification", NAACL 2016, 506-514.
    """
    if len(known) < MIN_QUESTIONS or len(set(known.article_ids)) < MIN_ARTICLES:
        return None
    # Two threads of the linear algebra wait for each other longer than they work on matrices this small.
    with threadpool_limits(limits=1 if len(known) <= _LARGE else None):
        known = known.take(_sample(known, _MOST_PER_ARTICLE, _MOST_QUESTIONS))
        calibration = _calibrate(known, elsewhere)
        return _train(known, calibration)


def _train(known: Questions, calibration: Calibration) -> QuestionMatcher:
    # Imported here because every start would wait for it, and few learn anything.
    from sklearn.linear_model import LogisticRegression

    with warnings.catch_warnings():
        # It takes many articles with few questions each for a regression.
        warnings.simplefilter("ignore", UserWarning)
        model = LogisticRegression(C=_STRENGTH, class_weight="balanced", max_iter=300, tol=1e-4)
        model.fit(_rows(known), np.array(known.article_ids))
    weights, intercept = model.coef_.T, model.intercept_
    if weights.shape[1] == 1:
        weights, intercept = np.hstack([-weights, weights]) / 2, np.array([-intercept[0], intercept[0]]) / 2
    counts = Counter(stem for stems in known.stems for stem in stems)
    by_article: dict[str, set[int]] = {}
    for article_id, stems in zip(known.article_ids, known.stems, strict=True):
        by_article.setdefault(article_id, set()).update(stems)
    article_ids = tuple(str(article_id) for article_id in model.classes_)
    return QuestionMatcher(
        article_ids=article_ids,
        weights=weights.astype(np.float32),
        intercept=intercept.astype(np.float32),
        calibration=calibration,
        rarity={stem: math.log(1 + len(known) / (1 + count)) for stem, count in sorted(counts.items())},
        unseen=math.log(1 + len(known)),
        stems=tuple(frozenset(by_article[article_id]) for article_id in article_ids),
    )


def _calibrate(known: Questions, elsewhere: Questions) -> Calibration:
    random = np.random.default_rng(0)
    known = known.take(_sample(known, _PER_ARTICLE_IN_ROUNDS, _MOST_QUESTIONS // 2))
    target = np.array(known.article_ids)
    distinct = np.unique(target)
    scores, right, weights = [], [], []
    for _ in range(_ROUNDS if len(known) <= _LARGE else _ROUNDS_WHEN_LARGE):
        absent = random.choice(distinct, max(1, round(len(distinct) * _LEFT_OUT_ARTICLES)), replace=False)
        of_absent = np.isin(target, absent)
        left_out = (random.random(len(target)) < _LEFT_OUT_QUESTIONS) & ~of_absent
        trained_on = np.flatnonzero(~of_absent & ~left_out)
        if len(set(target[trained_on])) < 2:
            continue
        trained = known.take(trained_on)
        matcher = _train(trained, PRIOR)
        for asked, answerable in (
            (known.take(np.flatnonzero(left_out)), True),
            (known.take(np.flatnonzero(of_absent)), False),
            (elsewhere, False),
        ):
            if not len(asked):
                continue
            found, best = _against(matcher, trained, asked)
            scores.append(found)
            right.append(np.array([a == b for a, b in zip(best, asked.article_ids, strict=True)]) & answerable)
            weights.append(np.full(len(asked), (2.0 if answerable else 1.0) / len(asked)))
    if not any(part.any() for part in right):
        return PRIOR
    from sklearn.linear_model import LogisticRegression

    share = np.concatenate(weights)
    model = LogisticRegression(C=100.0).fit(
        np.concatenate(scores)[:, np.newaxis], np.concatenate(right), sample_weight=share * len(share) / share.sum()
    )
    slope = float(model.coef_[0, 0])
    if slope <= 0:
        return PRIOR
    own = Calibration(slope, -float(model.intercept_[0]) / slope)
    return own.mixed(PRIOR, _PRIOR_ARTICLES / (_PRIOR_ARTICLES + len(distinct)))


def _against(matcher: QuestionMatcher, known: Questions, asked: Questions) -> tuple[NDArray[np.float64], list[str]]:
    """The score of the best article for each message, and its id."""
    similar = asked.vectors @ known.vectors.T
    target = np.array(known.article_ids)
    order = np.argsort(target, kind="stable")
    starts = np.searchsorted(target[order], matcher.article_ids)
    cosines = np.maximum.reduceat(similar[:, order], starts, axis=1).astype(np.float64)
    logits = matcher._logits(asked.vectors, asked.wording)
    best = _fused(logits, cosines).argmax(axis=1)
    scores = matcher._scores(logits, cosines, asked.stems, best, np.arange(len(asked)))
    return scores, [matcher.article_ids[place] for place in best]


def _fused(logits: NDArray[np.float64], cosines: NDArray[np.float64]) -> NDArray[np.float64]:
    return logits * _LOGIT_SHARE + cosines * _COSINE_SHARE


def _rows(questions: Questions) -> Floats:
    return np.hstack([questions.vectors * _MEANING, questions.wording.toarray() * _WORDING]).astype(np.float32)


def _sample(known: Questions, per_article: int, most: int) -> NDArray[np.int64]:
    """Places of at most so many questions of each article and in all, the same each time."""
    random = np.random.default_rng(0)
    taken: Counter[str] = Counter()
    kept = []
    for place in random.permutation(len(known)):
        article_id = known.article_ids[place]
        if taken[article_id] < per_article:
            taken[article_id] += 1
            kept.append(place)
    return np.sort(np.array(kept[:most], dtype=np.int64))


def _stack(first: csr_matrix, second: csr_matrix) -> csr_matrix:
    return csr_matrix(vstack([first, second]))


def _hash(stem: str) -> int:
    return int.from_bytes(hashlib.blake2b(stem.encode(errors="replace"), digest_size=8).digest(), "big")
