"""The bytes of an export as a stream of JSON values: gzip, encodings, JSON Lines and JSON documents of any size."""

import codecs
import hashlib
import io
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import ijson
import orjson

from agent.errors import BadTurn, Misconfigured

Layout = Literal["lines", "array", "object", "table"]
OnBytes = Callable[[int], None]

MAX_LINE_BYTES = 64 * 1024 * 1024
_CHUNK = 1 << 20
_HEAD = 4096
_SNIFFED_LINES = 20
_MAX_SNIFFED_BYTES = _CHUNK
_REPAIR = "helpgraph-cp1252"


class CutOff(Exception):
    """The file ends, or stops being JSON, in the middle of the line or record `number`. What came before it stands."""

    def __init__(self, message: str, number: int) -> None:
        super().__init__(message)
        self.number = number


@dataclass(frozen=True, slots=True)
class Value:
    """A line of JSON Lines, or what stands at a place of a document's list; both count from 1.

    `wrong` says why it holds no value; `repaired` that bytes of it were no UTF-8 and were read as Windows-1252.
    """

    number: int
    data: Any = None
    wrong: str | None = None
    repaired: bool = False


class Source:
    """A file that is read as often as it takes, never held as a whole.

    Raises:
        Misconfigured: the file can't be read.
        BadTurn: what it holds is no JSON; the message says what it looks like.
    """

    def __init__(self, path: Path, *, on_bytes: OnBytes | None = None) -> None:
        self._path = path
        self._on_bytes = on_bytes
        try:
            self.size_bytes = path.stat().st_size
            with path.open("rb") as file:
                head = file.read(_HEAD)
                self._gzipped = head.startswith(b"\x1f\x8b")
                if self._gzipped:
                    file.seek(0)
                    head = io.BufferedReader(_Unzipped(file), _CHUNK).read(_HEAD)
        except OSError as exc:
            raise Misconfigured(f"{path}: can't be read ({exc.strerror or exc})") from exc
        self._encoding = _encoding(head)
        self._hash: Any = None
        self._unzipped: _Unzipped | None = None
        self.layout: Layout = "table"
        if not _is_table(head, self._encoding):
            if (seen := _no_json(head, self._encoding)) is not None:
                raise BadTurn(f"{path} holds no tickets: it looks like {seen}. docs/tickets.md describes what is read")
            self.layout = self._sniff()

    @property
    def sha256(self) -> str:
        """Of the whole file, once `lines` or `records` were read to their end."""
        if self._hash is None:
            raise RuntimeError("the file hasn't been read yet")
        return str(self._hash.hexdigest())

    def lines(self) -> Iterator[Value]:
        """Each line's value.

        Raises:
            CutOff: the last line has no end and is no JSON, or the compressed file breaks off.
        """
        number = 0
        with self._opened(hashed=True) as file:
            for number, (raw, ended) in enumerate(_lines(file), 1):
                if raw is None:
                    yield Value(number, wrong=f"longer than {MAX_LINE_BYTES >> 20} MB")
                    continue
                raw = _stripped(raw)
                if not raw:
                    continue
                value = _parsed(number, raw)
                if value.wrong and not ended:
                    raise CutOff("the last line is cut off", number)
                yield value
            self.check_unzipped(number)

    def records(self, prefix: str) -> Iterator[Value]:
        """What stands at a document's places of this prefix (ijson's notation), in order.

        Raises:
            CutOff: the document breaks off, or what follows is no JSON.
        """
        yield from self._streamed(lambda file: ijson.items(file, prefix, use_float=True, multiple_values=True))

    def pairs(self, prefix: str) -> Iterator[Value]:
        """The keys and values of the object at a document's place, as pairs."""
        yield from self._streamed(lambda file: ijson.kvitems(file, prefix, use_float=True, multiple_values=True))

    def opened_text(self) -> io.TextIOWrapper:
        """The characters of a table, line ends as they are."""
        return io.TextIOWrapper(self._opened(hashed=True, repaired=True), encoding="utf-8", newline="")

    def check_unzipped(self, number: int) -> None:
        """Raise `CutOff` when the file was compressed, and what was read of it was cut off or damaged."""
        if self._unzipped is not None and self._unzipped.damaged:
            raise CutOff("the compressed file is cut off or damaged", number)

    def _streamed(self, parse: Callable[[Any], Iterator[Any]]) -> Iterator[Value]:
        number = 0
        with self._opened(hashed=True, repaired=True) as file:
            try:
                for number, data in enumerate(parse(file), 1):
                    yield Value(number, data)
                _drain(file)
                self.check_unzipped(number)
            except (ijson.JSONError, UnicodeDecodeError) as exc:
                raise CutOff("the file breaks off, or stops being JSON, in this record", number + 1) from exc

    def _opened(self, *, hashed: bool = False, repaired: bool = False) -> io.BufferedReader:
        watched = _Watched(self._path, self._on_bytes if hashed else None)
        if hashed:
            self._hash = watched.sha256
        file: Any = io.BufferedReader(watched, _CHUNK)
        if self._gzipped:
            file = self._unzipped = _Unzipped(file)
        if self._encoding != "utf-8" or repaired:
            file = io.BufferedReader(_Recoded(file, self._encoding), _CHUNK)
        return file if isinstance(file, io.BufferedReader) else io.BufferedReader(file, _CHUNK)

    def _sniff(self) -> Layout:
        with self._opened() as file:
            filled = (line for line in map(_stripped, _beginnings(file)) if line)
            first = next(filled, b"")
            if first.startswith(b"["):
                # Lists on lines of their own are pages, one after the other.
                return "lines" if _is_whole(first) and next(filled, None) is not None else "array"
            if len(first) > _MAX_SNIFFED_BYTES:
                # A document on one line is streamed as one; what has a second line is JSON Lines.
                return "object" if next(filled, None) is None else "lines"
            if _is_whole(first):
                return "object" if is_page(_parsed(1, first).data) and next(filled, None) is None else "lines"
            return "lines" if any(map(_is_whole, islice(filled, _SNIFFED_LINES))) else "object"


