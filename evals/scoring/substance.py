"""Whether there was a request at all: greetings, thanks and spam can't be contained, and must not be counted so."""

import re

from agent.types import Kind
from evals.labels.label import Label
from evals.replay.case import Case

_EMPTY_KINDS = (Kind.SMALL_TALK, Kind.ABUSE)

# Whole messages that ask for nothing, in the languages we speak: for tickets that nobody labelled.
_EMPTY = """
hi hello hey heya hallo hola moin servus guten tag morgen abend buenos buenas dias días tardes noches good morning
afternoon evening day there team all everyone dear hiya greetings liebe lieber liebes grüße gruß saludos
thanks thank you u thx ty cheers danke dankeschön vielen lieben dank schön gracias muchas mil merci
bye goodbye tschüss ciao adiós adios ok okay yes no ja nein sí si great perfect super toll genial perfecto cool nice
very much so many a lot test testing ping best kind regards
"""
_WORDS = frozenset(_EMPTY.split())
_WORD = re.compile(r"[^\W\d_]+")


def is_substantive(case: Case, label: Label) -> bool | None:
    """Whether the first message asks for something; None when nobody said and nothing of it was logged.

    A label decides. Without one the customer's own words do: only a message made of greetings and thanks alone asks
    for nothing. What our agent took it for plays no part, or it could choose what it is measured on.
    """
    if label.kind is not None:
        empty = label.kind in _EMPTY_KINDS and label.needs_person is not True and not label.articles
        return not empty
    if label.needs_person or label.articles or label.is_bug:
        return True
    if not case.turns:
        return None
    return not says_nothing("\n".join(case.turns[0].texts))


def says_nothing(text: str) -> bool:
    """Whether a text is made of greetings and thanks alone, or has no word at all."""
    return all(word in _WORDS for word in _WORD.findall(text.lower()))
