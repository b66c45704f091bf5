"""The shipped examples, and their embeddings kept between starts."""

import hashlib
import logging
import os
import zipfile
from collections.abc import Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import numpy as np
import yaml

from agent.errors import Misconfigured
from agent.ports import Embedder
from tools.engines.local.classify import Vectors

logger = logging.getLogger(__name__)

Examples = Mapping[str, Sequence[str]]


def load_examples(name: str) -> dict[str, list[str]]:
    """Read one of the shipped example files.

    Raises:
        Misconfigured: the installation is damaged.
    """
    try:
        data = yaml.safe_load((files("tools.engines.local") / "data" / f"{name}.yaml").read_text(encoding="utf-8"))
    except OSError as exc:
        raise Misconfigured(f"the shipped examples {name!r} are missing: reinstall helpgraph") from exc
    return {str(label): [str(text) for text in texts] for label, texts in data.items()}


async def embed_examples(embedder: Embedder, texts: Sequence[str], cache_dir: Path) -> dict[str, Vectors]:
    """Embed each distinct text once; the vectors are kept in `cache_dir`, named by the texts and the model."""
    distinct = sorted(set(texts))
    key = hashlib.sha256("\x1f".join([embedder.name, *distinct]).encode()).hexdigest()[:24]
    path = cache_dir / f"examples-{key}.npz"
    matrix = _read(path, len(distinct))
    if matrix is None:
        matrix = await embedder.embed(distinct)
        _write(path, matrix)
    return dict(zip(distinct, matrix, strict=True))


def _read(path: Path, rows: int) -> Vectors | None:
    try:
        with np.load(path, allow_pickle=False) as stored:
            matrix: Vectors = stored["vectors"].astype(np.float32)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        logger.warning("example vectors unreadable, making them again path=%s", path)
        return None
    return matrix if matrix.ndim == 2 and len(matrix) == rows else None


def _write(path: Path, matrix: Vectors) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    scratch = path.with_suffix(f".{os.getpid()}.tmp")
    with scratch.open("wb") as file:
        np.savez(file, vectors=matrix)
    os.replace(scratch, path)
