"""What people's words say about how a ticket went: thanks, complaints, wishes, and what an agent did."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from typing import Any, Literal

import yaml

Verdict = Literal["solved", "unsolved"]

# What is longer tells more than whether it helped; beyond the second limit, a reply is a quoted letter.
_ANSWER_CHARS = 200
_READ_CHARS = 4000
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]*")


class Phrases:
    """The shipped phrases. Get them with `phrases()`."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        self._hedge = _pattern(data["hedge"])
        self._solved = _pattern(data["solved"])
        self._thumbs = re.compile(data["thumbs"])
        self._unsolved = _pattern(data["unsolved"])
        self._complains = _pattern(data["complains"])
        self._asks = _pattern(data["asks_for_person"])
        self._acted = {reason: _pattern(of) for reason, of in data["person_acted"].items()}

    def verdict(self, text: str) -> Verdict | None:
        """Whether a customer's answer says that it is solved, or that it isn't; None when it says neither."""
        if len(text) > _ANSWER_CHARS:
            return None
        if self._complains.search(text):
            return "unsolved"
        if "?" in text or self._unsolved.search(text):
            return None
        return "solved" if self._solved.search(text) or self._thumbs.search(text) else None

    def asks_for_person(self, text: str) -> bool:
        """Whether a message asks for a person, line by line and sentence by sentence."""
        return any(self._asks.search(sentence) for sentence in _sentences(text))

    def acts(self, replies: Iterable[str]) -> tuple[str, ...]:
        """The reasons for a person that agents' replies show something done for, the surest first."""
        said = [sentence for reply in replies for sentence in _sentences(reply) if not self._hedge.search(sentence)]
        return tuple(reason for reason, of in self._acted.items() if any(of.search(sentence) for sentence in said))


def _pattern(by_language: Mapping[str, Iterable[str]]) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{one})" for many in by_language.values() for one in many), re.IGNORECASE)


def _sentences(text: str) -> Iterator[str]:
    return (found.group().strip() for found in _SENTENCE.finditer(text[:_READ_CHARS]))


@cache
def phrases() -> Phrases:
    """Return the shipped phrases, read once."""
    return Phrases(yaml.safe_load(files("evals.labels").joinpath("data/phrases.yaml").read_text(encoding="utf-8")))
