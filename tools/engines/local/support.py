"""Whether a source says what a sentence says."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from tools.engines.local.words import content_words, words

_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_THOUSANDS = re.compile(r"(?<=\d)[.,\s](?=\d{3}\b)")
NEGATION = re.compile(
    r"\b(no|not|never|none|cannot|without|nobody|nothing|neither|nor|unable|impossible|isn't|aren't|don't|doesn't|"
    r"can't|won't|didn't|wasn't|weren't|hasn't|haven't|shouldn't|couldn't|"
    r"kein|keine|keinen|keiner|keinem|nicht|nie|niemals|ohne|niemand|nichts|weder|unmöglich|"
    r"nunca|sin|ningún|ninguna|ninguno|nadie|ni|nada|tampoco|imposible)\b"
)
_CONDITION = re.compile(
    r"\b(only|unless|except|if|but|until|provided|nur|außer|wenn|falls|sofern|aber|bis|solo|sólo|salvo|excepto|si|"
    r"pero|hasta|menos)\b"
)
_PLANS = frozenset({"free", "team", "business", "enterprise", "pro", "plus", "basic", "starter", "premium", "standard"})
_NUMBER_WORDS = {
    "two": "2", "three": "3", "four": "4", "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9",
    "ten": "10", "twelve": "12", "zwei": "2", "drei": "3", "vier": "4", "fünf": "5", "sechs": "6", "sieben": "7",
    "acht": "8", "neun": "9", "zehn": "10", "zwölf": "12", "dos": "2", "tres": "3", "cuatro": "4", "cinco": "5",
    "seis": "6", "siete": "7", "ocho": "8", "nueve": "9", "diez": "10", "doce": "12",
}  # fmt: skip
_QUOTED = 1.0
_QUOTED_IN_PART = 0.95
_TORN_OUT = 0.35
_WRONG_NUMBER = 0.02
_MOST = 0.9
_UNKNOWN_WORD = 0.6
_WORD_FROM_ELSEWHERE = 0.75


@dataclass(frozen=True, slots=True)
class Nearest:
    """The part of the source that comes nearest to a statement, and how near it comes by its words, in [0, 1]."""

    text: str
    by_words: float
    settled: bool

    def quotable(self, source: str) -> str:
        """The sentence of `source`, as it is written there, that this came from; empty when it is not one sentence."""
        return next((part for part in statements(source) if normalise(part) == self.text), "")


def normalise(text: str) -> str:
    """`text` without Markdown marks, case, spacing and kinds of quotation marks, for comparison."""
    plain = unicodedata.normalize("NFKC", text)
    plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    plain = re.sub(r"[*_`#>\[\]\\|]+", "", plain).translate(str.maketrans("’‘“”„«»", '\'\'"""""'))
    return " ".join(plain.lower().split())


def statements(text: str) -> list[str]:
    """The statements of a piece of an answer: each must be supported by itself."""
    parts = re.split(r"(?<=[.!?])\s+|\n+", text)
    return [part.strip() for part in parts if any(char.isalnum() for char in part)]


def nearest(said: str, source: str) -> Nearest:
    """Compare one statement with a source by its words alone.

    `settled` is true when the words decide: a quotation, or a number that the source doesn't have. Otherwise
    `by_words` may be mixed with how near `said` and `text` are in meaning, see `blend`.
    """
    wanted, whole = normalise(said), normalise(source)
    parts = [normalise(part) for part in statements(source)]
    quoted = _quotation(wanted, whole, parts)
    if quoted is not None:
        return quoted
    if not _numbers(wanted) <= _numbers(whole):
        return Nearest("", _WRONG_NUMBER, settled=True)
    meant = content_words(wanted)
    if not meant or not parts:
        return Nearest("", 0.0, settled=True)
    # A statement may draw on two sentences that follow each other.
    windows = [*parts, *(f"{first} {second}" for first, second in pairwise(parts))]
    best = max(windows, key=lambda part: _shared(meant, part))
    return Nearest(best, _shared(meant, best), settled=False)


def blend(said: str, source: str, near: Nearest, similarity: float | None) -> float:
    """The probability that the source says it, from words, meaning (cosine, or None) and what must not differ."""
    if near.settled:
        return near.by_words
    wanted = normalise(said)
    value = near.by_words
    if similarity is not None:
        value = 0.55 * value + 0.45 * min(max((similarity - 0.3) / 0.6, 0.0), 1.0)
    anywhere, there = set(content_words(normalise(source))), set(content_words(near.text))
    for word in content_words(wanted):
        if word not in anywhere:
            value *= _UNKNOWN_WORD
        elif word not in there:
            # "Members" stands in the article, but it is the owners who may.
            value *= _WORD_FROM_ELSEWHERE
    if bool(NEGATION.search(near.text)) != bool(NEGATION.search(wanted)):
        value *= 0.3
    if not _numbers(wanted) <= _numbers(near.text):
        value *= 0.4
    if (set(words(wanted)) & _PLANS) - set(words(near.text)):
        value *= 0.25
    if "only" in words(near.text) and "only" not in words(wanted):
        value *= 0.6
    return round(min(value, _MOST), 4)


def _quotation(wanted: str, whole: str, parts: list[str]) -> Nearest | None:
    if not _stands_in(wanted, whole):
        return None
    for part in parts:
        if _stands_in(wanted, part) and wanted.rstrip(".!?:") != part.rstrip(".!?:"):
            rest = part.replace(wanted.rstrip(".!?:"), " ", 1)
            torn = NEGATION.search(rest) or _CONDITION.search(rest)
            # Half a sentence may say the opposite of the whole one.
            return Nearest(part, _TORN_OUT if torn else _QUOTED_IN_PART, settled=True)
    return Nearest(wanted, _QUOTED, settled=True)


def _stands_in(wanted: str, text: str) -> bool:
    """Whether `text` has `wanted`, from the start of a word to the end of one."""
    bare = wanted.rstrip(".!?:")
    return bool(bare) and re.search(rf"(?<!\w){re.escape(bare)}(?!\w)", text) is not None


def _shared(meant: list[str], part: str) -> float:
    return len(set(meant) & set(content_words(part))) / len(meant)


def _numbers(text: str) -> set[str]:
    found = {number.strip(".,") for number in _NUMBER.findall(_THOUSANDS.sub("", text))}
    return found | {_NUMBER_WORDS[word] for word in words(text) if word in _NUMBER_WORDS}
