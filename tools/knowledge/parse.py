"""One file or line to one article."""

import re
from datetime import date
from pathlib import PurePosixPath
from typing import Any

import orjson
import yaml
from bs4 import BeautifulSoup
from bs4.exceptions import ParserRejectedMarkup
from markdownify import markdownify
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from agent.untrusted import clean
from tools.knowledge.articles import MAX_ARTICLE_BYTES, Article, Refused, path_id, slug
from tools.language import identify
from tools.storage.columns import storable

_FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?)\n---[ \t]*(?:\n|\Z)", re.DOTALL)
_HEADING = re.compile(r"^#{1,2}[ \t](.+)$", re.MULTILINE)
_DROPPED_TAGS = ("script", "style", "noscript", "template", "iframe", "svg", "nav", "footer", "form", "button", "head")
# Its first characters are looked at one by one, so they are few.
_LONG_SPACE = re.compile(r"\s{32,}")
_SPACES = 32
_NUMBERED = 1000
_TITLE_LIMIT = 300
_NUMBER_LIMIT = 40
# What PyYAML's constructors let through: a date like 2024-13-45, `!!bool maybe`, `!!timestamp soon`.
_CONSTRUCTION = (ValueError, LookupError, AttributeError, TypeError, ArithmeticError)
_QUESTION_LIMIT = 2000
_MAX_QUESTIONS = 5000


class _FrontMatter(yaml.SafeLoader):
    """What front matter needs of YAML. An alias repeats what it names, so that some of aliases fill any memory."""

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """Refuse an alias."""
        if self.check_event(yaml.AliasEvent):
            raise yaml.composer.ComposerError(None, None, "an alias (*)", self.peek_event().start_mark)  # type: ignore[no-untyped-call]  # No stubs.
        return super().compose_node(parent, index)

    def construct_number(self, node: yaml.ScalarNode) -> object:
        """Read a number that anybody would write; a longer one is a text (PyYAML reads base 60, digit by digit)."""
        if len(node.value) > _NUMBER_LIMIT:
            return node.value
        is_int = node.tag.endswith(":int")
        return self.construct_yaml_int(node) if is_int else self.construct_yaml_float(node)


for _tag in ("int", "float"):
    _FrontMatter.add_constructor(f"tag:yaml.org,2002:{_tag}", _FrontMatter.construct_number)


class _Meta(BaseModel):
    """Front matter, or the fields of a JSON line. What we don't know is ignored: exports carry much more."""

    model_config = ConfigDict(extra="ignore", coerce_numbers_to_str=True)

    id: str | None = None
    title: str | None = None
    url: str | None = None
    area: str | None = None
    plans: list[str] = Field(default_factory=list)
    language: str | None = None
    owner: str | None = None
    last_reviewed: str | None = None
    content: str | None = None
    questions: list[str] = Field(default_factory=list, max_length=_MAX_QUESTIONS)
    published_on: str | None = None
    from_tickets: list[str] = Field(default_factory=list, max_length=_MAX_QUESTIONS)

    @field_validator("plans", "from_tickets", mode="before")
    @classmethod
    def _as_list(cls, value: object) -> object:
        """One of them, several with commas between, or nothing, as people write them."""
        if value is None:
            return []
        named = [value] if isinstance(value, int | float) and not isinstance(value, bool) else value
        return [each.strip() for each in named.split(",") if each.strip()] if isinstance(named, str) else named

    @field_validator("last_reviewed", "published_on", mode="before")
    @classmethod
    def _as_iso(cls, value: object) -> object:
        return value.isoformat()[:10] if isinstance(value, date) else value

    @field_validator("last_reviewed", "published_on")
    @classmethod
    def _is_date(cls, value: str | None) -> str | None:
        if value is not None:
            date.fromisoformat(value[:10])
        return value[:10] if value else None


def parse_file(name: str, raw: bytes) -> Article:
    """Parse a Markdown or HTML file; its id is its path without the ending.

    Raises:
        Refused: it can't be taken.
    """
    text = decode(raw)
    path = PurePosixPath(name)
    if path.suffix.lower() in (".html", ".htm"):
        meta, body = _from_html(text)
    else:
        meta, body = _from_markdown(text)
    return _article(meta, body, source=name, fallback_id=path_id(path.with_suffix("")), fallback_title=path.stem)


def parse_json_line(source: str, raw: bytes) -> Article:
    """Parse one line of JSON Lines: `{id, title, content, url?, ...}`.

    Raises:
        Refused: it can't be taken.
    """
    if len(raw) > MAX_ARTICLE_BYTES:
        raise Refused(f"larger than {MAX_ARTICLE_BYTES // 1024 // 1024} MB")
    try:
        data = orjson.loads(raw)
    except orjson.JSONDecodeError as exc:
        raise Refused(f"not JSON: {exc}") from exc
    if not isinstance(data, dict):
        raise Refused("not a JSON object")
    missing = [name for name in ("id", "title", "content") if not data.get(name)]
    if missing:
        raise Refused(f"no {', '.join(missing)}")
    meta = _validate(data)
    return _article(meta, meta.content or "", source=source, fallback_id="", fallback_title="")


