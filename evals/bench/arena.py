"""A fresh installation to measure: the engine that ships, a base of the benchmark's articles, nothing else."""

import json
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import yaml

from agent.events import Custom
from agent.policy import Costs
from agent.types import Author, Citation, Identity, Message, Route, Source, TurnRequest, Untrusted
from agent.wire import JsonObject
from graphs.asking import DryTracker
from graphs.assembly import Runtime, open_runtime
from graphs.settings import load_settings
from graphs.translate import Finished, run_turn
from graphs.turn_graph import TurnGraph, build_turn_graph

Progress = Callable[[str, int, int], None]

NOW = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)
MESSAGE_CHARS = 8000

# In these benchmarks a message is answered or left alone, and the score is corrected for chance: what is left alone
# earns only what it earns beyond the share of messages that nothing answers. With half of them taken for such, an
# answer pays from a probability of one quarter on, and these costs say just that. Asking back and filing a bug are no
# outcomes of these tests, so neither is ever worth it. One rule for every data set.
COSTS = Costs(wrong_answer=4.0, needless_handoff=3.0, missed_handoff=4.0, needless_question=40.0, needless_ticket=40.0)


@dataclass(frozen=True, slots=True)
class BenchArticle:
    """An article of a benchmark, with messages that it is known to answer."""

    article_id: str
    title: str
    content: str
    questions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """What one turn did: `article_id` is the best article found, `answered` the one that the customer got, if any."""

    route: Route
    article_id: str | None
    answered: str | None
    probability: float
    kind: str
    articles: tuple[str, ...]
    dissatisfied: float
    decision: JsonObject
    features: dict[str, float]


class Arena:
    """An open installation; ask it."""

    def __init__(self, runtime: Runtime) -> None:
        self.runtime = runtime
        # Its conversations are in no log, so that no bug of theirs can be filed.
        self._deps = replace(runtime.deps, tracker=DryTracker(runtime.tracker))
        self._graph: TurnGraph = build_turn_graph()
        self._asked = 0

    async def ask(self, text: str, history: Sequence[tuple[str, str]] = ()) -> Asked:
        """Run one turn on a conversation; `history` holds pairs of ("customer" or "bot", text), oldest first."""
        self._asked += 1
        request = TurnRequest(
            turn_id=f"bench-{self._asked}",
            conversation_id=f"bench-{self._asked}",
            workspace_id=self.runtime.workspace.workspace_id,
            reply_message_id=f"reply-{self._asked}",
            texts=(Untrusted.of(text, Source.CUSTOMER, limit=MESSAGE_CHARS),),
            identity=Identity(),
            now=NOW,
            history=tuple(_message(place, who, said) for place, (who, said) in enumerate(history)),
        )
        decision: JsonObject = {}
        evidence: JsonObject = {}
        cited: tuple[Citation, ...] = ()
        async for event in run_turn(self._graph, self._deps, request):
            if isinstance(event, Finished):
                cited = event.reply.citations
            for emitted in event.events if isinstance(event, Finished) else (event,):
                if emitted.event.get("name") == Custom.DECISION:
                    decision = emitted.event["value"]
                elif emitted.event.get("name") == Custom.EVIDENCE:
                    evidence = emitted.event["value"]
        articles = tuple(dict.fromkeys(passage["article_id"] for passage in evidence["passages"]))
        return Asked(
            route=Route(decision["route"]),
            article_id=articles[0] if articles else None,
            answered=cited[0].article_id if cited else None,
            probability=float(evidence["probability"]),
            kind=decision["understanding"]["kind"],
            articles=articles,
            dissatisfied=float(decision["understanding"]["dissatisfied"]),
            decision=decision,
            features=evidence["features"],
        )


@asynccontextmanager
async def open_arena(articles: Sequence[BenchArticle], *, on_progress: Progress) -> AsyncIterator[Arena]:
    """Install the engine in an empty folder with these articles; the folder is removed at the end.

    Raises:
        Misconfigured, BadTurn: as `open_runtime` and ingest.
    """
    with tempfile.TemporaryDirectory(prefix="helpgraph-bench-") as folder:
        root = Path(folder)
        (root / "workspace").mkdir()
        costs = {name: getattr(COSTS, name) for name in Costs.__slots__}
        workspace = {"name": "Benchmark", "workspace_id": "bench", "costs": costs}
        (root / "workspace" / "workspace.yaml").write_text(yaml.safe_dump(workspace), encoding="utf-8")
        settings = load_settings(
            workspace=root / "workspace",
            data_dir=root / "data",
            max_message_chars=MESSAGE_CHARS,
            database_url=f"sqlite:///{root / 'data' / 'helpgraph.db'}",
        )
        async with open_runtime(settings) as runtime:
            if articles:
                path = root / "articles.jsonl"
                path.write_text("".join(_line(article) for article in articles), encoding="utf-8")
                await runtime.knowledge.ingest(path, on_progress)
            yield Arena(runtime)


def _line(article: BenchArticle) -> str:
    fields = {
        "id": article.article_id,
        "title": article.title,
        "content": article.content,
        "language": "en",
        "questions": list(article.questions),
    }
    return json.dumps(fields) + "\n"


def _message(place: int, who: str, said: str) -> Message:
    author = Author.CUSTOMER if who == "customer" else Author.BOT
    route = None if author is Author.CUSTOMER else Route.ANSWER.value
    source = Source.CUSTOMER if author is Author.CUSTOMER else Source.MODEL
    return Message(f"h{place}", author, Untrusted.of(said, source, limit=MESSAGE_CHARS), NOW, route)
