"""The reads that every workspace has: the articles again, and an element of the page."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from agent.ports import ToolContext
from agent.types import Identity, PageContext, PageElement, Source, ToolCall, ToolResult, Untrusted
from tests.fakes import FakeKnowledge, passage
from tools.answer_tools import PointArguments, PointTool, SearchArguments, SearchTool


def element(element_id: str) -> PageElement:
    return PageElement(element_id, f"[data-help={element_id}]", Untrusted.of(element_id, Source.PAGE))


PAGE = PageContext(route="/billing", known=True, area="billing", elements=(element("history"), element("cancel")))
CONTEXT = ToolContext(Identity(), "de", PAGE, plan="team")


async def search(knowledge: FakeKnowledge, question: str = "Wo sind Rechnungen?") -> ToolResult:
    call = ToolCall("1:0", "search_articles", {"question": question})
    return await SearchTool(knowledge).call(call, SearchArguments(question=question), CONTEXT)


async def test_a_search_brings_sources_and_looks_as_the_first_one_did() -> None:
    knowledge = FakeKnowledge([passage(), replace(passage("p2"), rank=1)])

    result = await search(knowledge)

    (query,) = knowledge.queries
    assert (query.text.render_plain(), query.language, query.area, query.plan, query.limit) == (
        "Wo sind Rechnungen?", "de", "billing", "team", 4,
    )  # fmt: skip
    assert query.text.source is Source.MODEL
    assert (result.ok, result.facts, [p.passage_id for p in result.passages]) == (True, {"found": "2"}, ["p1", "p2"])
    assert (result.call_id, result.tool, result.arguments) == (
        "1:0", "search_articles", {"question": "Wo sind Rechnungen?"},
    )  # fmt: skip


@pytest.mark.parametrize(
    ("knowledge", "error"),
    [(FakeKnowledge(down=True), "the articles can't be reached now"), (FakeKnowledge(()), "nothing found")],
)
async def test_a_search_without_a_source_says_why(knowledge: FakeKnowledge, error: str) -> None:
    result = await search(knowledge)

    assert (result.ok, result.error, result.facts, result.passages) == (False, error, {}, ())


@pytest.mark.parametrize("question", ["", "ab", "x" * 301, None, 3])
def test_a_question_that_is_none_is_refused_before_the_search(question: object) -> None:
    with pytest.raises(ValidationError):
        SearchArguments.model_validate({"question": question})


def test_what_a_model_adds_to_a_question_is_dropped() -> None:
    arguments = SearchArguments.model_validate({"question": "Where?", "workspace": "another", "limit": 1000})

    assert arguments.model_dump() == {"question": "Where?"}


async def test_a_question_of_a_model_is_cleaned_like_any_text_from_outside() -> None:
    knowledge = FakeKnowledge()

    await search(knowledge, "Wo\u202e sind\x00 sie?")

    assert knowledge.queries[0].text.render_plain() == "Wo sind sie?"


async def point(element_id: str, page: PageContext = PAGE) -> ToolResult:
    call = ToolCall("2:1", "point_at", {"element_id": element_id})
    return await PointTool().call(call, PointArguments(element_id=element_id), replace(CONTEXT, page=page))


async def test_an_element_on_the_page_can_be_pointed_at() -> None:
    result = await point("cancel")

    assert (result.ok, result.facts, result.call_id) == (True, {"element_id": "cancel"}, "2:1")


async def test_another_one_is_refused_with_those_that_are_there() -> None:
    result = await point("buy")
    nowhere = await point("buy", PageContext())

    assert (result.ok, result.facts) == (False, {})
    assert result.error == "no such element on this page; there are: history, cancel"
    assert nowhere.error == "no such element on this page; there are: none"


async def test_a_page_with_hundreds_of_elements_makes_no_endless_error() -> None:
    page = replace(PAGE, elements=tuple(element(f"e{number}") for number in range(300)))

    result = await point("buy", page)

    assert "e19" in str(result.error)
    assert "e20" not in str(result.error)


@given(st.text(max_size=120))
async def test_only_ids_of_the_page_ever_come_back(element_id: str) -> None:
    result = await point(element_id)

    assert result.ok is (element_id in {"history", "cancel"})
    assert (
        element_id not in str(result.error) or element_id in "no such element on this page; there are: history, cancel"
    )
