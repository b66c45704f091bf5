"""Which language a message is in, however short it is."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from agent.types import LANGUAGES, Language
from tools.engines.local.ears.classify import Classifier
from tools.engines.local.ears.features import Featurizer
from tools.engines.local.ears.training import trained
from tools.engines.local.words import words
from tools.language import identify

LANGUAGE = "language"
"""What the classifier of languages is called among those that are shipped."""

_SHORT_WORDS = 4
_UNKNOWN = 0.2
# What came before is a prior for a short message; this much of it is left to languages not spoken so far.
_LEAST_PRIOR = 0.2
_ENGLISH_LEAD = 0.08
# Below this a word or two that no text of ours has ("excel", "2FA") tell nothing.
_TELLING = 0.6


@dataclass(frozen=True, slots=True)
class Spoken:
    """A language and how sure we are, in [0, 1]."""

    language: Language
    confidence: float


class Tongue:
    """Two opinions on each message: a general identifier, and one trained on short support messages."""

    def __init__(self, featurize: Featurizer, short: Classifier, spoken: Mapping[str, frozenset[str]]) -> None:
        self._featurize = featurize
        self._short = short
        self._only = {
            name: own.difference(*(others for other, others in spoken.items() if other != name))
            for name, own in spoken.items()
        }

    @classmethod
    def train(cls, texts: Mapping[str, Sequence[str]], cache_dir: Path, ready: Classifier | None = None) -> "Tongue":
        """Train on texts by language, unless what was taught with them is `ready`; blocks."""
        featurize = Featurizer()
        short = ready if ready is not None else learn_languages(texts, featurize, cache_dir)
        return cls(featurize, short, {name: frozenset(words("\n".join(own))) for name, own in texts.items()})

    def identify(
        self, text: str, *, earlier: Sequence[str] = (), hint: str = "", interface: Language | None = None
    ) -> Spoken:
        """Identify the language of `text`.

        A short text is read in the light of the customer's `earlier` messages, or else of `hint`, some text of the
        page around it; what tells nothing even so is in the language of the `interface`. Text in letters that none of
        our languages uses is taken for English, without confidence.
        """
        own = self._shares(text)
        if own is None or len(re.findall(r"\w+", text)) < _SHORT_WORDS:
            other = self._shares("\n".join(earlier[-3:])) or self._shares(hint)
            if other is None and interface is not None and own is not None and not self._tells(text, own, interface):
                return Spoken(interface, own[interface])
            if own is None:
                own = other
            elif other is not None:
                weighed = {name: own[name] * (_LEAST_PRIOR + (1 - _LEAST_PRIOR) * other[name]) for name in LANGUAGES}
                own = {name: weight / sum(weighed.values()) for name, weight in weighed.items()}
        if own is None:
            return Spoken("en", _UNKNOWN)
        # "No" is a word of two languages: English when nothing else tells.
        own = {name: share + _ENGLISH_LEAD * (name == "en") for name, share in own.items()}
        best = max(LANGUAGES, key=lambda name: own[name])
        return Spoken(best, min(own[best], 1.0))

    def _tells(self, text: str, shares: Mapping[Language, float], interface: Language) -> bool:
        """Whether a short text is clear by itself, or has a word that only its language has among ours."""
        best = max(shares, key=lambda name: shares[name])
        return shares[best] >= _TELLING or not self._only[best].isdisjoint(words(text))

    def _shares(self, text: str) -> dict[Language, float] | None:
        if not is_latin(text):
            return None
        general = identify(text)
        trained_on_short = self._short(self._featurize([text], None))
        rest = (1 - general.confidence) / (len(LANGUAGES) - 1)
        return {
            name: (trained_on_short.of(name) + (general.confidence if general.language == name else rest)) / 2
            for name in LANGUAGES
        }


def learn_languages(texts: Mapping[str, Sequence[str]], featurize: Featurizer, cache_dir: Path) -> Classifier:
    """Tell the languages of short texts apart; seconds the first time, then read back from `cache_dir`."""
    return trained(LANGUAGE, texts, featurize, None, "", cache_dir, tuned=False)


def is_latin(text: str) -> bool:
    """Whether most letters of `text` are Latin ones; false for a text without letters."""
    letters = [char for char in text if char.isalpha()]
    return bool(letters) and sum(char < "\u0250" for char in letters) > len(letters) / 2
