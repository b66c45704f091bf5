"""An answer put together from what the articles say, word for word."""

import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

import numpy as np

from agent.phrases import Phrase, phrase
from agent.ports import AnswerBrief, Embedder
from agent.types import Kind, Language, Passage, Sentence, ToolCall, ToolResult
from tools.engines.local.evidence import content_words, overlap

TARGET_WORDS = 110
_BLOCK_WORDS = 90
_NEAR_TOP = 0.15
_MIN_SCORE = 0.3
_SENTENCES = 3
_LIST = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-ZÄÖÜ¿¡\"“*])")

Lookup = Callable[[str], str | None]


@dataclass(frozen=True, slots=True)
class _Block:
    passage: Passage
    text: str
    position: int
    is_list: bool

    @property
    def words(self) -> int:
        return len(self.text.split())


async def compose(
    brief: AnswerBrief, embedder: Embedder | None, lookup: str | None
) -> AsyncIterator[Sentence | ToolCall]:
    """Yield the answer: a courtesy, looked-up facts of the account, then the articles' own words.

    `lookup` names the read that the question asks for, or is None.
    """
    language = brief.understanding.language
    if brief.courtesy and lookup is None:
        yield Sentence(phrase(_courtesy(brief), language), claim=False)
        return
    if lookup is not None and lookup in brief.tools:
        if brief.account is None:
            yield Sentence(phrase(Phrase.SIGN_IN_NEEDED, language), claim=False)
        elif not brief.tool_results:
            yield ToolCall("1:0", lookup, {})
            return
    for result in brief.tool_results:
        for fact in told(result, language):
            yield fact
    async for sentence in _from_articles(brief, embedder):
        yield sentence


def _courtesy(brief: AnswerBrief) -> Phrase:
    heard = brief.understanding
    if heard.kind is Kind.ABUSE:
        return Phrase.REFUSAL
    if heard.says_solved >= 0.4 or heard.sentiment >= 0.35:
        return Phrase.YOURE_WELCOME
    return Phrase.GREETING


def told(result: ToolResult, language: Language) -> list[Sentence]:
    """A tool's facts as sentences. A fact that the tool didn't give is not mentioned."""
    facts = result.facts
    if not result.ok:
        return []
    templates: list[Phrase] = []
    if result.tool == "account_status":
        templates = [Phrase.ACCOUNT_PLAN, Phrase.ACCOUNT_RENEWS, Phrase.ACCOUNT_SEATS]
    elif result.tool == "order_status" and facts.get("orders") == "0":
        templates = [Phrase.NO_ORDERS]
    elif result.tool == "order_status":
        templates = [Phrase.ORDER_STATUS, Phrase.ORDER_EXPECTED, Phrase.ORDER_CARRIER]
    sentences: list[Sentence] = []
    escaped = {name: re.sub(r"([\\`*_\[\]<>])", r"\\\1", value) for name, value in facts.items()}
    for template in templates:
        try:
            sentences.append(Sentence(phrase(template, language, **escaped), from_tool=result.tool))
        except KeyError:
            continue
    return sentences


async def _from_articles(brief: AnswerBrief, embedder: Embedder | None) -> AsyncIterator[Sentence]:
    chosen = _passages(brief.passages)
    if not chosen:
        return
    language = brief.understanding.language
    blocks = [block for passage in chosen for block in _blocks(passage)]
    question = brief.question.render_plain()
    scores = await _scores(question, blocks, embedder)
    kept = _choose(blocks, scores)
    about_page = brief.page.area is not None and chosen[0].area == brief.page.area
    if brief.page.page_name and (about_page or chosen[0].article_id in brief.page.article_ids):
        yield Sentence(phrase(Phrase.ON_PAGE, language, page=brief.page.page_name), claim=False)
    if chosen[0].language != language:
        yield Sentence(phrase(Phrase.OTHER_LANGUAGE, language, of=chosen[0].language), claim=False)
    for block in kept:
        yield Sentence(block.text, cites=(block.passage.passage_id,))


def _passages(passages: Sequence[Passage]) -> list[Passage]:
    """The best article's passages near the top, and those of no other: two articles together may contradict."""
    if not passages or passages[0].score < _MIN_SCORE:
        return []
    best = passages[0]
    near = [p for p in passages if p.article_id == best.article_id and p.score >= best.score - _NEAR_TOP]
    return sorted(near[:3], key=lambda passage: passage.position)


def _blocks(passage: Passage) -> list[_Block]:
    """Paragraphs and lists; a line that introduces a list stays with it; a long paragraph is cut at sentences."""
    blocks: list[_Block] = []
    for part in re.split(r"\n\s*\n", passage.text.render_plain()):
        text = part.strip("\n")
        if not text.strip() or text.lstrip().startswith(("#", "|", "```")):
            continue
        is_list = bool(_LIST.match(text)) or any(_LIST.match(line) for line in text.split("\n")[1:])
        if blocks and is_list and blocks[-1].text.rstrip().endswith(":") and blocks[-1].passage is passage:
            before = blocks.pop()
            text = f"{before.text}\n\n{text}"
        if not is_list and len(text.split()) > _BLOCK_WORDS:
            sentences = _SENTENCE_END.split(text)
            for start in range(0, len(sentences), _SENTENCES):
                piece = " ".join(sentences[start : start + _SENTENCES])
                blocks.append(_Block(passage, piece, len(blocks), is_list=False))
            continue
        blocks.append(_Block(passage, text, len(blocks), is_list=is_list))
    return blocks


async def _scores(question: str, blocks: Sequence[_Block], embedder: Embedder | None) -> list[float]:
    """How well each block answers, in about [0, 2]: meaning, shared words, a little for steps and for coming first."""
    words = content_words(question)
    near = [0.0] * len(blocks)
    if embedder is not None and blocks:
        vectors = await embedder.embed(
            [question, *(f"{b.passage.title}. {b.passage.section}\n{b.text}" for b in blocks)]
        )
        near = [float(value) for value in np.asarray(vectors[1:]) @ vectors[0]]
    return [
        similarity
        + 0.5 * overlap(words, f"{block.passage.section} {block.text}")
        + (0.12 if block.is_list else 0.0)
        - 0.06 * block.passage.rank
        - 0.01 * block.position
        for block, similarity in zip(blocks, near, strict=True)
    ]


def _choose(blocks: Sequence[_Block], scores: Sequence[float]) -> list[_Block]:
    """The best blocks up to about 110 words, in the order of the article."""
    order = sorted(range(len(blocks)), key=lambda index: -scores[index])
    kept: list[int] = []
    words = 0
    for index in order:
        if kept and (words + blocks[index].words > TARGET_WORDS or scores[index] < 0.55 * scores[order[0]]):
            continue
        kept.append(index)
        words += blocks[index].words
    return [blocks[index] for index in sorted(kept)]
