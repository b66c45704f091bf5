"""German and Spanish messages in English, word by word: crude, but enough of the gist for an English model."""

import re
from collections.abc import Mapping
from functools import cache

from tools.engines.local.shipped import as_text, read_data

_WORD = re.compile(r"[^\W\d_]+")
_SHORTEST_PART = 4


class Glossary:
    """A list of words for each language; entries that end in a star stand for any ending."""

    def __init__(self, entries: Mapping[str, Mapping[str, str]]) -> None:
        self._exact = {
            language: {word: english for word, english in words.items() if not word.endswith("*")}
            for language, words in entries.items()
        }
        self._stems = {
            language: {word[:-1]: english for word, english in words.items() if word.endswith("*")}
            for language, words in entries.items()
        }

    @classmethod
    @cache
    def load(cls) -> "Glossary":
        """Read the shipped glossary, once a process.

        Raises:
            Misconfigured: the installation is damaged.
        """
        return cls(
            {
                language: {as_text(word): as_text(english) for word, english in words.items()}
                for language, words in read_data("gloss").items()
            }
        )

    def gloss(self, text: str, language: str) -> str:
        """Return `text` with the known words in English; English stays as it is."""
        if language not in self._exact:
            return text
        return _WORD.sub(lambda match: self._word(match.group(), language), text)

    def _word(self, word: str, language: str) -> str:
        lower = word.lower()
        exact = self._exact[language].get(lower)
        if exact is not None:
            return exact
        found = self._longest_stem(lower, language)
        if found is None:
            return word
        # German joins words: what is left may be a word of its own ("Zahlungs|erinnerung").
        rest = lower[len(found) :].removeprefix("s")
        behind = self._exact[language].get(rest) if len(rest) >= _SHORTEST_PART else None
        if behind is None and len(rest) >= _SHORTEST_PART:
            stem = self._longest_stem(rest, language)
            behind = self._stems[language][stem] if stem is not None and len(stem) >= _SHORTEST_PART else None
        english = self._stems[language][found]
        return f"{english} {behind}" if behind else english

    def _longest_stem(self, word: str, language: str) -> str | None:
        stems = self._stems[language]
        return next((word[:end] for end in range(len(word), 1, -1) if word[:end] in stems), None)
