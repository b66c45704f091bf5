"""How sure the engine is that articles answer."""

from dataclasses import replace
from pathlib import Path

from agent.ports import SearchQuery
from agent.types import Passage
from tests.installed import copy_of
from tests.tools.engines.conftest import Hear, words
from tests.tools.engines.shop import passage
from tools.embedding.minilm import MiniLmEmbedder
from tools.engines.local.engine import LocalEngine
from tools.knowledge.store import KnowledgeStore
from tools.storage.database import Database

ANSWERED = (
    "How long does the link for a new password work?",
    "is it possible to archive a project and bring it back later",
    "who can approve the timesheets of my team",
    "what is the biggest file I can attach",
    "can I connect Slack",
    "How many API requests can I send per minute?",
    "how do I put our VAT id on the receipts",
    "invite a guest client",
    "Wie kündige ich unser Abo?",
    "¿cómo restablezco mi contraseña?",
)
NOT_ANSWERED = (
    "do you support payroll integration with DATEV?",
    "Is there a desktop app that works offline?",
    "when will there be a dark mode",
    "can we run it on our own premises",
    "export the Gantt chart to MS Project",
    "set another hourly rate for Sundays",
    "do you take Ethereum",
    "how do I merge our two workspaces",
    "send notifications to WhatsApp",
    "what is the capital of Australia",
)


async def test_it_is_sure_of_what_is_there_and_unsure_of_what_is_not(
    engine: LocalEngine, hear: Hear, minilm: MiniLmEmbedder, installed: Path, tmp_path: Path
) -> None:
    data_dir = copy_of(installed, tmp_path / "data")
    db = await Database.open(None, data_dir=data_dir)
    store = await KnowledgeStore.open(db, data_dir, minilm, "orrery")
    try:

        async def sure(question: str) -> float:
            heard = await hear(question)
            found = await store.search(SearchQuery(words(question), heard.language))
            return (await engine.assess(heard, tuple(found), ())).probability

        answered = {question: await sure(question) for question in ANSWERED}
        not_answered = {question: await sure(question) for question in NOT_ANSWERED}
    finally:
        await store.close()
        await db.close()

    assert sum(p >= 0.6 for p in answered.values()) >= 9, answered
    # 0.85 is where an answer becomes cheaper than a question.
    assert max(not_answered.values()) < 0.85, not_answered
    assert sum(p < 0.5 for p in not_answered.values()) >= 9, not_answered
    assert min(answered.values()) > sorted(not_answered.values())[-3]


async def test_nothing_found_is_no_evidence(engine: LocalEngine, hear: Hear) -> None:
    evidence = await engine.assess(await hear("do you support payroll integration with DATEV?"), (), ())

    assert evidence.probability == 0.0
    assert evidence.passage_ids == ()


async def test_an_article_of_one_line_answers_and_a_title_alone_does_not(engine: LocalEngine, hear: Hear) -> None:
    heard = await hear("how do I reset my password")
    one_line = passage("reset-password", text="Open **Profile** and press **Reset your password**.")
    title = replace(one_line, text=words("Reset your password"))

    answering, titled = [(await engine.assess(heard, (found,), ())).probability for found in (one_line, title)]

    assert answering > 0.7
    assert titled == 0.0


async def test_evidence_names_the_passages_and_what_it_looked_at(engine: LocalEngine, hear: Hear) -> None:
    found = (passage("reset-password"), passage("download-invoices", score=0.4, rank=1))

    evidence = await engine.assess(await hear("I forgot my password, how do I reset it"), found, ())

    assert evidence.probability > 0.7
    assert evidence.passage_ids == ("reset-password#0",)
    assert all(0.0 <= value <= 1.0 for value in evidence.features.values())


async def test_a_name_that_no_article_knows_lowers_it(engine: LocalEngine, hear: Hear) -> None:
    found = (passage("slack-integration", score=0.7),)

    known = await engine.assess(await hear("can I connect it to Slack"), found, ())
    unknown = await engine.assess(await hear("can I connect it to Salesforce"), found, ())

    assert unknown.probability < 0.5 < known.probability
    assert unknown.features["named"] == 1.0


async def test_two_articles_side_by_side_are_less_sure_than_one(engine: LocalEngine, hear: Hear) -> None:
    heard = await hear("where do I download my invoices")
    alone = await engine.assess(heard, (passage("download-invoices", score=0.7),), ())
    beside = await engine.assess(
        heard,
        (passage("download-invoices", score=0.7), passage("refund-policy", score=0.69, rank=1)),
        (),
    )

    assert beside.probability < alone.probability


async def test_a_word_that_several_articles_are_about_is_no_question(engine: LocalEngine, hear: Hear) -> None:
    heard = await hear("invoices")
    one = passage("download-invoices", score=0.9)
    another = replace(passage("refund-policy", score=0.4, rank=1), title="Invoices that are refunded")

    only = await engine.assess(heard, (one, replace(another, title="Refunds")), ())
    several = await engine.assess(heard, (one, another), ())

    assert several.features["several"] == 1.0
    # 0.85 is where an answer becomes cheaper than a question.
    assert several.probability < 0.85 < only.probability


async def test_without_embeddings_words_decide(by_words: LocalEngine, hear: Hear) -> None:
    def lexical(found: Passage) -> tuple[Passage, ...]:
        return (replace(found, dense_score=None),)

    heard = await hear("where do I download my receipts")
    right = await by_words.assess(heard, lexical(passage("download-invoices", score=0.8)), ())
    wrong = await by_words.assess(heard, lexical(passage("slack-integration", score=0.2)), ())

    assert wrong.probability < 0.2 < right.probability


async def test_a_fact_of_the_account_can_be_looked_up_without_articles(engine: LocalEngine, hear: Hear) -> None:
    tools = ("account_status", "order_status")
    asked = await engine.assess(await hear("where is my order"), (), tools)
    general = await engine.assess(await hear("how do I return a terminal"), (), tools)

    assert asked.probability > 0.6
    assert "lookup" in asked.features
    assert general.probability == 0.0


async def test_without_the_tool_a_lookup_answers_nothing(engine: LocalEngine, hear: Hear) -> None:
    asked = await engine.assess(await hear("where is my order"), (), ("account_status",))

    assert asked.probability == 0.0
    assert "lookup" not in asked.features
