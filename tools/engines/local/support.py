"""Whether a source says what a sentence says."""

import re
import unicodedata

from tools.engines.local.evidence import content_words

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_NEGATION = re.compile(
    r"\b(no|not|never|none|cannot|without|nobody|nothing|isn't|aren't|don't|doesn't|can't|won't|didn't|wasn't|"
    r"kein|keine|keinen|nicht|nie|ohne|niemand|nunca|sin|ningún|ninguna|nadie|ni)\b",
    re.IGNORECASE,
)


def normalise(text: str) -> str:
    """`text` without Markdown marks, case and spacing, for comparison."""
    plain = re.sub(r"[*_`#>\[\]]+", "", unicodedata.normalize("NFKC", text))
    return " ".join(plain.lower().replace("’", "'").split())


def support(sentence: str, source: str) -> float:
    """Estimate the probability that `source` says what `sentence` says.

    A quotation is certain. Anything else must share its numbers and its negations with the source, and then counts
    by the share of its content words that the source has.
    """
    said, told = normalise(sentence), normalise(source)
    if not said:
        return 0.0
    if said in told:
        return 1.0
    if not set(_NUMBER.findall(said)) <= set(_NUMBER.findall(told)):
        return 0.02
    words = content_words(said)
    if not words:
        return 0.0
    best = 0.0
    for start in re.split(r"(?<=[.!?:])\s|\n", source):
        part = normalise(start)
        shared = len(words & content_words(part)) / len(words)
        if bool(_NEGATION.search(part)) != bool(_NEGATION.search(said)):
            shared *= 0.3
        best = max(best, shared)
    return round(min(best, 0.95), 4)
