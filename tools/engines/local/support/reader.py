"""The shipped reader: a small transformer that says whether a stretch of a source says what a sentence says.

It is the local embedding model's encoder (all-MiniLM-L6-v2), taught with the shipped examples to read both texts at
once. Only what it learnt is shipped (see `deltas`); the encoder's published weights come with their own package.
"""

import hashlib
import logging
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np
import onnx
from tokenizers import Tokenizer

from agent.errors import ConnectorError, Misconfigured
from tools.arrays import Arrays, read_arrays
from tools.embedding.deltas import MOST_TOKENS, PACKED, unpack
from tools.embedding.minilm_onnx import BertShape, build_reader
from tools.embedding.model_cache import RUNTIME_ERRORS, cached, open_cached
from tools.embedding.weights import MINILM_SHA256, Weights, find_weights, open_tokenizer, read_safetensors, verify
from tools.engines.local.support.entailing import plain
from tools.onnx_runtime import onnxruntime

logger = logging.getLogger(__name__)

SHIPPED = files("tools.engines.local") / "data" / "reader.npz"
_BUILT_FROM, _OF_EXAMPLES = ("base", *PACKED), ("pairs", "left_out")


@dataclass(frozen=True, slots=True)
class Reader:
    """Implements `entailing.Entailing`. Calls block, and may come from several threads at once."""

    name: str
    tokenizer: Tokenizer
    session: onnxruntime.InferenceSession

    @property
    def doubtful(self) -> tuple[float, float]:
        """What words alone would stop, or just let out: to read the others too costs four times as much, for little."""
        return 0.2, 0.7

    @classmethod
    def open(cls, cache_dir: Path) -> "Reader | None":
        """Open the shipped reader, building it into `cache_dir` on first use (seconds); None without its encoder.

        Raises:
            Misconfigured: the encoder's weights aren't the published ones, or the folder can't be written.
        """
        weights, stored = find_weights(), _shipped()
        if weights is None or stored is None:
            logger.warning("the shipped reader of sentences is not there, they are compared by words alone")
            return None
        name = digest_of_reader()

        def model(anew: bool) -> Path:
            return cached(f"reader-{name[:16]}", cache_dir, lambda: _built(weights, stored), rebuild=anew)

        try:
            # A pair is short: a second thread takes a quarter more of the processor and saves no time.
            session = open_cached(model, threads=1)
            tokenizer = pair_tokenizer(weights)
        except RUNTIME_ERRORS as exc:
            raise Misconfigured(f"the reader of sentences in {cache_dir} can't be run ({exc})") from exc
        return cls(name, tokenizer, session)

    def __call__(self, source: str, said: str) -> float:
        """The log-odds that `source` says `said`; Markdown is left out of both, and what is beyond 128 tokens.

        Raises:
            ConnectorError: the model failed on them.
        """
        encoded = self.tokenizer.encode(plain(source), plain(said))
        fed = {"input_ids": encoded.ids, "token_type_ids": encoded.type_ids}
        try:
            # One pair at a time: 8-bit activations share a scale in a run, so in a batch it would depend on the others.
            (logits,) = self.session.run(None, {each: np.array([ids], dtype=np.int64) for each, ids in fed.items()})
        except RUNTIME_ERRORS as exc:
            raise ConnectorError("the reader of sentences failed") from exc
        return float(logits[0][0])

    def of_example(self, source: str, said: str) -> float:
        """The same of a shipped example, by a reader that was taught without its passage.

        It is surer of what it was taught with than of anything new, and who learns from it has to see the latter.
        """
        known = _left_out().get(pair_number(source, said))
        return self(source, said) if known is None else known


def pair_tokenizer(weights: Weights) -> Tokenizer:
    """The encoder's tokenizer, for pairs of at most 128 tokens.

    Raises:
        Misconfigured: it can't be read.
    """
    return open_tokenizer(weights, MOST_TOKENS)


def pair_number(source: str, said: str) -> int:
    """What a pair is known by, in 64 bits."""
    return int.from_bytes(hashlib.sha256(f"{source}\x1f{said}".encode()).digest()[:8])


@cache
def digest_of_reader() -> str:
    """A hash of what is shipped of it; "" when that isn't there."""
    return hashlib.sha256(SHIPPED.read_bytes()).hexdigest()[:24] if SHIPPED.is_file() else ""


def _shipped() -> Arrays | None:
    with as_file(SHIPPED) as path:
        stored = read_arrays(path, _BUILT_FROM)
    return None if stored is None or str(stored["base"]) != MINILM_SHA256 else stored


@cache
def _left_out() -> dict[int, float]:
    with as_file(SHIPPED) as path:
        stored = read_arrays(path, _OF_EXAMPLES) or {"pairs": np.zeros(0), "left_out": np.zeros(0)}
    return dict(zip(stored["pairs"].tolist(), stored["left_out"].tolist(), strict=True))


def _built(weights: Weights, stored: Arrays) -> onnx.ModelProto:
    verify(weights)
    tensors = unpack(read_safetensors(weights.model_path), stored)
    if tensors is None:
        raise Misconfigured(f"{SHIPPED} is damaged: reinstall Helpgraph")
    return build_reader(tensors, BertShape.read(weights.folder / "config.json"))
