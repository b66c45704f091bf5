"""Hashed bags of terms are those of scikit-learn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.sparse import hstack
from sklearn.feature_extraction.text import HashingVectorizer

from tools.hashing import Bag, Hasher, Part, side_by_side

WORDS = HashingVectorizer(n_features=2**10, ngram_range=(1, 2), dtype=np.float32)
NGRAMS = HashingVectorizer(
    n_features=2**9,
    analyzer="char_wb",
    ngram_range=(2, 4),
    alternate_sign=False,
    strip_accents="unicode",
    dtype=np.float32,
)


@pytest.mark.parametrize("vectorizer", [WORDS, NGRAMS])
@given(text=st.text(st.characters(exclude_categories=["Cs"]), max_size=200))
def test_a_bag_is_the_row_that_the_vectorizer_gives(vectorizer: HashingVectorizer, text: str) -> None:
    bag = Hasher(vectorizer)(text)

    expected = vectorizer.transform([text]).toarray()[0]
    np.testing.assert_array_equal(np.flatnonzero(expected), bag.places)
    np.testing.assert_array_equal(expected[bag.places], bag.values)


def test_parts_stand_side_by_side() -> None:
    texts = ["an invoice, and a second invoice", "", "¿dónde?"]
    words, ngrams = Hasher(WORDS), Hasher(NGRAMS)
    dense = np.array([[0.0, 2.0], [0.0, 0.0], [-1.0, 0.0]], dtype=np.float32)

    rows = side_by_side(
        [
            Part([words(text) for text in texts], words.buckets, 0.7),
            Part([ngrams(text) for text in texts], ngrams.buckets),
            Part([Bag.of(row) for row in dense], 2, 3.0),
        ]
    )

    expected = hstack([WORDS.transform(texts) * np.float32(0.7), NGRAMS.transform(texts), dense * 3])
    np.testing.assert_array_equal(rows.toarray(), expected.toarray())
    assert rows.dtype == np.float32


def test_no_text_gives_no_row() -> None:
    assert side_by_side([Part([], 4), Part([], 3)]).shape == (0, 7)
