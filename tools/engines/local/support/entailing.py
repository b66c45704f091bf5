"""Does a stretch of a source say what a sentence says? What a model that reads both gives, and an operator's own."""

import hashlib
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from agent.errors import ConnectorError, Misconfigured
from tools.onnx_runtime import onnxruntime

SETTING = "HELPGRAPH_ENTAILMENT_FOLDER"
_MOST_TOKENS = 512
_LABELS = range(2, 6)
# A label that stands for entailment is likelier for the first two than for the last two, by at least this much.
_LEAST_APART = 0.1
_ENTAILED = (
    ("Owners and admins can delete a board.", "Admins can delete a board."),
    ("The cat is sleeping on the sofa.", "The cat is sleeping."),
)
_DENIED = (
    ("Owners and admins can delete a board.", "Admins can't delete a board."),
    ("The cat is sleeping on the sofa.", "The cat is not sleeping."),
)


# The log-odds that the first text entails the second.
Entails = Callable[[str, str], float]


class Entailing(Protocol):
    """A model that reads a stretch of a source and a sentence; `name` is another for one that reads otherwise."""

    @property
    def name(self) -> str: ...

    @property
    def doubtful(self) -> tuple[float, float]:
        """It is asked about sentences that words alone give a probability between these."""
        ...

    def __call__(self, source: str, said: str) -> float:
        """The log-odds that `source` entails `said`; blocks.

        Raises:
            ConnectorError: the model failed on them.
        """
        ...

    def of_example(self, source: str, said: str) -> float:
        """The same of a shipped example, as if the model had never been taught with it."""
        ...


@dataclass(frozen=True, slots=True)
class Entailment:
    """An NLI cross-encoder (ONNX); `name` changes with its files. Calls may come from several threads at once."""

    name: str
    tokenizer: Tokenizer
    session: onnxruntime.InferenceSession
    label: int

    @property
    def doubtful(self) -> tuple[float, float]:
        """All of them: nobody knows how good it is."""
        return 0.0, 1.0

    @classmethod
    def open(cls, folder: Path, *, threads: int = 2) -> "Entailment":
        """Open the one `*.onnx` (or `model.onnx`) and the one `tokenizer.json` at or below `folder`; blocks.

        The label comes from `id2label` of a config.json; without one, from what the model says of known sentences.

        Raises:
            Misconfigured: a file is missing or damaged, or nothing the model gives stands for entailment.
        """
        model, words = _one(folder, "*.onnx", "model.onnx"), _one(folder, "tokenizer.json", "tokenizer.json")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
        # Threads that spin between two questions take the processor from everybody else.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            digest = hashlib.sha256(model.read_bytes() + words.read_bytes()).hexdigest()[:24]
            session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
            tokenizer = Tokenizer.from_file(str(words))
            length = session.get_inputs()[0].shape[-1]
            tokenizer.enable_truncation(length if isinstance(length, int) else _MOST_TOKENS)
            if isinstance(length, int):
                given = tokenizer.padding or {}
                tokenizer.enable_padding(
                    length=length, pad_id=given.get("pad_id", 0), pad_token=given.get("pad_token", "[PAD]")
                )
            else:
                tokenizer.no_padding()
            opened = cls(digest, tokenizer, session, 0)
            label = opened._label(folder)
        except Misconfigured:
            raise
        # Both libraries raise their own errors, which share no base but this one.
        except Exception as exc:
            raise Misconfigured(f"{SETTING}: {model.name} or {words.name} in {folder} can't be used: {exc}") from exc
        return cls(f"{digest}-{label}", tokenizer, session, label)

    def __call__(self, source: str, said: str) -> float:
        """The log-odds that `source` entails `said`; Markdown is left out of both.

        Raises:
            ConnectorError: the model failed on them.
        """
        try:
            logits = self._logits(plain(source), plain(said)).astype(np.float64)
        # As when it is opened: the libraries' errors share no base but this one.
        except Exception as exc:
            raise ConnectorError(f"the entailment model failed ({type(exc).__name__})") from exc
        others = np.delete(logits, self.label)
        return float(logits[self.label] - np.logaddexp.reduce(others))

    def of_example(self, source: str, said: str) -> float:
        """The same: it was never taught with them."""
        return self(source, said)

    def _logits(self, source: str, said: str) -> NDArray[np.float32]:
        encoded = self.tokenizer.encode(source, said)
        fed = {
            "input_ids": encoded.ids,
            "attention_mask": encoded.attention_mask,
            "token_type_ids": encoded.type_ids,
        }
        given = {each.name: np.array([fed[each.name]], dtype=np.int64) for each in self.session.get_inputs()}
        (logits,) = np.asarray(self.session.run(None, given)[0], dtype=np.float32)
        return np.asarray(logits, dtype=np.float32)

    def _label(self, folder: Path) -> int:
        count = self._logits("Words.", "Words.").shape
        if len(count) != 1 or count[0] not in _LABELS:
            raise Misconfigured(f"{SETTING}: the model in {folder} gives {count} instead of two or three labels")
        named = _named(folder)
        if named is not None and named < count[0]:
            return named
        apart = self._mean(_ENTAILED) - self._mean(_DENIED)
        if apart.max() < _LEAST_APART:
            raise Misconfigured(
                f"{SETTING}: no label of the model in {folder} stands for entailment; add its config.json (id2label)"
            )
        return int(apart.argmax())

    def _mean(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float64]:
        logits = np.array([self._logits(*pair) for pair in pairs], dtype=np.float64)
        shares = np.exp(logits - logits.max(axis=1, keepdims=True))
        mean: NDArray[np.float64] = (shares / shares.sum(axis=1, keepdims=True)).mean(axis=0)
        return mean


def plain(text: str) -> str:
    """`text` in one line without Markdown and the numbers of steps."""
    text = re.sub(r"^\s*(?:\d+\.|-)\s+", "", text, flags=re.MULTILINE)
    text = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return " ".join(re.sub(r"[*_`#\[\]\\|]+", "", text).split())


def _one(folder: Path, pattern: str, preferred: str) -> Path:
    found = sorted(path for path in folder.rglob(pattern) if path.is_file())
    best = [path for path in found if path.name == preferred] or found
    if len(best) != 1:
        raise Misconfigured(f"{SETTING}: {folder} has {len(best)} files {pattern} where one is needed")
    return best[0]


def _named(folder: Path) -> int | None:
    """The label that a config.json calls entailment, None when none does."""
    for path in sorted(folder.rglob("config.json")):
        try:
            names = json.loads(path.read_text(encoding="utf-8")).get("id2label", {})
            found = [int(number) for number, name in names.items() if str(name).lower().startswith("entail")]
        except (OSError, ValueError, AttributeError) as exc:
            raise Misconfigured(f"{SETTING}: {path} is damaged: {exc}") from exc
        if len(found) == 1:
            return found[0]
    return None
