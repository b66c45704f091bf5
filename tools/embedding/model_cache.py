"""Built models on disk: each is built once, whole or not at all, however many processes start together."""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from agent.errors import Misconfigured
from tools.embedding.minilm_onnx import BUILDER_VERSION, BertShape, build_graph, quantise
from tools.embedding.weights import Weights, read_safetensors, verify

logger = logging.getLogger(__name__)


def cached_model(weights: Weights, cache_dir: Path, *, rebuild: bool = False) -> Path:
    """Return the quantised model for `weights`, building it on first use.

    Raises:
        Misconfigured: the weights are wrong, or the folder can't be written.
    """
    target = cache_dir / f"encoder-{weights.sha256[:16]}-v{BUILDER_VERSION}.onnx"
    if target.is_file() and not rebuild:
        return target
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / f"{target.name}.lock"):
            if rebuild or not target.is_file():
                _build(weights, target)
    except OSError as exc:
        raise Misconfigured(f"the model cache {cache_dir} can't be written ({exc.strerror})") from exc
    return target


def _build(weights: Weights, target: Path) -> None:
    started = time.monotonic()
    verify(weights)
    shape = BertShape.read(weights.folder / "config.json")
    model = build_graph(read_safetensors(weights.model_path), shape)
    with tempfile.TemporaryDirectory(prefix="build-", dir=target.parent) as folder:
        whole, small = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, whole)
        quantise(whole, small)
        with small.open("rb+") as file:
            os.fsync(file.fileno())
        small.replace(target)
    logger.info("embedding model built name=%s s=%.1f", weights.name, time.monotonic() - started)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
