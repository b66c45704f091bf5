"""The root of the command line. Packages list their commands in the entry point group `helpgraph.commands`."""

import sys

import typer
from rich.console import Console

from agent.errors import BadTurn, ConnectorError, Misconfigured, SupportError
from graphs.lazy_commands import LazyGroup

USAGE_ERROR = 2
FAILED = 1
INTERRUPTED = 130


def build_app() -> typer.Typer:
    """Gather the commands of every installed package; none is imported yet."""
    app = typer.Typer(
        name="helpgraph",
        help="A support agent for software products: cited answers, honest handoffs, bug tickets without duplicates.",
        cls=LazyGroup,
        no_args_is_help=True,
        add_completion=False,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    return app


def _root() -> None:
    """A support agent for software products."""


def main() -> None:
    """Run a command. What the operator must mend ends with exit code 2 and one message, never a traceback."""
    console = Console(stderr=True, highlight=False)
    try:
        build_app()()
    except (Misconfigured, BadTurn) as exc:
        console.print(f"[bold red]error:[/] {_escape(str(exc))}", soft_wrap=True)
        sys.exit(USAGE_ERROR)
    except ConnectorError as exc:
        again = " Trying again may help." if exc.retryable else ""
        console.print(f"[bold red]error:[/] {_escape(str(exc))}.{again}", soft_wrap=True)
        sys.exit(FAILED)
    except SupportError as exc:
        console.print(f"[bold red]error:[/] {_escape(str(exc))}", soft_wrap=True)
        sys.exit(FAILED)
    except KeyboardInterrupt:
        console.print("stopped")
        sys.exit(INTERRUPTED)


def _escape(text: str) -> str:
    return text.replace("[", r"\[")


if __name__ == "__main__":
    main()
