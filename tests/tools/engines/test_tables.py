"""What the local engine makes of an article's tables."""

from dataclasses import replace

import pytest

from agent.types import Passage, Sentence, Source, Untrusted
from tests.tools.engines.conftest import Asking
from tests.tools.engines.test_answers import claims
from tools.engines.local.engine import LocalEngine
from tools.knowledge.articles import Article
from tools.knowledge.split import split

PLANS = """|  | Free | Basic | Pro |
| --- | --- | --- | --- |
| Price per month | 0 € | 19 € | 59 € |
| Labels per month | 25 | 250 | 2,000 |
| Users | 1 | 3 | 15 |
| Own carrier contracts | no | no | yes |

If you pay yearly you get two months for free. You can change your plan at any time."""
ROLES = """| Role | Who | Can delete |
| --- | --- | --- |
| Owner | one person | everything |
| Packer | unlimited | nothing |"""


def told(body: str) -> Passage:
    (piece,) = split(Article("plans", "Plans and prices", body, "plans.md"))
    return Passage(
        passage_id="plans#0",
        article_id="plans",
        title="Plans and prices",
        section="",
        text=Untrusted.of(piece.text, Source.ARTICLE),
        url=None,
        language="en",
        score=0.85,
        dense_score=0.7,
        lexical_score=6.0,
        rank=0,
        area=None,
    )


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("how much does pro cost", "- **Price per month** · Free: 0 € · Basic: 19 € · Pro: 59 €"),
        ("how many users does basic have", "- **Users** · Free: 1 · Basic: 3 · Pro: 15"),
        ("can I use my own carrier contracts", "- **Own carrier contracts** · Free: no · Basic: no · Pro: yes"),
    ],
)
async def test_an_answer_that_is_in_a_table_is_the_row(ask: Asking, question: str, row: str) -> None:
    said = [sentence.text for sentence in claims(await ask(question, told(PLANS)))]

    assert row in "\n".join(said).split("\n")
    assert sum(line.startswith("- ") for text in said for line in text.split("\n")) <= 2


async def test_a_table_that_was_taken_in_as_it_stands_is_not_quoted(ask: Asking) -> None:
    """Until the next ingest."""
    before = replace(told(PLANS), text=Untrusted.of(PLANS, Source.ARTICLE))

    said = [sentence.text for sentence in claims(await ask("how much does pro cost", before))]

    assert said
    assert not any("|" in text for text in said)


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (PLANS, "Pro costs 59 € per month."),
        (PLANS, "With Basic you get 250 labels per month."),
        (PLANS, "Only Pro lets you use your own carrier contracts."),
        (PLANS, "- **Users** · Free: 1 · Basic: 3 · Pro: 15"),
        (ROLES, "A packer can't delete anything."),
    ],
)
async def test_what_a_table_says_may_be_said(engine: LocalEngine, body: str, sentence: str) -> None:
    assert await engine.support(Sentence(sentence, cites=("plans#0",)), (told(body),)) >= 0.5


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        (PLANS, "Basic costs 59 € per month."),
        (PLANS, "With Basic you get 2,000 labels per month."),
        (PLANS, "With Pro you get 250 labels per month."),
        (PLANS, "You can use your own carrier contracts on Basic."),
        (ROLES, "Packers can delete everything."),
    ],
)
async def test_what_another_cell_says_may_not(engine: LocalEngine, body: str, sentence: str) -> None:
    assert await engine.support(Sentence(sentence, cites=("plans#0",)), (told(body),)) < 0.5


async def test_a_sentence_that_may_not_be_said_is_replaced_by_the_row(engine: LocalEngine) -> None:
    said = await engine.rewrite(Sentence("Pro costs 49 € per month.", cites=("plans#0",)), (told(PLANS),))

    assert said is not None
    assert said.text == "- **Price per month** · Free: 0 € · Basic: 19 € · Pro: 59 €"
