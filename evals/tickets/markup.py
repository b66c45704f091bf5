"""The text of an HTML message, without what mail programs quote below it, and the addresses it links to."""

import re
from dataclasses import dataclass
from html.parser import HTMLParser

_MAX_MARKUP_CHARS = 200_000
_TAG = re.compile(r"</?(?:p|br|div|span|a|ul|ol|li|b|i|em|strong|table|img|html|body|blockquote|h[1-6])\b[^<>]*>", re.I)
_BLOCKS = frozenset(
    ("p", "br", "div", "li", "tr", "table", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr")
)
_UNSEEN = frozenset(("script", "style", "head", "title", "template", "noscript"))
_VOID = frozenset(("br", "img", "hr", "meta", "link", "input", "wbr", "col", "area", "base", "source", "embed"))
_QUOTES = re.compile(r"freshdesk_quote|gmail_quote|yahoo_quoted|moz-cite-prefix|zd-quote|OutlookMessageHeader", re.I)
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")


@dataclass(frozen=True, slots=True)
class Plain:
    """A message without markup, and what it links to."""

    text: str
    links: tuple[str, ...]


def plain(text: str) -> Plain:
    """Read a message that may be HTML. What has no tag of a message's in it is returned as it is."""
    if not _TAG.search(text):
        return Plain(text, ())
    # Not BeautifulSoup, which the knowledge base uses: a tree for every message of a ticket takes five times as long.
    reader = _Reader()
    reader.feed(text[:_MAX_MARKUP_CHARS])
    reader.close()
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(reader.parts).split("\n"))
    return Plain(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), tuple(dict.fromkeys(reader.links)))


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self.links: list[str] = []
        self._hidden: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BLOCKS and not self._hidden:
            self.parts.append("\n")
        if self._hidden:
            # Only tags of the kind that hides are counted, so that one left open hides no more than its parent.
            if tag == self._hidden[0] and tag not in _VOID:
                self._hidden.append(tag)
            return
        found = dict(attrs)
        if tag in _UNSEEN or _is_quote(tag, found):
            self._hidden = [tag]
        elif tag == "a" and (address := found.get("href") or "").startswith(("http://", "https://")):
            self.links.append(address)
        elif tag == "li":
            self.parts.append("- ")

    def handle_endtag(self, tag: str) -> None:
        if self._hidden:
            if tag == self._hidden[0]:
                self._hidden.pop()
        elif tag in _BLOCKS:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            # A line end in HTML is a space; the line ends are those of the blocks.
            self.parts.append(data.replace("\n", " "))


def _is_quote(tag: str, attrs: dict[str, str | None]) -> bool:
    if tag not in ("div", "blockquote"):
        return False
    return attrs.get("type") == "cite" or bool(_QUOTES.search(f"{attrs.get('class') or ''} {attrs.get('id') or ''}"))
