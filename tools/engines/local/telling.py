"""The customer's own words, shortened."""

import re
from collections.abc import Sequence

from agent.types import Author, Message, Untrusted
from tools.engines.local.words import content_words

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_GREETING = re.compile(
    r"^(?:hi|hello|hey|dear|good (?:morning|afternoon|evening)|hallo|guten (?:tag|morgen|abend)|moin|hola|buenos días|"
    r"buenas(?: tardes| noches)?)\b(?:\s+(?:there|team|all|everyone|zusammen|a todos))?\s*[,.!:–-]*\s*",
    re.I,
)
_COURTESY = re.compile(
    r"^(?:thanks|thank you|thx|cheers|regards|best|please help|help|danke|vielen dank|mfg|gruß|grüße|gracias|saludos)"
    r"\b[\w\s,]{0,30}[.!]*$",
    re.I,
)
_TITLE_LIMIT = 80
_SUMMARY_LIMIT = 240
_ENOUGH_WORDS = 12


def sentences_of(text: str) -> list[str]:
    """The sentences of a message, without greetings and thanks."""
    found = []
    for part in _SENTENCE.split(text):
        sentence = _GREETING.sub("", " ".join(part.split())).strip()
        if sentence and not _COURTESY.match(sentence) and any(char.isalnum() for char in sentence):
            found.append(sentence)
    return found


def chosen_sentence(sentences: Sequence[str]) -> str:
    """The sentence that says the most; the earlier of two that say as much."""
    scored = [
        (min(len(content_words(sentence)), _ENOUGH_WORDS) - 0.4 * place, -place, sentence)
        for place, sentence in enumerate(sentences)
    ]
    return max(scored)[2] if scored else ""


def shortened(sentence: str, limit: int = _TITLE_LIMIT) -> str:
    """`sentence` with a capital, without its full stop, cut at a word."""
    plain = " ".join(sentence.split()).strip(" .!,;:–-")
    if len(plain) > limit:
        plain = plain[: limit - 1].rsplit(" ", 1)[0].rstrip(" .,;:–-") + "…"
    return plain[:1].upper() + plain[1:]


def summarise(texts: Sequence[Untrusted], history: Sequence[Message]) -> str:
    """What the customer wants, in one or two of their own sentences: where it began, and what they say now."""
    earlier = [m.text.render_plain() for m in history if m.author is Author.CUSTOMER]
    newest = "\n".join(text.render_plain() for text in texts)
    told = [found for text in (*earlier, newest) if (found := sentences_of(text))]
    substantive = [found for found in told if max(len(content_words(s)) for s in found) >= 2] or told
    if not substantive:
        return shortened(newest, _SUMMARY_LIMIT)
    chosen = [chosen_sentence(substantive[0])]
    now = sentences_of(newest)
    # The newest message counts however short it is: "I want my money back" is what they want.
    if now and (latest := chosen_sentence(now)) not in chosen:
        chosen.append(latest)
    elif len(substantive) == 1 and len(substantive[0]) > 1:
        others = [sentence for sentence in substantive[0] if sentence not in chosen]
        chosen.append(chosen_sentence(others))
    return " ".join(_closed(shortened(sentence, _SUMMARY_LIMIT), sentence) for sentence in chosen if sentence)


def _closed(text: str, original: str) -> str:
    if text.endswith("…"):
        return text
    return f"{text.rstrip('?')}?" if original.rstrip().endswith("?") else f"{text}."
