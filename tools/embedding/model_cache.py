"""Built models on disk: each is built once, whole or not at all, however many processes start together."""

import fcntl
import logging
import os
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import onnx

from agent.errors import Misconfigured
from tools.embedding.minilm_onnx import BUILDER_VERSION, BertShape, build_graph, quantise
from tools.embedding.signed_weights import fastest
from tools.embedding.weights import Weights, read_safetensors, verify
from tools.onnx_runtime import errors as ort_errors
from tools.onnx_runtime import onnxruntime

logger = logging.getLogger(__name__)

RUNTIME_ERRORS = (
    ort_errors.EPFail,
    ort_errors.Fail,
    ort_errors.InvalidArgument,
    ort_errors.InvalidGraph,
    ort_errors.InvalidProtobuf,
    ort_errors.NoSuchFile,
    ort_errors.RuntimeException,
)
_ERRORS_ONLY = 3


def cached_model(weights: Weights, cache_dir: Path, *, rebuild: bool = False) -> Path:
    """Return the quantised encoder for `weights`, building it on first use.

    Raises:
        Misconfigured: the weights are wrong, or the folder can't be written.
    """

    def build() -> onnx.ModelProto:
        verify(weights)
        shape = BertShape.read(weights.folder / "config.json")
        return build_graph(read_safetensors(weights.model_path), shape)

    return cached(f"encoder-{weights.sha256[:16]}", cache_dir, build, rebuild=rebuild)


def cached(name: str, cache_dir: Path, build: Callable[[], onnx.ModelProto], *, rebuild: bool = False) -> Path:
    """Return the quantised model of this name, which says all that it is built from; `build` is asked on first use.

    Raises:
        Misconfigured: as `build`, or the folder can't be written.
    """
    target = cache_dir / f"{name}-v{BUILDER_VERSION}.onnx"
    if target.is_file() and not rebuild:
        return target
    try:
        cache_dir.mkdir(parents=True, exist_ok=True)
        with _locked(cache_dir / f"{target.name}.lock"):
            if rebuild or not target.is_file():
                _write(build, target)
    except OSError as exc:
        raise Misconfigured(f"the model cache {cache_dir} can't be written ({exc.strerror})") from exc
    return target


def open_cached(model: Callable[[bool], Path], threads: int) -> onnxruntime.InferenceSession:
    """Open the model that `model` gives; when it can't be run, the one that it gives when asked to build it again.

    Raises:
        Misconfigured: as `model`.
        onnxruntime's own errors (RUNTIME_ERRORS): a new one can't be run either.
    """
    try:
        return _session(model(False), threads)
    except RUNTIME_ERRORS:
        # The disk lost some of it: what can be built again is.
        return _session(model(True), threads)


def _session(path: Path, threads: int) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    # Threads that spin between two questions take the processor from everybody else.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    return onnxruntime.InferenceSession(fastest(path), options, providers=["CPUExecutionProvider"])


def _write(build: Callable[[], onnx.ModelProto], target: Path) -> None:
    started = time.monotonic()
    model = build()
    with tempfile.TemporaryDirectory(prefix="build-", dir=target.parent) as folder:
        whole, small = Path(folder) / "float32.onnx", Path(folder) / "int8.onnx"
        onnx.save(model, whole)
        quantise(whole, small)
        with small.open("rb+") as file:
            os.fsync(file.fileno())
        small.replace(target)
    logger.info("model built name=%s s=%.1f", target.stem, time.monotonic() - started)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
