"""A BERT as an ONNX graph, built from its tensors and quantised: encoder of texts or reader of pairs. No torch."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from agent.errors import Misconfigured

# Part of the cache's key: raise it whenever the graph or its quantisation changes.
BUILDER_VERSION = 1
_OPSET = 17
_IR_VERSION = 9
_MASKED = -10_000.0

Tensors = dict[str, NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class BertShape:
    """The sizes that the graph needs, from the model's config.json."""

    hidden: int
    layers: int
    heads: int
    positions: int
    epsilon: float

    @classmethod
    def read(cls, path: Path) -> "BertShape":
        """Read a config.json.

        Raises:
            Misconfigured: it isn't a BERT with absolute positions and GELU.
        """
        try:
            config: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            if config.get("model_type") != "bert" or config.get("hidden_act") != "gelu":
                raise ValueError("only BERT with GELU is supported")
            return cls(
                hidden=int(config["hidden_size"]),
                layers=int(config["num_hidden_layers"]),
                heads=int(config["num_attention_heads"]),
                positions=int(config["max_position_embeddings"]),
                epsilon=float(config["layer_norm_eps"]),
            )
        except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
            raise Misconfigured(f"{path}: not the config of an embedding model we can run ({exc})") from exc


class _Graph:
    """Collects nodes and constants; every method returns the name of its result."""

    def __init__(self, tensors: Tensors) -> None:
        self._tensors = tensors
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._names: set[str] = set()

    def op(self, kind: str, *inputs: str, **attributes: Any) -> str:
        name = f"{kind.lower()}_{len(self.nodes)}"
        self.nodes.append(helper.make_node(kind, list(inputs), [name], name=name, **attributes))
        return name

    def constant(self, name: str, value: NDArray[Any]) -> str:
        if name not in self._names:
            self._names.add(name)
            self.constants.append(numpy_helper.from_array(np.array(value, order="C"), name))
        return name

    def ints(self, *values: int) -> str:
        return self.constant("ints_" + "_".join(str(value) for value in values), np.array(values, dtype=np.int64))

    def number(self, value: float) -> str:
        return self.constant(f"number_{value}", np.array(value, dtype=np.float32))

    def tensor(self, name: str) -> NDArray[np.float32]:
        for candidate in (name, f"bert.{name}"):
            if candidate in self._tensors:
                return self._tensors[candidate]
        raise Misconfigured(f"the embedding model's weights lack the tensor {name!r}")

    def linear(self, value: str, *names: str) -> str:
        """One matrix product for the named layers side by side: their weights are stored as (out, in)."""
        weight = np.concatenate([self.tensor(f"{name}.weight") for name in names]).T
        bias = np.concatenate([self.tensor(f"{name}.bias") for name in names])
        product = self.op("MatMul", value, self.constant(f"{names[0]}.weight", weight))
        return self.op("Add", product, self.constant(f"{names[0]}.bias", bias))

    def normalise(self, value: str, name: str, epsilon: float) -> str:
        scale = self.constant(f"{name}.weight", self.tensor(f"{name}.weight"))
        bias = self.constant(f"{name}.bias", self.tensor(f"{name}.bias"))
        return self.op("LayerNormalization", value, scale, bias, axis=-1, epsilon=epsilon)


def build_graph(tensors: Tensors, shape: BertShape) -> onnx.ModelProto:
    """Return the encoder: `input_ids` and `attention_mask` (batch, tokens) int64 to `embedding` (batch, hidden).

    The embedding is the mean of the last layer over the mask, L2-normalised, as sentence-transformers does it.

    Raises:
        Misconfigured: a tensor is missing.
    """
    graph = _Graph(tensors)
    hidden_state = _embed_tokens(graph, shape)
    floats = graph.op("Cast", "attention_mask", to=TensorProto.FLOAT)
    hidden_of_mask = graph.op("Sub", graph.number(1.0), floats)
    penalty = graph.op("Unsqueeze", graph.op("Mul", hidden_of_mask, graph.number(_MASKED)), graph.ints(1, 2))
    for layer in range(shape.layers):
        hidden_state = _layer(graph, shape, f"encoder.layer.{layer}", hidden_state, penalty)
    weights = graph.op("Unsqueeze", floats, graph.ints(2))
    total = graph.op("ReduceSum", graph.op("Mul", hidden_state, weights), graph.ints(1), keepdims=0)
    count = graph.op("ReduceSum", weights, graph.ints(1), keepdims=0)
    mean = graph.op("Div", total, graph.op("Max", count, graph.number(1e-9)))
    length = graph.op("ReduceL2", mean, axes=[1], keepdims=1)
    embedding = graph.op("Div", mean, graph.op("Max", length, graph.number(1e-12)))
    return _model(graph, ("input_ids", "attention_mask"), embedding, "embedding", ["batch", shape.hidden])


