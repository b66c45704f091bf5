"""Vectors in memory answer as the index on disk does."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from tools.knowledge import held
from tools.knowledge.held import HeldVectors
from tools.knowledge.vectors import VectorCollection, VectorStore


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> VectorStore:
    return VectorStore.in_folder(tmp_path_factory.mktemp("vectors"))


def made(store: VectorStore, entries: int) -> VectorCollection:
    store.drop("some")
    collection = store.create("some")
    vectors = np.random.default_rng(entries).normal(size=(entries, 32)).astype(np.float32)
    collection.add([f"e{place}" for place in range(entries)], vectors)
    return collection


@pytest.mark.parametrize("entries", [1, 7, 40, 1500])
def test_memory_and_disk_find_the_same(store: VectorStore, entries: int) -> None:
    collection = made(store, entries)
    # Not of length one: the index goes by the cosine all the same.
    questions = np.random.default_rng(1).normal(size=(20, 32)).astype(np.float32)
    on_disk = [collection.search(question, limit=10) for question in questions]

    collection.hold()

    for question, expected in zip(questions, on_disk, strict=True):
        found = collection.search(question, limit=10)
        assert [hit.entry_id for hit in found] == [hit.entry_id for hit in expected]
        assert [hit.cosine for hit in found] == pytest.approx([hit.cosine for hit in expected], abs=1e-5)


def test_what_is_added_later_is_found(store: VectorStore) -> None:
    collection = made(store, 5)
    collection.hold()
    new = np.full((1, 32), -3.0, dtype=np.float32)

    collection.add(["new"], new)

    assert collection.search(new[0], limit=1)[0].entry_id == "new"


def test_a_collection_that_is_too_large_stays_on_disk(store: VectorStore, monkeypatch: pytest.MonkeyPatch) -> None:
    collection = made(store, 50)
    monkeypatch.setattr(held, "MOST_BYTES", 50 * 32 * 4 - 1)

    collection.hold()

    assert collection._held is None
    assert len(collection.search(np.ones(32, dtype=np.float32), limit=10)) == 10


@given(
    hnp.arrays(np.float32, st.tuples(st.integers(0, 30), st.just(3)), elements=st.floats(-4, 4, width=16)),
    st.integers(1, 12),
)
def test_the_best_come_first_and_none_is_missed(vectors: np.ndarray, limit: int) -> None:
    found = HeldVectors([str(place) for place in range(len(vectors))], vectors).search(
        np.ones(3, np.float32), limit=limit
    )

    lengths = np.maximum(np.linalg.norm(vectors, axis=1) * np.sqrt(3), 1e-30)
    expected = sorted((float(c) for c in vectors.sum(axis=1) / lengths), reverse=True)[:limit]
    assert [hit.cosine for hit in found] == pytest.approx(expected, abs=1e-5)
    assert len({hit.entry_id for hit in found}) == len(found)
