"""What the evals' tests share."""

from pathlib import Path

import pytest

from tests.evals.shell import EXAMPLE, Shell


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Shell:
    """An operator's shell."""
    settings = {
        "HELPGRAPH_DATA_DIR": str(tmp_path / "data"),
        "HELPGRAPH_WORKSPACE": str(EXAMPLE),
        "HELPGRAPH_EMBEDDING": "off",
        "COLUMNS": "200",
        "NO_COLOR": "1",
    }
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    return Shell(tmp_path / "data", monkeypatch, capsys)
