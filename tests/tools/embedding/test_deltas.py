"""What a small transformer learnt, packed and unpacked."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tools.embedding.deltas import POSITIONS, Tensors, pack, unpack

HEAD = {"head.weight": np.ones((1, 8), dtype=np.float32), "head.bias": np.ones(1, dtype=np.float32)}


def tensors(seed: int) -> Tensors:
    """A transformer of one small layer."""
    rng = np.random.default_rng(seed)
    shapes = {
        "embeddings.word_embeddings.weight": (9, 4),
        POSITIONS: (200, 4),
        "encoder.layer.0.attention.self.query.weight": (6, 4),
        "encoder.layer.0.attention.self.query.bias": (6,),
        "pooler.dense.weight": (4, 4),
    }
    return {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}


@given(st.integers(0, 2**32 - 1), st.floats(1e-6, 10), st.booleans())
def test_what_was_learnt_is_unpacked_nearly_as_it_was(seed: int, size: float, headed: bool) -> None:
    base = tensors(seed)
    learnt = {name: value + size * tensors(seed + 1)[name] for name, value in base.items()}
    head = HEAD if headed else {}

    found = unpack(base, pack(base, learnt | head))

    assert found is not None
    assert {name for name in found if name.startswith("head.")} == head.keys()
    assert np.array_equal(found["embeddings.word_embeddings.weight"], base["embeddings.word_embeddings.weight"])
    assert np.array_equal(found[POSITIONS][128:], base[POSITIONS][128:])
    for name in ("encoder.layer.0.attention.self.query.weight", "encoder.layer.0.attention.self.query.bias"):
        step = np.abs(learnt[name] - base[name]).max() / 7
        assert np.abs(found[name] - learnt[name]).max() <= 0.51 * step + 1e-6


@pytest.mark.parametrize("lost", ["matrices", "scales", "others"])
def test_arrays_of_other_tensors_are_refused(lost: str) -> None:
    base = tensors(0)
    packed = pack(base, base | HEAD)

    assert unpack(base, packed | {lost: packed[lost][:-1]}) is None
    assert unpack(base, packed | {lost: np.append(packed[lost], packed[lost][:1])}) is None