def is_page(data: Any) -> bool:
    """Whether an object is a helpdesk's answer that lists records, and no record itself."""
    return (
        isinstance(data, dict)
        and "id" not in data
        and any(isinstance(data.get(key), list) for key in ("tickets", "conversations", "results"))
    )


def _beginnings(file: io.BufferedReader) -> Iterator[bytes]:
    """Lines, and of those that are too long to be looked at, what they begin with."""
    while raw := file.readline(_MAX_SNIFFED_BYTES + 1):
        more = raw
        while len(more) > _CHUNK and not more.endswith(b"\n"):
            more = file.readline(_CHUNK + 1)
        yield raw


def _stripped(raw: bytes) -> bytes:
    return raw.strip(b" \t\r\n\x1e\xef\xbb\xbf")


def _is_whole(line: bytes) -> bool:
    """Whether a line is a value that can be a record or a page of them."""
    data = _parsed(1, line).data
    return isinstance(data, dict | list) and bool(data)


def _lines(file: io.BufferedReader) -> Iterator[tuple[bytes | None, bool]]:
    """Lines and whether they had an end; None for one that is too long."""
    while raw := file.readline(MAX_LINE_BYTES):
        ended = raw.endswith(b"\n")
        if not ended and len(raw) >= MAX_LINE_BYTES:
            while (more := file.readline(_CHUNK)) and not more.endswith(b"\n"):
                pass
            yield None, True
        else:
            yield raw, ended


def _parsed(number: int, raw: bytes) -> Value:
    try:
        return Value(number, orjson.loads(raw))
    except orjson.JSONDecodeError:
        pass
    try:
        raw.decode()
    except UnicodeDecodeError:
        _know_repair()
        try:
            return Value(number, orjson.loads(raw.decode("utf-8", errors=_REPAIR)), repaired=True)
        except orjson.JSONDecodeError:
            pass
    return Value(number, wrong="no JSON")


def _encoding(head: bytes) -> str:
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "utf-32"),
        (codecs.BOM_UTF32_BE, "utf-32"),
        (codecs.BOM_UTF16_LE, "utf-16"),
        (codecs.BOM_UTF16_BE, "utf-16"),
    ):
        if head.startswith(mark):
            return encoding
    # JSON begins with two ASCII characters, so a zero byte beside the first tells the width (RFC 4627, section 3).
    if len(head) >= 2 and head[0] and not head[1]:
        return "utf-16-le"
    return "utf-16-be" if len(head) >= 2 and not head[0] and head[1] else "utf-8"


