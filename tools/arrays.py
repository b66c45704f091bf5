"""Arrays on disk that can always be made again: a damaged file is made anew, a full disk is no reason to stop."""

import logging
import os
import zipfile
import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

logger = logging.getLogger(__name__)

Arrays = dict[str, NDArray[Any]]


def read_arrays(path: Path, names: Sequence[str]) -> Arrays | None:
    """Return the named arrays, or None when the file isn't there or can't be read."""
    try:
        # Opened here: numpy 2.4 leaves a file open that turns out to be cut short.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as stored:
            return {name: stored[name] for name in names}
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        logger.warning("cache file unreadable, making it again path=%s", path)
        return None


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *, packed: bool = False) -> None:
    """Write all at once: a reader sees the whole file or none. `packed` is for tables that repeat themselves."""
    scratch = path.with_suffix(f".{os.getpid()}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with scratch.open("wb") as file:
            (np.savez_compressed if packed else np.savez)(file, allow_pickle=False, **arrays)
        os.replace(scratch, path)
    except OSError as exc:
        logger.warning("cache file not written path=%s errno=%s", path, exc.errno)
        with suppress(OSError):
            scratch.unlink()