def _article(meta: _Meta, body: str, *, source: str, fallback_id: str, fallback_title: str) -> Article:
    body = clean(body, limit=MAX_ARTICLE_BYTES).strip()
    if not re.search(r"\w", body):
        raise Refused("empty")
    title = clean(meta.title or _heading(body) or fallback_title, limit=_TITLE_LIMIT).strip()
    if not title:
        raise Refused("no title")
    return Article(
        article_id=clean(meta.id or fallback_id, limit=200) or slug(title),
        title=" ".join(title.split()),
        body=body,
        source=source,
        url=_https(meta.url),
        area=meta.area,
        plans=tuple(meta.plans),
        language=_language(meta.language, f"{title}\n{body}"),
        owner=meta.owner,
        last_reviewed=meta.last_reviewed,
        questions=_questions(meta.questions),
        published_on=meta.published_on,
        from_tickets=tuple(meta.from_tickets),
    )


def _heading(body: str) -> str | None:
    """The first heading that says something."""
    headings = (found[1].strip(" \t").rstrip(" \t#") for found in _HEADING.finditer(body))
    return next((heading for heading in headings if heading), None)


def _questions(given: list[str]) -> tuple[str, ...]:
    cleaned = (" ".join(clean(text, limit=_QUESTION_LIMIT).split()) for text in given)
    return tuple(dict.fromkeys(text for text in cleaned if re.search(r"\w", text)))


def _language(given: str | None, text: str) -> str:
    return given.lower()[:2] if given else identify(text).language


def decode(raw: bytes) -> str:
    """Decode a file as UTF-8, else as Windows-1252 when it is plainly text.

    Raises:
        Refused: it is binary or too large.
    """
    if len(raw) > MAX_ARTICLE_BYTES:
        raise Refused(f"larger than {MAX_ARTICLE_BYTES // 1024 // 1024} MB")
    if b"\x00" in raw:
        raise Refused("binary, not text")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        pass
    try:
        text = raw.decode("cp1252")
    except UnicodeDecodeError as exc:
        raise Refused("neither UTF-8 nor Windows-1252 text") from exc
    if sum(ord(char) < 32 and char not in "\t\n\r" for char in text) > len(text) / 100:
        raise Refused("binary, not text")
    return text


def _from_markdown(text: str) -> tuple[_Meta, str]:
    text = text.replace("\r\n", "\n")
    found = _FRONT_MATTER.match(text)
    if found is None:
        if text.startswith("---\n"):
            raise Refused("front matter without an end (a line of ---)")
        return _Meta(), text
    try:
        data = yaml.load(found.group(1), _FrontMatter)  # noqa: S506  # A safe loader.
    except (yaml.YAMLError, *_CONSTRUCTION, RecursionError) as exc:
        raise Refused("front matter is not YAML: " + " ".join(str(exc).split())[:200]) from exc
    if not isinstance(data, dict | None):
        raise Refused("front matter is not a mapping")
    return _validate(data or {}), text[found.end() :]


def _from_html(text: str) -> tuple[_Meta, str]:
    try:
        return _read_html(BeautifulSoup(_with_ends(text), "html.parser"))
    except RecursionError as exc:
        raise Refused("HTML nested too deeply") from exc
    except (ParserRejectedMarkup, ValueError) as exc:  # ValueError: &#9... of 5,000 digits.
        raise Refused("not HTML that can be read") from exc


def _with_ends(text: str) -> str:
    """Let what begins a tag, and never ends, be words: for each of them the parser looks through all that follows."""
    for begin, end in (("<!--", "-->"), ("<![", "]>"), ("<", ">")):
        after = text.rfind(end) + 1
        text = text[:after] + text[after:].replace(begin, "&lt;" + begin[1:])
    return text


def _read_html(soup: BeautifulSoup) -> tuple[_Meta, str]:
    heading = soup.find("h1")
    title = soup.title.get_text() if soup.title else heading.get_text() if heading else None
    language = soup.html.get("lang") if soup.html else None
    canonical = soup.find("link", rel="canonical")
    url = canonical.get("href") if canonical is not None else None
    for tag in soup.find_all(_DROPPED_TAGS):
        tag.decompose()
    _shorten(soup)
    body = soup.find("main") or soup.find("article") or soup.body or soup
    markdown = markdownify(str(body), heading_style="ATX", strip=["img", "a"])
    return _validate({"title": title, "language": language, "url": url}), re.sub(r"\n{3,}", "\n\n", markdown)


def _shorten(soup: BeautifulSoup) -> None:
    """Cut what markdownify takes quadratic time over, and no article has: runs of white space, numbered lists."""
    for words in soup.find_all(string=_LONG_SPACE):
        words.replace_with(_LONG_SPACE.sub(lambda found: found[0][:_SPACES], words))
    for numbered in soup.find_all("ol"):
        if len(numbered.contents) > _NUMBERED:
            numbered.name = "ul"


def _validate(data: dict[str, Any]) -> _Meta:
    try:
        return _Meta.model_validate(storable(data))
    except ValidationError as exc:
        first = exc.errors()[0]
        raise Refused(f"{'.'.join(str(part) for part in first['loc'])}: {first['msg']}") from exc
    except ValueError as exc:
        # An integer of thousands of digits has no text.
        raise Refused("a number that is too long") from exc


def _https(url: str | None) -> str | None:
    """Only web addresses are kept: a citation is something to click on."""
    return url if url and re.match(r"https?://[^\s<>\"]+\Z", url) else None
