"""The risk-coverage curve as a picture."""

from pathlib import Path

from agent.errors import BadTurn, Misconfigured
from evals.bench.report import BenchResult, Part

ENDINGS = (".svg", ".png")
# Okabe and Ito's colours, told apart by the colour-blind too.
_COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
_STYLES = ("-", "--", ":")


def check_ending(path: Path) -> None:
    """Return when the file's ending names a format that can be drawn.

    Raises:
        BadTurn: it doesn't.
    """
    if path.suffix.lower() not in ENDINGS:
        raise BadTurn(f"--plot {path}: the file must end in {' or '.join(ENDINGS)}")


def draw_risk_coverage(result: BenchResult, path: Path) -> None:
    """Draw one line per part that has a curve, and a dot for what its decisions come to; equal results, equal files.

    Raises:
        BadTurn: as `check_ending`.
        Misconfigured: the file can't be written.
    """
    check_ending(path)
    # Here, so that no other command waits for it.
    from matplotlib import rc_context
    from matplotlib.figure import Figure
    from matplotlib.ticker import PercentFormatter

    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "helpgraph"}):
        figure = Figure(figsize=(7, 5), layout="constrained")
        axes = figure.subplots()
        for number, part in enumerate(part for part in result.parts if part.curve):
            colour = _COLOURS[number % len(_COLOURS)]
            style = _STYLES[number // len(_COLOURS) % len(_STYLES)]
            coverage = [answered for _, answered, _ in part.curve]
            risk = [wrong for _, _, wrong in part.curve]
            axes.plot(coverage, risk, style, color=colour, label=_label(part), gid=f"curve-{part.name}")
            point = part.operating_point
            if point is not None and point.risk is not None:
                axes.plot(
                    [point.coverage],
                    [point.risk],
                    "o",
                    color=colour,
                    markersize=9,
                    markeredgecolor="white",
                    clip_on=False,
                    zorder=3,
                    gid=f"operating-point-{part.name}",
                )
        axes.set(
            title=f"{result.name} (dots: the decisions taken)",
            xlabel="share answered",
            ylabel="share wrong among the answered",
            xlim=(0, 1),
        )
        axes.set_ylim(bottom=0)
        axes.xaxis.set_major_formatter(PercentFormatter(1.0))
        axes.yaxis.set_major_formatter(PercentFormatter(1.0))
        axes.grid(alpha=0.3)
        axes.legend()
        metadata = {"Date": None} if path.suffix.lower() == ".svg" else None
        try:
            figure.savefig(path, dpi=150, metadata=metadata)
        except OSError as exc:
            raise Misconfigured(f"--plot {path}: can't be written ({exc.strerror})") from exc


def _label(part: Part) -> str:
    point = part.operating_point
    if point is None:
        return part.name
    if point.risk is None:
        return f"{part.name}: answers nothing"
    return f"{part.name}: answers {point.coverage:.0%}, {point.risk:.0%} of it wrong"
