"""Whether a source says what a sentence says."""

import re
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache

from tools.engines.local.support.model import Glance, SupportModel

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
# The probability that a source under headings says a statement.
Says = Callable[[str, str, tuple[str, ...]], float]
QUOTED = 1.0
_QUOTED_IN_PART = 0.95
_TORN_OUT = 0.35
_MOST = 0.9


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


class Weighing:
    """What one sentence's statements are worth, in two steps: words at once, and what they leave in doubt once read.

    Reading takes milliseconds and may wait for others', so that it is for a thread; comparing words is not.
    """

    def __init__(self, model: SupportModel) -> None:
        self._model = model
        self._found: dict[tuple[str, str, tuple[str, ...]], Glance] = {}

    def __call__(self, said: str, source: str, headings: tuple[str, ...]) -> float:
        """The probability as far as it is known: what words alone make of it while it is in doubt."""
        key = (said, source, headings)
        if key not in self._found:
            self._found[key] = self._model.by_words(*key)
        return self._found[key].value

    @property
    def settled(self) -> bool:
        """Whether nothing of what was asked is left to be read."""
        return all(glance.reader is None for glance in self._found.values())

    def read(self) -> None:
        """Read what is in doubt; blocks.

        Raises:
            ConnectorError: the entailment model failed, and there is nothing else to go by.
        """
        for key, glance in self._found.items():
            if glance.reader is not None:
                value = self._model.read(glance, glance.reader)
                self._found[key] = replace(glance, value=value, reader=None)


def judge(said: str, source: str, headings: tuple[str, ...], says: Says) -> float:
    """The probability that a source says what a piece of an answer says; each statement of it must be said.

    A quotation is certain; of everything else `says` estimates it.
    """
    whole = quotation(said, source)
    if whole is not None and whole >= _QUOTED_IN_PART:
        return whole
    least = 1.0
    for part in statements(said):
        quoted = quotation(part, source)
        least = min(least, quoted if quoted is not None else min(says(part, source, headings), _MOST))
    return round(least, 4) if statements(said) else 0.0


def quotation(said: str, source: str) -> float | None:
    """How far a statement that stands in the source word for word is what the source says; None when it isn't there."""
    wanted = normalise(said)
    whole, parts = _compared(source)
    if not _stands_in(wanted, whole):
        return None
    for part in parts:
        if _stands_in(wanted, part) and wanted.rstrip(".!?:") != part.rstrip(".!?:"):
            rest = part.replace(wanted.rstrip(".!?:"), " ", 1)
            torn = NEGATION.search(rest) or _CONDITION.search(rest)
            # Half a sentence may say the opposite of the whole one.
            return _TORN_OUT if torn else _QUOTED_IN_PART
    return QUOTED


@lru_cache(maxsize=512)
def _compared(source: str) -> tuple[str, tuple[str, ...]]:
    """A source and its statements, normalised: each sentence of an answer is held against the same few."""
    return normalise(source), tuple(normalise(part) for part in statements(source))


def _stands_in(wanted: str, text: str) -> bool:
    """Whether `text` has `wanted`, from the start of a word to the end of one."""
    bare = wanted.rstrip(".!?:")
    # A pattern of its own for each sentence would take longer to make than to look for.
    start = text.find(bare) if bare else -1
    while start >= 0:
        end = start + len(bare)
        if not _is_in_a_word(text[start - 1 : start]) and not _is_in_a_word(text[end : end + 1]):
            return True
        start = text.find(bare, start + 1)
    return False


def _is_in_a_word(char: str) -> bool:
    return char.isalnum() or char == "_"
