"""The categories side by side, with their targets."""

from markupsafe import Markup

from evals.report.baseline import Then
from evals.report.content import Content
from evals.report.figures import NOTHING, interval, percent
from evals.report.markup import bar, fill, filter_button, join, row, section, table, value
from evals.report.words import category_names
from evals.scoring.categories import CategorySummary
from evals.scoring.metrics import Metric

_LIGHTS = {"green": ("●", "in range"), "amber": ("▲", "perhaps"), "red": ("■", "surely")}
_HEADS = (
    "category", "tickets", "against its range", "contained", "wrong", "needed a person: got one",
    "needed none: handed over", "cost per ticket", "resolved by a person then",
)  # fmt: skip


def categories(content: Content) -> Markup:
    """The section."""
    lead = (
        "Choose the first three to five categories here: many tickets, much contained, little wrong. Green is inside "
        "your target range, red "
        "surely outside (above is as odd as below), amber perhaps outside: it may be chance. The shaded band is the "
        "range, the line the 95 % interval."
    )
    names = category_names(content.policy)
    then = content.baseline.categories if content.baseline is not None else {}
    rows = [
        _row(one, names.get(one.category, one.category), then.get(one.category)) for one in content.summary.categories
    ]
    return section("categories", "By category", lead, table("Categories", _HEADS, rows, kind="categories"))


def _row(one: CategorySummary, name: str, then: Then | None) -> Markup:
    contained, of = one.metrics["containment"], one.metrics
    resolved = then.rates.get("resolved_by_person") if then is not None else None
    wrong = _small(of["wrong_containment"])
    if one.worse_than_rest:
        wrong = join([wrong, Markup('<span class="tag bad">more than elsewhere</span>')])
    return row(
        filter_button(name, f"Show the tickets of {name}", category=one.category),
        f"{one.cases:,}",
        light(one),
        join([_small(contained), bar("containment", contained.measured(), target=one.target, tone=one.light)]),
        wrong,
        _small(of["escalation_recall"]),
        _small(of["needless_handoff"]),
        _small(of["expected_cost"]),
        NOTHING if resolved is None else percent(resolved.value),
    )


def light(one: CategorySummary) -> Markup:
    """A light that is told by its form and its words too."""
    if one.light == "unknown":
        words = "no range" if one.target is None else "not known"
        return fill('<span class="faint">{words}</span>', words=words)
    sign, words = _LIGHTS[one.light]
    words = f"{words} {one.side}" if one.side else words
    low, high = one.target or (0.0, 1.0)
    return fill(
        '<span class="light {light}"><span aria-hidden="true">{sign}</span> {words}</span>'
        '<span class="note">range {low} to {high} %</span>',
        light=one.light, sign=sign, words=words, low=f"{100 * low:.0f}", high=f"{100 * high:.0f}",
    )  # fmt: skip


def _small(metric: Metric) -> Markup:
    if metric.value is None:
        return fill('<span class="faint">{nothing}</span>', nothing=NOTHING)
    return fill(
        '{value}<span class="note">{interval}, n = {n}</span>',
        value=value(metric),
        interval=interval(metric),
        n=metric.n,
    )
