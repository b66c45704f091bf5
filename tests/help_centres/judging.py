"""What a turn came to, in the words of the expectations, and how often that was expected."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal, get_args

from agent.phrases import Phrase, phrase
from agent.types import Language

Outcome = Literal["answer", "ask", "dont_know", "person", "bug", "wish", "social"]
OUTCOMES: tuple[Outcome, ...] = get_args(Outcome)

_PERSON = ("handed_off", "delivered", "contact_taken")
_BUG = ("bug_filed", "bug_counted")
_SHOWING = (Phrase.NEAREST_SAYS, Phrase.NEAREST_SAYS_OR)
_SAID: dict[Outcome, tuple[Phrase, ...]] = {
    "bug": (
        Phrase.BUG_DETAILS_ADDED,
        Phrase.BUG_ASK_DOING,
        Phrase.BUG_ASK_STEPS,
        Phrase.BUG_ASK_ACTUAL,
        Phrase.BUG_ASK_EXPECTED,
        Phrase.BUG_ASK_ENVIRONMENT,
        Phrase.WHAT_FAILS,
    ),
    "wish": (Phrase.DONT_KNOW_FEATURE,),
    "ask": (*_SHOWING, Phrase.DONT_KNOW_NEAREST, Phrase.NOT_UNDERSTOOD, Phrase.OTHER_WORDS),
    "dont_know": (Phrase.DONT_KNOW,),
}


@dataclass(frozen=True, slots=True)
class Expected:
    """What a turn may come to. Of `says` each must be said, `|` between alternatives, by one of `articles`."""

    outcomes: tuple[Outcome, ...]
    articles: tuple[str, ...] = ()
    says: tuple[str, ...] = ()

    @classmethod
    def read(cls, turn: dict[str, Any]) -> "Expected":
        """Read a turn of a `conversations.yaml`."""
        said = turn.get("says") or ()
        return cls(tuple(turn["expect"]), tuple(turn.get("article") or ()), tuple(str(each) for each in said))

    def all_said_in(self, text: str) -> bool:
        """Whether a text says each of the facts, in one of its ways."""
        low = text.casefold()
        return all(any(way.strip().casefold() in low for way in fact.split("|")) for fact in self.says)


@dataclass(frozen=True, slots=True)
class Seen:
    """What a turn came to; `right` tells that it is an answer that says what it should.

    `shown` tells the same of a question back that shows what an article says.
    """

    expected: Expected
    outcome: Outcome
    right: bool
    shown: bool = False

    @property
    def as_expected(self) -> bool:
        """Whether that is what was expected."""
        return self.outcome in self.expected.outcomes and (self.outcome != "answer" or self.right)


def judge(expected: Expected, text: str, told: dict[str, Any]) -> Seen:
    """Judge a reply; `told` is what a whole answer in OpenAI's format has under `helpgraph`."""
    cited = {citation["article_id"] for citation in told["citations"]}
    outcome = _outcome(text, told["outcome"], cited=bool(cited))
    said = expected.all_said_in(text) and bool(cited & set(expected.articles))
    shown = outcome == "ask" and said and any(_is_said(name, text) for name in _SHOWING)
    return Seen(expected, outcome, outcome == "answer" and said, shown)


def _outcome(text: str, ended: str, *, cited: bool) -> Outcome:
    if ended in _PERSON:
        return "person"
    if ended in _BUG:
        return "bug"
    for outcome, names in _SAID.items():
        if any(_is_said(name, text) for name in names):
            return outcome
    if cited:
        return "answer"
    return "social" if ended == "answered" else "ask"


def _is_said(name: Phrase, text: str) -> bool:
    return any(pattern.search(text) for pattern in _patterns(name))


@cache
def _patterns(name: Phrase) -> tuple[re.Pattern[str], ...]:
    """What a phrase looks like in each language, whatever stands in its gap."""
    gap = "\x00"
    texts = (phrase(name, language, titles=gap, bug_id=gap, quote=gap, other=gap) for language in get_args(Language))
    return tuple(re.compile(".*?".join(map(re.escape, text.split(gap))), re.DOTALL) for text in texts)


def shares(seen: Sequence[Seen]) -> dict[str, float]:
    """How often it was as expected, of all turns and of those that an article answers, and what those came to."""
    answerable = [each for each in seen if "answer" in each.expected.outcomes]
    others = [each for each in seen if "answer" not in each.expected.outcomes]
    found = {
        "turns": float(len(seen)),
        "as expected": _share(seen, [each.as_expected for each in seen]),
        "answerable": float(len(answerable)),
        "answered right": _share(answerable, [each.right for each in answerable]),
        "answered otherwise": _share(answerable, [each.outcome == "answer" and not each.right for each in answerable]),
    }
    for outcome in OUTCOMES[1:]:
        found[f"answerable: {outcome}"] = _share(answerable, [each.outcome == outcome for each in answerable])
    found["asked, and it shown"] = _share(answerable, [each.shown for each in answerable])
    found["others as expected"] = _share(others, [each.as_expected for each in others])
    return found


def _share(of: Sequence[Seen], hits: Sequence[bool]) -> float:
    return sum(hits) / len(of) if of else 0.0
