"""The real embedding model, built once and kept between runs in pytest's cache."""

from pathlib import Path

import pytest

from tools.embedding.minilm import MiniLmEmbedder
from tools.embedding.weights import find_weights


@pytest.fixture(scope="session")
def model_cache(pytestconfig: pytest.Config) -> Path:
    """A folder that outlives the run: the model is built in the first one only."""
    assert pytestconfig.cache is not None
    return pytestconfig.cache.mkdir("models")


@pytest.fixture(scope="session")
def minilm(model_cache: Path) -> MiniLmEmbedder:
    """all-MiniLM-L6-v2, as an installation runs it."""
    weights = find_weights()
    assert weights is not None, "the weights package is missing: make install"
    return MiniLmEmbedder.open(weights, model_cache)
