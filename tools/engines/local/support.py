"""Whether a source says what a sentence says."""

import re
import unicodedata
from dataclasses import dataclass
from itertools import pairwise

from tools.engines.local.supporting import SupportModel
from tools.engines.local.words import content_words

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
_QUOTED = 1.0
_QUOTED_IN_PART = 0.95
_TORN_OUT = 0.35
_MOST = 0.9


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

    `settled` is true when the words decide: a quotation, or nothing in common. Otherwise see `judge`.
    """
    wanted, whole = normalise(said), normalise(source)
    parts = [normalise(part) for part in statements(source)]
    quoted = _quotation(wanted, whole, parts)
    if quoted is not None:
        return quoted
    meant = content_words(wanted)
    if not meant or not parts:
        return Nearest("", 0.0, settled=True)
    # A statement may draw on two sentences that follow each other.
    windows = [*parts, *(f"{first} {second}" for first, second in pairwise(parts))]
    best = max(windows, key=lambda part: _shared(meant, part))
    return Nearest(best, _shared(meant, best), settled=False)


def judge(said: str, source: str, headings: tuple[str, ...], model: SupportModel) -> float:
    """The probability that a source says one statement: a quotation is certain, else the model estimates it."""
    near = nearest(said, source)
    if near.settled:
        return near.by_words
    return round(min(model(said, source, headings), _MOST), 4)


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
