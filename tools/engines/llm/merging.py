"""Reads a model's event stream and merges the tokens of a sentence into one event.

What a token costs downstream (the openai client, langchain, callbacks) is paid per event, and an answer is shown
sentence by sentence anyway.
"""

import re
from typing import Any

import orjson

from tools.engines.llm.deadlines import StreamTooLarge

# A sentence or a line ends: a mark and white space behind it, or a mark of a script that puts none there.
_END = re.compile(r"""[.!?:]["'”’»)\]*_]{0,3}\s|[。！？]|\n""")
# As many characters of the end as a match may begin in.
_TAIL = 4
_BOM = b"\xef\xbb\xbf"
# These differ from event to event and nobody reads them: the time, and padding against listeners.
_PASSING = ("created", "obfuscation")
# What a model thinks, where its server takes it apart from the text. It is shown to nobody.
_THINKING = ("reasoning_content", "reasoning", "reasoning_details")
_TOKENS = ("content", "tool_calls", "function_call", "refusal", *_THINKING)
_UNNOTED = ("content", "role", *_THINKING)


class Merger:
    """Turns the bytes of one stream into the bytes that the client is given.

    Events that add to the text alone are merged, until a sentence or a line ends, `max_chars` are held, or a token
    comes when the first has waited `hold_s`. Thoughts that come apart from the text are left out. Every other event
    (tool call, finish, usage, error, `[DONE]`, what isn't JSON) passes as it is, behind what was held. Comments, ids
    and events without data are dropped.

    Source: the HTML standard, "Server-sent events", section "Interpreting an event stream". Unlike there, a last event
    that no empty line follows counts: what is left when the stream ends is half an event or a whole one, and
    the client shall see either.
    """

    def __init__(self, *, hold_s: float, max_chars: int, max_event_bytes: int) -> None:
        self.tokens = 0
        """How many events with text, a thought, a piece of a tool call or a refusal came so far."""
        self._hold_s = hold_s
        self._max_chars = max_chars
        self._lines = _Lines(max_event_bytes)
        self._max_event_bytes = max_event_bytes
        # The event that is being read.
        self._data: list[bytes] = []
        self._size = 0
        self._name = b""
        # What is held: the first event as it came, what it says beside its text, and the texts.
        self._raw = b""
        self._frame: dict[str, Any] | None = None
        self._passing: list[tuple[str, Any]] = []
        self._role: Any = None
        self._texts: list[str] = []
        self._chars = 0
        self._held_since = 0.0
        self._tail = ""
        self._out: list[bytes] = []

    def feed(self, data: bytes, now: float) -> bytes:
        """Take what arrived at `now`, in seconds, and return what the client shall have, which may be nothing.

        Raises:
            StreamTooLarge: an event is larger than allowed; `cut` has what came before it.
        """
        for line in self._lines.feed(data):
            self._read_line(line, now)
        return self._take()

    def end(self, now: float) -> bytes:
        """Return what is left when the stream has ended."""
        for line in (*self._lines.end(), b""):
            self._read_line(line, now)
        return self.cut()

    def cut(self) -> bytes:
        """Return what is left when the stream broke off: the whole events that were held."""
        self._flush()
        return self._take()

    def _take(self) -> bytes:
        taken = b"".join(self._out)
        self._out.clear()
        return taken

    def _read_line(self, line: bytes, now: float) -> None:
        if not line:
            if self._data:
                self._read_event(b"\n".join(self._data), now)
                self._data.clear()
            self._name = b""
            self._size = 0
            return
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._size += len(line)
            if self._size > self._max_event_bytes:
                raise StreamTooLarge("event", self._max_event_bytes)
            self._data.append(value)
        elif field == b"event":
            self._name = value

    def _read_event(self, data: bytes, now: float) -> None:
        event = _parsed(data)
        text = None
        if event is not None:
            self.tokens += _has_token(event)
            if self._name in (b"", b"message"):
                text = _plain_text(event)
        if event is not None and text is not None:
            self._hold(event, data, text, now)
        elif data:
            self._flush()
            self._pass(orjson.dumps(event) if event is not None and _wrote_arguments(event) else data)

    def _hold(self, event: dict[str, Any], data: bytes, text: str, now: float) -> None:
        delta = event["choices"][0]["delta"]
        for name in ("content", *_THINKING):
            delta.pop(name, None)
        role = delta.pop("role", None)
        passing = [(name, event.pop(name)) for name in _PASSING if name in event]
        if self._frame is not None and event != self._frame:
            self._flush()
        if self._frame is None:
            self._frame = event
            self._passing = passing
            self._raw = data
        self._role = self._role or role
        if not self._chars:
            self._held_since = now
        self._texts.append(text)
        self._chars += len(text)
        seen = self._tail + text
        end = 0
        if _END.search(seen):
            end = max(match.end() for match in _END.finditer(seen))
        self._tail = seen[end:][-_TAIL:]
        if end or self._chars >= self._max_chars or now - self._held_since >= self._hold_s:
            self._flush()

    def _flush(self) -> None:
        if self._frame is None:
            return
        if len(self._texts) == 1:
            self._out.append(_written(self._raw))
        else:
            delta = self._frame["choices"][0]["delta"]
            delta["content"] = "".join(self._texts)
            if self._role is not None:
                delta["role"] = self._role
            self._out.append(_written(orjson.dumps({**self._frame, **dict(self._passing)})))
        self._frame = None
        self._role = None
        self._texts.clear()
        self._chars = 0

    def _pass(self, data: bytes) -> None:
        if self._name:
            self._out.append(b"event: " + self._name + b"\n")
        self._out.append(_written(data))


