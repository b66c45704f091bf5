"""The example product as it is after its first start, made once in a run: tests copy it instead of making it anew."""

import fcntl
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.forking import ROOT
from tests.serving import served

EXAMPLE = ROOT / "examples" / "orrery"


@contextmanager
def learning(models: Path) -> Iterator[None]:
    """Entered by one process at a time, when something may have to be learnt into `models`: the others then read it."""
    models.mkdir(parents=True, exist_ok=True)
    with (models / "learning.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def installed_once(folder: Path, models: Path, *, embedding: str) -> Path:
    """Return the data folder `folder`, in which the example product has been served for the first time.

    Of several processes that ask for one folder, the first installs. `models` is where the engine keeps what it
    learns, or finds it.
    """
    with learning(models):
        if not folder.exists():
            unfinished = folder.with_suffix(".unfinished")
            use_models(unfinished, models)
            with served(unfinished, "--workspace", str(EXAMPLE), HELPGRAPH_EMBEDDING=embedding) as running:
                running.stop(signal.SIGTERM)
            unfinished.rename(folder)
    return folder


def copy_of(installed: Path, data_dir: Path) -> Path:
    """Copy an installation to `data_dir`; what its engine has learnt stays where it is."""
    return Path(shutil.copytree(installed, data_dir, symlinks=True))


def use_models(data_dir: Path, models: Path) -> None:
    """Have an installation in `data_dir` keep what its engine learns in `models`, where most of it is known."""
    data_dir.mkdir(parents=True, exist_ok=True)
    (data_dir / "models").symlink_to(models)
