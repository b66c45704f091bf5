"""A bug as engineers need it, from what the customer said and the page showed."""

import re
from collections.abc import Sequence
from typing import Literal

from agent.types import Author, BugDraft, Kind, Language, Message, PageContext, Understanding, Untrusted
from tools.engines.local.telling import chosen_sentence, sentences_of, shortened
from tools.engines.local.trouble import is_unspecific
from tools.engines.local.words import content_words

# Each list is only asked about sentences of a message that is known to report a bug.
_EXPECTED = re.compile(
    r"\b(expect\w*|should|shouldn't|supposed to|used to|instead of|would have thought|normally|"
    r"erwart\w*|sollte\w*|müsste\w*|eigentlich|normalerweise|statt|"
    r"esper\w+|debería\w*|tendría que|en lugar de|en vez de|normalmente)\b",
    re.I,
)
_STEP = re.compile(
    r"\b(when(ever)? (i|we|you)|after (i|we|\w+ing)|steps|then (i|we)|if (i|we|you)|as soon as|every time|each time|"
    r"(i|we) (click|press|open|choose|select|pick|chose|go|went|drag|type|enter|save|try|tried|upload|import)\w*|"
    r"wenn (ich|wir|man)|nachdem|sobald|jedes mal|beim \w+|(ich|wir) (klick|drück|öffne|wähle|gehe|ziehe|lade)\w*|"
    r"klicke ich|cuando|al (hacer|abrir|guardar|pulsar|subir|mover|exportar|\w+[aei]r)|si (hago|pulso|abro)|"
    r"cada vez|después de|hago clic|pulso)\b",
    re.I,
)
_DOING = re.compile(
    r"\b((trying|tried|wanted|want|attempting) to|(am|was|were|are) \w+ing|in order to|"
    r"(wollte|möchte|versuche|versucht)\w*|um \w+ zu|(quería|intento|intentaba|trato de|estoy \w+ndo))\b",
    re.I,
)
_ACTUAL = re.compile(
    r"\b(error|crash\w*|fail\w*|freez\w*|empty|blank|wrong|nothing|broken|stuck|missing|twice|duplicat\w*|loads?|"
    r"stops?|closes?|disappear\w*|hangs?|keeps?|doesn't|don't|didn't|does not|can't|cannot|won't|isn't|not|no|"
    r"fehler\w*|stürzt|leer|falsch\w*|nichts|nicht|kaputt|hängt|doppelt|verschwind\w*|bricht|kein\w*|"
    r"falla|fallo|vací[oa]s?|mal|nada|no|duplicad\w+|congela|blanco|cierra|pierde\w*)\b|\b[45]\d\d\b",
    re.I,
)
_BLOCKING = re.compile(
    r"\b(can't work|cannot work|can no longer|blocked|urgent\w*|asap|whole team|everyone|everybody|nobody can|deadline|"
    r"payroll|production|stopped working|dringend|alle|niemand|ganze\w* team|"
    r"urgente|todos|nadie|todo el equipo|bloquead\w+)\b",
    re.I,
)
_LOSS = re.compile(
    r"\b(data loss|lost|deleted|gone|wiped|vanished|disappeared|verloren|gelöscht|verschwunden|weg|"
    r"perdid\w+|borrad\w+|desaparecid\w+)\b",
    re.I,
)
_COSMETIC = re.compile(
    r"\b(typo|cosmetic|minor|colou?r|alignment|overlap\w*|small thing|no hurry|tippfehler|kleinigkeit|optisch|"
    r"errata|menor|estétic\w+)\b",
    re.I,
)
_NUMBERED = re.compile(r"^\s*(?:\d+[.)]|[-*•])\s+(.+)$", re.M)
_ENVIRONMENT = re.compile(
    r"\b(firefox|chrome|chromium|safari|(?:microsoft )?edge|opera|brave|vivaldi|internet explorer|"
    r"windows(?: \d+)?|mac ?os(?: x)?|macbook|imac|mac|linux|ubuntu|fedora|debian|chrome ?os|android|ios|ipados|"
    r"iphone|ipad|samsung|pixel \d|huawei|xiaomi|mobile app|desktop app|tablet)"
    r"(?:\s+(?:version\s+|v)?(\d+(?:\.\d+)*))?\b",
    re.I,
)
_FIELD_LIMIT = 600
_MOST_STEPS = 12
_FEW_WORDS = 4
_SUBJECT_WORDS = 2


