"""The quantised encoder with signed weights, where the processor multiplies those faster and just as exactly.

Unsigned 8-bit weights are stored, because with signed ones AVX2 saturates. Newer instructions (VNNI) don't, and take
two thirds of the time for the signed ones. Both stand for the same numbers: weight and zero point move by 128.
"""

from functools import cache
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]  # no stubs
from onnx import TensorProto, helper, numpy_helper

from tools.onnx_runtime import onnxruntime

_SIGN_BIT = 0x80
# Large enough for the kernels that big matrices get.
_ROWS, _INNER, _COLUMNS = 8, 384, 64


def fastest(path: Path) -> bytes | str:
    """Return what onnxruntime should open for the model at `path`: the model itself, or its signed twin in memory."""
    if not signed_is_exact():
        return str(path)
    try:
        twin: bytes = with_signed_weights(onnx.load(path)).SerializeToString()
    except (DecodeError, ValueError):
        return str(path)  # Damaged: the runtime says so in the words that its caller knows.
    return twin


def with_signed_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """Return `model`, changed in place: every integer product has signed weights and gives the same result."""
    operands = {
        name for node in model.graph.node if node.op_type == "MatMulInteger" for name in (node.input[1], node.input[3])
    }
    for constant in model.graph.initializer:
        if constant.name in operands and constant.data_type == TensorProto.UINT8:
            signed = (numpy_helper.to_array(constant) ^ np.uint8(_SIGN_BIT)).view(np.int8)
            constant.CopyFrom(numpy_helper.from_array(signed, constant.name))
    return model


@cache
def signed_is_exact() -> bool:
    """Whether products with signed weights come out right on this processor, for the values that saturate first."""
    left = np.full((_ROWS, _INNER), 255, dtype=np.uint8)
    weights = np.full((_INNER, _COLUMNS), 127, dtype=np.int8)
    weights[::4] = -128
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["left", "weights"], ["product"])],
        "signed_product",
        [helper.make_tensor_value_info("left", TensorProto.UINT8, list(left.shape))],
        [helper.make_tensor_value_info("product", TensorProto.INT32, [_ROWS, _COLUMNS])],
        [numpy_helper.from_array(weights, "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    (product,) = session.run(None, {"left": left})
    return bool(np.array_equal(product, left.astype(np.int64) @ weights.astype(np.int64)))
