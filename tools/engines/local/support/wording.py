"""A sentence as the comparison of sentences sees it: words with all they may stand for, and the small words that count.

A `Token` has `forms`: what it may be matched by (its stem, the groups of words that mean the same, an amount in one
unit). Marks are the words that change a claim without naming anything: not, only, unless, all, before.
"""

import re
import unicodedata
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import lru_cache
from itertools import pairwise

from tools.engines.local.shipped import read_data
from tools.engines.local.support.amounts import amounts, is_number
from tools.engines.local.words import is_empty, stem

_PATH = re.compile(r"\*\*(.+?)\*\*|`([^`]+)`|(?<![*\w])\*([^*\s][^*]*)\*(?!\*)|(?<!\w)_([^_\s][^_]*)_(?!\w)")
_TOKEN = re.compile(r"[A-Z]{2,}(?![\w])|=\d+=|[^\W_]+(?:['-][^\W_]+)*\+?|[.,;:!?()–—>/]")
_GERMAN = re.compile(
    r"\b(?:der|die|das|und|ist|sie|den|dem|ein|eine|nicht|wird|werden|im|für|auf|mit)\b", re.IGNORECASE
)
_BREAKS = frozenset(".,;:!?()–—")
_BREAKING_MARKS = frozenset({"AND", "BUT", "BECAUSE", "OR", "THEN", "IF", "UNLESS", "BEFORE", "AFTER", "EVEN"})
_LIST_MARK = re.compile(r"^\s*(?:[-*+]|\d{1,2}[.)])\s+")


