"""Log lines that hold ids, counts, durations and kinds, and nothing that a customer, a page or a key could fill.

A message of ours is a constant with named places: `logger.info("turn done turn_id=%s ms=%d", ...)`. The words are the
event; of the places only those on the list are written, and only when the value has no words in it. Libraries log
whatever they like, so of their messages only a constant is written, and of an exception its kinds and its frames: what
exceptions say quotes statements, bodies and addresses.
"""

import logging
import re
import sys
import traceback
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Literal, TextIO

import orjson

from tools.observing.context import current_work

LogFormat = Literal["text", "json"]
Field = str | int | float | bool | None

OURS = ("agent", "tools", "graphs", "evals", "server")
FIELDS = frozenset(
    {
        # Ids of our own making, or cleaned at the door.
        *("turn_id", "conversation_id", "workspace_id", "request_id", "bug_id", "model_id", "generation_id", "holder"),
        # Kinds: names of classes, causes, routes, tools and models of ours.
        *("error", "cause", "reason", "ability", "outcome", "status", "method", "route", "schema", "tool", "receiver"),
        *("name", "database", "new", "its", "ours", "kind", "door", "attempt"),
        # Numbers.
        *("attempts", "conversations", "count", "lost", "occurrences", "passages", "rows", "s", "ms", "pid", "errno"),
        *("left_s", "loss"),
        # Files of the installation, and what they hold.
        *("path", "folder", "sha256", "problem"),
    }
)
"""Every field that is ever written; a test compares it with what the code logs."""

_PLACE = re.compile(r"(\w+)=%(?:\.\d+)?[sdrf]")
_USABLE = re.compile(r"[\w.:/+@-]{1,200}")
# What is wrong with a file of the installation, in our own words.
_IN_WORDS = {"problem": re.compile(r"[^\x00-\x1f]{1,300}")}
_FRAMES = 12


def set_up_logging(level: str, log_format: LogFormat = "text") -> None:
    """Send logs to standard error: ours from `level` on, libraries' from warnings on."""
    root = logging.getLogger()
    for old in [old for old in root.handlers if isinstance(old, _StandardError)]:
        root.removeHandler(old)
    # Whoever embeds us may have set logging up: then lines go where they want them.
    if not root.handlers:
        handler = _StandardError()
        handler.setFormatter(JsonLines() if log_format == "json" else TextLines())
        root.addHandler(handler)
        root.setLevel(logging.WARNING)
    for package in OURS:
        logging.getLogger(package).setLevel(level.upper())


class _StandardError(logging.StreamHandler[TextIO]):
    """Writes to what standard error is when a line is written."""

    def __init__(self) -> None:
        super().__init__(sys.stderr)

    def emit(self, record: logging.LogRecord) -> None:
        self.stream = sys.stderr
        super().emit(record)


class JsonLines(logging.Formatter):
    """One JSON object a line: time, level, logger, event, ids, fields, and `exception` when there is one."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, object] = {
            "time": _time(record).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": event_of(record),
            **current_work().ids(),
            **fields_of(record),
        }
        if (said := _exception(record)) is not None:
            line["exception"] = said
        return orjson.dumps(line).decode()


class TextLines(logging.Formatter):
    """The same for people: a line, and one for each frame of an exception."""

    def format(self, record: logging.LogRecord) -> str:
        """The lines."""
        known = {**current_work().ids(), **fields_of(record)}
        told = "".join(f" {name}={value}" for name, value in known.items())
        at = _time(record).astimezone().strftime("%Y-%m-%d %H:%M:%S")
        line = f"{at},{int(record.msecs):03d} {record.levelname} {record.name} {event_of(record)}{told}"
        said = _exception(record)
        if said is None:
            return line
        return "\n".join(
            [line, *(f"  {kind}" for kind in said["kinds"]), *(f"    {where}" for where in said["frames"])]
        )


def event_of(record: logging.LogRecord) -> str:
    """What happened, without any value."""
    if not isinstance(record.msg, str):
        return "said by a library"
    if _is_ours(record):
        return " ".join(_PLACE.sub("", record.msg).split())
    if record.args:
        return record.msg[:300]
    # A finished text: somebody's name, address or words may be in it. Where it was said tells what it is.
    return f"said by a library at {record.module}:{record.lineno}"


def fields_of(record: logging.LogRecord) -> dict[str, Field]:
    """The values on the list that one of our messages carries."""
    if not _is_ours(record) or not isinstance(record.msg, str) or not record.args:
        return {}
    args = record.args
    # A lone mapping as an argument means places of another kind, which we don't use.
    values = () if isinstance(args, Mapping) else args
    return {
        name: usable
        for name, value in zip(_PLACE.findall(record.msg), values, strict=False)
        if name in FIELDS and (usable := _usable(name, value)) is not None
    }


def _usable(name: str, value: object) -> Field:
    if isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return round(value, 3)
    text = str(value)
    return text if _IN_WORDS.get(name, _USABLE).fullmatch(text) else None


def _is_ours(record: logging.LogRecord) -> bool:
    return record.name.partition(".")[0] in OURS


def _time(record: logging.LogRecord) -> datetime:
    return datetime.fromtimestamp(record.created, UTC)


def _exception(record: logging.LogRecord) -> dict[str, list[str]] | None:
    if not record.exc_info or record.exc_info[1] is None:
        return None
    chain = list(_chain(record.exc_info[1]))
    frames = traceback.extract_tb(chain[0].__traceback__)[-_FRAMES:]
    return {
        "kinds": [_kind(error) for error in chain],
        "frames": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames],
    }


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception, then what led to it."""
    seen: set[int] = set()
    at: BaseException | None = error
    while at is not None and id(at) not in seen:
        seen.add(id(at))
        yield at
        at = at.__cause__ or (None if at.__suppress_context__ else at.__context__)


def _kind(error: BaseException) -> str:
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    if isinstance(error, OSError) and error.errno is not None:
        return f"{name} errno={error.errno}"
    if isinstance(error, BaseExceptionGroup):
        return f"{name} of " + ", ".join(sorted({type(inner).__qualname__ for inner in error.exceptions}))
    return name
