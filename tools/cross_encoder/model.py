"""A shipped cross-encoder: two texts in, one number out.

Each is the local embedding model's encoder (all-MiniLM-L6-v2), taught to read both texts at once. Only what it learnt
is shipped (see `deltas`); the encoder's published weights come with their own package.
"""

import hashlib
import re
from dataclasses import dataclass
from importlib.resources import as_file
from importlib.resources.abc import Traversable
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer

from agent.errors import ConnectorError, Misconfigured
from tools.arrays import Arrays, read_arrays
from tools.cross_encoder.deltas import PACKED, unpack
from tools.embedding.minilm_onnx import BertShape, build_reader
from tools.embedding.model_cache import RUNTIME_ERRORS, cached, open_cached
from tools.embedding.weights import MINILM_SHA256, Weights, find_weights, open_tokenizer, read_safetensors, verify
from tools.onnx_runtime import onnxruntime


@dataclass(frozen=True, slots=True)
class CrossEncoder:
    """Reads pairs of texts. `name` is another for one that was taught otherwise. Calls block; any thread may call."""

    name: str
    tokenizer: Tokenizer
    session: onnxruntime.InferenceSession

    @classmethod
    def open(cls, shipped: Traversable, cache_dir: Path, *, most_tokens: int) -> "CrossEncoder | None":
        """Open what is `shipped`, building it into `cache_dir` on first use (seconds).

        A pair is read as far as `most_tokens`. None when its file, or the package with the encoder, is missing.

        Raises:
            Misconfigured: the encoder's weights aren't the published ones, or the folder can't be written.
        """
        weights, stored = find_weights(), _stored(shipped)
        if weights is None or stored is None:
            return None
        name, what = digest(shipped), shipped.name.removesuffix(".npz")

        def model(anew: bool) -> Path:
            return cached(f"{what}-{name[:16]}", cache_dir, lambda: _built(weights, stored, shipped), rebuild=anew)

        try:
            # A pair is short: a second thread takes a quarter more of the processor and saves no time.
            session = open_cached(model, threads=1)
            tokenizer = open_tokenizer(weights, most_tokens)
        except RUNTIME_ERRORS as exc:
            raise Misconfigured(f"the {what} in {cache_dir} can't be run ({exc})") from exc
        return cls(name, tokenizer, session)

    def __call__(self, first: str, second: str) -> float:
        """The log-odds that it was taught to give for the two; Markdown is left out of both, and what is too long.

        Raises:
            ConnectorError: the model failed on them.
        """
        encoded = self.tokenizer.encode(plain(first), plain(second))
        fed = {"input_ids": encoded.ids, "token_type_ids": encoded.type_ids}
        try:
            # One pair at a time: 8-bit activations share a scale in a run, so in a batch it would depend on the others.
            (logits,) = self.session.run(None, {each: np.array([ids], dtype=np.int64) for each, ids in fed.items()})
        except RUNTIME_ERRORS as exc:
            raise ConnectorError("a cross-encoder failed") from exc
        return float(logits[0][0])


def digest(shipped: Traversable) -> str:
    """A hash of what is shipped; "" when that isn't there."""
    return hashlib.sha256(shipped.read_bytes()).hexdigest()[:24] if shipped.is_file() else ""


def plain(text: str) -> str:
    """`text` in one line without Markdown and the numbers of steps."""
    text = re.sub(r"^\s*(?:\d+\.|-)\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*_`#\[\]\\|]+", "", text).split())


def _stored(shipped: Traversable) -> Arrays | None:
    with as_file(shipped) as path:
        stored = read_arrays(path, ("base", *PACKED))
    return None if stored is None or str(stored["base"]) != MINILM_SHA256 else stored


def _built(weights: Weights, stored: Arrays, shipped: Traversable) -> onnx.ModelProto:
    verify(weights)
    tensors = unpack(read_safetensors(weights.model_path), stored)
    if tensors is None:
        raise Misconfigured(f"{shipped} is damaged: reinstall Helpgraph")
    return build_reader(tensors, BertShape.read(weights.folder / "config.json"))