def build_reader(tensors: Tensors, shape: BertShape) -> onnx.ModelProto:
    """Return the reader of pairs: `input_ids`, `token_type_ids` (batch, tokens) int64, unpadded, to `logit` (batch, 1).

    The first token's last state and the mean of all of them, side by side, go through the linear layer `head`.

    Raises:
        Misconfigured: a tensor is missing.
    """
    graph = _Graph(tensors)
    hidden_state = _embed_tokens(graph, shape, kinds="token_type_ids")
    for layer in range(shape.layers):
        hidden_state = _layer(graph, shape, f"encoder.layer.{layer}", hidden_state)
    first = graph.op("Gather", hidden_state, graph.constant("part_0", np.array(0)), axis=1)
    mean = graph.op("ReduceMean", hidden_state, axes=[1], keepdims=0)
    logit = graph.linear(graph.op("Concat", first, mean, axis=-1), "head")
    return _model(graph, ("input_ids", "token_type_ids"), logit, "logit", ["batch", 1])


def _model(graph: _Graph, inputs: Sequence[str], result: str, name: str, shape: list[str | int]) -> onnx.ModelProto:
    graph.nodes.append(helper.make_node("Identity", [result], [name], name=name))
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "bert",
            [helper.make_tensor_value_info(each, TensorProto.INT64, ["batch", "tokens"]) for each in inputs],
            [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", _OPSET)],
        ir_version=_IR_VERSION,
        producer_name="helpgraph",
    )
    # Says that the quantiser's own preparation isn't needed: there is nothing to fold or fuse before it.
    helper.set_model_props(model, {"onnx.quant.pre_process": "onnxruntime.quant"})
    onnx.checker.check_model(model)
    return model


def quantise(model_path: Path, target: Path) -> None:
    """Write the model at `model_path` with 8-bit weights; activations are quantised as they come."""
    # Imported here: it takes a second, and only the first start builds.
    from onnxruntime.quantization import (  # type: ignore[import-untyped]  # no stubs
        QuantType,
        quantize_dynamic,
    )

    # Unsigned weights: on AVX2 without VNNI the signed kernel saturates. One scale per channel: the mean cosine to
    # float32 rises from 0.979 to 0.994.
    quantize_dynamic(model_path, target, weight_type=QuantType.QUInt8, per_channel=True)


def _embed_tokens(graph: _Graph, shape: BertShape, kinds: str | None = None) -> str:
    """Without an input that says which text of a pair a token is of, all are of the first."""
    words = graph.constant("words", graph.tensor("embeddings.word_embeddings.weight"))
    of_kinds = graph.tensor("embeddings.token_type_embeddings.weight")
    known = graph.tensor("embeddings.position_embeddings.weight")
    # With one kind, its row can be added to all positions once and for all.
    positions = graph.constant("positions", known if kinds else known + of_kinds[0])
    tokens = graph.op("Slice", graph.op("Shape", "input_ids"), graph.ints(1), graph.ints(2))
    here = graph.op("Slice", positions, graph.ints(0), tokens)
    summed = graph.op("Add", graph.op("Gather", words, "input_ids"), here)
    if kinds:
        summed = graph.op("Add", summed, graph.op("Gather", graph.constant("kinds", of_kinds), kinds))
    return graph.normalise(summed, "embeddings.LayerNorm", shape.epsilon)


def _layer(graph: _Graph, shape: BertShape, name: str, value: str, penalty: str | None = None) -> str:
    size = shape.hidden // shape.heads
    attention = f"{name}.attention.self"
    mixed = graph.linear(value, f"{attention}.query", f"{attention}.key", f"{attention}.value")
    # (batch, tokens, 3 * hidden) to three of (batch, heads, tokens, size); keys are turned for the product.
    parts = graph.op("Reshape", mixed, graph.ints(0, 0, 3, shape.heads, size))
    each = [graph.op("Gather", parts, graph.constant(f"part_{n}", np.array(n)), axis=2) for n in range(3)]
    query = graph.op("Transpose", each[0], perm=[0, 2, 1, 3])
    key = graph.op("Transpose", each[1], perm=[0, 2, 3, 1])
    values = graph.op("Transpose", each[2], perm=[0, 2, 1, 3])
    scores = graph.op("Mul", graph.op("MatMul", query, key), graph.number(float(size) ** -0.5))
    weights = graph.op("Softmax", graph.op("Add", scores, penalty) if penalty else scores, axis=-1)
    context = graph.op("Transpose", graph.op("MatMul", weights, values), perm=[0, 2, 1, 3])
    joined = graph.op("Reshape", context, graph.ints(0, 0, shape.hidden))
    attended = graph.op("Add", graph.linear(joined, f"{name}.attention.output.dense"), value)
    middle = graph.normalise(attended, f"{name}.attention.output.LayerNorm", shape.epsilon)
    wide = _gelu(graph, graph.linear(middle, f"{name}.intermediate.dense"))
    narrow = graph.op("Add", graph.linear(wide, f"{name}.output.dense"), middle)
    return graph.normalise(narrow, f"{name}.output.LayerNorm", shape.epsilon)


def _gelu(graph: _Graph, value: str) -> str:
    """The exact GELU, x * (1 + erf(x / sqrt 2)) / 2, in the order that onnxruntime fuses into one kernel."""
    error = graph.op("Erf", graph.op("Div", value, graph.number(float(np.sqrt(2.0)))))
    return graph.op("Mul", graph.op("Mul", value, graph.op("Add", error, graph.number(1.0))), graph.number(0.5))
