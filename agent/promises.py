"""Whether a sentence says that somebody on our side has done something, or will.

Nothing in an answer makes such a sentence true: what the system does has sentences of its own, said where it is done.
"""

import re

_WE = r"(?:i|we|i'll|we'll|i've|we've|i'm|we're|our \w+|(?:a|the|my|one of our) (?:colleague|team|agent|engineer|specialist|person)s?|someone|somebody|support)"  # fmt: skip  # noqa: E501
_OURS = re.compile(
    rf"\b{_WE}\b[^.?!]{{0,40}}\b(?:will|shall|have|has|'ll|'ve|going to|am|are|is)\b[^.?!]{{0,60}}"
    r"\b(?:e-?mail|contact|refund|fix|reset|escalat|forward|report|open|creat|look|reach|call|reply|get back|let)\w*",
    re.IGNORECASE,
)


def promises(text: str) -> bool:
    """Whether `text` announces something that the support side has done, does now, or will do."""
    return _OURS.search(text.replace("’", "'")) is not None