def draft_bug(
    texts: Sequence[Untrusted], history: Sequence[Message], page: PageContext, understanding: Understanding
) -> BugDraft:
    """Sort the customer's own sentences into the fields; what nobody said stays empty and is named as missing."""
    said = _reported(texts, history, understanding)
    sentences = sentences_of(said)
    numbered = [step.strip() for step in _NUMBERED.findall(said)]
    rest = [sentence for sentence in sentences if not any(sentence.endswith(step) for step in numbered)]
    expected = [s for s in rest if _EXPECTED.search(s)]
    steps = [s for s in rest if _STEP.search(s) and s not in expected]
    doing = [s for s in rest if _DOING.search(s) and s not in expected] or steps[:1] or numbered[:1]
    actual = [s for s in rest if _ACTUAL.search(s) and s not in expected]
    if not actual:
        actual = [s for s in rest if s not in expected and len(s.split()) > _FEW_WORDS and s not in doing]
    errors = [error.render_plain() for error in page.errors]
    environment = ", ".join(dict.fromkeys(" ".join(m.group(0).split()) for m in _ENVIRONMENT.finditer(said)))
    given = {
        "doing": bool(doing),
        "expected": bool(expected),
        "actual": bool(actual or errors),
        # One step is where it happens; to reproduce it takes two, or "when I ...".
        "steps": bool(numbered or steps),
        "environment": bool(environment),
    }
    return BugDraft(
        title=_title(sentences, page, understanding.language),
        doing=_field(doing),
        expected=_field(expected),
        actual=_field([*actual, *(error for error in errors if error not in said)]),
        steps=tuple(step[:_FIELD_LIMIT] for step in (numbered or steps))[:_MOST_STEPS],
        page=page.route or "",
        environment=environment[:_FIELD_LIMIT],
        feature=page.area or page.page_name or understanding.category,
        severity=_severity(said, understanding),
        missing=tuple(name for name, is_given in given.items() if not is_given),
    )


def _reported(texts: Sequence[Untrusted], history: Sequence[Message], understanding: Understanding) -> str:
    """What the customer reports; when that says next to nothing ("it still crashes"), with what they said before."""
    said = "\n".join(text.render_plain() for text in texts)
    if len(content_words(said)) > _FEW_WORDS:
        return said
    earlier = [m.text.render_plain() for m in history if m.author is Author.CUSTOMER]
    fuller = [text for text in earlier[-3:] if len(content_words(text)) >= 3 and text not in said]
    if understanding.is_follow_up:
        # What it hangs on may have said it in two words.
        fuller += understanding.question.render_plain().splitlines()
    return "\n".join(line for line in dict.fromkeys([*fuller, *said.splitlines()]) if line)


def _title(sentences: Sequence[str], page: PageContext, language: Language) -> str:
    """The sentence that says what is wrong, in the customer's words."""
    telling = [sentence for sentence in sentences if _ACTUAL.search(sentence) and not _EXPECTED.search(sentence)]
    title = chosen_sentence(telling or sentences)
    if not title:
        return f"Bug report: {page.page_name or page.route}" if page.page_name or page.route else "Bug report"
    about = next((one for one in sentences if one != title and len(content_words(one)) >= _SUBJECT_WORDS), None)
    if about is None or not is_unspecific(title, language):
        return shortened(title)
    # Of two bugs that are both called "it just hangs" nobody knows which is which.
    return shortened(f"{about}{'' if about.endswith(('.', '!', '?')) else ':'} {title}")


def _severity(said: str, understanding: Understanding) -> Literal["low", "medium", "high"]:
    """Lost data and stopped work are high; looks alone are low; an unhappy customer is one step up from calm."""
    if understanding.risk >= 0.7 or _LOSS.search(said):
        return "high"
    if _BLOCKING.search(said) and (understanding.sentiment <= -0.3 or len(_BLOCKING.findall(said)) >= 2):
        return "high"
    calm = understanding.sentiment > -0.4 and understanding.kind is not Kind.COMPLAINT
    if _COSMETIC.search(said) and calm:
        return "low"
    return "medium"


def _field(sentences: Sequence[str]) -> str:
    return " ".join(dict.fromkeys(sentences))[:_FIELD_LIMIT]
