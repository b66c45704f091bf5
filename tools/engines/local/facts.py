"""What a lookup of the account said, as sentences."""

import re
from datetime import date

from agent.phrases import Phrase, day_name, phrase, status_name
from agent.types import LANGUAGES, Language, Sentence, ToolResult

_MARKS = re.compile(r"([\\`*_\[\]<>#|~!])")

_TEMPLATES: dict[str, tuple[Phrase, ...]] = {
    "account_status": (
        Phrase.ACCOUNT_PLAN,
        Phrase.ACCOUNT_BILLING,
        Phrase.ACCOUNT_RENEWS,
        Phrase.ACCOUNT_SEATS,
    ),
    "order_status": (Phrase.ORDER_STATUS, Phrase.ORDER_EXPECTED, Phrase.ORDER_CARRIER),
}


def told(result: ToolResult, language: Language) -> list[Sentence]:
    """A lookup's facts as sentences. A fact that it didn't give is not mentioned; a failed one says nothing."""
    if not result.ok:
        return []
    if result.tool == "order_status" and result.facts.get("orders") == "0":
        return [Sentence(phrase(Phrase.NO_ORDERS, language), from_tool=result.tool)]
    said = {name: _said(name, value, language) for name, value in result.facts.items()}
    sentences: list[Sentence] = []
    for template in _TEMPLATES.get(result.tool, ()):
        try:
            sentences.append(Sentence(phrase(template, language, **said), from_tool=result.tool))
        except KeyError:
            continue
    return sentences


def as_sources(result: ToolResult) -> list[str]:
    """What a lookup said as texts to compare a sentence with: in our own words for each language, and as it is."""
    if not result.ok:
        return []
    plain = "\n".join(f"{name.replace('_', ' ')}: {value}" for name, value in result.facts.items())
    ours = [" ".join(sentence.text for sentence in told(result, language)) for language in LANGUAGES]
    return [plain, *(text for text in ours if text)]


def escape(text: str) -> str:
    """`text` as plain words inside Markdown, on one line."""
    return _MARKS.sub(r"\\\1", " ".join(text.split()))


def _said(name: str, value: str, language: Language) -> str:
    if name in ("status", "billing_status"):
        return escape(status_name(value, language))
    if name.endswith("_on"):
        try:
            return day_name(date.fromisoformat(value[:10]), language)
        except ValueError:
            return escape(value)
    if name == "plan":
        return escape(value[:1].upper() + value[1:])
    return escape(value)
