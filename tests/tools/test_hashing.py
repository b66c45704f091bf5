"""Hashed bags of terms are those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import hstack
from sklearn.feature_extraction.text import HashingVectorizer

from tools.hashing import Bag, Hasher, Part, SpellingTerms, WordTerms, side_by_side

PATTERN = r"(?u)\b\w[\w']*\b|\?"
# Ours, and what the vectorizer is told for the same.
WORDS = (
    Hasher(WordTerms(2), 2**10, signed=True),
    HashingVectorizer(n_features=2**10, ngram_range=(1, 2), strip_accents="unicode", dtype=np.float32),
)
RUNS = (
    Hasher(SpellingTerms(2, 4), 2**9),
    HashingVectorizer(
        n_features=2**9,
        analyzer="char_wb",
        ngram_range=(2, 4),
        alternate_sign=False,
        strip_accents="unicode",
        dtype=np.float32,
    ),
)
OWN_WORDS = (
    Hasher(WordTerms(3, word=PATTERN, strip_accents=False), 2**12),
    HashingVectorizer(
        n_features=2**12, ngram_range=(1, 3), token_pattern=PATTERN, alternate_sign=False, dtype=np.float32
    ),
)
LONG_RUNS = (
    Hasher(SpellingTerms(2, 5, strip_accents=False), 2**14),
    HashingVectorizer(n_features=2**14, analyzer="char_wb", ngram_range=(2, 5), alternate_sign=False, dtype=np.float32),
)


@pytest.mark.parametrize(("hasher", "vectorizer"), [WORDS, RUNS, OWN_WORDS, LONG_RUNS])
@given(text=st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("aé ?'\n\u0301"), max_size=200))
def test_a_bag_is_the_row_that_the_vectorizer_gives(hasher: Hasher, vectorizer: HashingVectorizer, text: str) -> None:
    bag = hasher(text)

    expected = vectorizer.transform([text]).toarray()[0]
    np.testing.assert_array_equal(np.flatnonzero(expected), bag.places)
    np.testing.assert_array_equal(expected[bag.places], bag.values)


def test_what_is_counted_is_not_normalised() -> None:
    counted = Hasher(WordTerms(1), 2**10).count("once upon upon")
    assert sorted(counted.values.tolist()) == [1.0, 2.0]
    assert counted.values.dtype == np.float32


def test_parts_stand_side_by_side() -> None:
    texts = ["an invoice, and a second invoice", "", "¿dónde?"]
    (words, of_words), (runs, of_runs) = WORDS, RUNS
    dense = np.array([[0.0, 2.0], [0.0, 0.0], [-1.0, 0.0]], dtype=np.float32)

    rows = side_by_side(
        [
            Part([words(text) for text in texts], words.buckets, 0.7),
            Part([runs(text) for text in texts], runs.buckets),
            Part([Bag.of(row) for row in dense], 2, 3.0),
        ]
    )

    expected = hstack([of_words.transform(texts) * np.float32(0.7), of_runs.transform(texts), dense * 3])
    np.testing.assert_array_equal(rows.toarray(), expected.toarray())
    assert rows.dtype == np.float32


def test_no_text_gives_no_row() -> None:
    assert side_by_side([Part([], 4), Part([], 3)]).shape == (0, 7)