class Sort(Enum):
    """What a token is."""

    WORD = auto()
    AMOUNT = auto()
    NAME = auto()
    ROLE = auto()
    MARK = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One word or amount. `clause` counts the clauses of the text it is in; `sort` says what it is."""

    text: str
    forms: frozenset[str]
    sort: Sort
    clause: int


@dataclass(frozen=True, slots=True)
class Worded:
    """A text in tokens, with the menu paths and names that it shows in bold.

    `content` are the tokens that name something, `roots` their words and `forms` all that these may be matched by.
    """

    tokens: tuple[Token, ...]
    paths: tuple[tuple[str, ...], ...]
    content: tuple[Token, ...] = field(init=False)
    roots: frozenset[str] = field(init=False)
    forms: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        # Read once, asked for with every sentence that is held against it.
        content = tuple(token for token in self.tokens if token.sort is not Sort.MARK)
        object.__setattr__(self, "content", content)
        object.__setattr__(self, "roots", frozenset(token.text for token in content))
        object.__setattr__(self, "forms", frozenset(form for token in content for form in token.forms))


@dataclass(frozen=True, slots=True)
class _Lexicon:
    phrases: tuple[tuple[re.Pattern[str], str], ...]
    marks: dict[str, str]
    groups: dict[str, frozenset[str]]
    opposites: dict[str, frozenset[str]]
    roles: frozenset[str]


@lru_cache(maxsize=1)
def _lexicon() -> _Lexicon:
    data = read_data("wording")
    groups: dict[str, set[str]] = {}
    lines = [line for lines in data["same"].values() for line in lines]
    for number, line in enumerate(lines):
        for word in str(line).split():
            groups.setdefault(stem(word), set()).add(f"#{number}")
    opposites: dict[str, set[str]] = {}
    for pair in data["opposite"]:
        one, other = (stem(word) for word in str(pair).split())
        opposites.setdefault(one, set()).add(other)
        opposites.setdefault(other, set()).add(one)
    return _Lexicon(
        tuple((re.compile(pattern, re.IGNORECASE), f" {put} ") for pattern, put in data["phrases"]),
        {word: mark for mark, words in data["marks"].items() for word in str(words).split()},
        {word: frozenset(found) for word, found in groups.items()},
        {word: frozenset(found) for word, found in opposites.items()},
        frozenset(stem(word) for word in str(data["roles"]).split()),
    )


def changes_a_claim(word: str) -> bool:
    """Whether a word, lower case, is one of the small ones that count, or part of one ("can't"), or a number."""
    return word in _lexicon().marks or word.endswith("n't") or is_number(word)


def opposed(one: Token, other: Token) -> bool:
    """Whether two words mean the opposite of each other."""
    opposites = _lexicon().opposites
    if one.forms & other.forms:
        return False
    return any(form in opposites and opposites[form] & other.forms for form in one.forms)


@lru_cache(maxsize=4_096)
def worded(text: str) -> Worded:
    """Read a sentence, or a few."""
    plain = unicodedata.normalize("NFKC", text).translate(str.maketrans("’‘“”„«»", '\'\'"""""'))
    plain = _LIST_MARK.sub("", plain)
    plain = re.sub(r"!?\[([^\]]*)\]\([^)]*\)", r"\1", plain)
    paths = tuple(
        tuple(part for part in (_bare(piece) for piece in re.split(r"\s*(?:>|→|›)\s*", whole)) if part)
        for match in _PATH.finditer(plain)
        if (whole := next(group for group in match.groups() if group))
    )
    bold = frozenset(word for path in paths for part in path for word in part.split())
    # Between equals signs stand the places of amounts: the writer's own are none.
    plain = re.sub(r"[*_`#|=\\\[\]]+", " ", plain)
    # Every German noun has a capital: only what is bold is a name there.
    names = bold if _GERMAN.search(plain) else _names(plain) | bold
    plain, found = amounts(plain)
    lexicon = _lexicon()
    lower = plain.lower()
    for pattern, put in lexicon.phrases:
        lower = pattern.sub(put, lower)
    tokens: list[Token] = []
    clause = 0
    for piece in _TOKEN.findall(lower):
        if piece in _BREAKS:
            clause += 1
            continue
        if piece in ">/":
            continue
        if piece.startswith("="):
            forms = found[int(piece[1:-1])]
            plain_unit = "per" in forms
            root = next((form for form in sorted(forms) if form.isalpha() and form != "per"), piece)
            unit = forms | lexicon.groups.get(root, frozenset()) if plain_unit else forms
            tokens.append(Token(root, unit - {"per"}, Sort.WORD if plain_unit else Sort.AMOUNT, clause))
            continue
        mark = piece if piece.isupper() else lexicon.marks.get(piece)
        if mark is not None:
            if mark in _BREAKING_MARKS and tokens and tokens[-1].clause == clause:
                clause += 1
            tokens.append(Token(mark, frozenset({mark}), Sort.MARK, clause))
            continue
        tokens += [_token(part, names, lexicon, clause) for part in _parts(piece)]
    return Worded(tuple(token for token in tokens if token.forms), paths)


def _parts(piece: str) -> list[str]:
    return [part for part in piece.replace("'s", "").split("-") if part]


def _token(piece: str, names: frozenset[str], lexicon: _Lexicon, clause: int) -> Token:
    root = stem(piece.rstrip("+")) + "+" * piece.endswith("+")
    if root in lexicon.roles:
        return Token(root, lexicon.groups.get(root, frozenset()) | {root}, Sort.ROLE, clause)
    if piece in names:
        # "Team" is the name of a plan there: what else a team may be called is not it.
        return Token(root, frozenset({root}), Sort.NAME, clause)
    if is_empty(piece) or len(piece) < 2:
        return Token(piece, frozenset(), Sort.WORD, clause)
    return Token(root, lexicon.groups.get(root, frozenset()) | {root}, Sort.WORD, clause)


def _names(plain: str) -> frozenset[str]:
    """Words written with a capital where none is needed; in German, where every noun has one, this tells little."""
    found = set()
    for before, word in pairwise(re.findall(r"[\w'+-]+|[.!?:;>\n]", ". " + plain)):
        if word[:1].isupper() and (before not in ".!?:;>\n" or word[1:].lower() != word[1:]) and word != "I":
            found.add(word.lower())
    return frozenset(part for word in found for part in (word, *word.split("-")))


def _bare(text: str) -> str:
    return " ".join(re.findall(r"[^\W_]+", text.lower()))
