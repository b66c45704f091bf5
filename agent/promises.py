"""Whether a sentence says that somebody on our side has done something, does it now, or will.

Nothing in an answer makes such a sentence true: what the system does has sentences of its own, said where it is done.
An offer ("shall I fetch someone?") is no promise, nor is what the product does by itself, what a rule says for
everyone, or that an explanation follows.
"""

import html
import re
import unicodedata

from agent.promising.grammar import read_grammars

# A name on the page: what a button or a message says, it says for somebody else.
_LABEL = re.compile(
    r"\b(click(?:s|ing)?|choos(?:e|es|ing)|select|press|pick|tap|hit|on|under|in|sees?|says?|shows?|reads?|named|called|"
    r"button|link|option|field|message|klicken|wählen|drücken|auf|unter|steht|heißt|meldung|pulse|pulsa|elija|elige|"
    r"seleccione|seleccionar|diga|dice|pone|botón|opción|mensaje) (?:the |el |la |den |die |das |sie )?"
    r"(?:\*\*[^*\n]{1,60}\*\*|`[^`\n]{1,60}`|[\"“„«‘'][^\"“”„«»‘’\n]{1,60}[\"“”»’'])",
    re.IGNORECASE,
)
# Markdown's marks, and characters that show nothing but could part a word.
_UNSEEN = re.compile(
    "[*`~\\\\\u00ad\u200b-\u200f\u2060\ufeff]|\\]\\([^()\\[\\]]{0,500}\\)|(?<![^\\W_])_{1,3}|_{1,3}(?![^\\W_])"
)
_NEW_ITEM = re.compile(r"\n[ \t]{0,8}(?=[\n\-*+•#>|]|\d{1,3}[.)])")
_TOKEN = re.compile(r"\d+(?:[.,:]\d+)*|[^\W_]+(?:['-][^\W_]+)*|[,¿;()–—…]|[.!?:](?![^\W_])")
_STOPS = frozenset(".!?;:()–—…¿")
# "'s" may be "is", "has" or an owner: the grammar sees which.
_ENDINGS = {"'ll": "will", "'ve": "have", "'re": "are", "'m": "am", "'d": "would", "'s": "'s", "n't": "not"}
_WHOLE = {
    "can't": ["can", "not"], "cannot": ["can", "not"], "won't": ["will", "not"], "shan't": ["shall", "not"],
    "gonna": ["going", "to"],
}  # fmt: skip


def promises(text: str) -> bool:
    """Whether `text` announces something that the support side has done, does now, or will do."""
    clauses = _clauses(text)
    seen = {word for clause in clauses for word in clause}
    # A sentence with no word that marks a language may be in any.
    spoken = [grammar for grammar in read_grammars() if not grammar.marks.isdisjoint(seen)] or read_grammars()
    return any(grammar.finds_promise(clause) for grammar in spoken for clause in clauses)


def _clauses(text: str) -> list[list[str]]:
    """The words and commas between two stops, without Markdown, in lower case; what is asked is left out."""
    plain = _LABEL.sub(r"\1 label", unicodedata.normalize("NFKC", html.unescape(text))).lower()
    plain = plain.replace("’", "'").replace("‘", "'").replace("´", "'").replace(" - ", " – ")
    plain = _UNSEEN.sub("", _NEW_ITEM.sub(" … ", plain))
    clauses: list[list[str]] = []
    clause: list[str] = []
    opened = False
    for word in _TOKEN.findall(plain):
        if word not in _STOPS:
            clause.extend(_spelt_out(word))
            continue
        if word == "?":
            clause = [] if opened else _before_the_question(clause)
        if clause:
            clauses.append(clause)
        clause = []
        opened = word == "¿"
    if clause:
        clauses.append(clause)
    return clauses


def _spelt_out(word: str) -> list[str]:
    if word in _WHOLE:
        return _WHOLE[word]
    if "'" in word:
        for ending, meant in _ENDINGS.items():
            if word.endswith(ending):
                return [word.removesuffix(ending), meant]
    return [word]


def _before_the_question(clause: list[str]) -> list[str]:
    """What a clause that ends as a question says before it asks: "I've sent it" of "I've sent it, did it arrive?"."""
    if "," not in clause or any(clause[0] in grammar.asks for grammar in read_grammars()):
        return []
    return clause[: len(clause) - 1 - clause[::-1].index(",")]
