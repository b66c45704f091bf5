"""The shape of the repository: names, packages, and what may not stand in it."""

import subprocess
from importlib.metadata import packages_distributions
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "tools", "graphs", "evals", "server")


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [ROOT / line for line in listed.stdout.splitlines()]


def test_no_other_installed_distribution_owns_one_of_our_names() -> None:
    owners = packages_distributions()

    for name in PACKAGES:
        assert set(owners.get(name, ["helpgraph"])) <= {"helpgraph"}, name


def test_package_files_hold_a_docstring_and_nothing_else() -> None:
    for package in PACKAGES:
        for init in (ROOT / package).rglob("__init__.py"):
            if "node_modules" in init.parts:
                continue
            text = init.read_text(encoding="utf-8").strip()
            assert text.startswith('"""'), init
            assert text.endswith('"""'), init


def test_no_tracked_file_names_a_package_index() -> None:
    for path in tracked_files():
        if path.suffix in {".txt", ".toml", ".json", ".npmrc", ".cfg"} or path.name in {"Makefile", ".npmrc"}:
            text = path.read_text(encoding="utf-8")
            for word in ("index" + "-url =", "--index" + "-url h", '"resolved": "http'):
                assert word not in text, (path, word)
