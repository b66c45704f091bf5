"""The figures of a run on a terminal: what a team looks at first, with intervals and what isn't known."""

from rich.console import Console
from rich.table import Table

from evals.scoring.measures import BY_NAME
from evals.scoring.metrics import Metric
from evals.scoring.summary import Summary

_SHOWN = (
    "containment",
    "wrong_containment",
    "confirmed",
    "durable_containment",
    "went_quiet",
    "escalation_recall",
    "escalation_precision",
    "escalation_accuracy",
    "right_queue",
    "article_exists",
    "article_retrieved",
    "article_used",
    "bug_recall",
    "bug_precision",
    "question_rate",
    "expected_cost",
)


def show_summary(summary: Summary, console: Console) -> None:
    """Print it."""
    counts = summary.counts
    parts = [f"{counts.with_request} with a request", f"{counts.courtesies} courtesies"]
    parts += [f"{count} {name}" for name, count in (("unknown", counts.unknown), ("failed", counts.failed)) if count]
    parts += [f"{counts.leaked} left out: made from the articles or the model"] if counts.leaked else []
    parts += [f"{counts.diverged} replayed only in part: our reply made the recorded next message meaningless"]
    console.print(f"{counts.cases} cases: {'; '.join(parts)}", highlight=False, soft_wrap=True)
    table = Table("", "value", "95 % interval", "n", "unscored", box=None, header_style="bold")
    for name in _SHOWN:
        metric = summary.metrics[name]
        if metric.n or metric.unscored:
            table.add_row(BY_NAME[name].title, *_cells(metric))
    console.print(table)


def _cells(metric: Metric) -> tuple[str, str, str, str]:
    measured = metric.measured()
    value = f"{measured.value:.3f}" if measured else "-"
    interval = rf"\[{measured.low:.3f}, {measured.high:.3f}]" if measured else "-"
    return value, interval, str(metric.n), str(metric.unscored) if metric.unscored else ""
