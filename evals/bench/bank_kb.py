"""A bank's help centre: the articles that a case needs, from the customer's opening request."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from agent.errors import Misconfigured
from agent.ports import Embedder, SearchQuery
from agent.types import Source, Untrusted
from evals.bench.arena import Arena, BenchArticle, Progress, open_arena
from evals.bench.inputs import read_json_lines
from evals.bench.report import BenchResult, Part
from evals.statistics.measured import Measured, bootstrap, mean
from tools.knowledge.articles import Article
from tools.knowledge.lexical import LexicalIndex
from tools.knowledge.split import split
from tools.storage.knowledge import ArticleRow, PassageRow

NAME = "bank_kb"
DEPTH = 10
_MOST_PASSAGES = 200
_MOST_SENTENCES, _MOST_WORDS = 5, 120
_SCRIPTED = re.compile(
    r"^\W*(?:\d+\w?\.\s*)?\W*(?:opening|start (?:naturally|by|with|the)|begin (?:by|with)|first message|"
    r'initial (?:request|message))\b[^:"“\n]{0,120}:?',
    re.IGNORECASE,
)
_ITEM = re.compile(r"^\s*(?:\d+\w?\.\s|[-*]\s|#{1,6}\s|\*\*[A-Z]|---)")
_QUOTE = re.compile(r'[“"](.+?)[”"](?=\W|$)', re.DOTALL)
_LATER = re.compile(r'(?<=["”.])\s+(?=(?:if|when|once|after|then)\b)', re.IGNORECASE)
_TOLD = re.compile(
    r"(?:start|begin) (?:by|with)\s+(?:saying|stating|telling|asking|explaining)?\s*(?:the agent )?(?:that )?([^\n]+)",
    re.IGNORECASE,
)
_WANTS = re.compile(
    r"\byou(?:'re| are) (?:looking|seeking|trying|calling|unsure|worried|unable|having)\b|"
    r"\byou(?:'d| would) (?:like|love|prefer)\b|\byou (?:\w+ )?(?:want|need|wish|noticed|received|hope|prefer)\b|"
    r"\byour (?:hard |main |primary |specific )?(?:requirements?|goal|priority|concern|problem|issue|source)\b",
    re.IGNORECASE,
)
_STAGE_DIRECTION = re.compile(
    r"playing the role|never respond|dump|currently on the line|\bonly (?:provide|mention|reveal|say|do)\b|\btool\b|"
    r"do(?: not|n't) (?:mention|volunteer|reveal|make up|know|need)|ask(?:s|ed)? (?:you )?(?:for|about)|"
    r"\bthe (?:agent|model)\b|end the (?:call|conversation)|transferred|user id|date of birth|phone number|\be-?mail\b|"
    r"information you should|business elsewhere|your character is|not interested in",
    re.IGNORECASE,
)
_CONDITION = re.compile(r"^\W*(?:if|when|once|after|as soon as|unless|until)\b", re.IGNORECASE)
_FIRST_PERSON = [
    (r"\byou're\b", "I'm"),
    (r"\byou are\b", "I am"),
    (r"\byou've\b", "I've"),
    (r"\byou'd\b", "I'd"),
    (r"\byours\b", "mine"),
    (r"\byour\b", "my"),
    (r"\b(to|for|with|from|by|gives?|charged|at|of|on|make) you\b", r"\1 me"),
    (r"\byou\b", "I"),
]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A customer's opening request, and the articles that the case needs."""

    request: str
    needed: tuple[str, ...]


