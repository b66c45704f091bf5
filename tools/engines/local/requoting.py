"""The source's own words for a sentence that may not be said as it is."""

from dataclasses import dataclass

from tools.engines.local.pieces import leans_back, widened
from tools.engines.local.support.aligning import read_source
from tools.engines.local.support.wording import Sort, worded

_SAME_WORD, _LIKE_WORD = 1.0, 0.7
# What a sentence is about stands in its names and amounts before all.
_TELLING = 1.5


@dataclass(frozen=True, slots=True)
class Quote:
    """A sentence as it stands in a source, and how much of the other sentence's words it has: a share in [0, 1], and
    how many.
    """

    text: str
    share: float
    words: int = 0


NO_QUOTE = Quote("", 0.0)


def nearest_quote(said: str, source: str) -> Quote:
    """The sentence or list item of `source` that has most of what `said` is about.

    One that points back ("It is valid for an hour") comes with the sentence before it. A line that only introduces a
    list is no answer.
    """
    content = worded(said).content
    weights = [_TELLING if token.sort in (Sort.NAME, Sort.AMOUNT) else 1.0 for token in content]
    if not content:
        return NO_QUOTE
    read = read_source(source)
    best, best_value = NO_QUOTE, 0.0
    at = end_before = 0
    start = -1
    for place, (unit, words) in enumerate(zip(read.stands, read.read, strict=True)):
        # Cells of a row stand in one place.
        if place == 0 or unit is not read.stands[place - 1]:
            end_before, start = at, source.find(unit, at)
        if start < 0:
            continue
        at = start + len(unit)
        likeness = [
            _SAME_WORD if token.text in words.roots else _LIKE_WORD if token.forms & words.forms else 0.0
            for token in content
        ]
        share = sum(weight * like for weight, like in zip(weights, likeness, strict=True)) / sum(weights)
        # Of two that have as much of it, the shorter says less besides.
        value = share - 0.002 * len(words.content)
        if value > best_value and not unit.endswith(":"):
            follows = place > 0 and not source[end_before:start].strip(" ")
            first = source.rfind(read.stands[place - 1], 0, start) if follows and leans_back(unit) else start
            first, end = widened(source, max(first, 0), at)
            best, best_value = Quote(source[first:end], share, sum(like > 0 for like in likeness)), value
    return best
