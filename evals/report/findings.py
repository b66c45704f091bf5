"""What a run comes to, as sentences, each with its number."""

from collections.abc import Iterable

from agent.policy import Policy
from evals.report.content import Content
from evals.report.figures import NOTHING, bounds, count, hours, hours_span, percent, span
from evals.report.words import category_names, reason_words
from evals.scoring.categories import CategorySummary
from evals.scoring.summary import ReasonRow, Summary
from evals.statistics.measured import Measured

_NAMED = 3


def standing_out(summary: Summary, policy: Policy) -> list[str]:
    """What stands out, the largest leaks first; nothing where there is nothing to say."""
    return [*_lights(summary, policy), *_worse(summary, policy), *_reasons(summary.reasons), *_knowledge(summary)]


def _lights(summary: Summary, policy: Policy) -> Iterable[str]:
    ranged = [category for category in summary.categories if category.light != "unknown"]
    if not ranged:
        return
    red = [category for category in ranged if category.light == "red"]
    below, above = ([one for one in red if one.side == side] for side in ("below", "above"))
    green = sum(category.light == "green" for category in ranged)
    amber = len(ranged) - green - len(red)
    yield (
        f"Of {count(len(ranged), 'category', 'categories')} with a target range, {green} "
        f"{'is' if green == 1 else 'are'} inside it, {amber} outside by what may be chance, {len(below)} surely below"
        f"{f' and {len(above)} surely above' if above else ''}."
    )
    if below and len(below) < len(ranged):
        yield f"Surely below the range: {_named(below, policy)}."
    if above:
        yield f"Surely above the range, which is as odd as too low: {_named(above, policy)}."


def _worse(summary: Summary, policy: Policy) -> Iterable[str]:
    worse = [category for category in summary.categories if category.worse_than_rest]
    if worse:
        yield f"More goes wrong than elsewhere in {_named(worse, policy)}: look there before anything is switched on."


def _reasons(reasons: Iterable[ReasonRow]) -> Iterable[str]:
    rows = list(reasons)
    needless = [row for row in rows if row.needed is None and row.handed is not None]
    missed = [row for row in rows if row.needed is not None and row.handed is None]
    if needless:
        total, worst = sum(row.cases for row in needless), max(needless, key=lambda row: row.cases)
        yield (
            f"{count(total, 'ticket')} would have gone to a person without need; the most common reason "
            f"({worst.cases}) was “{reason_words(worst.handed)}”."
        )
    if missed:
        total, worst = sum(row.cases for row in missed), max(missed, key=lambda row: row.cases)
        yield (
            f"{count(total, 'ticket')} that needed a person would not have got one; most often ({worst.cases}) "
            f"the need was “{reason_words(worst.needed)}”."
        )


def _knowledge(summary: Summary) -> Iterable[str]:
    steps = {
        "article_missing": "there is no article yet",
        "article_not_retrieved": "the article exists, but wasn't found",
        "article_not_used": "the right passage was found, but not used for an answer",
    }
    found = [(summary.metrics[name].value or 0.0, name, words) for name, words in steps.items()]
    share, _, words = max(found)
    if share > 0:
        yield f"For questions that an article could answer, what is missing most often: {words} ({percent(share)})."


def _named(categories: list[CategorySummary], policy: Policy) -> str:
    names = category_names(policy)
    named = [names.get(category.category, category.category) for category in categories[:_NAMED]]
    more = len(categories) - len(named)
    return ", ".join(named) + (f" and {more} more" if more else "")


def against_then(content: Content) -> list[str]:
    """What people did with the same tickets, as far as these tell, beside what the agent would have settled."""
    if content.baseline is None:
        return []
    then, contained = content.baseline.all, content.summary.metrics["containment"]
    found = []
    if resolved := then.rates.get("resolved_by_person"):
        found.append(
            f"People resolved {_with_interval('', resolved)} of the same tickets. The agent would have settled "
            f"{_with_interval('containment', contained.measured())} correctly without one."
        )
    quality = [
        f"{_with_interval('', then.rates[name])} {words}"
        for name, words in (("reopened", "were reopened"), ("transferred", "were passed on to another person"))
        if name in then.rates
    ]
    if satisfied := then.rates.get("satisfied"):
        quality.append(f"{_with_interval('', satisfied)} of those who rated were satisfied")
    if quality:
        found.append(f"Of people's work, {'; '.join(quality)}.")
    times = [
        f"{hours(then.hours[name])} to {words} ({hours_span(then.hours[name])}, n = {then.hours[name].n:,})"
        for name, words in (("first_reply", "the first reply"), ("solved", "the solution"))
        if name in then.hours
    ]
    if times:
        found.append(f"The median customer waited {' and '.join(times)}.")
    return found


def _with_interval(name: str, measured: Measured | None) -> str:
    if measured is None:
        return NOTHING
    return f"{percent(measured.value)} ({span(name, measured)}, n = {measured.n:,})"


def how_sure(content: Content) -> list[str]:
    """What isn't known, and what that could do to the numbers."""
    counts, of = content.summary.counts, content.summary.metrics
    contained, wrong = of["containment"], of["wrong_containment"]
    share = percent(contained.unscored_share)
    unscored = f"{share} of the tickets with a request are unscored: no label says what would have been right."
    if contained.unscored or contained.failed:
        unscored += (
            f" If all unknown ones went wrong, or right, {bounds(contained)} would be contained and "
            f"{bounds(wrong)} wrong."
        )
    found = [unscored]
    if counts.failed:
        found.append(
            f"{count(counts.failed, 'ticket')} broke down on our side. They are in the worst case as mistakes, and "
            "nowhere else."
        )
    if counts.leaked:
        found.append(
            f"{count(counts.leaked, 'ticket')} left out: the articles or the model were made from these very tickets."
        )
    if counts.diverged:
        found.append(
            f"{count(counts.diverged, 'ticket')} replayed only in part. The customer's next recorded message answered "
            "a person, and made "
            "no sense after the agent's reply; what would have come then isn't known."
        )
    found.append(
        "Tickets are no random sample of questions: who found the answer alone wrote none. The numbers are about "
        "people who wrote to you."
    )
    return found
