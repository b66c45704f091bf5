"""What a bare yes or no means, going by what was said last, and what is said back to it.

"No" alone says nothing: behind an offer it declines, behind a courtesy it takes leave, behind an answer it says that
this didn't help. Whoever hears the word alone hears anything in it.
"""

from dataclasses import replace

from agent.dialogue import agrees, as_words, is_courtesy, offers_report
from agent.phrases import Phrase, phrase
from agent.types import LANGUAGES, Author, Kind, Message, Route, TurnRequest, Understanding, Untrusted

_NO = frozenset(
    (
        *("no", "nope", "nah", "not really", "no it isn t", "no it s not", "no that s not it", "that s not it"),
        *("neither", "neither of them", "neither one", "none", "none of them", "none of those", "no neither"),
        *("nein", "nö", "nee", "nein danke", "eher nicht", "nein darum geht es nicht", "darum geht es nicht"),
        *(
            "beides nicht",
            "nein beides nicht",
            "keins",
            "keines",
            "keins von beiden",
            "keines von beiden",
            "weder noch",
        ),
        *("no gracias", "no es eso", "ninguno", "ninguna", "ninguno de los dos", "ni uno ni otro"),
    )
)
_OFFERS = (Route.CLARIFY.value, "offer_person", "offer_bug")


def short_reply(request: TurnRequest) -> Phrase | None:
    """What is said back to a bare yes or no that asks for nothing; None for any other message.

    A yes that takes an offer up is none, nor is a no that says that an answer didn't help.
    """
    last = request.history[-1] if request.history else None
    if last is None or last.author is not Author.BOT:
        return None
    said = " ".join(text.render_plain() for text in request.texts)
    if as_words(said) in _NO:
        return _to_no(last)
    return _to_yes(last) if agrees(said) else None


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


def _to_no(last: Message) -> Phrase | None:
    if last.route in _OFFERS:
        return Phrase.OTHER_WORDS
    if last.route == Route.BUG_REPORT or is_courtesy(last):
        return Phrase.GOODBYE
    return None


def _to_yes(last: Message) -> Phrase | None:
    if last.route == Route.BUG_REPORT or is_courtesy(last):
        return Phrase.ACKNOWLEDGED
    if last.route != Route.ANSWER or offers_report(last):
        return None
    text = last.text.render_plain().rstrip()
    ours = any(text.endswith(phrase(Phrase.ANSWER_OFFER, language)) for language in LANGUAGES)
    # What else a model asked at the end of its answer is for it to know.
    return Phrase.YOURE_WELCOME if ours or not text.endswith("?") else None
