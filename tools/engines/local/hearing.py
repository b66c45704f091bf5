"""What a message is: kind, category, language, mood, wishes, and the question behind it."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from agent.ports import Embedder
from agent.types import (
    LANGUAGES,
    Author,
    Kind,
    Language,
    Message,
    PageContext,
    Source,
    Understanding,
    Untrusted,
)
from tools.engines.local.classify import Classifier, Scored, Vectors
from tools.language import identify

_MOODS = {"very_negative": -1.0, "negative": -0.6, "neutral": 0.0, "positive": 0.7}
_QUESTION_LIMIT = 2000
_SHORT_WORDS = 6
# Words that point back at something said before; they only matter in a short message that follows an answer.
_POINTING_BACK = re.compile(
    r"^(and|but|what about|how about|also|then|und|aber|was ist mit|auch|y|pero|también)\b"
    r"|\b(it|that|this|there|them|das|dies|es|dort|damit|eso|esto|ahí|lo)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Hearing:
    """The trained classifiers."""

    kind: Classifier
    category: Classifier
    wish: Classifier
    risk: Classifier
    sentiment: Classifier
    feedback: Classifier


async def understand(
    hearing: Hearing,
    embedder: Embedder | None,
    texts: tuple[Untrusted, ...],
    history: tuple[Message, ...],
    page: PageContext,
) -> Understanding:
    """Read the newest messages in the light of the conversation."""
    newest = "\n".join(text.render_plain() for text in texts).strip()
    earlier = [m.text.render_plain() for m in history if m.author is Author.CUSTOMER]
    follow_up = is_follow_up(newest, history)
    question = _standalone(newest, earlier) if follow_up else newest
    wanted = [newest, question, *earlier[-3:]]
    vectors = await _embed(embedder, wanted)
    own, whole = vectors[0], vectors[1]
    kind = hearing.kind(newest, own)
    # What a follow-up is about stands in the question before it.
    category = hearing.category(question, whole)
    moods = [_mood(hearing, text, vector) for text, vector in zip(wanted[2:], vectors[2:], strict=True)]
    mood = _mood(hearing, newest, own)
    language, language_confidence = _language(newest, earlier, page)
    feedback = hearing.feedback(newest, own).probabilities if _answered_before(history) else {}
    sure = kind.confidence if re.search(r"\w", newest) else 0.0
    return Understanding(
        kind=Kind(kind.label) if sure else Kind.SMALL_TALK,
        kind_confidence=round(sure, 4),
        category=category.label,
        category_confidence=round(category.confidence, 4),
        language=language,
        language_confidence=round(language_confidence, 4),
        sentiment=round(mood, 4),
        sentiment_trend=round(mood - float(np.mean(moods)), 4) if moods else 0.0,
        question=Untrusted.of(question, Source.CUSTOMER, limit=_QUESTION_LIMIT),
        wish_for_person=round(_wish(hearing, newest, own, kind), 4),
        risk=round(hearing.risk(question, whole).probabilities.get("yes", 0.0), 4),
        is_follow_up=follow_up,
        says_unsolved=round(feedback.get("unsolved", 0.0), 4),
        says_solved=round(feedback.get("solved", 0.0), 4),
    )


def is_follow_up(newest: str, history: Sequence[Message]) -> bool:
    """Whether a message needs the one before it to be understood: short, and pointing back."""
    if not any(message.author is Author.CUSTOMER for message in history):
        return False
    words = newest.split()
    return len(words) <= 2 or (len(words) <= _SHORT_WORDS * 2 and bool(_POINTING_BACK.search(newest)))


def _standalone(newest: str, earlier: Sequence[str]) -> str:
    """The last message that says what it is about, with the follow-up behind it."""
    for text in reversed(earlier):
        if len(text.split()) > 2:
            return f"{text}\n{newest}"
    return newest


def _answered_before(history: Sequence[Message]) -> bool:
    return any(message.author is not Author.CUSTOMER for message in history)


def _wish(hearing: Hearing, text: str, vector: Vectors | None, kind: Scored) -> float:
    """Two opinions: the one trained on wishes alone, and the kind's. "Agent" is a wish, "the agent role" is not."""
    own = hearing.wish(text, vector).probabilities.get("yes", 0.0)
    return 0.7 * own + 0.3 * kind.probabilities.get(Kind.WANTS_PERSON.value, 0.0)


def _mood(hearing: Hearing, text: str, vector: Vectors | None) -> float:
    """The expected mood in [-1, 1]: the mean of the moods by their probability."""
    return sum(_MOODS.get(label, 0.0) * p for label, p in hearing.sentiment(text, vector).probabilities.items())


def _language(newest: str, earlier: Sequence[str], page: PageContext) -> tuple[Language, float]:
    """The message's own language; a very short one is read in the light of what came before."""
    own = identify(newest)
    long_enough = len(re.findall(r"\w+", newest)) >= 4
    if earlier and not long_enough:
        before = identify("\n".join(earlier[-3:]))
        return before.language, before.confidence
    if own.confidence >= 0.5:
        return own.language, own.confidence
    return LANGUAGES[0], own.confidence


async def _embed(embedder: Embedder | None, texts: Sequence[str]) -> list[Vectors | None]:
    if embedder is None:
        return [None] * len(texts)
    distinct = list(dict.fromkeys(texts))
    by_text = dict(zip(distinct, await embedder.embed(distinct), strict=True))
    return [by_text[text] for text in texts]