def splits(data: Path) -> list[str]:
    """Every file of scenarios (scenarios*.jsonl) in the folder, by its name without the ending."""
    found = [path.stem for path in sorted(data.glob("scenarios*.jsonl"))]
    if not found or not (data / "articles.jsonl").is_file():
        raise Misconfigured(f"{data}: expected articles.jsonl and scenarios.jsonl")
    return found


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Ingest the articles, search with each opening request, and count the needed articles among the first ten.

    Beside it, for comparison, the same passages by cosine alone and by BM25 alone.
    """
    articles = [
        BenchArticle(str(a["id"]), a["title"], a["content"])
        for a in read_json_lines(data / "articles.jsonl")
        if a.get("id") and a.get("title") and a.get("content")
    ]
    measured = []
    async with open_arena(articles, on_progress=on_progress) as arena:
        plain = await _Plain.of(articles, arena.runtime.embedder)
        for part in parts:
            scenarios = [_scenario(entry) for entry in read_json_lines(data / f"{part}.jsonl")]
            scenarios = [scenario for scenario in scenarios if scenario.needed and scenario.request]
            if not scenarios:
                raise Misconfigured(f"{data / part}.jsonl: no scenario names a required document")
            ours, dense, lexical = [], [], []
            for place, scenario in enumerate(scenarios):
                ours.append(_recall(await _search(arena, scenario.request), scenario.needed))
                dense.append(_recall(await plain.dense(scenario.request), scenario.needed))
                lexical.append(_recall(plain.lexical(scenario.request), scenario.needed))
                on_progress(part, place + 1, len(scenarios))
            metrics = {
                "recall_at_10": mean(ours),
                "plain_dense_recall_at_10": mean(dense),
                "plain_lexical_recall_at_10": mean(lexical),
                "gain_over_plain_dense": _gain(ours, dense),
                "gain_over_plain_lexical": _gain(ours, lexical),
            }
            measured.append(Part(part, metrics))
    return BenchResult(NAME, measured)


def opening_request(instructions: str) -> str:
    """What the customer opens with, from the instructions to whoever plays the customer.

    The words of an item that scripts the start; else the sentences that state a want or a problem, in the first
    person, without stage directions and without what depends on a later turn. At most five sentences and 120 words.
    """
    kept: list[str] = []
    for sentence in _scripted(instructions) or _wishes(instructions):
        counted = [said for said in kept if len(said.split()) > 4]  # Greetings and cries for help are free.
        if len(counted) >= _MOST_SENTENCES or sum(len(s.split()) for s in [*kept, sentence]) > _MOST_WORDS:
            break
        kept.append(sentence)
    return " ".join(kept)


def _scripted(text: str) -> list[str]:
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if not _SCRIPTED.match(line.strip()):
            continue
        block = line
        for following in lines[number + 1 :]:
            if block.count('"') % 2 == 0 and _ITEM.match(following):
                break
            block += "\n" + following
        quotes = [found.group(1) for found in _QUOTE.finditer(_LATER.split(block, maxsplit=1)[0])]
        quotes = [quote for quote in quotes if len(quote.split()) >= 4]
        if quotes:
            return _sentences(" ".join(quotes[0].split()))
        told = _TOLD.search(line)
        if told:
            return [_as_customer(s) for s in _sentences(told.group(1)) if not _CONDITION.match(s)]
    return []


def _wishes(text: str) -> list[str]:
    return [
        _as_customer(sentence)
        for paragraph in text.replace("*", "").split("\n")
        for sentence in _sentences(paragraph.strip(" -#"))
        if _WANTS.search(sentence) and not _STAGE_DIRECTION.search(sentence) and not _CONDITION.match(sentence)
    ]


def _sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.!?])[\"”]?\s+", text) if re.search(r"\w", part)]


def _as_customer(text: str) -> str:
    for pattern, word in _FIRST_PERSON:
        text = re.sub(pattern, word, text, flags=re.IGNORECASE)
    return text[:1].upper() + text[1:]


def _scenario(entry: dict[str, Any]) -> Scenario:
    return Scenario(opening_request(str(entry.get("instructions", ""))), tuple(entry.get("required_documents", ())))


async def _search(arena: Arena, request: str) -> list[str]:
    text = Untrusted.of(request, Source.CUSTOMER, limit=8000)
    found = await arena.runtime.knowledge.search(SearchQuery(text=text, language="en", limit=_MOST_PASSAGES))
    return [passage.article_id for passage in found]


def _recall(order: Sequence[str], needed: Sequence[str]) -> float:
    first = list(dict.fromkeys(order))[:DEPTH]
    return len(set(first) & set(needed)) / len(set(needed))


def _gain(ours: Sequence[float], theirs: Sequence[float]) -> Measured:
    difference = np.array(ours) - np.array(theirs)
    return bootstrap(len(difference), lambda drawn: float(difference[drawn].mean()))


class _Plain:
    """The two baselines, over the same passages."""

    def __init__(
        self, owners: dict[str, str], vectors: NDArray[np.float32], words: LexicalIndex, embedder: Embedder
    ) -> None:
        self._by_passage = owners
        self._owners = list(owners.values())
        self._vectors = vectors
        self._words = words
        self._embedder = embedder

    @classmethod
    async def of(cls, articles: Sequence[BenchArticle], embedder: Embedder | None) -> "_Plain":
        if embedder is None:
            raise Misconfigured("bank_kb compares with dense search, which needs the embedding model: helpgraph doctor")
        rows, pieces = {}, []
        for a in articles:
            rows[a.article_id] = ArticleRow(a.article_id, a.title, None, None, (), "en", None, None, "", a.content, "")
            pieces += split(Article(a.article_id, a.title, a.content, source=""))
        passages = [
            PassageRow(p.passage_id, p.article_id, p.section, p.position, p.text, p.content_hash) for p in pieces
        ]
        owners = {passage.passage_id: passage.article_id for passage in passages}
        vectors = await embedder.embed([piece.text for piece in pieces])
        return cls(owners, vectors, LexicalIndex(passages, rows), embedder)

    async def dense(self, request: str) -> list[str]:
        (vector,) = await self._embedder.embed([request])
        return [self._owners[place] for place in np.argsort(-(self._vectors @ vector), kind="stable")]

    def lexical(self, request: str) -> list[str]:
        return [self._by_passage[hit.entry_id] for hit in self._words.search(request, "en", limit=_MOST_PASSAGES)]
