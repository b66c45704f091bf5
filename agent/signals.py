"""What a turn is judged by, as plain values, and how the words of a message read."""

import re
from dataclasses import dataclass

from agent.policy import CategoryPolicy
from agent.types import Evidence, Understanding

# How a question for information begins, in the languages we speak; what it is about plays no part.
_INFORMATION = re.compile(
    r"(?:and |und |y |hi |hello |hallo |hola )?[¿ ]*"
    r"(?:how|what|which|where|when|who|can|could|does|do you|is there|are there|"
    r"wie|was|welche|wo|wann|wer|kann|gibt es|"
    r"c[oó]mo|qu[eé]|cu[aá]l|d[oó]nde|cu[aá]ndo|qui[eé]n|se puede|puedo|hay)\b",
    re.IGNORECASE,
)


# The same for questions that are answered with yes or no, and begin as half a sentence may.
_WHETHER = re.compile(
    r"(?:and |und )?(?:(?:is|are|was|were|do|does|did|will|would|should|has|have|may|must)"
    r" (?:it|they|this|that|these|those|there|the|my|our|your|we|you|i|all|any|he|she)"
    r"|(?:ist|sind|wird|werden|hat|haben|soll|darf|muss|müssen)"
    r" (?:es|das|die|der|er|sie|ich|wir|man|mein\w*|unser\w*))\b",
    re.IGNORECASE,
)

# "When I press stop" tells, and asks nothing.
_CLAUSE = re.compile(
    r"(?:when|wenn|cuando|si) (?:i|we|you|it|the|my|our|ich|wir|man|es|der|die|das|mein\w*|unser\w*|el|la|lo)\b",
    re.IGNORECASE,
)
# What only a fault of the product says of itself.
_FAULT = re.compile(
    r"\b(?:(?:error|status|http|code|fehler)\s*:?\s*5\d\d|5\d\d\s+(?:error|fehler)|internal server error|exception"
    r"|stack ?trace|crash(?:es|ed|ing)?|stürzt\b.{0,20}\bab|abgestürzt|se cierra sol[oa])\b",
    re.IGNORECASE,
)

_NO_FAULT = re.compile(
    r"\b(?:(?:(?:not|isn'?t) (?:really )?(?:an? )?(?:bug|error|fault)|no bug)"
    r"|(?:ist|war) (?:das |es )?(?:doch |ja )?kein (?:bug|fehler)|no (?:es|era) un (?:error|fallo|bug))\b"
    r"(?! message| text| code)",
    re.IGNORECASE,
)
# What follows is what somebody wants to do.
_HOW = re.compile(
    r"(?:and |und |y |hi |hello |hallo |hola )?[¿ ]*"
    r"(?:how (?:to|do (?:i|we|you)|can (?:i|we|you)|does one)|where (?:to|do i|can i)"
    r"|wie (?:kann|mache|lege|stelle|richte|schalte|füge|ändere|lösche|bekomme) (?:ich|wir|man)|wie geht\b|wo kann"
    r"|c[oó]mo (?:se|puedo|hago|podemos))\b",
    re.IGNORECASE,
)

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_OF_REPORT = re.compile(
    r"\b(?:known|fixed|fix it|resolved|solved|when|how long|bekannt|behoben|gelöst|wann|wie lange"
    r"|conocido|arreglado|resuelto|cu[aá]ndo)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class History:
    """What the team's tickets like this message came to: probabilities that a person was needed, and that it was a bug.

    `trust` in [0, 1] is how much that counts beside what the message sounds like: more with more tickets. `courtesies`
    tells whether there were enough greetings and the like among them to know one when it comes.
    """

    person: float
    bug: float
    trust: float
    courtesies: bool = True

    @classmethod
    def of(cls, evidence: Evidence) -> "History | None":
        """What the engine found in the team's tickets; None when it has learnt nothing of them."""
        found = evidence.features
        if "outcome_trust" not in found:
            return None
        return cls(
            person=found.get("outcome_person", 0.0),
            bug=found.get("outcome_bug", 0.0),
            trust=found["outcome_trust"],
            courtesies="outcome_courtesy" in found,
        )


@dataclass(frozen=True, slots=True)
class Signals:
    """Everything the judgement looks at. Probabilities lie in [0, 1].

    `known` is the probability that an article answers, going by the questions that the team's articles are known to
    answer: what people did with such messages says more than what kind of message it looks like. `opinion` is the
    engine's second opinion on whether a person is needed, where it was asked for one. `confirmed` says that the
    customer said yes to the article that we named, `report_offered` that we gave a remedy last and offered to report a
    bug. `remedy` is how likely the best article knows the trouble that is reported, and isn't only about the same
    thing. `history` is None while the team's tickets have taught nothing; with it, `evidence` is the probability that
    the best article answers and that nobody is needed.
    """

    understanding: Understanding
    evidence: float
    category: CategoryPolicy
    tier: str | None = None
    health: float | None = None
    pressed_for_person: bool = False
    failed_attempts: int = 0
    last_bot_route: str | None = None
    page_errors: int = 0
    knowledge_down: bool = False
    text: str = ""
    newest_text: str = ""
    clarifications: float = 0.0
    known: float = 0.0
    opinion: float | None = None
    confirmed: bool = False
    report_offered: bool = False
    remedy: float = 0.0
    history: History | None = None


def asks_for_information(text: str) -> bool:
    """Whether a text begins as a question for information does."""
    return _INFORMATION.match(text.strip()) is not None


def asks_in_the_end(text: str) -> bool:
    """Whether the last sentence of several is a question for information: "My payment failed. What now?"."""
    *before, last = _SENTENCE_END.split(text.strip())
    return bool(before) and last.endswith("?") and asks_for_information(last)


def asks(text: str) -> bool:
    """Whether a text is a question, with its mark or without."""
    text = text.strip()
    if text.endswith("?"):
        return True
    begins = _INFORMATION.match(text) is not None or _WHETHER.match(text) is not None
    return begins and _CLAUSE.match(text) is None


def asks_how(text: str) -> bool:
    """Whether a text asks how something is done."""
    return _HOW.match(text.strip()) is not None


def denies_fault(text: str) -> bool:
    """Whether a text says that something is no fault: "that's not a bug, it's a question"."""
    return _NO_FAULT.search(text) is not None


def asks_of_report(text: str) -> bool:
    """Whether a question is about what becomes of a bug that was reported: "is this known?"."""
    return asks(text) and _OF_REPORT.search(text) is not None


def names_fault(text: str) -> bool:
    """Whether a text has what only a fault of the product says of itself."""
    return _FAULT.search(text) is not None
