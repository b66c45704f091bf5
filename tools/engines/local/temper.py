"""Whether the customer is dissatisfied at this point of a conversation, from how it has gone.

Mood words alone miss it: people who get nowhere refuse, correct, ask again and turn to something else, politely. So
the score adds up what the customer does now, what the last reply was, and how the turns before went, with hand-set
weights in log-odds. It reads the English gist of every message.
"""

import math
import re
from collections.abc import Sequence
from dataclasses import dataclass

_BIAS = -1.5
_WEIGHTS = {
    "outburst": 1.5,
    "refuses": 1.5,
    "opens_with_no": 1.0,
    "dislikes": 1.0,
    "corrects": 1.0,
    "regrets": 1.0,
    "turns_elsewhere": 0.5,
    "repeats_itself": 0.5,
    "praises": -1.0,
    "agrees": -0.5,
    "takes_leave": -1.0,
    "declines_more": -1.0,
    "opening": -1.0,
    "unanswered": -0.5,
    "reply_failed": 0.5,
    "failed_before": 0.5,
    "refused_before": 1.0,
    "replies_repeat": 1.0,
}
# In a long message a single word of these says less.
_DAMPED = ("refuses", "opens_with_no", "dislikes", "corrects", "regrets", "turns_elsewhere")
_SHORT_WORDS = 20
_DECAY, _PAST_SHARE = 0.7, 0.3

_NEGATION = re.compile(r"\b(?:no|not|nope|never|none|nothing|nobody|neither|nor|without|cannot|dont|\w+n't)\b")
_HARMLESS = re.compile(
    r"\b(?:no (?:problem|worries|rush|doubt|need)|not bad|why not|(?:nothing|anything) else|not only|if not|"
    r"can't wait|whether or not)\b"
)
_OPENS_WITH_NO = re.compile(
    r"^\W*(?:(?:oh|um|uh|well|actually|sorry|hm+|hi|hello|yes|but)\W+)*(?:no|nope|not|never|neither|none|nothing)\b"
)
_OUTBURST = re.compile(
    r"\b(?:ridiculous|useless|unacceptable|frustrat\w+|disappoint\w+|unhappy|dissatisfied|fed up|sick of|waste of|"
    r"terribl[ey]|horribl[ey]|annoy\w+|angry|nonsense|joke|scam|hopeless|not (?:helpful|helping|good enough)|no use|"
    r"(?:i|we)(?:'ve| have)? already (?:said|told|asked|tried|did|explained|sent)|(?:as|like) i said|"
    r"still (?:not|no|waiting)|how many times|how much longer|not what i (?:\w+ )?(?:asked|meant|wanted|said))\b"
)
_DISLIKE = re.compile(
    r"\b(?:\w+n't|not|never|no) (?:\w+ ){0,3}"
    r"(?:like|enjoy|want|good|great|happy|helpful|useful|pleased|right|correct)\b|"
    r"\b(?:hate\w*|dislike\w*|boring|bad|badly|worse|worst|awful|stupid|confus\w+|wrong|poor|mistake\w*|fail\w*|"
    r"too (?:long|much|many|far|expensive|slow|late|early|hard|difficult))\b"
)
_CORRECT = re.compile(
    r"\b(?:i (?:already |just )?(?:said|asked|told|mentioned|meant|was asking|was looking)|actually|instead|rather|"
    r"again|still|incorrect|misunderst\w+|that'?s not|that is not|you (?:didn't|did not|don't|forgot|never|promised)|"
    r"are you sure|double.?check|supposed to|really (?:need|want))\b"
)
_REGRET = re.compile(r"\b(?:sorry|apolog\w+|afraid|too bad|oh no|unfortunate\w*|hm+)\b")
_ELSEWHERE = re.compile(r"\b(?:how about|what about|what if|other|another|alternative\w*|different|else|try)\b")
_PRAISE = re.compile(
    r"\b(?:great|perfect|awesome|excellent|wonderful|lovely|fantastic|amazing|good|nice|love[ds]?|best|cool|helpful|"
    r"beautiful|glad|brilliant|super|interesting|fun)\b"
)
_AGREE = re.compile(r"^\W*(?:yes|yeah|yep|sure|ok|okay|please|absolutely|definitely|of course|right|exactly)\b")
_LEAVE = re.compile(
    r"\b(?:thanks?|thank you|thx|bye|good ?bye|that'?s (?:all|it|everything)|that is (?:all|it|everything)|"
    r"that(?:'ll| will| would) (?:be|do)(?: all| it)?|all (?:i|we) need\w*|all set|"
    r"(?:great|good|nice|lovely) (?:day|evening|night|time|weekend))\b"
)
_FAILED = re.compile(
    r"\b(?:sorry|unfortunately|apolog\w+|afraid|unable|fail\w*|"
    r"(?:could|can|was|were|am|do|does|did|is|are|have|has)(?:n't| not)|cannot|not (?:available|able|found|possible)|"
    r"(?:is|are|were|was|have|find|found) (?:no|none)|no (?:\w+ ){0,3}(?:match\w*|available|results?|found)|"
    r"nothing|sold out)\b|^\W*no\b"
)
_WORD = re.compile(r"[a-z0-9]{3,}")
# Words that two messages may share without being about the same thing.
_EMPTY = frozenset(
    {"the", "and", "you", "for", "that", "this", "with", "have", "are", "was", "but", "not", "can", "could", "would"}
    | {"should", "will", "just", "like", "any", "some", "please", "what", "which", "who", "when", "where", "how", "why"}
    | {"about", "there", "here", "they", "them", "from", "then", "than", "does", "did", "had", "has", "want", "need"}
    | {"get", "yes"}
)


