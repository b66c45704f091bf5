"""What a short reply to our own question means: it is understood from the question, not from its words alone."""

from agent.links import title_in_words
from agent.types import Author, Citation, Message, TurnRequest, Untrusted

_YES = frozenset(
    (
        *("yes", "yeah", "yep", "sure", "ok", "okay"),
        *("ja", "gerne"),
        *("sí", "si", "vale", "claro"),
    )
)
_PLEASE = frozenset(("please", "yes please", "ja bitte", "bitte", "por favor", "sí por favor"))
_EXACTLY = frozenset(
    (
        *("yes that s it", "that s it", "yes that", "exactly", "yes exactly", "yes it is", "correct", "right"),
        *("genau", "ja genau", "ja darum geht es", "richtig", "stimmt"),
        *("exacto", "eso es", "sí eso es", "correcto"),
    )
)


def agrees(text: str) -> bool:
    """Whether a reply to an offer is a bare yes."""
    return _plain(text) in _YES | _PLEASE


def named(article: Citation) -> str:
    """An article as we name it when we ask whether it is about that."""
    return f"“{title_in_words(article.title)}” [{article.n}]"


def confirmed_question(request: TurnRequest) -> tuple[tuple[Untrusted, ...], tuple[Message, ...]] | None:
    """The question that a yes to "is it about that?" asks again, with the conversation before it.

    None when the bot named no article, or the customer said anything else: "yes, please" takes up the other offer, a
    person.
    """
    if not request.history or _plain(" ".join(text.render_plain() for text in request.texts)) not in _YES | _EXACTLY:
        return None
    *before, asked = request.history
    if asked.author is not Author.BOT or not any(named(c) in asked.text.render_plain() for c in asked.citations):
        return None
    texts: list[Untrusted] = []
    while before and before[-1].author is Author.CUSTOMER:
        texts.insert(0, before.pop().text)
    return (tuple(texts), tuple(before)) if texts else None


def _plain(text: str) -> str:
    return " ".join("".join(c if c.isalpha() else " " for c in text.lower()).split())
