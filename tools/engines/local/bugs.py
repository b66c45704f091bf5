"""A bug as engineers need it, from what the customer said and the page showed."""

import re
from typing import Literal

from agent.types import Author, BugDraft, Message, PageContext, Understanding, Untrusted

_SENTENCE = re.compile(r"(?<=[.!?])\s+|\n+")
_EXPECTED = re.compile(
    r"\b(expected|should|supposed to|instead of|used to|erwartet|sollte|eigentlich|esperaba|debería|en lugar de)\b",
    re.I,
)
_STEPS = re.compile(
    r"\b(when i|when we|after i|after|steps|then i|i click|i clicked|i press|i pressed|i open|i choose|i select|if i|"
    r"wenn ich|nachdem|ich klicke|klicke ich|sobald ich|cuando|al hacer|al abrir|hago clic|después de)\b",
    re.I,
)
_NUMBERED = re.compile(r"^\s*(?:\d+[.)]|[-*])\s+(.+)$", re.M)
_BLOCKING = re.compile(
    r"\b(can't work|cannot work|blocked|urgent|asap|whole team|everyone|all our|data loss|lost|deleted|gone|deadline|"
    r"dringend|alle|verloren|gelöscht|urgente|todos|perdido|borrado)\b",
    re.I,
)
_ENVIRONMENT = re.compile(
    r"\b(firefox|chrome|chromium|safari|edge|opera|brave|internet explorer|windows(?: \d+)?|mac ?os|macos|mac|linux|"
    r"ubuntu|android|ios|iphone|ipad|samsung|pixel)(?:\s+(?:version\s+)?(\d+(?:\.\d+)*))?\b",
    re.I,
)
_TITLE_LIMIT = 90
_FIELD_LIMIT = 600


def draft_bug(
    texts: tuple[Untrusted, ...], history: tuple[Message, ...], page: PageContext, understanding: Understanding
) -> BugDraft:
    """Sort the customer's own sentences into the fields; what nobody said stays empty and is named as missing."""
    said = "\n".join(text.render_plain() for text in texts)
    sentences = [part.strip() for part in _SENTENCE.split(said) if part.strip()]
    numbered = [step.strip() for step in _NUMBERED.findall(said)]
    expected = [s for s in sentences if _EXPECTED.search(s)]
    doing = [s for s in sentences if _STEPS.search(s) and s not in expected]
    actual = [s for s in sentences if s not in expected and s not in numbered]
    errors = [error.render_plain() for error in page.errors]
    environment = ", ".join(dict.fromkeys(m.group(0).strip() for m in _ENVIRONMENT.finditer(said)))
    steps = tuple(numbered or doing)
    missing = [
        name
        for name, given in (
            ("steps", steps),
            ("actual", len(said.split()) > 3 or errors),
            ("environment", environment),
            ("expected", expected),
        )
        if not given
    ]
    return BugDraft(
        title=_title(sentences),
        doing=" ".join(doing)[:_FIELD_LIMIT],
        expected=" ".join(expected)[:_FIELD_LIMIT],
        actual=" ".join([*actual, *errors])[:_FIELD_LIMIT],
        steps=steps[:12],
        page=page.route or "",
        environment=environment,
        feature=page.area or understanding.category,
        severity=_severity(said, understanding),
        missing=tuple(missing),
    )


def summarise(texts: tuple[Untrusted, ...], history: tuple[Message, ...], understanding: Understanding) -> str:
    """What the customer wants, in their own words: the first substantive message, and the newest where it differs."""
    everything = [m.text.render_plain() for m in history if m.author is Author.CUSTOMER]
    everything += [text.render_plain() for text in texts]
    substantive = [text for text in everything if len(text.split()) >= 4] or everything
    chosen = [substantive[0]]
    if substantive[-1] != substantive[0]:
        chosen.append(substantive[-1])
    return " … ".join(" ".join(text.split())[:280] for text in chosen)


def _title(sentences: list[str]) -> str:
    """The sentence that says the most, without greeting, cut at a word."""
    greeting = re.compile(r"^(hi|hello|hey|dear|hallo|guten|hola|buenos)\b[^,.!?]*[,.!]?\s*", re.I)
    candidates = [greeting.sub("", sentence).strip() for sentence in sentences]
    candidates = [c for c in candidates if len(c.split()) >= 3] or candidates or ["Bug report"]
    title = " ".join(candidates[0].split()).rstrip(".!?")
    if len(title) > _TITLE_LIMIT:
        title = title[:_TITLE_LIMIT].rsplit(" ", 1)[0] + "…"
    return title[:1].upper() + title[1:] if title else "Bug report"


def _severity(said: str, understanding: Understanding) -> Literal["low", "medium", "high"]:
    if understanding.risk >= 0.7 or len(_BLOCKING.findall(said)) >= 2:
        return "high"
    if _BLOCKING.search(said) or understanding.sentiment <= -0.3:
        return "medium"
    return "low" if understanding.sentiment > 0.2 else "medium"