class _Lines:
    """Cuts bytes into lines that end in LF, CR or both, wherever the pieces were cut; a BOM at the start is dropped."""

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._rest = bytearray()
        self._at_start = True
        self._after_cr = False

    def feed(self, data: bytes) -> list[bytes]:
        if self._at_start:
            data = bytes(self._rest) + data
            self._rest.clear()
            if len(data) < len(_BOM) and _BOM.startswith(data):
                self._rest += data
                return []
            data = data.removeprefix(_BOM)
            self._at_start = False
        if self._after_cr and data:
            data = data.removeprefix(b"\n")
            self._after_cr = False
        if b"\r" in data:
            self._after_cr = data.endswith(b"\r")
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        lines: list[bytes] = []
        if b"\n" in data:
            lines = (bytes(self._rest) + data).split(b"\n")
            self._rest.clear()
            data = lines.pop()
        # Growing in place: a line that comes byte by byte isn't copied at each.
        self._rest += data
        if len(self._rest) > self._max_bytes:
            raise StreamTooLarge("event", self._max_bytes)
        return lines

    def end(self) -> list[bytes]:
        return [bytes(self._rest)] if self._rest else []


def _parsed(data: bytes) -> dict[str, Any] | None:
    try:
        event = orjson.loads(data)
    except orjson.JSONDecodeError:
        return None
    return event if isinstance(event, dict) else None


def _has_token(event: dict[str, Any]) -> bool:
    choices = event.get("choices")
    if not isinstance(choices, list):
        return False
    for choice in choices:
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if isinstance(delta, dict) and any(delta.get(name) for name in _TOKENS):
            return True
    return False


def _wrote_arguments(event: dict[str, Any]) -> bool:
    """Whether a call's arguments came as an object and are text now, which the client wants them to be."""
    wrote = False
    choices = event.get("choices")
    for choice in choices if isinstance(choices, list) else []:
        delta = choice.get("delta") if isinstance(choice, dict) else None
        calls = delta.get("tool_calls") if isinstance(delta, dict) else None
        for call in calls if isinstance(calls, list) else []:
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), dict):
                function["arguments"] = orjson.dumps(function["arguments"]).decode()
                wrote = True
    return wrote


def _plain_text(event: dict[str, Any]) -> str | None:
    """The text that the event adds, when that, a role or a thought is all it says."""
    choices = event.get("choices")
    if not isinstance(choices, list) or len(choices) != 1 or not isinstance(choices[0], dict):
        return None
    choice = choices[0]
    delta = choice.get("delta")
    if (
        choice.get("index", 0) != 0
        or choice.get("finish_reason") is not None
        or choice.get("logprobs") is not None
        or event.get("usage") is not None
        or event.get("error") is not None
        or not isinstance(delta, dict)
    ):
        return None
    for name, value in delta.items():
        if value and name not in _UNNOTED:
            return None
    text = delta.get("content") or ""
    return text if isinstance(text, str) else None


def _written(data: bytes) -> bytes:
    return b"data: " + data.replace(b"\n", b"\ndata: ") + b"\n\n"
