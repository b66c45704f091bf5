"""Whether an article knows the trouble that a customer reports, and isn't only about the same thing.

"How to invite members" is near "the invite button does nothing", and no help. What helps is a sentence about what goes
wrong that is near to it: "If the connection has expired, reconnect it."
"""

import re
from collections.abc import Iterator, Sequence

from agent.types import Passage
from tools.engines.local.choosing import Reading
from tools.engines.local.pieces import Piece, cut
from tools.engines.local.vectors import VectorMemory

# Words of what goes wrong, what to check then, and what isn't possible.
_ABOUT_TROUBLE = re.compile(
    r"\b(?:check|make sure|if (?!you like\b|you want\b)|try|reload|reconnect|isn't|aren't|can't|cannot|doesn't|don't"
    r"|not supported|no longer|expire[sd]?|invalid|missing|wrong|only|until|wait|locked|limit|up to|at most"
    r"|prüfen|wenn|falls|nicht|kein\w*|nur|abgelaufen|ungültig|fehlt|falsch|gesperrt|höchstens"
    r"|si |compruebe|revise|no (?:llega|se|es|está|hay)|solo|caducad[oa]|bloquead[oa]|máximo)\b",
    re.IGNORECASE,
)
# The cosine from which such a sentence may be what is meant, and from which it is. Tried on reports of trouble that an
# article of the example, and of a product written for this, is about (10 of 13 come to more than one half), and on
# reports of bugs of which no article knows (2 of 9).
_FROM, _SURE = 0.45, 0.57
# The same for the share of the question's words, without an embedding model.
_WORDS_FROM, _WORDS_SURE = 0.4, 0.75
_MOST_SENTENCES = 40
_IF_IT = re.compile(r"(?:if|wenn|falls|si) (?:it|they|that|this|es|sie|das|no|esto)\b", re.IGNORECASE)


async def remedy(asked: Reading, passages: Sequence[Passage], memory: VectorMemory) -> float:
    """How likely the best article's passages know the trouble that `asked` reports, in [0, 1]."""
    if not passages:
        return 0.0
    best = max(passages, key=lambda passage: passage.score).article_id
    article = [passage for passage in passages if passage.article_id == best]
    texts = [text for passage in article for text in _sentences(cut(passage))]
    texts += [heading for passage in article for heading in (passage.title, passage.section)]
    about = [text for text in dict.fromkeys(texts) if _ABOUT_TROUBLE.search(text)][:_MOST_SENTENCES]
    if not about:
        return 0.0
    rows = await memory.embed(about) if asked.vector is not None else None
    if rows is None or asked.vector is None:
        return _ramp(max(asked.shared(text) for text in about), _WORDS_FROM, _WORDS_SURE)
    return _ramp(float((rows @ asked.vector).max()), _FROM, _SURE)


def _sentences(pieces: Sequence[Piece]) -> Iterator[str]:
    """What each piece says; "If it doesn't arrive, ..." says it together with the piece before."""
    before = ""
    for piece in pieces:
        yield f"{before} {piece.text}" if before and (piece.leans_back or _IF_IT.match(piece.text)) else piece.text
        before = piece.text


def _ramp(value: float, low: float, high: float) -> float:
    return min(1.0, max(0.0, (value - low) / (high - low)))
