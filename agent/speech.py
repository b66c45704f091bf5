"""What nodes put on the stream while they run. `graphs/translate.py` turns it into wire events."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Words:
    """A piece of the message that the turn is writing, as Markdown."""

    message_id: str
    delta: str
