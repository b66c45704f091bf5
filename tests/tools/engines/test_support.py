"""Whether a source says what a sentence says."""

import pytest

from agent.types import Sentence
from tests.tools.engines.shop import ARTICLES, passage
from tools.engines.local.engine import LocalEngine

REFUND = passage("refund-policy")


async def supported(engine: LocalEngine, text: str, article_id: str = "refund-policy") -> float:
    return await engine.support(Sentence(text, cites=(f"{article_id}#0",)), (passage(article_id),))


@pytest.mark.parametrize("article_id", sorted(ARTICLES))
async def test_a_whole_article_supports_itself(engine: LocalEngine, article_id: str) -> None:
    assert await supported(engine, ARTICLES[article_id][3], article_id) == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "Annual plans are refunded in full within 30 days of the charge.",
        "**Annual plans** are refunded in full  within 30 days of the charge",
        "Monthly plans are not refunded.",
    ],
)
async def test_a_quotation_is_certain(engine: LocalEngine, text: str) -> None:
    assert await supported(engine, text) >= 0.95


@pytest.mark.parametrize(
    "text",
    [
        "Within 30 days of the charge, annual plans are refunded in full.",
        "Refunds for the Business plan take between 5 and 10 working days.",
    ],
)
async def test_the_same_in_another_order_is_supported(engine: LocalEngine, text: str) -> None:
    assert await supported(engine, text) >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Annual plans are refunded in full within 60 days of the charge.",
        "Refunds on the Business plan take 2 working days.",
        "Annual plans are refunded in full within ninety 90 days.",
    ],
)
async def test_a_number_that_is_not_there_is_not_supported(engine: LocalEngine, text: str) -> None:
    assert await supported(engine, text) < 0.1


@pytest.mark.parametrize(
    "text",
    [
        "Monthly plans are refunded.",
        "Annual plans are not refunded within 30 days of the charge.",
        "Refunds on the Team plan take 5 to 10 working days.",
        "Refunds on the Enterprise plan take 5 to 10 working days.",
        "You can pay with cryptocurrency.",
        "Annual plans are refunded in full within 30 days of the charge. Bring your own lawyer.",
    ],
)
async def test_the_opposite_another_plan_and_inventions_are_not_supported(engine: LocalEngine, text: str) -> None:
    assert await supported(engine, text) < 0.5


@pytest.mark.parametrize(
    ("text", "article_id"),
    [
        ("members see this page", "download-invoices"),
        ("Admins can make somebody an admin.", "invite-members"),
        ("Members can download each receipt.", "download-invoices"),
    ],
)
async def test_half_a_sentence_and_another_role_are_not_supported(
    engine: LocalEngine, text: str, article_id: str
) -> None:
    assert await supported(engine, text, article_id) < 0.5


async def test_half_of_a_sentence_without_its_condition_is_not_supported(engine: LocalEngine) -> None:
    source = passage("refund-policy", text="You can delete the workspace only if you are its owner.")

    torn = await engine.support(Sentence("You can delete the workspace.", cites=(source.passage_id,)), (source,))

    assert torn < 0.5


async def test_thousands_are_one_number_however_written(engine: LocalEngine) -> None:
    source = passage("refund-policy", text="The terminal stores 5,000 punches.")

    assert await engine.support(Sentence("It stores 5000 punches.", cites=("x",)), (source,)) >= 0.4
    assert await engine.support(Sentence("The terminal stores 500 punches.", cites=("x",)), (source,)) < 0.1


async def test_nothing_is_supported_by_nothing(engine: LocalEngine) -> None:
    assert await engine.support(Sentence("Anything."), ()) == 0.0
    assert await engine.support(Sentence("...", cites=(REFUND.passage_id,)), (REFUND,)) == 0.0


async def test_one_of_several_sources_is_enough(engine: LocalEngine) -> None:
    sentence = Sentence("Monthly plans are not refunded.", cites=("a", "b"))

    assert await engine.support(sentence, (passage("slack-integration"), REFUND)) >= 0.95


async def test_words_alone_judge_too(by_words: LocalEngine) -> None:
    assert await supported(by_words, "Monthly plans are not refunded.") >= 0.95
    assert await supported(by_words, "Monthly plans are refunded.") < 0.5
