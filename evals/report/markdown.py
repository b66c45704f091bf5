"""The same headline numbers in Markdown, short enough for a pull request."""

import re

from evals.report.content import Content
from evals.report.figures import NOTHING, bounds, hours, hours_span, interval, percent, shown, span
from evals.report.findings import against_then, how_sure, standing_out
from evals.report.sections.then import HOUR_WORDS, RATE_WORDS
from evals.report.verdicts import WITH_REQUEST
from evals.report.words import VERDICT_WORDS, category_names
from evals.scoring.measures import BY_NAME

_HEADLINES = (
    "containment", "wrong_containment", "durable_containment", "confirmed", "went_quiet", "escalation_recall",
    "escalation_precision", "escalation_accuracy", "needless_handoff", "right_queue", "article_exists",
    "article_retrieved", "article_used", "groundedness", "bug_recall", "bug_precision", "responded", "question_rate",
    "expected_cost",
)  # fmt: skip
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#~!&])")


def as_markdown(content: Content) -> str:
    """The report."""
    blocks = [_opening(content), _headlines(content), _places(content), _then(content), _categories(content)]
    blocks += [_list("Against what happened then", against_then(content))]
    blocks += [_list("What stands out", standing_out(content.summary, content.policy))]
    blocks += [_list("How sure this is", how_sure(content))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _opening(content: Content) -> str:
    counts, run = content.summary.counts, content.manifest
    engine = (run.get("engine") or {}).get("name") or "?"
    model = (run.get("settings") or {}).get("model")
    articles = (run.get("knowledge") or {}).get("articles", "?")
    engine = f"{engine} with {model}" if model else engine
    made = f"revision {str(run.get('revision'))[:12]}, engine {engine}, {articles} articles"
    return (
        f"# Replay of {content.survey.tickets:,} tickets: {_plain(content.name)}\n\n"
        f"Tickets of {content.days}; {_plain(made)}. {counts.with_request:,} cases with a request."
    )


def _headlines(content: Content) -> str:
    rows = []
    for name in _HEADLINES:
        metric = content.summary.metrics[name]
        if metric.n or metric.unscored:
            title = BY_NAME[name].title if name in BY_NAME else "Claims that their sources support"
            value, n = shown(name, metric.value), str(metric.n)
            rows.append([title, value, interval(metric), n, str(metric.unscored), bounds(metric)])
    return _table(["", "value", "95 % interval", "n", "unscored", "bounds"], rows)


def _places(content: Content) -> str:
    verdicts = content.survey.verdicts
    total = sum(verdicts[verdict] for verdict in WITH_REQUEST)
    if not total:
        return ""
    rows = [
        [VERDICT_WORDS[v].title, f"{verdicts[v]:,}", percent(verdicts[v] / total)] for v in WITH_REQUEST if verdicts[v]
    ]
    return _table(["where the requests would have gone", "cases", "share"], rows)


def _then(content: Content) -> str:
    if content.baseline is None:
        return ""
    then = content.baseline.all
    rows = [
        [words, percent(rate.value), span(name, rate), str(rate.n)]
        for name, words in RATE_WORDS.items()
        if (rate := then.rates.get(name)) is not None
    ]
    rows += [
        [f"median {words}", hours(found), hours_span(found), str(found.n)]
        for name, words in HOUR_WORDS.items()
        if (found := then.hours.get(name)) is not None
    ]
    return _table(["what people did with the same tickets", "", "95 % interval", "n"], rows) if rows else ""


def _categories(content: Content) -> str:
    names = category_names(content.policy)
    rows = []
    for one in content.summary.categories:
        contained, wrong = one.metrics["containment"], one.metrics["wrong_containment"]
        target = f"{100 * one.target[0]:.0f} to {100 * one.target[1]:.0f} %" if one.target else NOTHING
        light = NOTHING if one.light == "unknown" else f"{one.light}{f' ({one.side})' if one.side else ''}"
        name, cases = names.get(one.category, one.category), str(one.cases)
        rates = [percent(contained.value), interval(contained), percent(wrong.value), interval(wrong)]
        rows.append([name, cases, target, light, *rates])
    heads = ["category", "tickets", "target", "light", "contained", "95 % interval", "wrong", "95 % interval"]
    return _table(heads, rows) if rows else ""


def _list(title: str, items: list[str]) -> str:
    return f"**{title}**\n\n" + "\n".join(f"- {_plain(item)}" for item in items) if items else ""


def _table(heads: list[str], rows: list[list[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *([_plain(cell) for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _plain(text: str) -> str:
    """Text that Markdown takes as text."""
    return _SPECIAL.sub(r"\\\1", " ".join(text.replace("\u00a0", " ").split()))
