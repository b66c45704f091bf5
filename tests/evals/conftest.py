"""What the evals' tests share."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shell import EXAMPLE, Shell

WITHOUT_MODEL = {"HELPGRAPH_WORKSPACE": str(EXAMPLE), "HELPGRAPH_EMBEDDING": "off", "COLUMNS": "200", "NO_COLOR": "1"}


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with the example's articles and what the engine trains at its first start, to be copied."""
    folder = tmp_path_factory.mktemp("prepared")
    for arguments in (["ingest", str(EXAMPLE / "articles")], ["ask", "hello", "--json"]):
        subprocess.run(
            [sys.executable, "-c", "from graphs.cli import main; main()", *arguments],
            env={**os.environ, **WITHOUT_MODEL, "HELPGRAPH_DATA_DIR": str(folder / "data")},
            cwd=folder,
            check=True,
            capture_output=True,
        )
    return folder / "data"


@pytest.fixture
def shell(prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """An operator's shell. Nothing is in the data folder but what training takes seconds to make."""
    for name, value in {**WITHOUT_MODEL, "HELPGRAPH_DATA_DIR": str(tmp_path / "data")}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    shutil.copytree(prepared / "models", tmp_path / "data" / "models")
    return Shell(tmp_path / "data", monkeypatch, capsys)
