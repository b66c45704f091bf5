"""The conversation so far: what we said last, and so what a short reply to it means.

A reply to our own question is understood from the question, not from its words alone.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import get_args

from agent.links import title_in_words
from agent.phrases import Phrase, phrase
from agent.types import (
    LANGUAGES,
    Author,
    Citation,
    Kind,
    Language,
    Message,
    Route,
    TurnRequest,
    Understanding,
    Untrusted,
)

# What a bot's message offered, where that isn't its turn's route: a bare "yes" agrees to it.
OFFERED_PERSON = "offer_person"
OFFERED_BUG = "offer_bug"

_LATELY = 6
_QUOTED: dict[Language, str] = {"en": "“{}”", "de": "„{}“", "es": "«{}»"}
_COURTESIES = (
    Phrase.GREETING,
    Phrase.YOURE_WELCOME,
    Phrase.GOODBYE,
    Phrase.WHO_I_AM,
    Phrase.ACKNOWLEDGED,
    Phrase.NOT_UNDERSTOOD,
    Phrase.OTHER_WORDS,
    Phrase.REFUSAL,
)
_YES = frozenset(
    (
        *("yes", "yeah", "yep", "yup", "ya", "sure", "ok", "okay"),
        *("ja", "jo", "jep", "jawohl", "gerne"),
        *("sí", "si", "vale", "claro"),
    )
)
_PLEASE = frozenset(("please", "yes please", "ja bitte", "bitte", "por favor", "sí por favor"))
_EXACTLY = frozenset(
    (
        *("yes that s it", "that s it", "yes that", "exactly", "yes exactly", "yes it is", "correct", "right"),
        *("genau", "ja genau", "ja darum geht es", "richtig", "stimmt"),
        *("exacto", "eso es", "sí eso es", "correcto"),
    )
)
_FIRST = frozenset(
    (
        *("first", "first one", "the first", "the first one", "the former", "yes the first", "yes the first one"),
        *("erste", "erstes", "das erste", "der erste", "die erste", "ersteres", "ja das erste"),
        *("primero", "primera", "el primero", "la primera", "sí el primero"),
    )
)
_SECOND = frozenset(
    (
        *("second", "second one", "the second", "the second one", "the latter", "yes the second", "yes the second one"),
        *("zweite", "zweites", "das zweite", "der zweite", "die zweite", "letzteres", "ja das zweite"),
        *("segundo", "segunda", "el segundo", "la segunda", "sí el segundo"),
    )
)


def conversation_language(request: TurnRequest) -> Language:
    """The interface's language when it is one of ours, else English."""
    for language in LANGUAGES:
        if request.interface_language and request.interface_language.lower().startswith(language):
            return language
    return "en"


def agrees(text: str) -> bool:
    """Whether a reply to an offer is a bare yes."""
    return as_words(text) in _YES | _PLEASE


def named(article: Citation, language: Language) -> str:
    """An article as we name it when we ask whether it is about that."""
    return f"{_QUOTED[language].format(title_in_words(article.title))} [{article.n}]"


@dataclass(frozen=True, slots=True)
class Confirmed:
    """A question that an article was named for: its messages, the conversation before it, and the article."""

    texts: tuple[Untrusted, ...]
    history: tuple[Message, ...]
    article_id: str


def confirmed_question(request: TurnRequest) -> Confirmed | None:
    """The question that a yes to "is it about that?", or a pick among the articles that we named, asks again.

    None when we named none, or the customer said anything else: "yes, please" takes up the other offer, a person.
    """
    if not request.history:
        return None
    *before, asked = request.history
    if asked.author is not Author.BOT or asked.route != Route.CLARIFY:
        return None
    articles = [article for article in asked.citations if _names(asked.text.render_plain(), article)]
    said = " ".join(" ".join(text.render_plain() for text in request.texts).split())
    chosen = _picked(said, articles)
    texts: list[Untrusted] = []
    while before and before[-1].author is Author.CUSTOMER:
        texts.insert(0, before.pop().text)
    return Confirmed(tuple(texts), tuple(before), chosen.article_id) if texts and chosen is not None else None


def _picked(said: str, articles: Sequence[Citation]) -> Citation | None:
    """The article that is meant: by a yes, by its title, or by its place."""
    words, place = as_words(said), said.strip(" .)#")
    if words in _YES | _EXACTLY | _FIRST or place == "1":
        return articles[0] if articles else None
    if words in _SECOND or place == "2":
        return articles[1] if len(articles) > 1 else None
    return next((each for each in articles if said.casefold() == title_in_words(each.title).casefold()), None)


def _names(text: str, article: Citation) -> bool:
    """Whether a message of ours, in whichever language it was, names an article."""
    return any(named(article, language) in text for language in LANGUAGES)


def reports_trouble(heard: Understanding) -> bool:
    """Whether a message more likely than not says that something doesn't work."""
    return heard.kind is Kind.BUG and heard.kind_confidence >= 0.5


def offers_report(message: Message) -> bool:
    """Whether a message of the bot's says what may help and offers to report a bug if it doesn't."""
    text = message.text.render_plain()
    return message.author is Author.BOT and without_report_offer(text) != text


def without_report_offer(text: str) -> str:
    """A text of the bot's without that offer: whoever looks for promises that nobody keeps doesn't mean this one."""
    for language in get_args(Language):
        text = text.replace(phrase(Phrase.REPORT_OFFER, language), "")
    return text


def report_offered(history: Sequence[Message]) -> bool:
    """Whether that is the last that was said to the customer, but for courtesies ("I'll try that." "Okay.")."""
    said = (m for m in reversed(history) if m.author is not Author.CUSTOMER and not is_courtesy(m))
    last = next(said, None)
    return last is not None and offers_report(last)


def last_bot_route(history: Sequence[Message]) -> str | None:
    """The decision behind the bot's last message, or None when it hasn't spoken since a person did."""
    for message in reversed(history):
        if message.author is Author.BOT:
            return message.route
        if message.author is Author.PERSON:
            return None
    return None


def failed_attempts(history: Sequence[Message], understanding: Understanding) -> int:
    """How often in a row the bot has spoken without solving it, counting now if the customer says so.

    "It just hangs" behind our question about a bug is the answer to it.
    """
    if last_bot_route(history) == Route.BUG_REPORT:
        return 0
    attempts = 0
    for message in reversed(history):
        if message.author is Author.PERSON:
            break
        tried = message.route in (Route.ANSWER, Route.CLARIFY) and not is_courtesy(message)
        attempts += message.author is Author.BOT and tried
    said = understanding.says_unsolved >= 0.5
    return min(attempts, 5) if said else 0


def clarifications(history: Sequence[Message], understanding: Understanding) -> float:
    """How often we have asked the same thing back lately, going by the last six messages.

    Whoever passes our last question by, with the person that it offered, and asks something else is asked that for the
    first time. Who says more to the question before has done as we asked, and that counts for half.
    """
    asked = sum(message.route == Route.CLARIFY for message in history[-_LATELY:])
    if understanding.says_unsolved >= 0.5:
        return float(asked)
    return max(0.0, asked - (0.5 if understanding.is_follow_up else 1.0))


def is_courtesy(message: Message) -> bool:
    """Whether the bot only returned a courtesy, in one of our own phrases."""
    return message.author is Author.BOT and message.text.render_plain() in _courtesies()


@cache
def _courtesies() -> frozenset[str]:
    return frozenset(phrase(each, language) for each in _COURTESIES for language in get_args(Language))


def as_words(text: str) -> str:
    """A text's words alone, in small letters with blanks between."""
    return " ".join("".join(c if c.isalpha() else " " for c in text.lower()).split())
