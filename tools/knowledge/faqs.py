"""Questions that an article asks without a heading: each is a section, as if it were one.

**How can I pay?** By card.            ## How can I pay?
                                 ->
Q: Is there a discount?                By card.
A: For schools.
                                       ## Is there a discount?

                                       For schools.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

_MARK = r"\*\*|__"
_MOST_CHARACTERS = 300
# "**Why?**" goes on with what stands before it.
_FEWEST_WORDS = 2
_ASKS = r"(?:Q|F|P|Question|Frage|Pregunta)[ ]?\d{0,3}:"
_ANSWERS = r"(?:A|R|Answer|Antwort|Respuesta)[ ]?\d{0,3}:"
_BOLD = re.compile(
    rf"^[ ]{{0,3}}(?P<mark>{_MARK})(?=\S)(?P<said>(?:(?!(?P=mark)).){{2,{_MOST_CHARACTERS}}})(?P=mark)"
    r"(?P<sign>[ ]?[?!.:])?",
    re.MULTILINE | re.DOTALL,
)
_MARKED = re.compile(
    rf"^[ ]{{0,3}}(?:{_MARK})?{_ASKS}(?:{_MARK})?[ \t]+(?:{_MARK})?"
    rf"(?P<said>[^\n]{{2,{_MOST_CHARACTERS}}}?\?)(?:{_MARK})?[ \t]*(?=\n|\Z|(?:{_MARK})?{_ANSWERS})",
    re.MULTILINE,
)
_ANSWER_MARK = re.compile(rf"\s*(?:(?P<mark>{_MARK}){_ANSWERS}(?P=mark)|{_ANSWERS})[ \t]+")
# Between a question and its answer: a colon or a dash, the end of the line however it is written.
_BETWEEN = re.compile(r"(?:\s|\\\n|<br[ ]?/?>|[:–—-](?=\s))+")
# What is so called belongs to the answer above it.
_ASIDES = frozenset(
    """note notes important tip tips hint warning caution attention remember example
    hinweis hinweise wichtig tipp tipps achtung vorsicht beachten beispiel
    nota notas importante consejo aviso atención ojo ejemplo""".split()  # noqa: SIM905  # Words read as prose.
)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of a paragraph. `question` is what it answers, None for what goes on as before.

    `asked` is the question as it stands there; `ends` tells that the part has a beginning in bold of its own ("**My
    card was declined.** We try again"), and so answers no question before it.
    """

    text: str
    question: str | None = None
    asked: str = ""
    ends: bool = False


def asks(body: str) -> bool:
    """Whether an article's Markdown may hold such questions."""
    return bool(_questions(body))


def stretches(paragraph: str) -> Iterator[Stretch]:
    """Yield a paragraph in parts: what stands before its first question, then each question with its answer."""
    questions = _questions(paragraph)
    starts = [*(found.start() for found in questions), len(paragraph)]
    before = paragraph[: starts[0]]
    if before.strip():
        yield Stretch(before.strip("\n"), ends=_begins_anew(before))
    for found, end in zip(questions, starts[1:], strict=True):
        answer = paragraph[found.end() : end]
        between = _BETWEEN.match(answer)
        answer = answer[between.end() :] if between else answer
        yield Stretch(answer.rstrip(), _plain(found["said"], found.groupdict().get("sign")), found.group().strip())


def without_mark(answer: str) -> str:
    """An answer without the "A:" that it begins with."""
    mark = _ANSWER_MARK.match(answer)
    return answer[mark.end() :] if mark else answer


def _questions(text: str) -> list[re.Match[str]]:
    found = {match.start(): match for match in _BOLD.finditer(text) if _is_question(match)}
    # "**Q: How can I pay?**" is both.
    found |= {match.start(): match for match in _MARKED.finditer(text)}
    return [found[start] for start in sorted(found)]


def _is_question(found: re.Match[str]) -> bool:
    said = _plain(found["said"], found["sign"])
    return said.endswith(("?", "?)", "?”", '?"', "?“", "?»")) and len(said.split()) >= _FEWEST_WORDS


def _plain(said: str, sign: str | None) -> str:
    words = " ".join(said.split()).rstrip(" :")
    return words + "?" if sign and sign.strip() == "?" and not words.endswith("?") else words


def _begins_anew(text: str) -> bool:
    found = _BOLD.match(text)
    if found is None or not (found["sign"] or found["said"].rstrip().endswith((".", "!", ":"))):
        return False
    return found["said"].strip(" .:!").lower() not in _ASIDES
