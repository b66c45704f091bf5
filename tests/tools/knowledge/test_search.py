"""Finding passages: by meaning and by words, in three languages, with what is known of the customer."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.errors import ConnectorError
from agent.ports import SearchQuery
from agent.types import Language
from tests.tools.knowledge.arrange import ask, opened, write_articles
from tools.embedding.minilm import MiniLmEmbedder
from tools.knowledge import store as store_module
from tools.knowledge.store import KnowledgeStore


class Broken:
    """An embedder that worked when the articles were taken in and doesn't now."""

    name = "minilm-int8"
    dimensions = 384

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        raise ConnectorError("scripted failure")


class Slow(Broken):
    """An embedder that takes its time."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        await asyncio.sleep(60)
        return await super().embed(texts)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("filled")


@pytest.fixture
async def knowledge(filled: Path, minilm: MiniLmEmbedder) -> AsyncIterator[KnowledgeStore]:
    async with opened(filled, minilm) as store:
        await store.ingest(write_articles(filled / "kb"))
        yield store


@pytest.mark.parametrize(
    ("question", "language", "expected"),
    [
        ("where can I get a receipt for my payments", "en", "download-invoices"),
        ("I can't log in any more, forgot my credentials", "en", "reset-password"),
        ("the clock won't join our wireless network", "en", "pair-terminal"),
        ("add a colleague", "en", "invite-members"),
        ("Wo kann ich meine Rechnung als PDF herunterladen?", "de", "de-rechnungen"),
        ("Ich habe mein Passwort vergessen", "de", "de-passwort"),
        ("¿Dónde descargo mi factura?", "es", "es-facturas"),
        ("quiero invitar a un compañero", "es", "es-miembros"),
    ],
)
async def test_the_article_that_answers_comes_first(
    knowledge: KnowledgeStore, question: str, language: Language, expected: str
) -> None:
    found = await knowledge.search(ask(question, language))

    assert found[0].article_id == expected
    assert [passage.rank for passage in found] == list(range(len(found)))
    assert all(0 <= passage.score <= 1 for passage in found)
    assert found == sorted(found, key=lambda passage: -passage.score)
    assert found[0].dense_score is not None


@pytest.mark.parametrize(
    "question",
    [
        "removing a document with a leading hyphen in its filename",
        "get rid of a document that has a hyphen as the first character of its filename",
    ],
)
async def test_what_is_meant_beats_shared_words_where_all_is_near(
    tmp_path: Path, minilm: MiniLmEmbedder, question: str
) -> None:
    articles = {
        "delete": (
            "How do I delete a file whose name starts with a dash?",
            "Put two dashes before the name: everything behind them is taken for a name.",
        ),
        "copy": (
            "How do I copy a document with a leading number in its filename?",
            "Put the filename in quotes. A leading number in the filename of a document does no harm.",
        ),
        "sort": (
            "How do I sort documents by filename?",
            "Choose View, then Sort by, then Filename. A leading hyphen in a filename comes first.",
        ),
    }
    async with opened(tmp_path, minilm) as store:
        await store.ingest(write_articles(tmp_path / "kb", articles))
        found = await store.search(ask(question))

    assert found[0].article_id == "delete"
    assert [passage.score for passage in found] == sorted((passage.score for passage in found), reverse=True)


async def test_scores_tell_questions_with_an_answer_from_those_without(knowledge: KnowledgeStore) -> None:
    answered = [await knowledge.search(ask(q)) for q in ("How do I download invoices?", "reset my password")]
    unanswered = [await knowledge.search(ask(q)) for q in ("Is there a dark mode?", "best pizza in Naples")]

    assert min(found[0].score for found in answered) > max(found[0].score for found in unanswered) + 0.3


async def test_without_vectors_words_are_enough(filled: Path, knowledge: KnowledgeStore) -> None:
    before = await knowledge.search(ask("download invoices"))
    await knowledge.close()

    async with opened(filled, Broken()) as broken:
        found = await broken.search(ask("download invoices"))

    assert before[0].dense_score is not None
    assert found[0].article_id == "download-invoices"
    assert found[0].dense_score is None


async def test_a_slow_embedder_is_not_waited_for(
    filled: Path, knowledge: KnowledgeStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    await knowledge.close()
    monkeypatch.setattr(store_module, "_DENSE_DEADLINE_S", 0.05)

    async with opened(filled, Slow()) as slow:
        found = await slow.search(ask("download invoices"))

    assert found[0].article_id == "download-invoices"


@pytest.mark.parametrize(
    "text", ["", "   ", "???", "the of and", '"title:(', "a AND OR NOT ^~* [x TO y}", "\x00", "'; --"]
)
async def test_nothing_in_a_question_is_syntax(knowledge: KnowledgeStore, text: str) -> None:
    assert isinstance(await knowledge.search(ask(text)), list)


async def test_passages_of_other_plans_rank_lower(tmp_path: Path, minilm: MiniLmEmbedder) -> None:
    body = "Open **Reports** and choose **Export**."
    folder = write_articles(tmp_path / "kb", {"export-business": ("Export reports", body)}, plans="[business]")
    text = (folder / "export-business.md").read_text().replace("business", "team").replace("choose", "press")
    (folder / "export-team.md").write_text(text)

    async with opened(tmp_path, minilm) as store:
        await store.ingest(folder)
        first = [(await store.search(ask("export reports", plan=plan)))[0].article_id for plan in ("team", "business")]

    assert first == ["export-team", "export-business"]


async def test_the_questions_own_words_dont_lift_what_holds_on_another_plan(
    tmp_path: Path, minilm: MiniLmEmbedder
) -> None:
    mine = ("Reports as PDF", "Export a report as PDF: open **Reports** and press **Export**.")
    theirs = ("How do I export a report as PDF?", "Open **Reports** and choose **Export**.")
    folder = write_articles(tmp_path / "kb", {"mine": mine}, plans="[team]")
    other = write_articles(tmp_path / "other", {"theirs": theirs}, plans="[business]")
    (folder / "theirs.md").write_text((other / "theirs.md").read_text())

    async with opened(tmp_path, minilm) as store:
        await store.ingest(folder)
        question = "how do I export a report as PDF?"
        first = [(await store.search(ask(question, plan=plan)))[0].article_id for plan in ("team", "business")]

    assert first == ["mine", "theirs"]


@pytest.mark.parametrize("age_days", [400, 1200])
async def test_of_two_articles_that_disagree_the_newer_comes_first(
    tmp_path: Path, minilm: MiniLmEmbedder, age_days: int
) -> None:
    today = datetime.now(UTC).date()
    folder = write_articles(
        tmp_path / "kb",
        {"a-old": ("Refunds", "Annual plans are refunded in full within 14 days.")},
        last_reviewed=str(today - timedelta(days=age_days)),
    )
    old = (folder / "a-old.md").read_text()
    (folder / "b-new.md").write_text(
        old.replace("14 days", "30 days").replace(str(today - timedelta(days=age_days)), str(today))
    )

    async with opened(tmp_path, minilm) as store:
        await store.ingest(folder)
        found = await store.search(ask("how long can I get a refund for an annual plan"))

    assert [passage.article_id for passage in found] == ["b-new", "a-old"]


async def test_a_text_that_stands_twice_is_shown_once_and_an_article_three_times(
    tmp_path: Path, minilm: MiniLmEmbedder
) -> None:
    long = "\n\n".join(f"## Part {n}\n\nInvoices of kind {n} are under Billing, page {n}." for n in range(6))
    folder = write_articles(
        tmp_path / "kb",
        {
            "one": ("Invoices", "Find them here."),
            "two": ("Invoices", "Find them here."),
            "long": ("All invoices", long),
        },
    )

    async with opened(tmp_path, minilm) as store:
        await store.ingest(folder)
        found = await store.search(SearchQuery(text=ask("invoices").text, language="en", limit=20))

    ids = [passage.article_id for passage in found]
    assert ids.count("long") == 3
    assert ids.count("one") + ids.count("two") == 1
