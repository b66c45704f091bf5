"""What is pointed at on the customer's page: what is there now, in the map's own words."""

from pathlib import Path

import pytest

from agent.types import Guidance, Outcome, PageContext, Sentence, ToolCall
from tests.fakes import ScriptedEngine, ask, fake_deps
from tests.graphs.following import run, steps, values
from tools.answer_tools import PointTool
from tools.pages import PageMap

MAP = """
routes:
  - route: /billing
    title: Billing
    area: billing
    elements:
      - {id: history, selector: "[data-help=history]", label: History, description: "Open the history"}
      - {id: cancel, selector: "[data-help=cancel]", label: Cancel plan}
      - {id: card, selector: "[data-help=card]", label: Card, keywords: [payment method]}
walks:
  - id: download
    title: Download an invoice
    article: download-invoices
    steps:
      - {element: history, text: "First open the history"}
      - {element: card, text: "Then look at the card"}
"""


@pytest.fixture
def pages(tmp_path: Path) -> PageMap:
    path = tmp_path / "pages.yaml"
    path.write_text(MAP, encoding="utf-8")
    return PageMap.load(path)


def seen(pages: PageMap, *element_ids: str) -> PageContext:
    return pages.locate({"route": "/billing", "elements": [{"id": element_id} for element_id in element_ids]})


def pointed(guidance: Guidance | None) -> list[tuple[str, str]]:
    return [] if guidance is None else [(step.element_id, step.text) for step in guidance.steps]


def test_what_the_engine_chose_comes_before_the_articles_walk_in_the_maps_words(pages: PageMap) -> None:
    page = seen(pages, "history", "cancel", "card")

    guidance = pages.guidance(
        page, ["download-invoices"], "**Card**", question="?", chosen=["cancel", "history", "cancel"]
    )

    assert guidance is not None
    assert guidance.title == "Cancel plan"
    assert pointed(guidance) == [("cancel", "Cancel plan"), ("history", "Open the history")]
    assert [step.selector for step in guidance.steps] == ["[data-help=cancel]", "[data-help=history]"]


def test_what_was_chosen_but_is_not_there_is_left_out(pages: PageMap) -> None:
    page = seen(pages, "history")

    some = pages.guidance(page, [], "", question="?", chosen=["cancel", "history", "made_up"])
    none = pages.guidance(page, ["download-invoices"], "", question="?", chosen=["cancel"])

    assert pointed(some) == [("history", "Open the history")]
    assert pointed(none) == [("history", "First open the history")]  # The article's walk, as far as it is there.


def test_without_a_choice_the_walk_of_the_first_article_or_what_the_answer_names(pages: PageMap) -> None:
    page = seen(pages, "history", "card")

    walk = pages.guidance(page, ["download-invoices", "other"], "**Card**", question="?")
    named = pages.guidance(page, ["other", "download-invoices"], "Open **Payment method**.", question="?")

    assert pointed(walk) == [("history", "First open the history"), ("card", "Then look at the card")]
    assert pointed(named) == [("card", "Card")]


@pytest.mark.parametrize("chosen", [(), ("history",)])
def test_where_nothing_is_known_to_be_there_nothing_is_pointed_at(pages: PageMap, chosen: tuple[str, ...]) -> None:
    assert pages.guidance(seen(pages), ["download-invoices"], "**Card**", question="?", chosen=chosen) is None
    assert pages.guidance(PageContext(), ["download-invoices"], "**Card**", question="?", chosen=chosen) is None


async def test_an_answer_that_points_shows_the_element_when_it_is_done(pages: PageMap) -> None:
    engine = ScriptedEngine(
        parts=(
            ToolCall("1:0", "point_at", {"element_id": "cancel"}),
            ToolCall("1:1", "point_at", {"element_id": "buy"}),
        ),
        after_tools=(Sentence("Invoices are under **Billing > History**.", cites=("p1",)),),
    )
    deps = fake_deps(engine=engine, pages=pages, tools=(PointTool(),))
    request = ask(
        "Where is cancel plan?", page={"route": "/billing", "elements": [{"id": "history"}, {"id": "cancel"}]}
    )

    finished, events = await run(deps, request)

    assert steps(events)[4:] == ["answer", "use_tools", "answer", "check", "finish"]
    assert finished.reply.outcome is Outcome.ANSWERED
    assert pointed(finished.reply.guidance) == [("cancel", "Cancel plan")]
    assert [result.ok for result in engine.briefs[1].tool_results] == [True, False]
    assert values(events, "guidance")[0]["steps"][0]["selector"] == "[data-help=cancel]"


async def test_pointing_is_no_source(pages: PageMap) -> None:
    engine = ScriptedEngine(
        parts=(ToolCall("1:0", "point_at", {"element_id": "cancel"}),),
        after_tools=(Sentence("Cancelling is free.", from_tool="point_at"),),
    )
    deps = fake_deps(engine=engine, pages=pages, tools=(PointTool(),))

    finished, _ = await run(deps, ask("Is it?", page={"route": "/billing", "elements": [{"id": "cancel"}]}))

    assert "free" not in finished.reply.text
