"""Reports of trouble that don't say of what."""

from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from typing import get_args

from agent.types import Language
from tools.engines.local.shipped import read_data
from tools.engines.local.words import is_empty, words

_MOST_WORDS = 12


def is_unspecific(text: str, language: Language) -> bool:
    """Whether a text says that something is wrong and nothing of what: "it doesn't work", "help, it is broken".

    To a classifier it is as short as a courtesy, and it is the worst place for one.
    """
    said, known = words(text), _words()[language]
    if not said or len(said) > _MOST_WORDS or not all(known.says_nothing_of_what(word) for word in said):
        return False
    # "No error" and "kein Problem" say that there is none.
    if any(no in known.never and word in known.fails for no, word in pairwise(said)):
        return False
    # "Can't it be opened?" asks whether it is meant to be so.
    stops = not known.works.isdisjoint(said) and not known.never.isdisjoint(said) and not text.rstrip().endswith("?")
    return stops or not known.fails.isdisjoint(said)


@dataclass(frozen=True, slots=True)
class _Words:
    fails: frozenset[str]
    works: frozenset[str]
    never: frozenset[str]
    beside: frozenset[str]

    def says_nothing_of_what(self, word: str) -> bool:
        return word in self.fails | self.works | self.never | self.beside or is_empty(word)


@cache
def _words() -> dict[Language, _Words]:
    data = read_data("trouble")
    return {
        language: _Words(**{name: frozenset(data[name][language].split()) for name in _Words.__dataclass_fields__})
        for language in get_args(Language)
    }
