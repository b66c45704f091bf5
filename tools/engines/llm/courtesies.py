"""Which sentences of a model claim nothing, decided by the words they are made of and never by the model."""

import re
from functools import lru_cache
from importlib.resources import files

import yaml

from agent.links import targets
from agent.promises import promises
from tools.engines.local.support import NEGATION
from tools.engines.local.words import content_words

_MOST_WORDS = 30
_FINDS_NOTHING = re.compile(
    r"\b(?:i|we)\b[^.]{0,20}\b(?:couldn't|could not|can't|cannot|didn't|did not|don't|do not|am not|'m not)\b"
    r"[^.]{0,12}\b(?:find|found|see|know|sure|able|confirm)\b|\bich\b[^.]{0,30}\b(?:finde|weiß|sicher)\b"
    r"|\bno (?:encuentro|he encontrado|sé|estoy segur[oa])\b",
    re.IGNORECASE,
)


def claims_nothing(text: str, *, said_before: str) -> bool:
    """Whether a sentence is a courtesy, a question back, or a line that introduces what follows.

    A courtesy has no word but those of courtesies. A question or an introduction may use the words of `said_before`
    (the question, the sources) too, since it only names what they are about.
    """
    plain = text.replace("’", "'").strip()
    if len(plain.split()) > _MOST_WORDS or any(char.isdigit() for char in plain):
        return False
    if targets(plain) or "`" in plain or promises(plain):
        return False
    if NEGATION.search(plain.lower()) and not _FINDS_NOTHING.search(plain):
        return False
    allowed = _courtesy_words()
    if plain.endswith(("?", ":")) or _FINDS_NOTHING.search(plain):
        allowed = allowed | set(content_words(said_before))
    return set(content_words(plain)) <= allowed


@lru_cache(maxsize=1)
def _courtesy_words() -> frozenset[str]:
    raw = files("tools.engines.llm").joinpath("data/courtesy_words.yaml").read_text(encoding="utf-8")
    groups: dict[str, str] = yaml.safe_load(raw)
    return frozenset(stem for words in groups.values() for stem in content_words(words))
