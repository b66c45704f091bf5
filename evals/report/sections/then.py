"""What people did with the same tickets."""

from collections.abc import Mapping

from markupsafe import Markup

from evals.report.baseline import Baseline, Span, Then
from evals.report.content import Content
from evals.report.figures import NOTHING, hours, hours_span, percent, span
from evals.report.markup import bar, exact, fill, row, section, table
from evals.report.words import category_names
from evals.statistics.measured import Measured

RATE_WORDS = {
    "resolved_by_person": "resolved by a person",
    "resolved_by_customer": "resolved by the customer",
    "resolved_by_nobody": "resolved by nobody",
    "first_contact": "solved by the first person who had it",
    "transferred": "passed on to another person",
    "reopened": "reopened",
    "came_back": "came back about it within seven days",
    "rated": "rated by the customer",
    "satisfied": "satisfied, of those who rated",
}
HOUR_WORDS = {
    "first_reply": "from the first message to the first reply",
    "last_reply": "from the first message to the last reply",
    "solved": "from the first message until it was solved",
}


def then(content: Content) -> Markup:
    """The section; nothing when no baseline was measured."""
    baseline = content.baseline
    if baseline is None or not baseline.all.tickets:
        return Markup("")
    lead = (
        f"What happened to {baseline.all.tickets:,} of these tickets in the past, as far as they tell. It is what the "
        "agent has to be "
        "compared with: people are not always right either."
    )
    rows = [
        row(words, exact(name, rate.value), span(name, rate), bar(name, rate), f"{rate.n:,}")
        for name, words in RATE_WORDS.items()
        if (rate := baseline.all.rates.get(name)) is not None
    ]
    lengths = [
        row(words, hours(found), hours_span(found), f"9 in 10 within {hours(_p90(found))}", f"{found.n:,}")
        for name, words in HOUR_WORDS.items()
        if (found := baseline.all.hours.get(name)) is not None
    ]
    parts = [table("How the tickets went", ("", "share", "95 % interval", "drawn", "n"), rows)] if rows else []
    if lengths:
        parts.append(table("How long they took", ("", "median", "95 % interval", "", "n"), lengths))
    missing = [words for name, words in HOUR_WORDS.items() if name not in baseline.all.hours]
    if missing:
        parts.append(fill('<p class="faint">The tickets do not tell: {missing}.</p>', missing="; ".join(missing)))
    parts.append(_by_category(baseline, category_names(content.policy)))
    return section("then", "What people did with the same tickets", lead, *parts)


def _p90(found: Span) -> Span:
    return Span(found.p90, found.p90, found.p90, found.p90, found.n)


def _by_category(baseline: Baseline, names: Mapping[str, str]) -> Markup:
    rows = [_category(names.get(name, name), one) for name, one in baseline.categories.items()]
    heads = (
        "category", "tickets", "resolved by a person", "passed on", "reopened", "satisfied", "first reply",
        "last reply", "solved",
    )  # fmt: skip
    body = table("By category (shares with n; times are medians)", heads, rows)
    return fill("<details><summary>By category</summary>{body}</details>", body=body)


def _category(name: str, one: Then) -> Markup:
    rates = [_rate(one.rates.get(rate)) for rate in ("resolved_by_person", "transferred", "reopened", "satisfied")]
    lengths = [_hours(one.hours.get(length)) for length in HOUR_WORDS]
    return row(name, f"{one.tickets:,}", *rates, *lengths)


def _rate(rate: Measured | None) -> str | Markup:
    if rate is None:
        return NOTHING
    return _of(f"95 % interval {span('', rate)}", percent(rate.value), rate.n)


def _hours(found: Span | None) -> str | Markup:
    return NOTHING if found is None else _of(f"95 % interval {hours_span(found)}", hours(found), found.n)


def _of(title: str, shown: str, n: int) -> Markup:
    return fill(
        '<span title="{title}">{shown} <span class="faint">of {n}</span></span>', title=title, shown=shown, n=f"{n:,}"
    )
