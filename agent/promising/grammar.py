"""Grammars of promising: read from their files, and asked about a clause."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from typing import Any

from agent.fast_yaml import parse_yaml

_NAME = re.compile(r"<([a-z]+)>")
# Parts are made of parts, though never more than this many deep.
_DEEPEST = 6
# A word that a pattern spells out: no escape, no piece of a longer pattern.
_LITERAL = re.compile(r"(?<![\w\\@'-])[^\W\d_]+(?:['-][^\W\d_]+)*(?![\w'?*+{-])")
# Where a new statement begins within a clause.
_CUTS = re.compile(
    r" , | (?:and|but|so|because|und|aber|denn|y|pero|porque) "
    r"(?=(?:§[a-h]{1,4} )?(?:i|we|you|it|they|the|your|that|this|there|ich|wir|sie|es|das|ihre?|der|die|yo|nosotros|"
    r"su|el|la|le|se) )"
)


@dataclass(frozen=True, slots=True)
class Rule:
    """One way to promise: `says` finds it in a clause, unless one of the excuses or `nor` is found too.

    A rule is only tried on a clause that has one of the words `among`, where any are given.
    """

    among: frozenset[str]
    says: re.Pattern[str]
    unless: tuple[str, ...]
    nor: re.Pattern[str] | None


@dataclass(frozen=True, slots=True)
class Grammar:
    """All that a language's file says; the head of such a file explains it."""

    marks: frozenset[str]
    asks: frozenset[str]
    classes: Mapping[str, str]
    phrases: tuple[tuple[str, re.Pattern[str]], ...]
    excuses: Mapping[str, re.Pattern[str]]
    beside: Mapping[str, re.Pattern[str]]
    rules: tuple[Rule, ...]

    def finds_promise(self, words: list[str]) -> bool:
        """Whether a clause, given as its words and commas in lower case, promises something."""
        line = " ".join(f"§{self.classes[word]} {word}" if word in self.classes else word for word in words)
        line = f" {line} "
        for name, pattern in self.phrases:
            line = pattern.sub(rf"\g<0>@{name} ", line)
        present = frozenset(line.split())
        return any(
            self._promised(rule, line) for rule in self.rules if not rule.among or not rule.among.isdisjoint(present)
        )

    def _promised(self, rule: Rule, line: str) -> bool:
        found = rule.says.search(line)
        if found is None or (rule.nor is not None and rule.nor.search(line) is not None):
            return False
        statement = _statement(line, found)
        return not any(
            self.excuses[name].search(line) if name in self.excuses else self.beside[name].search(statement)
            for name in rule.unless
        )


def _statement(line: str, found: re.Match[str]) -> str:
    """The part of a clause around what was found in it."""
    start, end = 0, len(line)
    for cut in _CUTS.finditer(line):
        if cut.end() - 1 <= found.start():
            start = cut.end() - 1
        elif cut.start() >= found.end() - 1:
            end = cut.start() + 1
            break
    return line[start:end]


@lru_cache(maxsize=1)
def read_grammars() -> tuple[Grammar, ...]:
    """The grammars of all languages that we speak. Reading them takes a quarter of a second, once."""
    return tuple(_read(language) for language in ("english", "german", "spanish"))


def _read(language: str) -> Grammar:
    text = files("agent.promising").joinpath(f"{language}.yaml").read_text(encoding="utf-8")
    raw: dict[str, Any] = parse_yaml(text)
    letters = dict(zip(raw["classes"], "abcdefgh", strict=False))
    classes: dict[str, str] = {}
    for group, words in raw["classes"].items():
        for word in words.split():
            classes[word] = classes.get(word, "") + letters[group]
    builder = _Builder(classes, _parts(raw, letters))
    return Grammar(
        marks=frozenset(raw["marks"].split()),
        asks=frozenset(raw["asks"].split()),
        classes=classes,
        phrases=tuple((phrase, builder.compiled(pattern)) for phrase, pattern in raw["phrases"].items()),
        excuses={excuse: builder.compiled(pattern) for excuse, pattern in raw["excuses"].items()},
        beside={excuse: builder.compiled(pattern) for excuse, pattern in raw["beside"].items()},
        rules=tuple(
            Rule(
                among=frozenset(_NAME.sub(lambda match: raw["classes"][match.group(1)], rule.get("among", "")).split()),
                says=builder.compiled(rule["says"]),
                unless=tuple(rule.get("unless", "").split()),
                nor=builder.compiled(rule["nor"]) if "nor" in rule else None,
            )
            for rule in raw["rules"]
        ),
    )


def _parts(raw: dict[str, Any], letters: Mapping[str, str]) -> dict[str, str]:
    parts = {"tag": "(?:§[a-h]{1,4}_)?", "any": r"(?:§[a-h]{1,4}_)?[^\s§]{1,40}_"}
    parts |= {group: rf"§[a-h]{{0,3}}{letter}[a-h]{{0,3}}_[^\s§]{{1,40}}" for group, letter in letters.items()}
    parts |= {phrase: f"_@{phrase}_" for phrase in raw["phrases"]}
    parts |= {part: f"(?:{'|'.join(words.split())})" for part, words in raw["words"].items()}
    return parts | {part: "".join(pattern.split()) for part, pattern in raw["parts"].items()}


@dataclass(frozen=True, slots=True)
class _Builder:
    """Turns the patterns of a file into expressions."""

    classes: Mapping[str, str]
    parts: Mapping[str, str]

    def compiled(self, pattern: str) -> re.Pattern[str]:
        pattern = "".join(pattern.split())
        for _ in range(_DEEPEST):
            pattern = _NAME.sub(lambda match: self.parts[match.group(1)], pattern)
        # The words of classes carry their mark in a clause, so they do in a pattern.
        pattern = "".join(
            _LITERAL.sub(self._marked, piece) if place % 2 == 0 else piece
            for place, piece in enumerate(re.split(r"(\[[^\]]*\])", pattern.replace("_", " ")))
        )
        return re.compile(pattern)

    def _marked(self, match: re.Match[str]) -> str:
        word = match.group()
        return f"§{self.classes[word]} {word}" if word in self.classes else word
