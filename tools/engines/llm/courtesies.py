"""Which sentences of a model claim nothing, decided by the words they are made of and never by the model."""

import re
from functools import lru_cache
from importlib.resources import files

import yaml

from agent.links import targets
from agent.promises import promises
from tools.engines.local.support.judging import NEGATION
from tools.engines.local.words import content_words, words

_MOST_WORDS = 30
_SOURCES = (
    r"(?:the |our |these )?(?:(?:provided|available|given|help|supplied) )*"
    r"(?:sources?|articles?|documentation|docs|information|help cent(?:er|re)|help pages?|knowledge base)"
    r"(?: (?:provided|available|given|supplied|i have|here))?"
)
_FINDS_NOTHING = re.compile(
    r"(?:(?:i'm |i am )?sorry,? (?:but )?|unfortunately,? |(?:leider |dazu |hierzu |darüber )+"
    r"|lo siento,? (?:pero )?|lamentablemente,? )?"
    r"(?:(?:i|we)\b[^.]{0,20}\b(?:couldn't|could not|can't|cannot|didn't|did not|don't|do not|am not|'m not)\b"
    r"[^.]{0,12}\b(?:find|found|see|know|sure|able|confirm|answer|have (?:any |enough )?information)\b"
    rf"|{_SOURCES} (?:don't|doesn't|do not|does not|didn't|did not) "
    r"(?:mention|say|contain|include|cover|specify|describe|answer|explain|address|tell|state)\b"
    rf"|(?:there is|there's|i have|i see|i found) (?:no|nothing)\b[^.]{{0,40}}\b(?:in|from) {_SOURCES}"
    r"|(?:this|that|it) (?:isn't|is not|wasn't|was not) (?:covered|mentioned|described|answered|explained) "
    rf"(?:in|by) {_SOURCES}"
    r"|(?:ich (?:finde|weiß|bin|habe)|(?:finde|weiß|bin|habe) ich)\b[^.]{0,30}\b(?:nicht|nichts|keine[nrs]?|unsicher)\b"
    r"|(?:steht|(?:die|unsere) (?:quellen|artikel|hilfeartikel) (?:sagen|enthalten|erwähnen|beschreiben|behandeln))\b"
    r"[^.]{0,40}\b(?:nicht|nichts|keine[nrs]?)\b"
    r"|no (?:encuentro|he encontrado|sé|estoy segur[oa]|tengo (?:ninguna )?información)\b"
    r"|(?:las fuentes|los artículos) no (?:mencionan|dicen|contienen|incluyen|explican|describen|responden)\b)",
    re.IGNORECASE,
)
# "Can I?" - "You can." Somebody who says so has answered, if in words that say nothing.
_MAY = re.compile(
    r"\b(?:you|it|that|this|they|these|those|one|anyone|someone|anything) "
    r"(?:can|could|may|must|should|will|have to|need to|works?)\b(?! (?:always |also )?(?:ask|tell|let)\b)"
    r"|^(?:it|that|this|they|these|those|you) (?:is|are|do|does)[,.!]"
    r"|\b(?:sie|du|man|das|es) (?:kann|können|kannst|darf|dürfen|muss|müssen|sollten?|geht)\b"
    r"|(?<!\basí )(?<!\bcómo )\b(?:puede|puedes|debe|debes|tiene que|funciona)\b",
    re.IGNORECASE,
)


def claims_nothing(text: str, *, question: str) -> bool:
    """Whether a sentence is a courtesy, a question back, or a line that introduces what follows.

    A courtesy has no words but those of courtesies. A question, an introduction and "I don't find ..." may use the
    words of the customer's `question` too, since they only name what it is about. What could be taken for an answer
    is none of them, whatever it is made of.
    """
    plain = " ".join(text.replace("’", "'").replace("*", "").split())
    spoken = words(plain)
    if not spoken or len(spoken) > _MOST_WORDS or any(char.isdigit() for char in plain):
        return False
    # What takes longest is asked last: most sentences are statements, and no courtesy by their words already.
    return _is_courtesy(plain, spoken, question) and not (targets(plain) or "`" in plain or promises(plain))


def tells_or_asks(text: str) -> bool:
    """Whether a sentence that claims nothing asks something back, or says that nothing was found."""
    plain = " ".join(text.replace("’", "'").replace("*", "").split())
    return plain.endswith("?") or _FINDS_NOTHING.match(plain) is not None


def _is_courtesy(plain: str, spoken: list[str], question: str) -> bool:
    meant = set(content_words(plain))
    about = _courtesy_words() | set(content_words(question))
    found_nothing = _FINDS_NOTHING.match(plain)
    if found_nothing:
        rest = plain[found_nothing.end() :]
        return meant <= about | _finding_words() and not re.search(r"[,;:–—]", rest) and not _has(rest, "goes_on")
    if NEGATION.search(plain.lower()):
        return False
    if plain.endswith("?"):
        return meant <= about and _begins(spoken, "asks") and not _has(plain, "tells")
    if _MAY.search(plain):
        return False
    if plain.endswith(":"):
        return meant <= about and _begins(spoken, "introduces") and not _has(plain, "tells")
    answers = _has(plain, "answers") and not _asks_how(question)
    return bool(meant or _has(plain, "greets")) and meant <= _courtesy_words() and not answers


def _begins(spoken: list[str], form: str) -> bool:
    """Whether the first word that is more than a nod is one of the form's."""
    forms = _forms()
    first = next((word for word in spoken if word not in forms["answers"] | {"of", "por", "and", "und", "y"}), "")
    return first in forms[form] or spoken[0] in forms[form]


def _has(plain: str, form: str) -> bool:
    return not _forms()[form].isdisjoint(words(plain))


def _asks_how(question: str) -> bool:
    """Whether yes or no would be no answer to it: it asks how, where or what."""
    begun = {words(sentence)[0] for sentence in re.split(r"[.!?,;\n]", question) if words(sentence)}
    return not begun.isdisjoint(_forms()["asks_how"])


@lru_cache(maxsize=1)
def _courtesy_words() -> frozenset[str]:
    groups = _read("courtesy_words")
    return frozenset(stem for text in groups.values() for stem in content_words(text))


@lru_cache(maxsize=1)
def _finding_words() -> frozenset[str]:
    return frozenset(content_words(_read("courtesy_forms")["finds_nothing"]))


@lru_cache(maxsize=1)
def _forms() -> dict[str, frozenset[str]]:
    return {name: frozenset(text.split()) for name, text in _read("courtesy_forms").items()}


def _read(name: str) -> dict[str, str]:
    raw = files("tools.engines.llm").joinpath(f"data/{name}.yaml").read_text(encoding="utf-8")
    read: dict[str, str] = yaml.safe_load(raw)
    return read
