"""Signed weights stand for the same numbers as the unsigned ones that are stored."""

from pathlib import Path

import numpy as np
import onnx
import pytest

from tools.embedding.model_cache import cached_model
from tools.embedding.signed_weights import fastest, signed_is_exact, with_signed_weights
from tools.embedding.weights import find_weights
from tools.onnx_runtime import onnxruntime


def test_the_signed_twin_gives_exactly_the_same_vectors(model_cache: Path) -> None:
    if not signed_is_exact():
        pytest.skip("signed products saturate on this processor: the unsigned weights are used")
    weights = find_weights()
    assert weights is not None
    path = cached_model(weights, model_cache)
    stored = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    signed = onnxruntime.InferenceSession(fastest(path), providers=["CPUExecutionProvider"])

    for length in (3, 17, 120):
        ids = np.random.default_rng(length).integers(1000, 20_000, (1, length))
        given = {"input_ids": ids, "attention_mask": np.ones_like(ids)}
        np.testing.assert_array_equal(signed.run(None, given)[0], stored.run(None, given)[0])


def test_every_weight_of_an_integer_product_is_signed(model_cache: Path) -> None:
    weights = find_weights()
    assert weights is not None

    model = with_signed_weights(onnx.load(cached_model(weights, model_cache)))

    products = [node for node in model.graph.node if node.op_type == "MatMulInteger"]
    kinds = {constant.name: constant.data_type for constant in model.graph.initializer}
    assert len(products) == 24
    assert {kinds[name] for node in products for name in (node.input[1], node.input[3])} == {onnx.TensorProto.INT8}


def test_what_is_no_model_is_left_to_the_runtime(tmp_path: Path) -> None:
    (tmp_path / "damaged.onnx").write_bytes(b"\x08\x09\x3a\xff\xff")

    assert fastest(tmp_path / "damaged.onnx") == str(tmp_path / "damaged.onnx")
