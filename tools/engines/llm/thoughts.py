"""What a reasoning model thinks aloud in its text, where its server doesn't take it apart."""

import re
from dataclasses import dataclass

# What begins a thought and what ends it: Qwen, DeepSeek and many others; Mistral; Kimi; gpt-oss.
_TAGS = {
    **{f"<{name}>": f"</{name}>" for name in ("think", "thinking", "thought", "reasoning", "reflection", "scratchpad")},
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|channel|>analysis<|message|>": "<|end|>",
}
# Of a model's own format, between its thoughts and its answer.
_FORMAT = (
    *("<|start|>assistant", "<|channel|>final<|message|>", "<|end|>", "<|return|>"),
    *("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "</s>"),
)
_CLOSERS = frozenset(_TAGS.values()) - {"<|end|>"}
_KNOWN = (*_TAGS, *_CLOSERS, *_FORMAT)
_ANY = re.compile("|".join(sorted(map(re.escape, _KNOWN), key=len, reverse=True)), re.IGNORECASE)
_BEGINNINGS = frozenset(known[:n] for known in _KNOWN for n in range(1, len(known)))
_MOST_CHARS = 50_000
_LONGEST = max(map(len, _KNOWN))


@dataclass(frozen=True, slots=True)
class Aloud:
    """What is left of a piece of text. `afresh`: all text before it was a thought whose beginning nobody marked."""

    text: str
    afresh: bool = False


class Thoughts:
    """Takes text as it comes and leaves thoughts out; a tag may be cut anywhere.

    Where a chat template opens the thought, the model only closes it. Such a one thinks first in each reply: with
    `begun` nothing is given out before the end of its thought, or all when there was none.
    """

    def __init__(self, *, begun: bool = False) -> None:
        self.unopened = False
        """Whether a thought was closed that nothing had opened."""
        self._buffer = ""
        self._closer: str | None = None
        self._waiting: str | None = "" if begun else None

    def feed(self, text: str) -> list[Aloud]:
        """Take more text; return what is none of the model's thoughts."""
        self._buffer += text
        found: list[Aloud] = []
        while (tag := _ANY.search(self._buffer)) is not None:
            before, self._buffer = self._buffer[: tag.start()], self._buffer[tag.end() :]
            self._pass(tag.group().lower(), before, found)
        begun = _tag_begun(self._buffer)
        self._give(self._buffer[: len(self._buffer) - begun], found)
        self._buffer = self._buffer[len(self._buffer) - begun :]
        return found

    def finish(self) -> str:
        """Return what is left when the stream has ended: a thought without an end is none of it."""
        rest = "" if self._closer is not None else (self._waiting or "") + self._buffer
        self._buffer, self._waiting = "", None
        return rest

    def _pass(self, tag: str, before: str, found: list[Aloud]) -> None:
        if self._closer is not None:
            self._closer = None if tag == self._closer else self._closer
        elif tag in _CLOSERS:
            self.unopened, self._waiting = True, None
            found[:] = [Aloud("", afresh=True)]
        else:
            self._give(before, found)
            self._closer = _TAGS.get(tag)
            if self._closer is not None:
                # It opens its thoughts itself, so nothing is waited for.
                waiting, self._waiting = self._waiting or "", None
                found += [Aloud(waiting)] if waiting else []

    def _give(self, text: str, found: list[Aloud]) -> None:
        if self._closer is not None or not text:
            return
        if self._waiting is None:
            found.append(Aloud(text))
            return
        self._waiting += text
        if len(self._waiting) > _MOST_CHARS:
            # No thought is this long within the tokens that an answer may take.
            found.append(Aloud(self._waiting))
            self._waiting = None


def without_thoughts(text: str) -> str:
    """A whole reply without what was thought aloud in it."""
    thoughts = Thoughts()
    said: list[str] = []
    for each in thoughts.feed(text):
        if each.afresh:
            said.clear()
        said.append(each.text)
    return "".join([*said, thoughts.finish()])


def _tag_begun(text: str) -> int:
    """How many characters at the end may be the beginning of a tag."""
    end = text[-_LONGEST:].lower()
    return next((len(end) - start for start in range(len(end)) if end[start:] in _BEGINNINGS), 0)
