"""StackFAQ: the right thread from somebody else's wording of its question."""

from pathlib import Path
from typing import Any

from agent.errors import Misconfigured
from agent.ports import SearchQuery
from agent.types import Source, Untrusted
from evals.bench.arena import Arena, BenchArticle, Progress, open_arena
from evals.bench.inputs import read_json
from evals.bench.report import BenchResult, Part
from evals.statistics.measured import mean

NAME = "stackfaq"
# One relevant article per question: beyond this rank the reciprocal rank is next to nothing.
_DEPTH = 200


def splits(data: Path) -> list[str]:
    """`threads` when the threads hold rephrasings, `rephrasings` when a file of that name does."""
    found = ["threads"] if any(thread.get("rephr") for thread in _threads(data)) else []
    if (data / "rephrasings.json").is_file():
        found.append("rephrasings")
    if not found:
        raise Misconfigured(f"{data}: no rephrasings, neither as `rephr` in threads.json nor in rephrasings.json")
    return found


async def run(data: Path, parts: list[str], on_progress: Progress) -> BenchResult:
    """Ingest the threads as articles, without any rephrasing, and search with every rephrasing."""
    threads = _threads(data)
    articles = [
        BenchArticle(str(thread["thread"]), thread["question"], "\n\n".join(thread["answer"]) or thread["question"])
        for thread in threads
    ]
    measured = []
    async with open_arena(articles, on_progress=on_progress) as arena:
        for part in parts:
            pairs = _pairs(threads) if part == "threads" else _more_pairs(data)
            found = []
            for place, (text, article_id) in enumerate(pairs):
                found.append(await reciprocal_rank(arena, text, article_id))
                on_progress(part, place + 1, len(pairs))
            threads_of = [article_id for _, article_id in pairs]
            metrics = {
                "map": mean(found, groups=threads_of),
                "accuracy": mean([rank == 1 for rank in found], groups=threads_of),
            }
            measured.append(Part(part, metrics))
    return BenchResult(NAME, measured)


async def reciprocal_rank(arena: Arena, text: str, article_id: str) -> float:
    """One over the rank of the article among all articles found, 0 when it isn't: the average precision of one."""
    query = SearchQuery(text=Untrusted.of(text, Source.CUSTOMER, limit=8000), language="en", limit=_DEPTH)
    passages = await arena.runtime.knowledge.search(query)
    order = list(dict.fromkeys(passage.article_id for passage in passages))
    return 1 / (order.index(article_id) + 1) if article_id in order else 0.0


def _threads(data: Path) -> list[dict[str, Any]]:
    threads = read_json(data / "threads.json")
    if not isinstance(threads, list) or not all(
        isinstance(thread, dict) and {"thread", "question", "answer"} <= thread.keys() for thread in threads
    ):
        raise Misconfigured(f"{data / 'threads.json'}: expected a list of objects with thread, question and answer")
    return threads


def _pairs(threads: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(text, str(thread["thread"])) for thread in threads for text in thread.get("rephr", [])]


def _more_pairs(data: Path) -> list[tuple[str, str]]:
    """Rephrasings by themselves: a list like the threads', or an object of lists by thread number."""
    path = data / "rephrasings.json"
    found = read_json(path)
    if isinstance(found, dict):
        return [(text, str(thread)) for thread, texts in found.items() for text in texts]
    if isinstance(found, list) and all(isinstance(entry, dict) and "thread" in entry for entry in found):
        return [
            (text, str(entry["thread"])) for entry in found for text in entry.get("rephr", entry.get("rephrasings", []))
        ]
    raise Misconfigured(f"{path}: expected a list of objects with thread and rephr, or an object of lists by thread")
