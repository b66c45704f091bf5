"""Does an article know the trouble that is reported, or is it only about the same thing?"""

import pytest

from agent.types import Kind, Passage, Source, Untrusted
from tests.tools.engines.conftest import Hear
from tools.engines.local.engine import LocalEngine

CONNECT = (
    "Connect your shop",
    "Go to **Settings > Shops > Add shop**, choose the platform and sign in there.\n\n"
    "Orders are imported every 15 minutes. Click **Import now** to do it at once.",
    "If orders are missing, check that they are paid. If the connection has expired, click **Reconnect**.",
)
INVITE = (
    "Invite members",
    "1. Go to **Settings > Members**.\n2. Select **Invite member**.\n3. Enter an e-mail address and choose a role.",
    "An invitation is valid for 7 days. If it doesn't arrive, look into the spam folder and select **Resend**.",
)


def article(title: str, *texts: str) -> tuple[Passage, ...]:
    return tuple(
        Passage(
            passage_id=f"a#{number}",
            article_id="a",
            title=title,
            section="",
            text=Untrusted.of(text, Source.ARTICLE),
            url=None,
            language="en",
            score=0.8,
            dense_score=0.6,
            lexical_score=6.0,
            rank=number,
            area=None,
        )
        for number, text in enumerate(texts)
    )


async def known(engine: LocalEngine, hear: Hear, text: str, passages: tuple[Passage, ...]) -> float:
    heard = await hear(text)
    assert heard.kind is Kind.BUG, text
    return (await engine.assess(heard, passages, ())).features["remedy"]


@pytest.mark.parametrize(
    ("text", "about"),
    [
        ("orders from my shop are not showing up", CONNECT),
        ("it says that the connection has expired", CONNECT),
        ("the invitation mail never arrived", INVITE),
    ],
)
async def test_an_article_knows_the_trouble_that_it_tells_what_to_do_about(
    engine: LocalEngine, hear: Hear, text: str, about: tuple[str, ...]
) -> None:
    assert await known(engine, hear, text, article(*about)) >= 0.5
    # Without that sentence it is only about the same thing.
    assert await known(engine, hear, text, article(*about[:-1])) == 0.0


async def test_no_article_knows_no_trouble(engine: LocalEngine, hear: Hear) -> None:
    assert await known(engine, hear, "the page crashes", ()) == 0.0


async def test_it_goes_by_words_where_there_is_no_embedding_model(by_words: LocalEngine, hear: Hear) -> None:
    heard = await hear("the invitation doesn't arrive")

    assert (await by_words.assess(heard, article(*INVITE), ())).features["remedy"] > 0.5
    assert (await by_words.assess(heard, article(*INVITE[:-1]), ())).features["remedy"] == 0.0
