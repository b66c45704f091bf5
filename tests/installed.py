"""The example product as it is after its first start, made once in a run: tests copy it instead of making it anew."""

import fcntl
import shutil
import signal
from pathlib import Path

from tests.forking import ROOT
from tests.serving import served

EXAMPLE = ROOT / "examples" / "orrery"


def installed_once(folder: Path, models: Path, *, embedding: str) -> Path:
    """Return the data folder `folder`, in which the example product has been served for the first time.

    Of several processes that ask for one folder, the first installs. `models` is where the engine keeps what it
    learns, or finds it.
    """
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
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
