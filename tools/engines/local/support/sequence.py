"""A sentence and its source as two rows of words: what stands where another word stood, and what has moved.

Who puts a clause first moves a stretch of words. Who says something else with the source's own words exchanges single
ones, so that each stands where the other stood.
"""

from difflib import SequenceMatcher

from tools.engines.local.support.aligning import Alignment, Source
from tools.engines.local.support.wording import Sort, Token, Worded

# In a longer stretch it can't be said which word stands for which.
_SHORT = 3
_MOST = 3
_ANCHORS = (Sort.AMOUNT, Sort.NAME, Sort.ROLE)


def exchanges(said: Worded, source: Source, found: Alignment) -> dict[str, float]:
    """Words that stand between the same neighbours as others in the source, by what they are; all in [0, 1]."""
    there = [token for unit in source.read[found.first : found.last + 1] for token in unit.tokens]
    known = {token.text for token in there}
    own = [_like(token, there, known) for token in said.tokens]
    matcher = SequenceMatcher(None, own, [token.text for token in there], autojunk=False)
    counts = dict.fromkeys(("traded_in", "mark_for_mark", "mark_for_word", "anchor_for_anchor", "put_in", "moved"), 0)
    kept = blocks = 0
    for way, start, end, first, last in matcher.get_opcodes():
        if way == "equal":
            kept += end - start
            blocks += 1
        elif way == "replace" and end - start == last - first <= _SHORT:
            for token, text, other in zip(said.tokens[start:end], own[start:end], there[first:last], strict=True):
                counts[_exchange(token, other, text in known)] += 1
        elif way in ("insert", "replace", "delete"):
            counts["moved"] += sum(text in known for text in own[start:end])
    total = max(len(own), 1)
    return {
        "in_order": kept / total,
        "blocks": min(blocks, 2 * _MOST) / (2 * _MOST),
        **{f"x_{name}": min(count, _MOST) / _MOST for name, count in counts.items()},
    }


def _like(token: Token, there: list[Token], known: set[str]) -> str:
    """A word of the source that may stand for this one, so that rows can be compared; the word itself if none does."""
    if token.text in known:
        return token.text
    return next((other.text for other in there if token.forms & other.forms), token.text)


def _exchange(token: Token, other: Token, known: bool) -> str:
    if token.sort is Sort.MARK or other.sort is Sort.MARK:
        return "mark_for_mark" if token.sort is other.sort else "mark_for_word"
    if token.sort in _ANCHORS and token.sort is other.sort:
        return "anchor_for_anchor"
    return "traded_in" if known else "put_in"
