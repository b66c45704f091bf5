"""One line in the log when traces stop getting through, and one when they do again."""

import logging

logger = logging.getLogger(__name__)


class Outage:
    """Remembers whether traces get to one receiver. A turn never hears of it."""

    def __init__(self, receiver: str) -> None:
        self._receiver = receiver
        self._lost = 0
        self._ended = False

    def lost(self, cause: str, count: int = 1) -> None:
        """So many turns or spans didn't get there; `cause` is a word or the name of a class, never a message."""
        if not self._lost and not self._ended:
            logger.warning("traces don't get through and are dropped receiver=%s cause=%s", self._receiver, cause)
        self._lost += count

    def end(self) -> None:
        """Say nothing any more: whoever still tries was given up."""
        self._ended = True

    def delivered(self) -> None:
        """Something got there."""
        if self._lost and not self._ended:
            logger.warning("traces get through again receiver=%s lost=%d", self._receiver, self._lost)
        self._lost = 0
