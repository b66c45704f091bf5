"""The models on the processor ask nobody on the network for anything, and leave nothing in the user's home."""

import os
import subprocess
import sys
from pathlib import Path

_PROGRAM = """
import sys
import numpy as np
from onnx import TensorProto, helper
import tools.embedding.minilm
from tools.onnx_runtime import onnxruntime

def tensor(name):
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, [1])

graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "same", [tensor("x")], [tensor("y")])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
print(session.run(None, {"x": np.ones(1, dtype=np.float32)})[0][0])
"""


def left_at_home(home: Path, program: str) -> list[str]:
    """The files in a user's home after a program."""
    home.mkdir()
    environment = {name: value for name, value in os.environ.items() if name != "ORT_DISABLE_TELEMETRY"}
    # Where the XDG folders are is the home's business here.
    environment = {name: value for name, value in environment.items() if not name.startswith("XDG_")}
    ran = subprocess.run(
        [sys.executable, "-B", "-c", program],
        env={**environment, "HOME": str(home)},
        cwd=Path(__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert ran.stdout == "1.0\n", ran.stderr
    return sorted(str(path.relative_to(home)) for path in home.rglob("*") if path.is_file())


def test_a_model_runs_without_telemetry(tmp_path: Path) -> None:
    # Without the switch the library leaves a database of Microsoft's here, on most machines though not on all.
    assert left_at_home(tmp_path / "home", _PROGRAM) == []


def test_nobody_imports_the_library_past_the_switch() -> None:
    root = Path(__file__).parents[2]
    for folder in ("agent", "tools", "graphs", "evals", "server"):
        for path in (root / folder).rglob("*.py"):
            imported = [
                line for line in path.read_text().splitlines() if line.startswith(("import onnxr", "from onnxr"))
            ]
            assert not imported or path.name == "onnx_runtime.py", path
