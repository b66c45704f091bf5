"""Codes that products show, and people copy into the chat."""

from dataclasses import replace

import pytest

from agent.types import Kind, Source, Untrusted
from tests.tools.engines.conftest import Hear, said
from tests.tools.engines.shop import passage
from tools.engines.local.codes import codes_in
from tools.engines.local.engine import LocalEngine

ERRORS = passage(
    "reset-password",
    score=0.45,
    text="- **Code: S10** · Meaning: The app didn't listen. · What to do: Listen on the port.\n"
    "- **Code: S11** · Meaning: Out of memory. · What to do: Choose a larger plan.",
)


@pytest.mark.parametrize(
    ("text", "codes"),
    [
        ("S10", ["s10"]),
        ("it says ERR_CONN_RST (0x80004005).", ["err_conn_rst", "0x80004005"]),
        ("do you have SOC2, or ISO_27001?", ["soc2", "iso_27001"]),
        ("S10 and then s10 again", ["s10"]),
    ],
)
def test_codes_are_found(text: str, codes: list[str]) -> None:
    assert codes_in(text) == codes


@pytest.mark.parametrize(
    "text",
    ["after 10min, 3x, on the 2nd, with 5GB", "see https://a.example/c1d2", "mail x1y@a.example", "24-11, 19 €", "A4"],
)
def test_amounts_and_addresses_are_none(text: str) -> None:
    assert codes_in(text) == []


@pytest.mark.parametrize("text", ["S10", "E42?", "do you have SOC2"])
async def test_nobody_greets_with_a_code(hear: Hear, text: str) -> None:
    assert (await hear(text)).kind not in (Kind.SMALL_TALK, Kind.ABUSE)


@pytest.mark.parametrize("text", ["thanks, S10 is gone now", "great, that fixed E42"])
async def test_thanks_may_name_one(hear: Hear, text: str) -> None:
    heard = await hear(text, history=said("what does S10 mean", "> The app didn't listen. Listen on the port."))

    assert heard.kind is Kind.SMALL_TALK
    assert heard.says_solved >= 0.5


async def test_an_article_that_has_the_code_is_what_is_asked_for(engine: LocalEngine, hear: Hear) -> None:
    asked = await hear("what does S11 mean")
    of_it = await engine.assess(asked, (ERRORS,), ())
    other = replace(ERRORS, text=Untrusted.of(ERRORS.text.render_plain().replace("S11", "S12"), Source.ARTICLE))
    of_another = await engine.assess(asked, (other,), ())

    assert of_it.features["code"] == 1.0
    assert of_another.features["code"] == 0.0
    assert of_it.probability > 0.8 > 0.5 > of_another.probability
