"""Slips of the keyboard, mended by the articles' own words: "dowload my invocies" asks to download invoices."""

import re
import zlib
from collections import Counter
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from rapidfuzz.distance import OSA
from rapidfuzz.process import extract

from tools.arrays import read_arrays, write_arrays

_LANGUAGES = ("en", "de", "es")
_WORD = re.compile(r"[^\W\d_]+")
# No part of an address, a file's name, a code or a compound.
_ASKED = re.compile(r"(?<![\w@./#'’-])[^\W\d_]{3,20}(?![\w@/'’-]|\.\w)")
_SHORTEST = 3
# Of three letters only two may have changed places: "hwo", "teh".
_SHORT = 4
_LONGEST = 20
# From so many letters on two slips are taken for one word.
_LONG = 8
# Words of fewer texts may be misspelt themselves, unless they are in a dictionary or a title.
_OFTEN = 2
# A message of unknown words all over is in no language of ours, and each costs a look at thousands of words.
_MOST_LOOKED_UP = 8


class KnownWords:
    """The words of dictionaries, as hashes: 4 bytes each instead of a hundred.

    One in some seven thousand words that are none passes for one, and is left as it is.
    """

    _of_process: "KnownWords | None" = None

    def __init__(self, hashes: NDArray[np.uint32]) -> None:
        self._hashes = hashes

    @classmethod
    def open(cls, cache_dir: Path) -> "KnownWords":
        """Return the process' own, read from `cache_dir`.

        They are made of `pyspellchecker`'s lists where they aren't there yet, which takes a second.
        """
        if cls._of_process is None:
            cls._of_process = cls.read(cache_dir)
        return cls._of_process

    @classmethod
    def read(cls, cache_dir: Path) -> "KnownWords":
        """Return those that `cache_dir` has, and leave them there when they had to be made."""
        path = cache_dir / f"dictionary-{version('pyspellchecker')}-{'-'.join(_LANGUAGES)}-{_SHORTEST}.npz"
        stored = read_arrays(path, ("hashes",))
        if stored is not None:
            return cls(stored["hashes"].astype(np.uint32, copy=False))
        hashes = np.unique(np.fromiter(map(_hash, _listed()), dtype=np.uint32))
        write_arrays(path, {"hashes": hashes})
        return cls(hashes)

    def __contains__(self, word: object) -> bool:
        wanted = _hash(str(word))
        place = int(np.searchsorted(self._hashes, np.uint32(wanted)))
        return place < len(self._hashes) and int(self._hashes[place]) == wanted


class Spelling:
    """The words of one base, and which of them a misspelt word was meant to be."""

    def __init__(self, titles: Iterable[str], texts: Iterable[str], known: KnownWords) -> None:
        titled = {word for title in titles for word in _words(title)}
        counted: Counter[str] = Counter()
        for text in texts:
            counted.update(set(_words(text)))
        self._known = known
        self._own = titled | counted.keys()
        self._counted = counted
        meant = [
            word
            for word in self._own
            if _SHORTEST <= len(word) <= _LONGEST and (word in titled or counted[word] >= _OFTEN or word in known)
        ]
        self._by_first: dict[str, list[str]] = {}
        for word in sorted(meant):
            self._by_first.setdefault(word[0], []).append(word)

    def mended(self, text: str) -> str:
        """Return the text with words that are in no dictionary replaced by the base's words that they are near to.

        Near is one letter wrong, missing, too many or in its neighbour's place, or two from eight letters on; of three
        letters two in each other's place. Names, codes, addresses and whatever the base itself has stay as they are,
        and so does what comes behind eight unknown words.
        """
        looked_up: dict[str, str | None] = {}

        def meant(match: re.Match[str]) -> str:
            word, plain = match.group(), match.group().lower()
            # A name in capitals, or one that begins with one inside a sentence, is spelt as it is.
            may_be_misspelt = word.islower() or (match.start() == 0 and word[1:].islower())
            if not may_be_misspelt or plain in self._own or plain in self._known:
                return word
            if plain not in looked_up and len(looked_up) < _MOST_LOOKED_UP:
                looked_up[plain] = self._nearest(plain)
            found = looked_up.get(plain) or plain
            return found if word.islower() else found.capitalize()

        return _ASKED.sub(meant, text)

    def _nearest(self, word: str) -> str | None:
        slips = 2 if len(word) >= _LONG else 1
        swapped = sorted(word) if len(word) < _SHORT else None
        # Nobody gets the first letter wrong, but it may have changed places with the second.
        near = [
            (distance, -self._counted[candidate], candidate)
            for first in dict.fromkeys(word[:2])
            for candidate, distance, _ in extract(
                word, self._by_first.get(first, ()), scorer=OSA.distance, score_cutoff=slips, limit=None
            )
            if swapped is None or sorted(candidate) == swapped
        ]
        return min(near)[2] if near else None


def _words(text: str) -> list[str]:
    return [word for word in _WORD.findall(text.lower()) if len(word) >= _SHORTEST]


def _hash(word: str) -> int:
    return zlib.crc32(word.encode())


def _listed() -> Iterable[str]:
    # Imported when it is needed, once in an installation's life.
    from spellchecker import SpellChecker

    for language in _LANGUAGES:
        for word in SpellChecker(language=language, distance=1).word_frequency.words():
            if len(word) >= _SHORTEST:
                yield word
