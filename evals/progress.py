"""Progress of long commands: bars on a terminal, a line now and then anywhere else."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from graphs.cli import INTERRUPTED

OnProgress = Callable[[str, int, int], None]

_QUIET_S = 15.0


@contextmanager
def progress_of(console: Console) -> Iterator[OnProgress]:
    """Yield what long work reports to: the stage, how much is done, how much there is."""
    if not console.is_terminal:
        yield _lines(console)
        return
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        _Rate(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(stage, total=total)
            bars.update(tasks[stage], completed=done, total=total)

        yield report


@contextmanager
def said_when_stopped(console: Console, left: str) -> Iterator[None]:
    """Whoever presses Ctrl-C is told what it left behind, and the command ends with the exit code of that."""
    try:
        yield
    except KeyboardInterrupt:
        console.print(f"stopped: {left}", highlight=False, markup=False, soft_wrap=True)
        raise typer.Exit(INTERRUPTED) from None


class _Rate(ProgressColumn):
    """How many are done a second."""

    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.0f}/s" if task.speed and task.speed >= 1 else "", style="progress.data.speed")


def _lines(console: Console) -> OnProgress:
    started = last = time.monotonic()
    begun: dict[str, tuple[float, int]] = {}

    def report(stage: str, done: int, total: int) -> None:
        nonlocal last
        now = time.monotonic()
        begins = stage not in begun and done < total
        since, first = begun.setdefault(stage, (now, done))
        if begins:
            # Said at once: some stages have nothing to count for a while.
            last = now
            console.print(f"{now - started:6.0f} s  {stage}", highlight=False)
        elif now - last >= _QUIET_S:
            last = now
            rate = (done - first) / (now - since) if now > since else 0.0
            left = f", {rate:.1f} a second, {(total - done) / rate:.0f} s left" if rate else ""
            console.print(f"{now - started:6.0f} s  {stage} {done} of {total}{left}", highlight=False)

    return report
