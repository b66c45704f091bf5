"""Arrays on disk: what can't be read is as good as not there."""

from pathlib import Path

import numpy as np
import pytest

from tools.arrays import read_arrays, write_arrays


@pytest.mark.parametrize("packed", [False, True])
def test_what_was_written_is_read_back(tmp_path: Path, packed: bool) -> None:
    write_arrays(tmp_path / "a.npz", {"one": np.arange(3), "two": np.zeros(2)}, packed=packed)

    stored = read_arrays(tmp_path / "a.npz", ("one", "two"))

    assert stored is not None
    assert (stored["one"].tolist(), stored["two"].tolist()) == ([0, 1, 2], [0, 0])
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("damage", ["empty", "other", "cut", "torn", "lacking"])
def test_a_damaged_file_has_no_arrays(
    tmp_path: Path, packed: bool, damage: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = tmp_path / "a.npz"
    write_arrays(path, {"one": np.arange(1_000)}, packed=packed)
    whole = path.read_bytes()
    middle = len(whole) // 2
    damaged = {
        "empty": b"",
        "other": b"not a zip",
        "cut": whole[:middle],
        "torn": whole[:middle] + bytes(byte ^ 0xFF for byte in whole[middle : middle + 50]) + whole[middle + 50 :],
        "lacking": whole,
    }
    path.write_bytes(damaged[damage])

    assert read_arrays(path, ("one", "two") if damage == "lacking" else ("one",)) is None
    assert "making it again" in caplog.text


def test_a_file_that_is_not_there_is_nothing_to_tell(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert read_arrays(tmp_path / "a.npz", ("one",)) is None
    assert not caplog.text
