"""The top of the report: what would have happened, in a few numbers and sentences."""

from markupsafe import Markup

from evals.report.content import Content
from evals.report.figures import count, interval, percent
from evals.report.findings import against_then, how_sure, standing_out
from evals.report.markup import bar, fill, filter_button, join, section, value
from evals.report.verdicts import WITH_REQUEST
from evals.report.words import VERDICT_WORDS
from evals.scoring.metrics import Metric

_WIDTH = 1000


def short(content: Content) -> Markup:
    """The section."""
    counts = content.summary.counts
    requests = sum(content.survey.verdicts[verdict] for verdict in WITH_REQUEST)
    lead = (
        f"{count(counts.cases, 'ticket')} from {content.days} went through the agent as if it had been there on the "
        "day. "
        f"{requests:,} of them asked for something. Nobody was written to."
    )
    return section(
        "short",
        "In short",
        lead,
        _cards(content),
        _shares(content, requests),
        _list("Against what happened then", against_then(content)),
        _list("What stands out", standing_out(content.summary, content.policy)),
        _list("How sure this is", how_sure(content)),
    )


def _cards(content: Content) -> Markup:
    of = content.summary.metrics
    two = content.summary.escalation
    missed = f"{two.needed_and_kept:,} of {two.needed_and_handed + two.needed_and_kept:,} would have got none"
    right = "would have been settled correctly without a person"
    wrong = "would have ended wrong, without a person"
    needed = "of those who needed a person would have got one"
    needless = "of those who needed no person would have been handed over"
    target = _target(content)
    against = "of tickets with a request"
    if target is not None:
        against += f"; your ranges come to {100 * target[0]:.0f} to {100 * target[1]:.0f}\u00a0%"
    cards = [
        _card(of["containment"], right, against, target),
        _card(of["wrong_containment"], wrong, "the costly mistake"),
        _card(of["escalation_recall"], needed, missed),
        _card(of["needless_handoff"], needless, "costs your team's time"),
        _card(of["expected_cost"], "cost of mistakes per ticket", "at your own prices, the number to tune"),
    ]
    return fill('<ul class="cards">{cards}</ul>', cards=join(cards))


def _target(content: Content) -> tuple[float, float] | None:
    """The range that the categories' ranges come to in these tickets; None where a category has none."""
    found = [(one.cases, one.target) for one in content.summary.categories]
    ranges = [(cases, target) for cases, target in found if target is not None]
    total = sum(cases for cases, _ in found)
    if not total or len(ranges) < len(found):
        return None
    return sum(n * low for n, (low, _) in ranges) / total, sum(n * high for n, (_, high) in ranges) / total


def _tone(metric: Metric, target: tuple[float, float] | None) -> str:
    """Good inside the range, bad surely outside, fair where that may be chance; neutral without one."""
    if target is None or metric.value is None or metric.low is None or metric.high is None:
        return ""
    if target[0] <= metric.value <= target[1]:
        return "good"
    return "bad" if metric.high < target[0] or metric.low > target[1] else "fair"


def _card(metric: Metric, says: str, note: str, target: tuple[float, float] | None = None) -> Markup:
    most = 1.0 if metric.name != "expected_cost" else max(1.0, (metric.high or 0) * 1.25)
    return fill(
        '<li class="card {tone}"><strong>{value}</strong><span>{says}</span><span class="faint">{note}</span>{bar}'
        '<span class="faint">95 %: {interval}, n\u00a0=\u00a0{n}</span></li>',
        tone=_tone(metric, target), value=value(metric), says=says, note=note,
        bar=bar(metric.name, metric.measured(), most=most, target=target), interval=interval(metric), n=f"{metric.n:,}",
    )  # fmt: skip


def _shares(content: Content, requests: int) -> Markup:
    """One bar that adds up: where the tickets with a request would have gone."""
    if not requests:
        return Markup("")
    verdicts, pieces, keys, x = content.survey.verdicts, [], [], 0.0
    for verdict in WITH_REQUEST:
        cases, words = verdicts[verdict], VERDICT_WORDS[verdict]
        if not cases:
            continue
        width = _WIDTH * cases / requests
        pieces.append(
            fill(
                '<rect class="{tone}" x="{x}" y="0" width="{w}" height="34"><title>{title}: {n}</title></rect>',
                tone=words.tone,
                x=f"{x:.1f}",
                w=f"{max(0.5, width - 2):.1f}",
                title=words.title,
                n=cases,
            )
        )
        keys.append(
            fill(
                '<li><svg class="key" viewBox="0 0 12 12" width="12" height="12" aria-hidden="true">'
                '<rect class="{tone}" width="12" height="12" rx="2"/></svg><span>{button} <b>{share}</b> '
                '<span class="faint">({cases})</span><span class="note">{meaning}</span></span></li>',
                tone=words.tone,
                button=filter_button(words.title, f"Show the {cases} tickets: {words.title}", verdict=verdict),
                share=percent(cases / requests),
                cases=f"{cases:,}",
                meaning=words.meaning,
            )
        )
        x += width
    return fill(
        "<h3>Where the {n} tickets with a request would have gone</h3>"
        '<p class="faint">Shares of all of these, the unknown ones too. Press a name to see its tickets.</p>'
        '<svg class="shares" viewBox="0 0 {w} 34" preserveAspectRatio="none" aria-hidden="true">{pieces}</svg>'
        '<ul class="keys">{keys}</ul>',
        n=f"{requests:,}", w=_WIDTH, pieces=join(pieces), keys=join(keys),
    )  # fmt: skip


def _list(title: str, items: list[str]) -> Markup:
    if not items:
        return Markup("")
    return fill(
        '<h3>{title}</h3><ul class="plain">{items}</ul>',
        title=title, items=join(fill("<li>{text}</li>", text=text) for text in items),
    )  # fmt: skip
