"""Numbers as people read them."""

from evals.report.baseline import Span
from evals.scoring.metrics import Metric
from evals.statistics.measured import Measured

NOTHING = "–"
MEANS = frozenset({"turns_late", "response_turns", "response_seconds", "expected_cost", "tokens", "money"})
CORRELATIONS = frozenset({"escalation_mcc"})


def percent(value: float | None) -> str:
    """A rate, to a tenth of a percent: 0.1786 is "17.9 %"."""
    return NOTHING if value is None else f"{100 * value:.1f}\u00a0%"


def number(value: float | None) -> str:
    """A mean: two decimals, fewer for large ones."""
    if value is None:
        return NOTHING
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.1f}" if abs(value) >= 100 else f"{value:.2f}"


def shown(name: str, value: float | None) -> str:
    """A metric's value by what kind of number it is."""
    return number(value) if name in MEANS | CORRELATIONS else percent(value)


def interval(metric: Metric) -> str:
    """Its 95 % interval."""
    return span(metric.name, metric.measured())


def span(name: str, measured: Measured | None) -> str:
    """A 95 % interval, "14.5 to 21.8 %"."""
    if measured is None:
        return NOTHING
    low, high = shown(name, measured.low), shown(name, measured.high)
    return f"{low.removesuffix(chr(160) + '%')} to {high}"


def bounds(metric: Metric) -> str:
    """What it would be if all that isn't known went wrong, and if it went right."""
    if metric.worst is None or metric.best is None or not (metric.unscored or metric.failed):
        return NOTHING
    low, high = sorted((metric.worst, metric.best))
    return f"{percent(low).removesuffix(chr(160) + '%')} to {percent(high)}"


def hours(span: Span | None) -> str:
    """A length of time: minutes below two hours, days from two on."""
    return NOTHING if span is None else _length(span.median)


def hours_span(span: Span) -> str:
    """The 95 % interval of its median."""
    return f"{_length(span.low)} to {_length(span.high)}"


def _length(hours: float) -> str:
    if hours < 2:
        return f"{hours * 60:.0f} min"
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def count(value: int, one: str, many: str | None = None) -> str:
    """A number with its noun: "1 ticket", "1,200 tickets"."""
    return f"{value:,} {one if value == 1 else many or one + 's'}"
