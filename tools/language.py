"""Which language a text is in, among those that Helpgraph speaks."""

from dataclasses import dataclass
from functools import lru_cache

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from agent.types import LANGUAGES, Language


@dataclass(frozen=True, slots=True)
class Guess:
    """A language and how sure we are, in [0, 1]."""

    language: Language
    confidence: float


@lru_cache(maxsize=1)
def _identifier() -> LanguageIdentifier:
    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(list(LANGUAGES))
    return identifier


def identify(text: str) -> Guess:
    """Identify the language of `text`; a text without letters is nothing in particular (confidence 0)."""
    if not any(char.isalpha() for char in text):
        return Guess("en", 0.0)
    name, confidence = _identifier().classify(text[:2000])
    return Guess(name, float(confidence))
