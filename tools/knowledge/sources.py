"""Where articles come from: a folder, a zip of one, or JSON Lines. A bad file is refused by name; the rest goes on."""

import lzma
import os
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from agent.errors import BadTurn
from tools.knowledge.articles import MAX_ARTICLE_BYTES, Article, Refusal, Refused
from tools.knowledge.parse import parse_file, parse_json_line
from tools.knowledge.split import Piece, split

SUFFIXES = (".md", ".markdown", ".html", ".htm")
MAX_FILES = 200_000
MAX_TOTAL_BYTES = 2 * 1024**3
MAX_RATIO = 100
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Reading:
    """What a source held: articles, each with one passage or more, and what was refused."""

    articles: tuple[Article, ...]
    refused: tuple[Refusal, ...]
    pieces: tuple[Piece, ...]


def read_source(path: Path) -> Reading:
    """Read every article under `path`.

    Raises:
        BadTurn: there is nothing at `path`, it is of no kind that is read, or it holds no article at all.
    """
    articles: dict[str, Article] = {}
    refused: list[Refusal] = []
    pieces: list[Piece] = []
    for source, result in _results(path):
        if isinstance(result, Refusal):
            refused.append(result)
        elif result.article_id in articles:
            first = articles[result.article_id].source
            refused.append(Refusal(source, f"the id {result.article_id!r} was taken by {first}"))
        elif not (own := split(result)):
            # Nobody would ever find it.
            refused.append(Refusal(source, "no text beside headings and HTML, of which passages are not made"))
        else:
            articles[result.article_id] = result
            pieces += own
    if not articles:
        first = f"; first of {len(refused)} refused: {refused[0].source}: {refused[0].reason}" if refused else ""
        raise BadTurn(f"no article in {path}: expected {', '.join(SUFFIXES)} files, a zip of them, or .jsonl{first}")
    return Reading(tuple(articles.values()), tuple(refused), tuple(pieces))


def _results(path: Path) -> Iterator[tuple[str, Article | Refusal]]:
    if path.is_dir():
        return _from_folder(path)
    if not path.is_file():
        raise BadTurn(f"nothing at {path}")
    if path.suffix.lower() in (".jsonl", ".ndjson"):
        return _from_json_lines(path)
    if zipfile.is_zipfile(path):
        return _from_zip(path)
    if path.suffix.lower() in SUFFIXES:
        return iter([_parsed(path.name, path.read_bytes())])
    raise BadTurn(f"{path.name} is neither a folder, a zip, .jsonl, nor one of {', '.join(SUFFIXES)}")


def _parsed(name: str, raw: bytes) -> tuple[str, Article | Refusal]:
    try:
        return name, parse_file(name, raw)
    except Refused as exc:
        return name, Refusal(name, str(exc))


def _from_folder(folder: Path) -> Iterator[tuple[str, Article | Refusal]]:
    for path in sorted(folder.rglob("*")):
        # A name needn't be text to the system, and nothing keeps what isn't.
        name = os.fsencode(path.relative_to(folder).as_posix()).decode("utf-8", "backslashreplace")
        if path.suffix.lower() not in SUFFIXES or name.startswith("."):
            continue
        try:
            if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
                yield name, Refusal(name, "a link that leads out of the folder")
                continue
            if not path.is_file():
                # Opening a pipe would wait for ever.
                yield name, Refusal(name, "not a file")
                continue
            if path.stat().st_size > MAX_ARTICLE_BYTES:
                yield name, Refusal(name, f"larger than {MAX_ARTICLE_BYTES // 1024 // 1024} MB")
                continue
            raw = path.read_bytes()
        except OSError as exc:
            yield name, Refusal(name, f"can't be read ({exc.strerror})")
            continue
        except RuntimeError:
            # Python's word for it before 3.13.
            yield name, Refusal(name, "a link that leads to itself")
            continue
        yield _parsed(name, raw)


def _from_json_lines(path: Path) -> Iterator[tuple[str, Article | Refusal]]:
    with path.open("rb") as file:
        for number, line in enumerate(_lines(file), 1):
            if not line.strip():
                continue
            source = f"{path.name}:{number}"
            try:
                yield source, parse_json_line(source, line.removeprefix(b"\xef\xbb\xbf"))
            except Refused as exc:
                yield source, Refusal(source, str(exc))


def _lines(file: BinaryIO) -> Iterator[bytes]:
    """The lines of a file; of one that is too long only the beginning, so that it fits in memory and is refused."""
    while line := file.readline(MAX_ARTICLE_BYTES + 2):
        rest = line
        while rest and not rest.endswith(b"\n"):
            rest = file.readline(MAX_ARTICLE_BYTES)
        yield line


def _from_zip(path: Path) -> Iterator[tuple[str, Article | Refusal]]:
    """Read a zip without unpacking it to disk. Sizes are counted while inflating, never believed from its header."""
    total = 0
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
            if len(members) > MAX_FILES:
                raise BadTurn(f"{path.name} has {len(members)} files; at most {MAX_FILES} are read")
            for member in members:
                name = member.filename
                suffix = PurePosixPath(name).suffix.lower()
                if member.is_dir() or name.startswith("__MACOSX/"):
                    continue
                if suffix == ".zip":
                    yield name, Refusal(name, "a zip in a zip is not opened")
                if suffix not in SUFFIXES:
                    continue
                try:
                    raw = _inflate(archive, member, MAX_TOTAL_BYTES - total)
                except Refused as exc:
                    yield name, Refusal(name, str(exc))
                    continue
                total += len(raw)
                yield _parsed(name, raw)
    except zipfile.BadZipFile as exc:
        raise BadTurn(f"{path.name} is a damaged zip ({exc})") from exc


def _inflate(archive: zipfile.ZipFile, member: zipfile.ZipInfo, left: int) -> bytes:
    parts = PurePosixPath(member.filename.replace("\\", "/")).parts
    if member.filename.startswith("/") or ".." in parts:
        raise Refused("its path leads out of the archive")
    if stat.S_ISLNK(member.external_attr >> 16):
        raise Refused("a link")
    if member.flag_bits & 0x1:
        raise Refused("encrypted")
    raw = bytearray()
    try:
        with archive.open(member) as file:
            while chunk := file.read(_CHUNK):
                raw += chunk
                if len(raw) > MAX_ARTICLE_BYTES:
                    raise Refused(f"larger than {MAX_ARTICLE_BYTES // 1024 // 1024} MB when inflated")
                if len(raw) > left:
                    raise Refused(f"the archive inflates to more than {MAX_TOTAL_BYTES // 1024**3} GB")
    # NotImplementedError is how zipfile says that it doesn't know the compression.
    except (zipfile.BadZipFile, zlib.error, lzma.LZMAError, NotImplementedError, EOFError, OSError) as exc:
        raise Refused(f"damaged ({exc})") from exc
    if len(raw) > _CHUNK and len(raw) > MAX_RATIO * max(1, member.compress_size):
        raise Refused(f"inflates to more than {MAX_RATIO} times its size")
    return bytes(raw)
