"""`helpgraph bench`: the engine that ships, measured on public data."""

import asyncio
import importlib
import os
import time
from pathlib import Path
from typing import Annotated, Any, Protocol, cast

import orjson
import typer
from rich.console import Console
from rich.table import Table

from agent.errors import BadTurn, Misconfigured
from evals.bench.plot import check_ending, draw_risk_coverage
from evals.bench.report import BenchResult
from evals.progress import OnProgress, progress_of
from tools.observing.logs import set_up_logging

PUBLIC = ("bank_kb", "clinc150", "hint3", "nlbse24", "stackfaq", "uss")
BENCHMARKS = (*PUBLIC, "replay", "serve", "speed", "stream")
WITH_CURVE = ("clinc150", "hint3")


class _Benchmark(Protocol):
    def splits(self, data: Path) -> list[str]: ...

    async def run(self, data: Path, parts: list[str], on_progress: OnProgress) -> BenchResult: ...


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("bench")(bench_command)


def bench_command(
    name: Annotated[str, typer.Argument(help=f"One of {', '.join(BENCHMARKS)}.")],
    data: Annotated[
        Path | None,
        typer.Option(help="The benchmark's folder: docs/bench.md says what it holds; some have none."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Write the result as JSON to this file.")] = None,
    plot: Annotated[
        Path | None,
        typer.Option(help=f"Draw the risk-coverage curve to this .svg or .png file ({', '.join(WITH_CURVE)})."),
    ] = None,
    split: Annotated[
        list[str] | None, typer.Option(help="The part to measure; again for another. All parts when absent.")
    ] = None,
) -> None:
    """Measure the engine that ships on a public benchmark, through the turn that serves customers.

    Needs no installation: it makes a fresh one in a folder of its own and removes it at the end. Stop it with Ctrl-C.
    """
    set_up_logging("error")
    if name not in BENCHMARKS:
        raise BadTurn(f"no benchmark {name!r}; there are: {', '.join(BENCHMARKS)}")
    if name in PUBLIC and data is None:
        raise BadTurn(f"{name} needs --data DIR, the folder of its files: docs/bench.md says what they are")
    if data is not None and not data.is_dir():
        raise Misconfigured(f"--data {data}: no such folder")
    folder = data or Path()
    if out is not None:
        _check_writable("--out", out)
    if plot is not None:
        if name not in WITH_CURVE:
            raise BadTurn(f"{name} has no risk-coverage curve to --plot; these have: {', '.join(WITH_CURVE)}")
        check_ending(plot)
        _check_writable("--plot", plot)
    benchmark = cast(_Benchmark, importlib.import_module(f"evals.bench.{name}"))
    known = benchmark.splits(folder)
    parts = split or known
    unknown = [part for part in parts if part not in known]
    if unknown:
        raise BadTurn(f"no part {unknown[0]!r} of {name} in {folder}; there are: {', '.join(known)}")
    console = Console(stderr=True)
    began = time.monotonic()
    with progress_of(console) as on_progress:
        result = asyncio.run(benchmark.run(folder, parts, on_progress))
    found = result.to_json(settings={"split": parts}, seconds=time.monotonic() - began)
    if out is not None:
        out.write_bytes(orjson.dumps(found, option=orjson.OPT_INDENT_2) + b"\n")
    _show(found, Console())
    if plot is not None:
        draw_risk_coverage(result, plot)


def _check_writable(option: str, path: Path) -> None:
    """Refuse before the measuring, which takes minutes, what could not be written after it."""
    if not path.parent.is_dir():
        raise Misconfigured(f"{option} {path}: the folder {path.parent} doesn't exist")
    if path.is_dir() or not os.access(path if path.exists() else path.parent, os.W_OK):
        raise Misconfigured(f"{option} {path}: can't be written")


def _show(found: dict[str, Any], console: Console) -> None:
    table = Table("part", "metric", "value", "95 % interval", "n", box=None, header_style="bold")
    for part, content in found["parts"].items():
        for metric, value in content["metrics"].items():
            interval = f"[{value['low']:.3f}, {value['high']:.3f}]".replace("[", r"\[")
            table.add_row(part, metric, f"{value['value']:.3f}", interval, str(value["n"]))
    console.print(table)
    for part, content in found["parts"].items():
        notes = [
            f"{name} {value}" for name, value in content.get("notes", {}).items() if isinstance(value, int | float)
        ]
        if notes:
            console.print(f"{part}: {', '.join(notes)}", highlight=False)
    console.print(f"{found['benchmark']} at {found['revision'][:12]}, {found['seconds']} s", highlight=False)
