"""Small pieces of HTML. `Markup.format` escapes whatever is no `Markup`, so a value from a ticket can't be a tag."""

from collections.abc import Iterable, Sequence

from markupsafe import Markup

from evals.report.figures import MEANS, bounds, count, interval, shown, span
from evals.report.words import METRIC_WARNINGS
from evals.scoring.metrics import Metric
from evals.statistics.measured import Measured

_BAR_W, _BAR_H, _PAD = 132, 18, 4


def fill(template: str, /, **values: object) -> Markup:
    """A trusted template with values in it, which are escaped."""
    return Markup(template).format(**values)  # noqa: S704  # The templates are our own constants.


def join(parts: Iterable[Markup]) -> Markup:
    """Pieces one after the other."""
    return Markup("\n").join(parts)


def section(name: str, title: str, lead: str | Markup, *parts: Markup) -> Markup:
    """A part of the report under its heading."""
    return fill(
        '<section id="{name}" aria-labelledby="{name}-title"><h2 id="{name}-title">{title}</h2>'
        '<p class="lead">{lead}</p>\n{parts}\n</section>',
        name=name, title=title, lead=lead, parts=join(parts),
    )  # fmt: skip


def table(caption: str, heads: Sequence[str], rows: Iterable[Markup], *, kind: str = "") -> Markup:
    """A table that scrolls by itself where the screen is narrow; the first head's column names the rows."""
    return fill(
        '<div class="scroll" tabindex="0" role="region" aria-label="{caption}"><table class="{kind}">'
        "<caption>{caption}</caption><thead><tr>{heads}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>",
        caption=caption,
        kind=kind,
        heads=join(fill('<th scope="col">{head}</th>', head=head) for head in heads),
        rows=join(rows),
    )


def row(name: str | Markup, *cells: str | Markup) -> Markup:
    """A row of a table; the first cell is its heading."""
    return fill(
        '<tr><th scope="row">{name}</th>{cells}</tr>',
        name=name,
        cells=join(fill("<td>{cell}</td>", cell=cell) for cell in cells),
    )


def value(metric: Metric) -> Markup:
    """A metric's value, with the exact one in the machine's attribute."""
    return exact(metric.name, metric.value)


def exact(name: str, found: float | None) -> Markup:
    """A value as it is read, with the number itself beside it for machines."""
    if found is None:
        return fill('<span class="faint">{text}</span>', text=shown(name, None))
    return fill('<data value="{raw}">{text}</data>', raw=f"{found:.4f}", text=shown(name, found))


def cells(metric: Metric) -> tuple[str | Markup, ...]:
    """A metric's value, interval, a drawing of both, n, unscored and bounds: cells of a table."""
    return (
        value(metric),
        interval(metric),
        bar(metric.name, metric.measured()) if metric.name not in MEANS else Markup(""),
        f"{metric.n:,}",
        f"{metric.unscored:,}" if metric.unscored else "0",
        bounds(metric),
    )


CELL_HEADS = ("value", "95 % interval", "drawn", "n", "unscored", "if all unscored went wrong, or right")


def with_warning(title: str, name: str) -> Markup:
    """A metric's title, with how it fails below."""
    warning = METRIC_WARNINGS.get(name)
    if warning is None:
        return fill("{title}", title=title)
    return fill('{title}<span class="note">{warning}</span>', title=title, warning=warning)


def bar(
    name: str,
    measured: Measured | None,
    *,
    target: tuple[float, float] | None = None,
    tone: str = "",
    most: float = 1.0,
) -> Markup:
    """A value as a dot and its interval as a line, over a track from 0 to `most`; a target range is shaded."""
    if measured is None:
        return Markup("")
    says = f"{shown(name, measured.value)}, 95 % interval {span(name, measured)}"
    shade = Markup("")
    if target is not None:
        says += f", target {100 * target[0]:.0f} to {100 * target[1]:.0f} %"
        shade = fill(
            '<rect class="target" x="{x}" y="1" width="{w}" height="16"/>', x=_x(target[0], most),
            w=f"{float(_x(target[1], most)) - float(_x(target[0], most)):.1f}",
        )  # fmt: skip
    return fill(
        '<svg class="bar {tone}" viewBox="0 0 {w} {h}" width="{w}" height="{h}" role="img" aria-label="{says}">'
        '<rect class="track" x="{pad}" y="8" width="{inner}" height="2"/>{shade}'
        '<line class="span" x1="{low}" x2="{high}" y1="9" y2="9"/><circle class="dot" cx="{at}" cy="9" r="3.5"/></svg>',
        tone=tone, w=_BAR_W, h=_BAR_H, pad=_PAD, inner=_BAR_W - 2 * _PAD, says=says, shade=shade,
        low=_x(measured.low, most), high=_x(measured.high, most), at=_x(measured.value, most),
    )  # fmt: skip


def _x(value: float, most: float) -> str:
    return f"{_PAD + (_BAR_W - 2 * _PAD) * min(1.0, max(0.0, value / most)):.1f}"


def filter_button(text: str, says: str, **filters: str) -> Markup:
    """A button that shows the cases behind a number; `filters` are the list's own."""
    attributes = join(fill(' data-{name}="{value}"', name=name, value=value) for name, value in sorted(filters.items()))
    return fill(
        '<button type="button" class="link" data-filter{attributes} aria-label="{says}">{text}</button>',
        attributes=attributes, says=says, text=text,
    )  # fmt: skip


def case_button(ticket_id: str, run: int = 1) -> Markup:
    """A button that opens a case."""
    name = ticket_id if run == 1 else f"{ticket_id} (run {run})"
    return fill(
        '<button type="button" class="link" data-case="{ticket}" data-run="{run}">{name}</button>',
        ticket=ticket_id, run=run, name=name,
    )  # fmt: skip


def tickets(number: int) -> str:
    """So many tickets."""
    return count(number, "ticket")
