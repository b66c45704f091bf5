"""Articles to passages: small enough to quote, whole enough to stand alone."""

import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt
from markdown_it.token import Token

from tools.knowledge.articles import Article
from tools.knowledge.faqs import stretches, without_mark
from tools.knowledge.tables import told

TARGET_WORDS = 120
MAX_WORDS = 200


@dataclass(frozen=True, slots=True)
class Piece:
    """A passage of an article before it is stored. `section` is "" before the first heading."""

    passage_id: str
    article_id: str
    section: str
    position: int
    text: str
    content_hash: str


@dataclass(frozen=True, slots=True)
class _Block:
    """`asks` is the section that a question without a heading begins; the text is that question then."""

    section: str
    text: str
    asks: str | None = None

    @property
    def words(self) -> int:
        return len(self.text.split())


def split(article: Article) -> list[Piece]:
    """Split by section, then join blocks up to about 120 words; a list of steps stays in one piece up to 200 words.

    Of a table each row becomes a line (`tables.py`), and a question in bold begins a section (`faqs.py`).
    """
    pieces: list[Piece] = []
    seen: Counter[str] = Counter()
    for section, text in _join(_blocks(article)):
        digest = hashlib.sha256(f"{article.title}\x1f{section}\x1f{text}".encode()).hexdigest()
        # Which of the same texts it is, not where it stands: a passage added above leaves the others as they are.
        key = f"{article.article_id}\x1f{seen[digest]}\x1f{digest}"
        seen[digest] += 1
        passage_id = hashlib.sha256(key.encode()).hexdigest()[:24]
        pieces.append(Piece(passage_id, article.article_id, section, len(pieces), text, digest))
    return pieces


def _blocks(article: Article) -> list[_Block]:
    """Blocks with the heading or the question that they stand under.

    A question that nothing answers is no section, of which nothing would be found, but text.
    """
    kept: list[_Block] = []
    for block in _read(article):
        if kept and kept[-1].asks is not None and block.asks is None and block.section == kept[-1].asks:
            kept.pop()
        kept.append(block)
    return kept


def _read(article: Article) -> Iterator[_Block]:
    """Top-level blocks, and each question before what answers it; what is longer than a passage is cut."""
    lines = article.body.split("\n")
    heading = section = ""
    is_asked = False
    tokens = MarkdownIt("commonmark").enable("table").parse(article.body)
    for index, token in enumerate(tokens):
        if token.level != 0 or token.map is None:
            continue
        text = "\n".join(lines[token.map[0] : token.map[1]]).strip("\n")
        if token.type == "heading_open":
            heading = section = _section(tokens[index + 1].content, article)
        elif token.type == "hr":
            section = heading
        elif token.type == "table_open":
            yield from (_Block(section, part) for part in _rows(tokens, index))
        elif token.type == "paragraph_open":
            for stretch in stretches(text):
                if stretch.question is not None:
                    section = _section(stretch.question, article)
                    yield _Block(heading, stretch.asked, asks=section)
                elif stretch.ends and not is_asked:
                    section = heading
                answer = without_mark(stretch.text) if stretch.question is not None or is_asked else stretch.text
                is_asked = stretch.question is not None and not answer.strip()
                if answer.strip():
                    yield from (_Block(section, part) for part in _by_words(answer))
            continue
        elif text.strip() and token.type != "html_block":
            parts = _cut(text, token, tokens[index:], lines) if len(text.split()) > MAX_WORDS else [text]
            yield from (_Block(section, part) for part in parts)
        is_asked = False


def _section(named: str, article: Article) -> str:
    """A heading or a question as the name of a section; the article's own title is none."""
    name = " ".join(named.split())
    return "" if name == article.title else name


def _rows(tokens: list[Token], index: int) -> list[str]:
    """The table that begins at `index` as lines, as many together as make a passage."""
    rows: list[list[str]] = []
    # By place: an article may have thousands of tables, and a copy of the rest for each would add up.
    for place in range(index, len(tokens)):
        token = tokens[place]
        if token.type == "table_close":
            break
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline":
            rows[-1].append(token.content)
    parts: list[list[str]] = [[]]
    words = 0
    for line in told(rows[0], rows[1:]):
        words += len(line.split())
        if parts[-1] and words > TARGET_WORDS:
            parts.append([])
            words = len(line.split())
        parts[-1].append(line)
    return [piece for part in parts if part for piece in _by_words("\n".join(part))]


def _by_words(text: str) -> list[str]:
    """A text that no passage could hold, cut between words; any other as it is."""
    words = text.split()
    if len(words) <= MAX_WORDS:
        return [text]
    return [" ".join(words[i : i + TARGET_WORDS]) for i in range(0, len(words), TARGET_WORDS)]


def _cut(text: str, token: Token, following: list[Token], lines: list[str]) -> list[str]:
    """Cut a long block: a list between its items, anything else between words."""
    parts: list[str] = []
    if token.type in ("ordered_list_open", "bullet_list_open"):
        for item in following[1:]:
            if item.level == 0:
                break
            if item.type == "list_item_open" and item.level == 1 and item.map:
                parts.append("\n".join(lines[item.map[0] : item.map[1]]).strip("\n"))
    else:
        parts = [text]
    return [piece for part in parts for piece in _by_words(part)]


def _join(blocks: list[_Block]) -> list[tuple[str, str]]:
    joined: list[tuple[str, str]] = []
    open_words = 0
    for block in blocks:
        fits = open_words + block.words <= TARGET_WORDS or (
            # A list belongs to the sentence that introduces it.
            joined != [] and joined[-1][1].rstrip().endswith(":") and open_words + block.words <= MAX_WORDS
        )
        if joined and joined[-1][0] == block.section and fits:
            joined[-1] = (block.section, f"{joined[-1][1]}\n\n{block.text}")
            open_words += block.words
        else:
            joined.append((block.section, block.text))
            open_words = block.words
    return joined
