"""The list of commands: shown without loading any, and true of each."""

import subprocess
import sys

import pytest

from graphs.lazy_commands import LazyCommand, commands

HEAVY = ("langgraph", "langchain_core", "sklearn", "chromadb", "sqlalchemy", "fastapi", "pydantic")
LIST_THEM = f"""
import sys
from graphs.cli import main
sys.argv = ["helpgraph", "--help"]
try:
    main()
finally:
    print("loaded:", [name for name in {HEAVY!r} if name in sys.modules])
"""


@pytest.mark.parametrize("command", commands().values(), ids=lambda command: command.name)
def test_the_list_says_what_the_command_says(command: LazyCommand) -> None:
    described = (command.load().help or "").split("\n\n")[0]

    assert " ".join(described.split()) == command.summary


def test_the_list_waits_for_no_command() -> None:
    listed = subprocess.run([sys.executable, "-c", LIST_THEM], check=True, capture_output=True, text=True).stdout

    assert "loaded: []" in listed
    for command in commands().values():
        assert f" {command.name} " in listed


def test_a_command_loads_no_other_packages_commands() -> None:
    # It needs the least of all itself; loading another one takes seconds of processor time.
    program = "import sys; from graphs.lazy_commands import commands; commands()['compare'].load(); print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True).stdout.split()

    modules = {command.register.partition(":")[0] for command in commands().values()}
    assert modules.intersection(loaded) == {"evals.cli_compare"}
