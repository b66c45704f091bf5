"""The shipped reader: a cross-encoder that says whether a stretch of a source says what a sentence says.

It was taught with the shipped examples (see `teaching`).
"""

import hashlib
import logging
from dataclasses import dataclass
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path

import numpy as np

from tools.arrays import read_arrays
from tools.cross_encoder.deltas import MOST_TOKENS
from tools.cross_encoder.model import CrossEncoder

logger = logging.getLogger(__name__)

SHIPPED = files("tools.engines.local") / "data" / "reader.npz"
_OF_EXAMPLES = ("pairs", "left_out")


@dataclass(frozen=True, slots=True)
class Reader:
    """Implements `entailing.Entailing`. Calls block, and may come from several threads at once."""

    encoder: CrossEncoder

    @property
    def name(self) -> str:
        """Another for one that was taught otherwise."""
        return self.encoder.name

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
        encoder = CrossEncoder.open(SHIPPED, cache_dir, most_tokens=MOST_TOKENS)
        if encoder is None:
            logger.warning("the shipped reader of sentences is not there, they are compared by words alone")
            return None
        return cls(encoder)

    def __call__(self, source: str, said: str) -> float:
        """The log-odds that `source` says `said`; Markdown is left out of both, and what is beyond 128 tokens.

        Raises:
            ConnectorError: the model failed on them.
        """
        return self.encoder(source, said)

    def of_example(self, source: str, said: str) -> float:
        """The same of a shipped example, by a reader that was taught without its passage.

        It is surer of what it was taught with than of anything new, and who learns from it has to see the latter.
        """
        known = _left_out().get(pair_number(source, said))
        return self(source, said) if known is None else known


def pair_number(source: str, said: str) -> int:
    """What a pair is known by, in 64 bits."""
    return int.from_bytes(hashlib.sha256(f"{source}\x1f{said}".encode()).digest()[:8])


@cache
def _left_out() -> dict[int, float]:
    with as_file(SHIPPED) as path:
        stored = read_arrays(path, _OF_EXAMPLES) or {"pairs": np.zeros(0), "left_out": np.zeros(0)}
    return dict(zip(stored["pairs"].tolist(), stored["left_out"].tolist(), strict=True))
