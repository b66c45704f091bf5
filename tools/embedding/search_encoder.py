"""The encoder behind search: all-MiniLM-L6-v2, taught which passages of help centres answer customers' questions.

Only what it learnt is shipped (see `deltas`); the published weights come with their own package. It was taught with
the questions in `tools/knowledge/data/asked` (see `tools.knowledge.teaching`).
"""

import hashlib
from importlib.resources import as_file, files
from pathlib import Path

import onnx

from agent.errors import Misconfigured
from tools.arrays import Arrays, read_arrays
from tools.embedding.deltas import PACKED, unpack
from tools.embedding.minilm_onnx import BertShape, build_graph
from tools.embedding.model_cache import cached
from tools.embedding.weights import MINILM_SHA256, Weights, read_safetensors, verify

SHIPPED = files("tools.embedding") / "data" / "search.npz"


def search_encoder_name(weights: Weights) -> str | None:
    """What vectors of it are known by, another for one that was taught otherwise.

    None when it isn't there, or `weights` aren't those that it was taught from.
    """
    if weights.sha256 != MINILM_SHA256 or _learnt() is None:
        return None
    return f"minilm-search-{hashlib.sha256(SHIPPED.read_bytes()).hexdigest()[:12]}"


def cached_search_encoder(name: str, weights: Weights, cache_dir: Path, *, rebuild: bool = False) -> Path:
    """Return the quantised model of this name, building it on first use (seconds).

    Raises:
        Misconfigured: the weights or what is shipped are damaged, or the folder can't be written.
    """

    def build() -> onnx.ModelProto:
        verify(weights)
        learnt = _learnt()
        tensors = None if learnt is None else unpack(read_safetensors(weights.model_path), learnt)
        if tensors is None:
            raise Misconfigured(f"{SHIPPED} is damaged: reinstall Helpgraph")
        return build_graph(tensors, BertShape.read(weights.folder / "config.json"))

    return cached(name, cache_dir, build, rebuild=rebuild)


def _learnt() -> Arrays | None:
    with as_file(SHIPPED) as path:
        stored = read_arrays(path, ("base", *PACKED))
    return None if stored is None or str(stored["base"]) != MINILM_SHA256 else stored
