"""What a bare yes or no means, going by what was said last, and what is said back to it.

"No" alone says nothing: behind an offer it declines, behind a courtesy it takes leave, behind an answer it says that
this isn't the one. Whoever hears the word alone hears anything in it.
"""

import re
from collections.abc import Sequence
from dataclasses import replace

from agent.dialogue import OFFERED_BUG, OFFERED_PERSON, agrees, as_words, is_courtesy, offers_report
from agent.phrases import Phrase, phrase
from agent.types import LANGUAGES, Author, Kind, Message, Route, TurnRequest, Understanding, Untrusted

_NO = frozenset(
    (
        *("no", "nope", "nah", "not really", "no it isn t", "no it s not", "no that s not it", "that s not it"),
        *("neither", "neither of them", "neither one", "none", "none of them", "none of those", "no neither"),
        *("that s not what i meant", "not what i meant", "that s not what i asked", "i meant something else"),
        *("nein", "nö", "nee", "eher nicht", "nein darum geht es nicht", "darum geht es nicht", "beides nicht"),
        *("nein beides nicht", "keins", "keines", "keins von beiden", "keines von beiden", "weder noch"),
        *("das meinte ich nicht", "das meine ich nicht", "ich meinte etwas anderes", "nein etwas anderes"),
        *("no es eso", "ninguno", "ninguna", "ninguno de los dos", "ni uno ni otro", "no me refería a eso"),
    )
)
_NO_THANKS = frozenset(("no thanks", "no thank you", "no need", "nein danke", "no gracias"))
# "No, I mean invoices": what follows is the question.
_CORRECTED = re.compile(
    r"(?:no|nope|nein|nö|nee)\b[\s,.:;!-]*(?:sorry|entschuldigung|perdón)?[\s,.:;!-]*"
    r"(?:(?:i mean|i meant|ich meine|ich meinte|me refiero a|quise decir)\b[\s,.:;-]*(?P<meant>\S.*)"
    r"|(?P<asked>(?:how|where|what|when|which|who|wie|wo|was|wann|welche|wer|c[oó]mo|d[oó]nde|qu[eé]|cu[aá]ndo)\b.*))",
    re.IGNORECASE | re.DOTALL,
)
_OFFERS = (Route.CLARIFY, OFFERED_PERSON, OFFERED_BUG)


def short_reply(request: TurnRequest) -> Phrase | None:
    """What is said back to a bare yes or no that asks for nothing; None for any other message.

    A yes that takes an offer up is none, nor is a no that says for the second time that an answer isn't the one.
    """
    last = request.history[-1] if request.history else None
    if last is None or last.author is not Author.BOT:
        return None
    said = " ".join(text.render_plain() for text in request.texts)
    if as_words(said) in _NO_THANKS:
        return None if offers_report(last) else Phrase.GOODBYE
    if as_words(said) in _NO:
        return _to_no(last, request.history)
    return _to_yes(last) if agrees(said) else None


def corrected(request: TurnRequest) -> tuple[Untrusted, ...]:
    """The messages of a turn, without the no before what is meant instead of what we said last."""
    if not request.history or request.history[-1].author is not Author.BOT or not request.texts:
        return request.texts
    first, *others = request.texts
    found = _CORRECTED.fullmatch(first.render_plain().strip())
    if found is None:
        return request.texts
    return Untrusted.of(found["meant"] or found["asked"], first.source), *others


def as_courtesy(heard: Understanding, request: TurnRequest, reply: Phrase) -> Understanding:
    """The understanding of a message with such a reply: nothing is asked, and nothing is wrong."""
    said = "\n".join(text.render_plain() for text in request.texts)
    return replace(
        heard,
        kind=Kind.SMALL_TALK,
        kind_confidence=1.0,
        category_confidence=0.0,
        sentiment=0.0,
        sentiment_trend=0.0,
        question=Untrusted.of(said, heard.question.source),
        wish_for_person=0.0,
        risk=0.0,
        is_follow_up=False,
        says_unsolved=0.0,
        says_solved=float(reply is Phrase.YOURE_WELCOME),
        dissatisfied=0.0,
        unspecific=False,
    )


def _to_no(last: Message, history: Sequence[Message]) -> Phrase | None:
    if last.route in _OFFERS:
        return Phrase.OTHER_WORDS
    if last.route == Route.BUG_REPORT or is_courtesy(last):
        return Phrase.GOODBYE
    asked_already = any(_is_phrase(message, Phrase.OTHER_WORDS) for message in history)
    # We asked whether that answers it, or whether to look for something else.
    return Phrase.OTHER_WORDS if _ends_with_offer(last) and not asked_already else None


def _to_yes(last: Message) -> Phrase | None:
    if last.route == Route.BUG_REPORT or is_courtesy(last):
        return Phrase.ACKNOWLEDGED
    if last.route != Route.ANSWER or offers_report(last):
        return None
    # What else a model asked at the end of its answer is for it to know.
    asked = last.text.render_plain().rstrip().endswith("?")
    return Phrase.YOURE_WELCOME if _ends_with_offer(last) or not asked else None


def _ends_with_offer(message: Message) -> bool:
    text = message.text.render_plain().rstrip()
    return any(text.endswith(phrase(Phrase.ANSWER_OFFER, language)) for language in LANGUAGES)


def _is_phrase(message: Message, said: Phrase) -> bool:
    return message.author is Author.BOT and message.text.render_plain() in {phrase(said, each) for each in LANGUAGES}