def _no_json(head: bytes, encoding: str) -> str | None:
    """What a beginning looks like that is no JSON's; None for JSON's."""
    text = head.decode(encoding, errors="replace").lstrip("\ufeff \t\r\n\x1e")
    if not text:
        return "an empty file"
    if text[0] in "{[":
        return None
    if head.startswith(b"PK\x03\x04"):
        return "a ZIP archive or a spreadsheet: unpack it, or export JSON"
    if text.startswith("<"):
        return "XML or HTML: export JSON"
    if text.startswith("SQLite format 3"):
        return "an SQLite database"
    return "text or bytes that are no JSON"


def _is_table(head: bytes, encoding: str) -> bool:
    """Whether a beginning looks like a table's: three columns and more, and nothing that no text has."""
    _know_repair()
    text = head.decode(encoding, errors=_REPAIR if encoding == "utf-8" else "replace").lstrip("\ufeff \t\r\n\x1e")
    if not text or text[0] in "{[<" or head.startswith(b"PK\x03\x04"):
        return False
    first = text.splitlines()[0]
    printed = all(char.isprintable() or char == "\t" for char in first) and "\ufffd" not in first
    return printed and max(map(first.count, ",;\t")) >= 2


def _drain(file: io.BufferedReader) -> None:
    while file.read(_CHUNK):
        pass


def _know_repair() -> None:
    """Make the error handler known that reads bytes as Windows wrote them. Registering again changes nothing."""
    codecs.register_error(_REPAIR, _as_windows_wrote_it)


def _as_windows_wrote_it(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeDecodeError):
        raise error
    raw = error.object[error.start : error.end]
    return "".join(bytes([byte]).decode("cp1252", errors="replace") for byte in raw), error.end


class _Watched(io.RawIOBase):
    """A file that is hashed, and counted, as it is read from its beginning to its end."""

    def __init__(self, path: Path, on_bytes: OnBytes | None) -> None:
        super().__init__()
        self._file = path.open("rb", buffering=0)
        self._on_bytes = on_bytes
        self._done = 0
        self.sha256 = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        size = self._file.readinto(buffer) or 0
        self.sha256.update(memoryview(buffer)[:size])
        self._done += size
        if self._on_bytes is not None:
            self._on_bytes(self._done)
        return size

    def close(self) -> None:
        self._file.close()
        super().close()


class _Unzipped(io.RawIOBase):
    """What a gzip file holds, up to where it is damaged.

    Python's `gzip` raises at the end of a file that is cut off, before it gives what it had read until then.
    """

    def __init__(self, file: Any) -> None:
        super().__init__()
        self._file = file
        self._zip = zlib.decompressobj(wbits=31)
        self._packed = b""
        self._ready = b""
        self.damaged = False

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready and self._go_on():
            pass
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def _go_on(self) -> bool:
        """Unpack some more; whether there was any."""
        if self.damaged:
            return False
        self._packed = self._packed or self._file.read(_CHUNK)
        if not self._packed:
            self.damaged = not self._zip.eof
            return False
        if self._zip.eof:
            # Another member: files that were compressed one by one and put together.
            self._packed = self._packed.lstrip(b"\0")
            if not self._packed:
                return True
            self._zip = zlib.decompressobj(wbits=31)
        try:
            self._ready = self._zip.decompress(self._packed, _CHUNK)
        except zlib.error:
            self.damaged = True
            return False
        self._packed = self._zip.unused_data if self._zip.eof else self._zip.unconsumed_tail
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


class _Recoded(io.RawIOBase):
    """What a file of any encoding holds, as UTF-8."""

    def __init__(self, file: Any, encoding: str) -> None:
        super().__init__()
        _know_repair()
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig" if encoding == "utf-8" else encoding)(
            errors=_REPAIR if encoding == "utf-8" else "replace"
        )
        self._ready = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._ready:
            raw = self._file.read(_CHUNK)
            self._ready = self._decoder.decode(raw, final=not raw).encode("utf-8", errors="replace")
            if not raw:
                break
        size = min(len(buffer), len(self._ready))
        buffer[:size] = self._ready[:size]
        self._ready = self._ready[size:]
        return size

    def close(self) -> None:
        self._file.close()
        super().close()
