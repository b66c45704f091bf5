"""Commands that are imported when they are run: `--help` doesn't wait for models, nor one command for another's."""

import gc
from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_group

ENTRY_POINTS = "helpgraph.commands"


@dataclass(frozen=True, slots=True)
class LazyCommand:
    """A command as the list of commands shows it. `register`, as "module:function", adds it to a `typer.Typer`."""

    name: str
    summary: str
    register: str

    def load(self) -> Any:
        """Import the command."""
        module, _, function = self.register.partition(":")
        # Thousands of modules come in and stay; the collector would look through them again and again.
        gc.disable()
        try:
            register: Callable[[typer.Typer], None] = getattr(import_module(module), function)
        finally:
            gc.enable()
        app = typer.Typer()
        # With a callback it stays a group, also around a single command.
        app.callback()(_nothing)
        register(app)
        return get_group(app).commands[self.name]


def commands() -> dict[str, LazyCommand]:
    """Gather what every installed package lists, by name."""
    found = [command for entry in entry_points(group=ENTRY_POINTS) for command in entry.load()]
    return {command.name: command for command in sorted(found, key=lambda command: command.name)}


class LazyGroup(TyperGroup):
    """The commands of `commands()`: listed by their summaries, and loaded one by one as they are run."""

    def __init__(self, **attrs: Any) -> None:
        super().__init__(**attrs)
        self.lazy = commands()
        for name, command in self.lazy.items():
            self.commands[name] = TyperCommand(name, help=command.summary)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """As any group, but what comes back is the command itself."""
        name, _, rest = super().resolve_command(ctx, args)
        return name, self.lazy[name].load() if name else None, rest


def _nothing() -> None:
    """A group's callback that does nothing."""
