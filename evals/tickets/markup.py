"""The text of an HTML message, without what mail programs quote below it, and the addresses it links to."""

import re
from dataclasses import dataclass
from html import unescape

_MAX_MARKUP_CHARS = 200_000
_TAG = re.compile(r"</?(?:p|br|div|span|a|ul|ol|li|b|i|em|strong|table|img|html|body|blockquote|h[1-6])\b[^<>]*>", re.I)
# What somebody who writes about HTML seldom writes, and what programs that make HTML of a message always do.
_MESSAGE = re.compile(r"<br\s*/?>|</(?:p|div|span|li|td|h[1-6]|blockquote)>|<a\s[^<>]*href[^<>]*>[^<>]*</a>", re.I)
_BLOCKS = frozenset(
    ("p", "br", "div", "li", "tr", "table", "ul", "ol", "blockquote", "h1", "h2", "h3", "h4", "h5", "h6", "pre", "hr")
)
_UNSEEN = frozenset(("script", "style", "head", "title", "template", "noscript"))
_ANY_TAG = re.compile(r"<(/?)([A-Za-z][A-Za-z0-9]*)([^<>]*)>")
_HREF = re.compile(r"""(?i)\bhref\s*=\s*(?:"(https?://[^"]*)"|'(https?://[^']*)'|(https?://[^\s"']+))""")
_QUOTES = re.compile(
    r"""(?i)freshdesk_quote|gmail_quote|yahoo_quoted|moz-cite-prefix|zd-quote|OutlookMessageHeader|type=["']?cite"""
)
_SPACES = re.compile(r"[ \t\r\f\v\u00a0]+")


@dataclass(frozen=True, slots=True)
class Plain:
    """A message without markup, and what it links to."""

    text: str
    links: tuple[str, ...]


def is_html(text: str) -> bool:
    """Whether a message of which nobody says it is HTML: it has the tags that programs put into messages."""
    return "<" in text and _MESSAGE.search(text) is not None


def plain(text: str) -> Plain:
    """Read a message that may be HTML. What has no tag of a message's in it is returned as it is."""
    if not _TAG.search(text):
        return Plain(text, ())
    # Not by Python's parser, nor by BeautifulSoup on top of it: 100,000 characters of `<a href=` take them a minute.
    text = _without_comments(text[:_MAX_MARKUP_CHARS])
    parts: list[str] = []
    links: list[str] = []
    hidden: list[str] = []
    place = 0
    for found in _ANY_TAG.finditer(text):
        if not hidden:
            parts.append(_words(text[place : found.start()]))
        place = found.end()
        _read(found, parts, links, hidden)
    if not hidden:
        parts.append(_words(text[place:]))
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(parts).split("\n"))
    return Plain(re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip(), tuple(dict.fromkeys(links)))


def _without_comments(text: str) -> str:
    kept = []
    place = 0
    while (start := text.find("<!--", place)) >= 0 and (end := text.find("-->", start + 4)) >= 0:
        kept.append(text[place:start])
        place = end + 3
    return "".join((*kept, text[place:]))


def _words(text: str) -> str:
    # A line end in HTML is a space; the line ends are those of the blocks.
    return unescape(text).replace("\n", " ")


def _read(found: re.Match[str], parts: list[str], links: list[str], hidden: list[str]) -> None:
    ends, tag, attributes = found.group(1) == "/", found.group(2).lower(), found.group(3)
    if hidden:
        # Only tags of the kind that hides are counted, so that one left open hides no more than its parent.
        if tag == hidden[0]:
            if ends:
                hidden.pop()
            else:
                hidden.append(tag)
        return
    if tag in _BLOCKS:
        parts.append("\n- " if tag == "li" and not ends else "\n")
    if ends:
        return
    if tag in _UNSEEN or (tag in ("div", "blockquote") and _QUOTES.search(attributes)):
        hidden.append(tag)
    elif tag == "a" and (address := _HREF.search(attributes)) is not None:
        links.append(unescape(next(filter(None, address.groups()))))
