"""The question behind a message, so that it can be read alone."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import get_args

from agent.types import Language
from tools.engines.local.ears.classify import Scored
from tools.engines.local.shipped import read_data
from tools.engines.local.telling import sentences_of
from tools.engines.local.tongue import is_latin
from tools.engines.local.words import content_words, is_empty, words

_FOLLOW_UP_WORDS = 14
# "How soon?" and "which one?" have fewer.
_OWN_QUESTION_WORDS = 3
# Before a noun, which has a capital, it is an article. "Sie" is whom one speaks to.
_GERMAN_PRONOUN = re.compile(r"\b(?:[Dd](?:as|ie|en|er|em)|sie)\b(?!\s+(?:\w+\s+)?[A-ZÄÖÜ])")
_GERMAN_ARTICLES = frozenset(("das", "die", "den", "der", "dem"))
# "Was kostet das pro Jahr?"
_BEHIND_DAS = frozenset(("pro", "per", "im", "in", "am", "an", "auf", "bei", "mit", "ohne", "für", "nach", "ab", "bis"))
_SPANISH_PRONOUN = re.compile(r"[aeií]r(?:lo|la|le)s?\b")
_PART_WORDS = 2
_MOST_PARTS = 3
_AND_ASKS = re.compile(
    r",?\s+(?:and|und|y)\s+(?=(?:also\s+)?(?:how|where|what|when|which|who|can|is|do|does|wie|wo|was|wann|wer|kann|"
    r"cómo|dónde|qué|cuándo|quién|puedo)\b)",
    re.I,
)
# "How long?" asks for no steps, nor does "wie viel?".
_ASKS_FOR_STEPS = re.compile(
    r"\bhow (?:do|does|can|could|should|would|to)\b|\bc[óo]mo\b|"
    r"(?<!so )\bwie (?!(?:lange?|viele?n?|oft|hoch|teuer|groß|alt|weit|schnell|heißt|heißen)\b)",
    re.I,
)
_VOWELS = frozenset("aeiouyäöüáéíóú")
_CONSONANT_RUN = re.compile(r"[bcdfghjklmnpqrstvwxz]{6,}")
_SAME_CHARACTER = re.compile(r"(.)\1{4,}")
_KEYBOARD_RUNS = ("asdf", "sdfg", "dfgh", "fghj", "jkl", "hjkl", "qwer", "wert", "zxcv", "yxcv", "uiop", "lkj", "kjh")


def is_gibberish(text: str) -> bool:
    """Whether a text in Latin letters is no language: keyboard runs, letters without vowels, one letter held down."""
    # Error codes, file names and keys look random and mean something.
    said = [word for word in words(text) if word.isalpha()]
    letters = "".join(said)
    if len(letters) < 4 or not is_latin(text) or any(char.isdigit() for char in text):
        return False
    odd = sum(len(word) for word in said if _is_odd(word))
    return odd > len(letters) * 0.6


def _is_odd(word: str) -> bool:
    if len(word) < 4:
        return False
    vowels = sum(char in _VOWELS for char in word) / len(word)
    return (
        (vowels < 0.14 and len(word) > 4)
        or vowels > 0.85
        or bool(_CONSONANT_RUN.search(word))
        or bool(_SAME_CHARACTER.search(word))
        or sum(run in word for run in _KEYBOARD_RUNS) >= (1 if len(word) <= 6 else 2)
    )


def parts_of(question: str) -> list[str]:
    """The questions that a message asks, when it asks several: sentences, and halves joined by "and how"."""
    parts = [half.strip() for sentence in sentences_of(question) for half in _AND_ASKS.split(sentence)]
    substantive = [part for part in parts if len(content_words(part)) >= _PART_WORDS][:_MOST_PARTS]
    return substantive if len(substantive) > 1 else []


def asks_for_steps(question: str) -> bool:
    """Whether a question is how something is done."""
    return _ASKS_FOR_STEPS.search(question) is not None


def is_follow_up(newest: str, pointing_back: float, kind: Scored, *, language: Language, asked_by_bot: bool) -> bool:
    """Whether a message needs the ones before it to be understood.

    Args:
        newest: the message; there is an earlier one of the customer's that says what it is about.
        pointing_back: what the classifier thinks of its words alone.
        kind: what it would be alone; thanks and a wish for a person stand alone.
        language: what it is written in.
        asked_by_bot: the bot's last message was a question, to which a short message is most likely the answer.
    """
    said = words(newest)
    if not said or len(said) > _FOLLOW_UP_WORDS:
        return False
    if kind.label in ("small_talk", "wants_person", "abuse") and kind.confidence >= 0.7 and pointing_back < 0.6:
        return False
    if _is_about_pronoun(said, language):
        return True
    if asks_by_itself(newest, language):
        return False
    return pointing_back + 0.2 * asked_by_bot >= 0.5 or not content_words(newest)


def _is_about_pronoun(said: Sequence[str], language: Language) -> bool:
    """Whether it is a question whose last word stands for what was spoken of: "how do I cancel one"."""
    own = _own_questions()[language]
    return len(said) >= _OWN_QUESTION_WORDS and said[0] in own.begins and said[-1] in own.stands_for


def asks_by_itself(text: str, language: Language) -> bool:
    """Whether a text is a question that says what it is about and points at nothing that was said before.

    A classifier that knows none of its words can't tell: to it "how do I descale?" is as short as "how?".
    """
    said, own = words(text), _own_questions()[language]
    if len(said) < _OWN_QUESTION_WORDS or said[0] not in own.begins:
        return False
    beginning = " ".join(said[:3]) + " "
    if beginning.startswith(own.goes_on):
        return False
    rest = said[2:] if beginning.startswith(own.nothing_yet) else said
    if own.points.intersection(rest) or _has_pronoun(text, said, language):
        return False
    return bool(content_words(text))


def _has_pronoun(text: str, said: Sequence[str], language: Language) -> bool:
    """Whether a word that may be an article or a form of address stands for something that was said before."""
    if language == "es":
        return _SPANISH_PRONOUN.search(text) is not None
    if language != "de":
        return False
    if any(char.isupper() for char in text[1:]):
        return _GERMAN_PRONOUN.search(text) is not None
    return any(_is_german_pronoun(said, place) for place in range(len(said)))


def _is_german_pronoun(said: Sequence[str], place: int) -> bool:
    """The same where nobody took the trouble of capitals: "was kostet der pro plan", "was kostet das pro jahr"."""
    word, behind = said[place], said[place + 1 :]
    if word == "sie":
        # "Können sie ..." speaks to us.
        return not (place == 1 and said[0].endswith("en"))
    if word not in _GERMAN_ARTICLES:
        return False
    is_last = not behind or is_empty(behind[0])
    before_infinitive = len(behind) == 1 and behind[0].endswith("n")
    return is_last or before_infinitive or (word == "das" and behind[0] in _BEHIND_DAS)


@dataclass(frozen=True, slots=True)
class _OwnQuestions:
    """How a question of its own begins; `nothing_yet` and `goes_on` are beginnings, with a blank at the end.

    `points` are words that point back anywhere, `stands_for` those that do as the last one.
    """

    begins: frozenset[str]
    points: frozenset[str]
    stands_for: frozenset[str]
    nothing_yet: tuple[str, ...]
    goes_on: tuple[str, ...]


@cache
def _own_questions() -> dict[Language, _OwnQuestions]:
    data = read_data("own_questions")
    return {
        language: _OwnQuestions(
            frozenset(data["begins"][language].split()),
            frozenset(data["points"][language].split()),
            frozenset(data["stands_for"][language].split()),
            tuple(f"{each} " for each in data["nothing_yet"][language]),
            tuple(f"{each} " for each in data["goes_on"][language]),
        )
        for language in get_args(Language)
    }


def standalone(newest: str, subject: str | None) -> str:
    """A follow-up with the message it hangs on; without one, the message itself."""
    return f"{subject}\n{newest}" if subject and subject != newest else newest


def subject_of(earlier: Sequence[str], idle: Sequence[bool]) -> str | None:
    """The customer's last message that says what it is about.

    Args:
        earlier: the customer's messages, oldest first.
        idle: for each, whether it is a courtesy, a verdict on an answer or itself a follow-up.
    """
    for text, is_idle in zip(reversed(earlier), reversed(idle), strict=True):
        if not is_idle and len(content_words(text)) >= 1:
            return text
    return next((text for text in reversed(earlier) if len(content_words(text)) >= 2), None)