@dataclass(frozen=True, slots=True)
class Said:
    """One message in English words; `by_customer` or else by whoever answers."""

    text: str
    by_customer: bool


def dissatisfaction(conversation: Sequence[Said]) -> float:
    """How likely the customer, whose message ends the conversation, is dissatisfied, in [0, 1]; 0.5 is the border."""
    return 1 / (1 + math.exp(-(_BIAS + sum(_WEIGHTS[name] * value for name, value in cues(conversation).items()))))


def cues(conversation: Sequence[Said]) -> dict[str, float]:
    """What the score adds up; most are 0 or 1."""
    own: list[str] = []
    replies: list[str] = []
    waiting: list[str] = []
    for said in conversation:
        text = said.text.replace("’", "'").lower()
        if said.by_customer:
            own.append(text)
            replies.append(" ".join(waiting))
            waiting = []
        else:
            waiting.append(text)
    newest, reply = own[-1], replies[-1]
    refuses = _refuses(newest)
    takes_leave = _has(_LEAVE, newest)
    words = _words(newest)
    found = {
        "outburst": _has(_OUTBURST, newest),
        "refuses": refuses,
        "opens_with_no": _has(_OPENS_WITH_NO, _HARMLESS.sub("fine", newest)),
        "dislikes": _has(_DISLIKE, _HARMLESS.sub("fine", newest)),
        "corrects": _has(_CORRECT, newest),
        "regrets": _has(_REGRET, newest),
        "turns_elsewhere": _has(_ELSEWHERE, newest),
        "repeats_itself": max((_overlap(words, _words(before)) for before in own[:-1]), default=0.0),
        "praises": _has(_PRAISE, newest) * (1 - refuses),
        "agrees": _has(_AGREE, newest),
        "takes_leave": takes_leave,
        "declines_more": takes_leave * refuses,
        "opening": float(len(own) == 1),
        "unanswered": float(not reply),
        "reply_failed": _has(_FAILED, reply),
        "failed_before": _lately([_has(_FAILED, before) for before in replies[:-1]]),
        "refused_before": _lately([_refuses(before) for before in own[:-1]]),
        "replies_repeat": _lately(_repetitions(replies)),
    }
    damping = min(1.0, _SHORT_WORDS / max(1, len(newest.split())))
    return {name: value * (damping if name in _DAMPED else 1.0) for name, value in found.items()}


def _has(pattern: re.Pattern[str], text: str) -> float:
    return float(bool(pattern.search(text)))


def _refuses(text: str) -> float:
    return _has(_NEGATION, _HARMLESS.sub("fine", text))


def _lately(values: Sequence[float]) -> float:
    """A mean of the past in which the newest counts most."""
    return _PAST_SHARE * sum(value * _DECAY**place for place, value in enumerate(reversed(values)))


def _repetitions(replies: Sequence[str]) -> list[float]:
    """For each reply how much of it stood in one before."""
    words = [_words(reply) for reply in replies]
    return [max((_overlap(now, before) for before in words[:place]), default=0.0) for place, now in enumerate(words)]


def _words(text: str) -> set[str]:
    return set(_WORD.findall(text)) - _EMPTY


def _overlap(one: set[str], other: set[str]) -> float:
    return len(one & other) / math.sqrt(len(one) * len(other)) if one and other else 0.0
