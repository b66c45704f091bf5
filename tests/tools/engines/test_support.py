"""Whether a source says what a sentence says."""

from dataclasses import replace

import pytest

from agent.types import Sentence, ToolResult
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


EXPORT = passage(
    "refund-policy",
    text="Open **Data > Exports** and select **New export**. An export can't be changed after it has started. "
    "Admins can download it for 30 days, or for 90 days on the Business plan. Members only see it if an admin shares "
    "it. Cancel a running export before you start another one.",
)


@pytest.mark.parametrize(
    "text",
    [
        "Go to **Data > Exports** and click **New export**.",
        "After an export has started, it can't be changed.",
    ],
)
async def test_the_same_in_other_words_is_supported(engine: LocalEngine, text: str) -> None:
    assert await engine.support(Sentence(text, cites=("x",)), (EXPORT,)) >= 0.5


@pytest.mark.parametrize(
    "text",
    [
        "Go to **Data > Backups** and click **New export**.",
        "An export can be changed after it has started.",
        "Admins can download it for 90 days, or for 30 days on the Business plan.",
        "Members can download it for 30 days.",
        "Members always see it.",
        "Start another export before you cancel the running one.",
        "Admins can download it for half a year.",
        "You'll get an e-mail when the export is ready.",
    ],
)
async def test_one_thing_that_differs_is_enough_to_be_stopped(engine: LocalEngine, text: str) -> None:
    assert await engine.support(Sentence(text, cites=("x",)), (EXPORT,)) < 0.5


ACCOUNT = ToolResult(
    "c",
    "account_status",
    ok=True,
    facts={
        "plan": "team",
        "billing_status": "active",
        "renewal_on": "2026-12-01",
        "seats": "10",
        "seats_used": "7",
    },
)
ORDER = ToolResult(
    "c",
    "order_status",
    ok=True,
    facts={"order_id": "OT-1", "status": "shipped", "ordered_on": "2026-11-20", "expected_on": "2026-12-03"},
)


async def of_facts(engine: LocalEngine, text: str, result: ToolResult) -> float:
    return await engine.support(Sentence(text, from_tool=result.tool), (), (result,))


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("You are on the **Team** plan with 7 of 10 seats used.", ACCOUNT),
        ("Of your 10 seats, 7 of them are in use.", ACCOUNT),
        ("You have 10 seats in total.", ACCOUNT),
        ("Your subscription renews on December 1, 2026.", ACCOUNT),
        ("Your subscription renews on 2026-12-01.", ACCOUNT),
        ("Your account is active.", ACCOUNT),
        ("Sie haben den Tarif Team, 7 von 10 Plätzen sind belegt.", ACCOUNT),
        ("Su plan es **Team** y se renueva el 1 de diciembre de 2026.", ACCOUNT),
        ("Your order OT-1 has shipped and is expected on 3 December.", ORDER),
        ("Your order of 20 November is expected on 3 December 2026.", ORDER),
    ],
)
async def test_what_a_lookup_said_may_be_said(engine: LocalEngine, text: str, result: ToolResult) -> None:
    assert await of_facts(engine, text, result) >= 0.5


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("You are on the **Business** plan.", ACCOUNT),
        ("You are not on the Team plan.", ACCOUNT),
        ("7 of 12 seats are in use.", ACCOUNT),
        ("10 of 7 seats are in use.", ACCOUNT),
        ("10 seats are in use.", ACCOUNT),
        ("You have 7 seats.", ACCOUNT),
        ("You have 3 seats left.", ACCOUNT),
        ("Your subscription renews on 5 December 2026.", ACCOUNT),
        ("Your account is active. You can cancel at any time.", ACCOUNT),
        ("...", ACCOUNT),
        ("Your order was delivered.", ORDER),
        ("Your order is expected on 20 November 2026.", ORDER),
    ],
)
async def test_what_a_lookup_did_not_say_is_stopped(engine: LocalEngine, text: str, result: ToolResult) -> None:
    assert await of_facts(engine, text, result) < 0.5


async def test_a_failed_lookup_supports_nothing(engine: LocalEngine) -> None:
    failed = replace(ACCOUNT, ok=False)

    assert await of_facts(engine, "You are on the Team plan.", failed) < 0.5


async def test_another_tool_s_facts_are_read_as_a_text(engine: LocalEngine) -> None:
    result = ToolResult("c", "status_page", ok=True, facts={"state": "All systems work."})

    assert await of_facts(engine, "All systems work.", result) >= 0.95
    assert await of_facts(engine, "Exports are slow today.", result) < 0.5


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("Go to **Data > Backups** and click **New export**.", "Open **Data > Exports** and select **New export**."),
        ("Admins have 60 days to download it.", "Admins can download it for 30 days, or for 90 days on the Business"),
        ("Exports can still be changed once they have started.", "An export can't be changed after it has started."),
    ],
)
async def test_what_may_not_be_said_is_put_in_the_source_s_words(engine: LocalEngine, text: str, quoted: str) -> None:
    put = await engine.rewrite(Sentence(text, cites=("x",)), (EXPORT,))

    assert put is not None
    assert put.text.startswith(quoted)
    assert put.cites == ("x",)
    assert await engine.support(put, (EXPORT,)) >= 0.95


async def test_a_quotation_that_points_back_comes_with_the_sentence_before_it(engine: LocalEngine) -> None:
    source = passage("refund-policy", text="Guests get a code by e-mail. It is valid for 20 minutes.")

    put = await engine.rewrite(Sentence("The code stays valid for 25 minutes.", cites=("x",)), (source,))

    assert put is not None
    assert put.text == "Guests get a code by e-mail. It is valid for 20 minutes."


@pytest.mark.parametrize("text", ["Bring your own lawyer to the meeting.", "...", "To start an export:"])
async def test_nothing_near_is_not_rewritten(engine: LocalEngine, text: str) -> None:
    assert await engine.rewrite(Sentence(text, cites=("x",)), (REFUND,)) is None
